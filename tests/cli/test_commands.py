"""Commands that look, in this process."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.cli.support import FILES, SECRET, Run


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
    assert sorted(run("find", "s:", "--newer", "99999999999d").lines) == sorted(FILES)
    assert run("find", "s:", "--older", "9" * 5000 + "w").lines == []
    for pattern in ("", "../*"):
        assert f"--glob {pattern}: " in run("find", "s:sub", "--glob", pattern, code=2).err
    for wrong in (("--size", "1M"), ("--size", "+\u0663"), ("--newer", "yesterday"), ("--newer", "\u0663d")):
        assert re.search("such as 7d|[+ ]1M", run("find", "s:", *wrong, code=2).err)


@pytest.mark.spec("CLI-004", "CLI-016", "CLI-013")
@pytest.mark.parametrize("command", ["ls", "tree", "find", "stat", "du", "cat", "check", "rm"])
def test_nothing_there(run: Run, command: str) -> None:
    more = ["s:"] if command == "check" else []
    err = run(command, "s:missing", *more, code=3).err
    assert "s:missing: there is no such f" in err
    assert ("file or folder" in err) is (command not in ("tree", "find", "check"))
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


@pytest.mark.spec("CLI-009")
def test_ping_and_config(run: Run) -> None:
    assert "answers" in run("ping", "s:").out
    assert run("ping", "s:", "--json").json[0]["seconds"] >= 0
    shown = run("config", "show").out + run("config", "show", "--json").out
    assert "root_path:  x" in shown
    assert SECRET not in shown
    assert "bucket" in shown


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
