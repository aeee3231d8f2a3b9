"""The demonstration: on a folder of any kind, it does its work, tells, and cleans up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.cli.terminal import Terminal

from .support import ROOT, assert_clean, run_script

DEMO = ROOT / "docs" / "examples" / "demo.py"


def running_for(folder: Path) -> list[str]:
    """Return the programs that run with something of a folder among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return [command for command in found if str(folder) in command and "weed" in command]


def assert_nothing_left(tmp_path: Path) -> None:
    assert list((tmp_path / "temporary").iterdir()) == []
    assert running_for(tmp_path) == []


def demo(tmp_path: Path, *arguments: str, privileged: bool = True) -> CompletedProcess[str]:
    done = run_script(DEMO, *arguments, cwd=tmp_path, privileged=privileged)
    assert_nothing_left(tmp_path)
    return done


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    facts = {path: path.lstat() for path in folder.rglob("*")}
    return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in facts.items()}


def test_without_arguments_the_source_goes_to_s3_and_back(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert_clean(done)
    assert f"from {ROOT / 'src'}: " in done.stdout
    assert "to   an S3 server on this machine, and back" in done.stdout
    assert len(re.findall(r"^(?:up|down): \d+ of \d+ files, ", done.stdout, re.MULTILINE)) == 8
    files = re.search(r"compared: all (\d+) files that came back are the same", done.stdout)
    assert files is not None
    assert int(files[1]) > 100
    assert f"  {files[1]} files whole, verified by the storage" in done.stdout
    assert done.stdout.count(f"done    {files[1]:>10}") == 2
    assert "memory of this process at its peak" in done.stdout


def test_a_folder_is_read_and_not_changed_and_odd_names_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(30):
        (folder / "deep" / "er" / f"{number}.txt").write_text("x" * number)
    for name in (b"line\nbreak", b"back\\slash", b"not \xff utf-8", "größe".encode()):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"1")
    (folder / "around").symlink_to(".")
    (folder / "nowhere").symlink_to("nothing")
    os.mkfifo(folder / "pipe")
    before = tree(folder)
    for arguments, where in (((), "an S3 server on this machine"), (("--memory",), "a store in memory")):
        done = demo(tmp_path, "folder", *arguments)
        assert_clean(done)
        assert f"to   {where}, and back" in done.stdout
        failed, came = re.search(r"failed +(\d)", done.stdout), re.search(r"all (\d+) files", done.stdout)
        assert failed is not None
        assert came is not None
        assert int(failed[1]) + int(came[1]) == 34
        assert int(failed[1]) <= 2  # names that are no text, or no key
    assert tree(folder) == before


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "locked").mkdir(parents=True)
    (folder / "open.txt").write_bytes(b"1")
    (folder / "secret.txt").write_bytes(b"1")
    (folder / "secret.txt").chmod(0)
    done = demo(tmp_path, "folder", "--memory", privileged=False)
    assert_clean(done)
    assert "all 1 files that came back are the same" in done.stdout
    assert "  secret.txt: " in done.stdout
    (folder / "locked").chmod(0)
    try:
        done = demo(tmp_path, "folder", "--memory", privileged=False)
    finally:
        (folder / "locked").chmod(0o700)
    assert_clean(done, 1)
    assert done.stderr.startswith("demo.py: permission denied")


@pytest.mark.parametrize("secret", [False, True])
def test_nothing_to_bring_back(tmp_path: Path, secret: bool) -> None:
    (tmp_path / "folder").mkdir()
    if secret:
        (tmp_path / "folder" / "secret").write_bytes(b"1")
        (tmp_path / "folder" / "secret").chmod(0)
    done = demo(tmp_path, "folder", "--memory", privileged=False)
    assert_clean(done)
    assert "all 0 files that came back are the same" in done.stdout


@pytest.mark.parametrize("name", ["missing", "file.txt", "file.txt/below"])
def test_no_such_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_bytes(b"1")
    done = demo(tmp_path, name)
    assert_clean(done, 2)
    assert done.stderr == f"demo.py: there is no folder {name!r}; name one that exists\n"
    assert done.stdout == ""


def test_the_folder_that_the_copies_go_to(tmp_path: Path) -> None:
    done = demo(tmp_path, ".")
    assert_clean(done, 1)
    assert "is where temporary files go; name another folder" in done.stderr


def test_no_space(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with open(tmp_path / "folder" / "large", "wb") as file:
        file.truncate(1 << 42)
    done = demo(tmp_path, "folder")
    assert_clean(done, 1)
    assert "has only" in done.stderr


def test_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    with Terminal(sys.executable, str(DEMO), "--memory") as terminal:
        assert terminal.wait() == 0
        assert re.search(r"up: \d+ of \d+ files ━", "\n".join(terminal.lines))
        assert "down: " in terminal.seen
        assert "that came back are the same" in terminal.seen
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped(tmp_path: Path, number: signal.Signals, code: int) -> None:
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-u", str(DEMO)]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while "to   an S3 server" not in (line := process.stdout.readline()):
        assert line
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert_nothing_left(tmp_path)
