"""The demonstration: on a folder of any kind, it does its work, tells, and cleans up."""

from __future__ import annotations

import os
import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from .support import ROOT, assert_clean, run_script

DEMO = ROOT / "docs" / "examples" / "demo.py"
WAYS = ["blocking", "asyncio", "trio"]


def demo(tmp_path: Path, *arguments: str, privileged: bool = True) -> CompletedProcess[str]:
    done = run_script(DEMO, *arguments, "--large", "3", cwd=tmp_path, privileged=privileged)
    assert list((tmp_path / "temporary").iterdir()) == []
    return done


def copied(done: CompletedProcess[str]) -> list[str]:
    return re.findall(r"copied +([\d,]+ files), ", done.stdout)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    facts = {path: path.lstat() for path in folder.rglob("*")}
    return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in facts.items()}


def test_without_arguments_it_works_on_the_source_of_the_project(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert_clean(done)
    assert f"from {ROOT / 'src'}" in done.stdout
    assert [line.split(",")[0] for line in done.stdout.splitlines() if re.match(r"\w+, 8 ", line)] == WAYS
    assert done.stdout.count("checked   all that was sent has arrived") == 3
    assert len(re.findall(r"streamed +3 MiB, file to file +[\d,.]+ ms +[\d,]+ MiB/s", done.stdout)) == 3
    assert "Memory of this process at its peak" in done.stdout


def test_a_folder_is_read_and_not_changed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(30):
        (folder / "deep" / "er" / f"{number}.txt").write_text("x" * number)
    before = tree(folder)
    done = demo(tmp_path, "folder")
    assert_clean(done)
    assert copied(done) == ["30 files"] * 3
    assert tree(folder) == before


def test_histories_links_and_special_files_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / ".git" / "objects").mkdir(parents=True)
    (folder / ".git" / "objects" / "pack").write_bytes(b"history")
    (folder / "real").mkdir()
    (folder / "real" / "file.txt").write_bytes(b"1")
    (folder / "around").symlink_to(".")
    (folder / "outside").symlink_to(tmp_path)
    (folder / "nowhere").symlink_to("nothing")
    os.mkfifo(folder / "pipe")
    done = demo(tmp_path, "folder")
    assert_clean(done)
    assert copied(done) == ["1 files"] * 3


def test_a_folder_that_holds_the_copy_itself(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_bytes(b"1")
    done = demo(tmp_path, str(tmp_path))
    assert_clean(done)
    assert copied(done) == ["1 files"] * 3


def test_odd_names(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (b"line\nbreak", b"back\\slash", b"not \xff utf-8", "größe".encode()):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"1")
    done = demo(tmp_path, "folder")
    assert_clean(done)
    assert copied(done) == ["4 files"] * 3


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "locked").mkdir(parents=True)
    (folder / "open.txt").write_bytes(b"1")
    (folder / "secret.txt").write_bytes(b"1")
    (folder / "secret.txt").chmod(0)
    (folder / "locked").chmod(0)
    try:
        done = demo(tmp_path, "folder", privileged=False)
    finally:
        (folder / "locked").chmod(0o700)
    assert_clean(done)
    assert copied(done) == ["1 files"] * 3
    assert done.stdout.count("left out  2 that could not be read:") == 3
    assert "secret.txt: PermissionDenied" in done.stdout
    assert "locked: PermissionDenied" in done.stdout


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = demo(tmp_path, "folder")
    assert_clean(done)
    assert copied(done) == ["0 files"] * 3


@pytest.mark.parametrize("name", ["missing", "file.txt", "file.txt/below"])
def test_no_such_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_bytes(b"1")
    done = demo(tmp_path, name)
    assert_clean(done, 2)
    assert done.stderr == f"demo.py: there is no folder {name!r}; name one that exists\n"
    assert done.stdout == ""


def test_no_space(tmp_path: Path) -> None:
    done = run_script(DEMO, "--large", str(1 << 40), cwd=tmp_path)
    assert_clean(done, 1)
    assert "has only" in done.stderr
    assert list((tmp_path / "temporary").iterdir()) == []
