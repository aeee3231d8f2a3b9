"""rm and mv."""

from __future__ import annotations

import os
import re
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from tests.cli.support import FILES, Run, there

from remote_store import InvalidPath
from remote_store.backends import LocalBackend


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


@pytest.mark.spec("CLI-007")
@pytest.mark.parametrize("dots", [".", "./", "..", "x/..", "x/sub/."])
def test_no_folder_goes_by_dots(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dots: str) -> None:
    monkeypatch.chdir(tmp_path / "root")
    for line in (["rm", "-r", dots], ["mv", dots, "memory:///new"]):
        err = run(*line, code=2).err
        assert re.fullmatch(r"remote-store: a folder is not \w+ by dots, .*; give its name\n", err)
    assert there(str(tmp_path / "root" / "x")) == FILES


@pytest.mark.spec("CLI-007", "CLI-013")
def test_rm_of_what_is_not_as_it_was_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root" / "x" / "link").symlink_to("sub")
    assert run("rm", "-r", "s:link", code=1).err.endswith(
        "a symbolic link, not a folder; leave out --recursive\n"
    )
    said = InvalidPath("this is a folder, not a file", path="x/sub")
    monkeypatch.setattr(LocalBackend, "delete", AsyncMock(side_effect=said))
    err = run("rm", "s:sub", code=1).err
    assert err == "remote-store: s:sub: this is a folder, not a file; give --recursive\n"


@pytest.mark.spec("CLI-007", "CLI-010")
def test_rm_as_json(run: Run, tmp_path: Path) -> None:
    assert run("rm", "s:a.txt", "--json").json == [{"type": "file", "path": "s:a.txt", "gone": True}]
    assert run("rm", "-r", "root/x/sub", "--json").json == [
        {"type": "folder", "path": f"{tmp_path}/root/x/sub", "gone": True}
    ]
