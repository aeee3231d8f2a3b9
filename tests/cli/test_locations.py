"""Where locations lead, and how what is found is named."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from tests.cli.support import Run

from remote_store import PermissionDenied, Store
from remote_store.backends import LocalBackend


@pytest.mark.spec("CLI-001")
def test_urls(run: Run, tmp_path: Path) -> None:
    assert run("ls", "memory://").lines == []
    assert "3 of 3 files" in run("cp", "s:", "memory:///x/y").err
    assert run("cat", f"file://{tmp_path}/root/x/a.txt?durable=true").out == "hi\n"
    assert run("cat", f"file://{tmp_path}/root/x/a%2etxt").out == "hi\n"
    assert "does not belong in a URL" in run("ls", "s3://bucket/x?secret=y", code=2).err


@pytest.mark.spec("CLI-023")
def test_urls_that_would_name_another_file(run: Run, tmp_path: Path) -> None:
    for name in ("2024", "2024#draft", "2024\t"):
        (tmp_path / name).write_bytes(b"")
    url = f"file://{tmp_path}/2024"
    for odd in (f"{url}#draft", f"{url}#", f"{url}#draft?durable=true", f"{url}?durable=true#x", f"{url}\t"):
        assert "write a" in run("rm", odd, code=2).err
    run("rm", f"{url}%23draft")
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} >= {"2024", "2024\t"}
    assert not (tmp_path / "2024#draft").exists()


@pytest.mark.spec("CLI-001")
def test_paths_with_colons(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s:odd").write_bytes(b"odd")
    assert run("cat", "./s:odd").out == "odd"
    assert run("cat", f"{tmp_path}/s:odd").out == "odd"
    assert "there is no such file" in run("cat", "s:odd", code=3).err


@pytest.mark.spec("CLI-002", "CLI-003")
def test_where_the_configuration_is(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (tmp_path / "remote-store.toml").read_text()
    (tmp_path / "remote-store.toml").unlink()
    assert "there is no configuration" in run("ls", "s:", code=2).err
    assert "there is no configuration" in run("config", "show", code=2).err
    for name in ("xdg/remote-store/remote-store.toml", "named.toml", "given.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert "xdg" in run("config", "show").lines[0]
    monkeypatch.setenv("REMOTE_STORE_CONFIG", "named.toml")
    assert run("config", "show").lines[0] == "configuration: named.toml"
    assert run("--config", "given.toml", "config", "show").lines[0] == "configuration: given.toml"
    assert "cannot be read" in run("--config", "missing.toml", "ls", "s:", code=2).err
    assert "no store 'other'; configured stores: far, s" in (err := run("ls", "other:", code=2).err)
    assert "begins with ./" in err
    assert "scheme" in run("ls", "ftp://host/x", code=2).err
    assert "location is missing" in run("ls", "", code=2).err


@pytest.mark.spec("CLI-003", "CLI-013")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[backends.x]\n[stores.s]\nbackend = "x"', "backend 'x' has no 'type'; add it"),
        ('[stores.s]\nbackend = "x"', "names the backend 'x', which is not configured"),
        ('[backends.x]\ntype = "local"\noptions = 1', "must be a mapping"),
        ("[backends", "not valid TOML"),
    ],
)
def test_a_configuration_that_makes_no_sense(run: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    for line in (["ls", "s:"], ["config", "show"]):
        err = run("--config", "bad.toml", *line, code=2).err
        assert err.count("\n") == 1
        assert said in err
        assert err.endswith("; the configuration is bad.toml\n")


@pytest.mark.spec("CLI-003", "CLI-013")
def test_malformed_paths(run: Run, tmp_path: Path) -> None:
    for location in ("s:../x", "file:///tmp/../x"):
        err = run("cp", "s:", location, code=2).err
        assert err.startswith(f"remote-store: {location}: a path must not contain '..'")
    text = (tmp_path / "remote-store.toml").read_text().replace('root_path = "x"', 'root_path = "../y"')
    (tmp_path / "remote-store.toml").write_text(text)
    err = run("ls", "s:", code=2).err
    assert err.startswith("remote-store: store 's' of remote-store.toml: ../y: a path must not")


@pytest.mark.spec("CLI-013")
def test_the_current_folder_is_gone(run: Run, tmp_path: Path) -> None:
    Path("gone").mkdir()
    os.chdir("gone")
    (tmp_path / "gone").rmdir()
    assert "the current folder is not there any more; go to" in run("ls", "x", code=2).err
    run("ls", str(tmp_path))


@pytest.mark.spec("CLI-026")
@pytest.mark.parametrize("how", ["ls -r", "ls -r --json", "find", "find --json", "tree --json", "du --json"])
def test_lists_give_paths_below_the_location(run: Run, tmp_path: Path, how: str) -> None:
    for location in ("s:sub", "root/x/sub", f"{tmp_path}/root/x/sub", f"file://{tmp_path}/root/x/sub"):
        done = run(*how.split(), location)
        paths = [line["path"] for line in done.json] if "--json" in how else done.lines
        assert (
            sorted(paths)
            == {
                "ls": ["b.csv", "deep/c.csv"],
                "find": ["b.csv", "deep/c.csv"],
                "tree": ["b.csv", "deep", "deep/c.csv"],
                "du": [".", "deep"],
            }[how.split(maxsplit=1)[0]]
        )


@pytest.mark.spec("CLI-026")
def test_what_names_a_file_can_be_given_again(run: Run, tmp_path: Path) -> None:
    names = {"s:": "s:a.txt", "root/x/": f"{tmp_path}/root/x/a.txt"}
    names[f"file://{tmp_path}/root/x/"] = f"file://{tmp_path}/root/x/a.txt"
    for begin, location in names.items():
        assert run("stat", f"{begin}a.txt", "--json").json[0]["path"] == location
        said = run("cat", f"{begin}a.txt/x", code=3).err
        assert said.startswith(f"remote-store: {location}/x: ")
        for source in ("s:sub/b.csv", "root/x/sub/b.csv"):
            said = run("cp", source, f"{begin}a.txt", code=1).err
            assert f"remote-store: {location}: the file exists" in said
    (tmp_path / "a.txt").write_bytes(b"")  # the name in the store is that of the source here
    assert "remote-store: s:a.txt: the file exists" in run("cp", "a.txt", "s:a.txt", code=1).err
    (tmp_path / "odd#?%41").mkdir()
    odd = run("stat", f"file://{tmp_path}/odd%23%3F%2541", "--json").json[0]["path"]
    assert odd == f"file://{tmp_path}/odd%23%3F%2541"
    assert run("stat", odd).code == 0


@pytest.mark.spec("CLI-026")
def test_errors_below_a_folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def denied(_: LocalBackend, path: str, **__: object) -> AsyncIterator[Any]:
        if path:
            raise PermissionDenied("not allowed", path=f"{path}/deep")
        yield []

    monkeypatch.setattr(LocalBackend, "list_pages", denied)
    for more in ([], ["--glob", "*"]):
        assert run("find", "s:sub", *more, code=1).err == "remote-store: s:sub/deep: not allowed\n"
    monkeypatch.setattr(Store, "write", Mock(side_effect=PermissionDenied("not allowed", path="first")))
    err = run("bench", "s:sub", code=1).err
    assert re.fullmatch(r"remote-store: s:sub/remote-store-bench-\w+/first: not allowed\n", err)


@pytest.mark.spec("CLI-026")
def test_a_journal_is_on_this_machine(run: Run, tmp_path: Path) -> None:
    for line in (["cp", "s:sub", "s:new"], ["sync", "s:sub", "s:new"]):
        err = run(*line, "--journal", "none/j", code=1).err
        assert err.startswith(f"remote-store: {tmp_path}/none/j: the journal cannot be written")
    err = run("discard-journal", "none", "s:", code=3).err
    assert err.startswith(f"remote-store: {tmp_path}/none: there is no such journal")


@pytest.mark.spec("CLI-011")
def test_names_that_a_terminal_would_obey(run: Run, tmp_path: Path) -> None:
    name = "a\x1b[2Jb\nc"
    (tmp_path / "root" / "x" / "odd").mkdir()
    (tmp_path / "root" / "x" / "odd" / name).write_bytes(b"")
    assert run("ls", "s:odd").lines == ["a\\x1b[2Jb\\nc"]
    assert run("ls", "s:odd", "--json").json[0]["path"] == name
    assert "\x1b" not in run("cat", "s:odd/\x1b", code=3).err
