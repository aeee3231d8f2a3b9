"""Each command, in this process."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from typer.core import TyperGroup
from typer.testing import CliRunner

from remote_store import PermissionDenied, Store, copy_tree
from remote_store.backends import LocalBackend
from remote_store.cli._app import app

Run = Callable[..., "Done"]
FILES = {"a.txt": b"hi\n", "sub/b.csv": b"yo\n", "sub/deep/c.csv": bytes(3000)}
SECRET = "s3cr3t-v4lue"
CONFIG = f"""\
[backends.disk]
type = "local"
options = {{ root = "root" }}
[backends.bucket]
type = "s3"
options = {{ bucket = "b", key = "AKIA", secret = "{SECRET}" }}
[stores.s]
backend = "disk"
root_path = "x"
[stores.far]
backend = "bucket"
"""


class Done:
    """What a run of the program gave."""

    def __init__(self, result: Any) -> None:
        self.code: int = result.exit_code
        self.out: str = result.stdout
        self.err: str = result.stderr
        self.lines = self.out.splitlines()

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give the program, in a folder with a configuration and with files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REMOTE_STORE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "remote-store.toml").write_text(CONFIG)
    for name, data in FILES.items():
        (tmp_path / "root" / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / "x" / name).write_bytes(data)

    def call(*arguments: str, code: int = 0) -> Done:
        done = Done(CliRunner().invoke(app, list(arguments)))
        assert done.code == code, (done.out, done.err)
        assert code or not [line for line in done.err.splitlines() if line.startswith("remote-store:")]
        return done

    return call


def there(folder: str) -> dict[str, bytes]:
    """Return all files below a folder of this machine."""
    store = Store(LocalBackend(folder))
    return {str(info.path): store.read_bytes(info.path) for info in store.list_files(recursive=True)}


@pytest.mark.spec("CLI-001", "CLI-004")
def test_ls(run: Run, tmp_path: Path) -> None:
    assert sorted(run("ls", "s:").lines) == ["a.txt", "sub/"]
    assert sorted(run("ls", "-r", "s:sub").lines) == ["b.csv", "deep/c.csv"]
    assert run("ls", "s:a.txt").lines == ["a.txt"]
    assert sorted(run("ls", "root/x").lines) == sorted(run("ls", f"file://{tmp_path}/root/x").lines)
    assert sorted(run("ls", "./root/x").lines) == ["a.txt", "sub/"]
    for human in (["-l", "-H"], ["-H"]):
        (long,) = run("ls", *human, "s:sub/deep").lines
        assert long.split()[0] == "2.9K"
        assert long.endswith("Z  c.csv")
    assert sorted(line.split()[-1] for line in run("ls", "-l", "s:sub").lines) == ["b.csv", "deep/"]
    assert run("ls", "-l", "s:sub/deep").lines[0].split()[0] == "3000"


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
    assert "no store 'other'; configured stores: far, s" in run("ls", "other:", code=2).err
    assert "scheme" in run("ls", "ftp://host/x", code=2).err
    assert "location is missing" in run("ls", "", code=2).err


@pytest.mark.spec("CLI-004")
def test_tree(run: Run) -> None:
    assert run("tree", "s:").lines == [
        "s:", "├── a.txt", "└── sub/", "    ├── b.csv", "    └── deep/", "        └── c.csv",
    ]  # fmt: skip


@pytest.mark.spec("CLI-004")
def test_find(run: Run, tmp_path: Path) -> None:
    os.utime(tmp_path / "root" / "x" / "a.txt", (1, 1))
    assert sorted(run("find", "s:").lines) == sorted(FILES)
    assert sorted(run("find", "s:", "--glob", "**/*.csv").lines) == ["sub/b.csv", "sub/deep/c.csv"]
    assert run("find", "s:sub", "--glob", "*.csv").lines == ["b.csv"]
    assert run("find", "s:", "--size", "+2k").lines == ["sub/deep/c.csv"]
    assert sorted(run("find", "s:", "--size", "-10").lines) == ["a.txt", "sub/b.csv"]
    assert run("find", "s:", "--older", "7d").lines == ["a.txt"]
    assert sorted(run("find", "s:", "--newer", "1h").lines) == ["sub/b.csv", "sub/deep/c.csv"]
    assert run("find", "s:", "--size", "+2k", "--json").json[0]["size"] == 3000
    for wrong in (("--size", "1M"), ("--newer", "yesterday")):
        assert "such as 7d" in (done := run("find", "s:", *wrong, code=2)).err or "+1M" in done.err


@pytest.mark.spec("CLI-004", "CLI-016", "CLI-013")
@pytest.mark.parametrize("command", ["ls", "tree", "find", "stat", "du", "cat", "check", "rm"])
def test_nothing_there(run: Run, command: str) -> None:
    more = ["s:"] if command == "check" else []
    assert "missing: there is no such f" in run(command, "s:missing", *more, code=3).err
    if command in ("tree", "find"):
        assert "s:a.txt: there is no such folder" in run(command, "s:a.txt", code=3).err


@pytest.mark.spec("CLI-005")
def test_stat_du_cat(run: Run) -> None:
    assert "size:         3" in run("stat", "s:a.txt").lines
    assert run("stat", "s:sub", "--json").json == [
        {"type": "folder", "path": "s:sub", "files": 2, "size": 3003}
    ]
    assert [line.split() for line in run("du", "s:").lines] == [
        ["3003", "2", "files", "sub"], ["3006", "3", "files", "."],
    ]  # fmt: skip
    assert run("du", "s:sub", "--json").json[-1] == {"path": ".", "files": 2, "size": 3003}
    assert run("du", "s:", "-H").lines[0].split()[0] == "2.9K"
    assert run("cat", "s:a.txt").out == "hi\n"
    assert run("cat", "s:a.txt", "--offset", "1", "--length", "1").out == "i"


@pytest.mark.spec("CLI-006")
def test_cp(run: Run, tmp_path: Path) -> None:
    assert run("get", "s:", "out").err.startswith("3 of 3 files, 3,006 bytes in ")
    assert there("out") == FILES
    run("put", "out/sub", "s:again")
    run("cp", "s:a.txt", "s:new/")
    run("cp", "s:a.txt", "s:sub")
    run("cp", "s:a.txt", "s:one")
    assert there("root/x").keys() == {
        *FILES, "again/b.csv", "again/deep/c.csv", "new/a.txt", "sub/a.txt", "one",
    }  # fmt: skip
    done = run("cp", "out", "s:", code=1)
    assert len([line for line in done.err.splitlines() if "the file exists; give --overwrite" in line]) == 3
    assert "0 of 3 files, 0 bytes, 3 failed" in done.err
    assert "3 skipped" in run("cp", "out", "s:", "--skip-existing").err
    assert "3 of 3" in run("cp", "out", "s:", "--overwrite", "--verify", "--concurrency", "2").err
    assert "the file exists" in run("cp", "out", "s:", "--fail-fast", code=1).err
    done = run("cp", "out", "s:dry", "--dry-run")
    assert sorted(line.strip() for line in done.lines) == [
        "3  a.txt: would be copied", "3  sub/b.csv: would be copied", "3000  sub/deep/c.csv: would be copied",
    ]  # fmt: skip
    assert not (tmp_path / "root" / "x" / "dry").exists()
    assert run("cp", "out", "s:quiet", "-q").err == ""
    assert "no such file" in run("cp", "missing", "s:", code=3).err
    assert "no such file" in run("cp", "s:missing", "out", code=3).err
    assert "exclude each other" in run("cp", "out", "s:", "--overwrite", "--skip-existing", code=2).err


@pytest.mark.spec("CLI-012")
def test_lines_now_and_then(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote_store.cli._progress.SECONDS", 0.0)
    lines = run("cp", "s:", "out", "--concurrency", "1").err.splitlines()
    assert lines[0] == "0 files, 0 bytes so far"
    assert lines[-2] == "3 files, 3,006 bytes so far"
    assert lines[-1].startswith("3 of 3 files, 3,006 bytes in ")
    assert "so far" not in run("cp", "s:", "quiet", "-q").err


@pytest.mark.spec("CLI-016")
def test_sync_and_check(run: Run, tmp_path: Path) -> None:
    assert "3 of 3 files" in run("sync", "s:", "out").err
    assert run("check", "s:", "out").lines == []
    assert run("sync", "s:", "out").err == ""
    (tmp_path / "out" / "more").write_bytes(b"x")
    (tmp_path / "out" / "a.txt").write_bytes(b"longer")
    assert sorted(run("check", "s:", "out", code=1).lines) == [
        "a.txt: 3 bytes instead of 6", "more: the source has no such file",
    ]  # fmt: skip
    assert {line["difference"] for line in run("check", "s:", "out", "--json", code=1).json} == {
        "update", "delete",
    }  # fmt: skip
    (tmp_path / "out" / "sub" / "b.csv").unlink()
    dry = run("sync", "s:", "out", "--delete", "--dry-run").lines
    assert sorted(line.strip() for line in dry) == [
        "1  more: would be deleted, the source has no such file",
        "3  a.txt: would be replaced, 3 bytes instead of 6",
        "3  sub/b.csv: would be copied, the target has no such file",
    ]
    told = run("sync", "s:", "out", "--delete", "--dry-run", "--json").json
    assert "dry run: would be deleted, the source has no such file" in [line.get("detail") for line in told]
    run("sync", "s:", "out", "--delete", "-q")
    assert there("out") == FILES
    (tmp_path / "out" / "a.txt").unlink()
    (tmp_path / "out" / "a.txt").mkdir()
    assert "a.txt" in run("sync", "s:", "out", code=1).err
    assert "check the path" in run("sync", "s:missing", "out", "--delete", code=3).err
    assert there("out").keys() == FILES.keys() - {"a.txt"}


@pytest.mark.spec("CLI-006")
def test_a_dry_copy_tells_what_is_there(run: Run) -> None:
    run("cp", "s:sub", "out")
    for option, told in (
        ([], "is there, and would fail"),
        (["--skip-existing"], "is there, and would be skipped"),
        (["--overwrite"], "would be copied"),
    ):
        lines = run("cp", "s:sub/b.csv", "out/", "--dry-run", *option).lines
        assert [line.strip() for line in lines] == [f"3  b.csv: {told}"]


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
    (tmp_path / "odd#?%41").mkdir()
    odd = run("stat", f"file://{tmp_path}/odd%23%3F%2541", "--json").json[0]["path"]
    assert odd == f"file://{tmp_path}/odd%23%3F%2541"
    assert run("stat", odd).code == 0


@pytest.mark.spec("CLI-007", "CLI-010")
def test_rm_as_json(run: Run, tmp_path: Path) -> None:
    assert run("rm", "s:a.txt", "--json").json == [{"type": "file", "path": "s:a.txt", "gone": True}]
    assert run("rm", "-r", "root/x/sub", "--json").json == [
        {"type": "folder", "path": f"{tmp_path}/root/x/sub", "gone": True}
    ]


@pytest.mark.spec("CLI-007")
def test_rm(run: Run, tmp_path: Path) -> None:
    run("rm", "s:a.txt")
    assert "no such file" in run("rm", "s:a.txt", code=3).err
    run("rm", "s:a.txt", "--missing-ok")
    assert "give --recursive" in run("rm", "s:sub", code=1).err
    for text in ("s:", "file:///"):
        assert "not deleted" in run("rm", "-r", text, code=2).err
    run("rm", "-r", "s:sub")
    assert there("root/x") == {}


@pytest.mark.spec("CLI-008")
def test_mv(run: Run, tmp_path: Path) -> None:
    run("mv", "s:a.txt", "s:sub/")
    assert there("root/x").keys() == {"sub/a.txt", "sub/b.csv", "sub/deep/c.csv"}
    run("mv", "s:sub", "out")
    assert there("root/x") == {}
    assert not (tmp_path / "root" / "x" / "sub").exists()
    run("mv", "out/a.txt", "s:")
    assert there("root/x") == {"a.txt": b"hi\n"}
    (tmp_path / "a.txt").write_bytes(b"mine")
    assert "the file exists" in run("mv", "a.txt", "s:", code=1).err
    assert (tmp_path / "a.txt").read_bytes() == b"mine"
    run("mv", "a.txt", "s:", "--overwrite")
    assert there("root/x") == {"a.txt": b"mine"}
    assert "not moved" in run("mv", "s:", "out", code=2).err


@pytest.mark.spec("CLI-008")
def test_what_changes_while_it_is_moved_stays(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: Any, **options: Any) -> Any:
        report = copy_tree(*arguments, **options)
        (tmp_path / "root" / "x" / "sub" / "b.csv").write_bytes(b"newer")
        (tmp_path / "root" / "x" / "sub" / "late").write_bytes(b"late")
        return report

    monkeypatch.setattr("remote_store.cli._change.copy_tree", slow)
    assert "1 files were changed" in run("mv", "s:sub", "out", code=1).err
    assert there("root/x") == {"a.txt": b"hi\n", "sub/b.csv": b"newer", "sub/late": b"late"}


@pytest.mark.spec("CLI-025")
def test_a_move_goes_on_where_it_was_interrupted(run: Run, tmp_path: Path) -> None:
    for name in FILES:
        os.utime(tmp_path / "root" / "x" / name, (1, 1))
    run("cp", "s:sub/b.csv", "out/b.csv")
    (tmp_path / "out" / "deep").mkdir()
    for wrong in (bytes(2999) + b"1", b"shorter"):
        (tmp_path / "out" / "deep" / "c.csv").write_bytes(wrong)
        done = run("mv", "s:sub", "out", code=1)
        assert "deep/c.csv: the file exists, with other bytes; give --overwrite" in done.err
        assert "1 of 2 files, 3 bytes, 1 failed in" in done.err
        assert there("root/x") == FILES
    (tmp_path / "out" / "deep" / "c.csv").unlink()
    told = run("mv", "s:sub", "out", "--json").json
    done_how = {event["path"]: event["detail"] for event in told[:-1] if event["event"] == "done"}
    assert done_how["sub/b.csv"] == "was there, with the same bytes"
    assert told[-1]["report"]["done"] == 2
    assert there("root/x").keys() == {"a.txt"}
    assert there("out").keys() == {"b.csv", "deep/c.csv"}


@pytest.mark.spec("CLI-010", "CLI-008")
def test_mv_tells_events(run: Run) -> None:
    for target in ("s:new.txt", "out/"):
        told = run("mv", "s:new.txt" if target == "out/" else "s:a.txt", target, "--json").json
        assert told[0]["event"] == "planned"
        assert told[-2]["event"] == "done"
        assert told[-1]["report"]["done"] == 1


@pytest.mark.spec("CLI-009")
def test_ping_and_config(run: Run) -> None:
    assert "answers" in run("ping", "s:").out
    assert run("ping", "s:", "--json").json[0]["seconds"] >= 0
    shown = run("config", "show").out + run("config", "show", "--json").out
    assert "root_path:  x" in shown
    assert SECRET not in shown
    assert "bucket" in shown


@pytest.mark.spec("CLI-017", "CLI-018")
def test_bench(run: Run) -> None:
    done = run("bench", "s:sub", "--count", "5", "--size", "3000k", "--concurrency", "2", "--json").json
    found = {(line["what"], line["at_once"]): line for line in done}
    assert [key for key in found if key[1] == 1] == [
        (what, 1) for what in ("write 4 KiB", "stat", "read 4 KiB", "list", "delete", "upload", "download")
    ]
    assert [key[0] for key in found if key[1] == 2] == ["write 4 KiB", "read 4 KiB", "upload", "download"]
    for line in done:
        single = line["what"] not in ("list", "upload", "download") and line["at_once"] == 1
        assert (line["median_seconds"] is not None) == single
        assert not single or line["p95_seconds"] >= line["median_seconds"] > 0
        assert line["files_per_second"] > 0
    assert {what: line["files"] for (what, at_once), line in found.items() if at_once == 1} == {
        "write 4 KiB": 5, "stat": 5, "read 4 KiB": 5, "list": 11, "delete": 5, "upload": 1, "download": 1,
    }  # fmt: skip
    assert found["read 4 KiB", 2]["bytes"] == found["write 4 KiB", 1]["bytes"] == 5 * 4096
    assert found["upload", 2]["bytes"] == found["download", 2]["bytes"] == 2 * 3000 * 1024
    assert there("root/x") == FILES
    shown = run("bench", "s:", "--count", "2", "--size", "1k").lines
    assert shown[0].split()[0] == "at"
    assert [line.split()[0] for line in shown[1:]] == [
        "write", "stat", "read", "write", "read", "list", "delete", *("upload", "download") * 2,
    ]  # fmt: skip


@pytest.mark.spec("CLI-019")
def test_bench_ends_in_time(run: Run) -> None:
    long = ("--count", "1000000", "--size", "1T", "--concurrency", "2", "--seconds", "0.1")
    done = run("bench", "memory://", *long, "--json").json
    assert len(done) == 11
    assert all(0 < line["files"] < 1_000_000 for line in done)
    assert all(line["bytes"] < 1 << 40 for line in done)


@pytest.mark.spec("CLI-018")
def test_bench_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no such folder" in run("bench", "s:new", code=3).err
    assert "no such folder" in run("bench", "s:a.txt", code=3).err
    assert "such as 1M" in run("bench", "s:", "--size", "much", code=2).err
    wrong = {"get_file_info": PermissionDenied("no"), "read": KeyboardInterrupt(), "delete": OSError("disk")}
    for name, error in wrong.items():
        with monkeypatch.context() as patched:
            patched.setattr(Store, name, Mock(side_effect=error))
            run("bench", "s:", "--count", "2", code=130 if name == "read" else 1)
        assert there("root/x") == FILES
        assert not list((tmp_path / "root" / "x").glob("remote-store-bench-*"))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "delete_folder", Mock(side_effect=PermissionDenied("not allowed")))
        said = run("bench", "s:sub", "--count", "2", "--size", "1k", code=1).err
    (left,) = (tmp_path / "root" / "x" / "sub").glob("remote-store-bench-*")
    assert f"s:sub/{left.name} may still be there; delete it with rm --recursive" in said


@pytest.mark.spec("CLI-010")
def test_json(run: Run) -> None:
    entries = {entry["path"]: entry for entry in run("ls", "s:", "--json").json}
    assert entries["sub"] == {"type": "folder", "path": "sub", "is_link": False}
    assert (entries["a.txt"]["type"], entries["a.txt"]["size"]) == ("file", 3)
    told = run("cp", "s:", "out", "--json").json
    assert {event["event"] for event in told[:-1]} == {"planned", "started", "bytes", "done"}
    assert told[-1]["report"]["done"] == 3
    told = run("cp", "s:", "out", "--json", code=1).json
    assert next(event for event in told if event.get("event") == "failed")["error"]
    assert told[-1]["report"]["failed"] == 3


@pytest.mark.spec("CLI-011")
def test_names_that_a_terminal_would_obey(run: Run, tmp_path: Path) -> None:
    name = "a\x1b[2Jb\nc"
    (tmp_path / "root" / "x" / "odd").mkdir()
    (tmp_path / "root" / "x" / "odd" / name).write_bytes(b"")
    assert run("ls", "s:odd").lines == ["a\\x1b[2Jb\\nc"]
    assert run("ls", "s:odd", "--json").json[0]["path"] == name
    assert "\x1b" not in run("cat", "s:odd/\x1b", code=3).err


@pytest.mark.spec("CLI-013")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cp", "Missing argument.*; see .* cp --help"),
        ("cat s:a.txt --offset -1", "Invalid value for '--offset': .*; see .* cat --help"),
        ("ls --wrong s:", "No such option: --wrong.*; see .* ls --help"),
        ("--wrong", "No such option: --wrong.*; see .* --help"),
        ("bogus", "No such command 'bogus'; see .* --help"),
        ("config bogus", "No such command 'bogus'; see .* config --help"),
    ],
)
def test_a_command_line_that_makes_no_sense(run: Run, line: str, said: str) -> None:
    assert re.fullmatch(f"remote-store: {said}\n", run(*line.split(), code=2).err)


@pytest.mark.spec("CLI-013")
def test_no_command_shows_the_help(run: Run) -> None:
    for line in ([], ["config"]):
        done = run(*line, code=2)
        assert "Usage:" in done.out + done.err
        assert "remote-store:" not in done.err


@pytest.mark.spec("CLI-014")
def test_interrupted_before_the_command_begins(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TyperGroup, "resolve_command", Mock(side_effect=KeyboardInterrupt))
    assert run("ls", "s:", code=130).err.count("\n") == 1


@pytest.mark.spec("CLI-013")
def test_errors(run: Run) -> None:
    assert run("ls", "s:nope", code=3).err == "remote-store: s:nope: there is no such file or folder\n"
    assert "No such command" in run("bogus", code=2).err
    result = CliRunner().invoke(app, ["--debug", "cat", "s:nope"])
    assert isinstance(result.exception, FileNotFoundError)
    assert run("--version").out.startswith("remote-store 0.")
