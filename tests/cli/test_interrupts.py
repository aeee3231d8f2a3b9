"""The program as a process that Ctrl-C interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.support import PROGRAM


@pytest.mark.spec("CLI-014", "CLI-013", "CLI-008")
@pytest.mark.parametrize("command", ["sync", "mv", "cat", "get"])
def test_ctrl_c_ends_what_stands_still(slow: list[str], tmp_path: Path, command: str) -> None:
    out, errors = tmp_path / "out", tmp_path / "errors"
    arguments = ["cat", "slow:deep/stuck"] if command == "cat" else [command, "slow:deep", str(out)]
    with errors.open("wb") as file:
        process = subprocess.Popen([*slow, *arguments], stdout=subprocess.PIPE, stderr=file)
    assert process.stdout is not None
    if command == "cat":
        process.stdout.read(1 << 20)
    else:
        while not (out / "done").exists():
            assert process.poll() is None
            time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    said = errors.read_text()
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("remote-store: interrupted; nothing is half written; ")
    assert "Traceback" not in said
    assert command == "cat" or [path.name for path in out.iterdir()] == ["done"]


@pytest.mark.spec("CLI-014", "CLI-013")
@pytest.mark.parametrize(
    "command", ["ls -r", "tree", "find", "du", "rm -r", "check", "cp", "sync --delete", "mv"]
)
def test_ctrl_c_ends_a_listing_or_a_deletion(slow: list[str], tmp_path: Path, command: str) -> None:
    target = [str(tmp_path / "out")] if command.startswith(("check", "cp", "sync", "mv")) else []
    process = subprocess.Popen(
        [*slow, *command.split(), "stuck:deep", *target],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() in ("stuck\n", "stuck:deep\n")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("remote-store: interrupted; nothing is half written; ")
    assert "Traceback" not in said


@pytest.mark.spec("CLI-014", "CLI-013", "XFER-016")
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2])
def test_interrupted(many: Path, tmp_path: Path, seconds: float) -> None:
    out = tmp_path / "out"
    command = [*PROGRAM, "cp", str(many), str(out), "--concurrency", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (out.exists() and any(out.iterdir())):
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    if process.returncode == 0:  # it was quicker
        assert len(list(out.iterdir())) == 3000
        return
    assert process.returncode == 130
    assert "interrupted; nothing is half written" in said
    assert "Traceback" not in said
    assert all(path.stat().st_size == 2000 for path in out.iterdir())


@pytest.mark.spec("CLI-021", "CLI-014", "XFER-029")
@pytest.mark.parametrize("name", ["cp", "sync"])
def test_interrupted_with_a_journal(many: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    command = [
        *PROGRAM, name, str(many), str(out), "--concurrency", "1", "--journal", str(tmp_path / "journal"),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (out.exists() and any(out.iterdir())):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    if process.returncode:  # else it was quicker
        assert process.returncode == 130, said
        how = f"what is done is noted in {tmp_path / 'journal'}; run the same command again to go on"
        assert how in said
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(list(out.iterdir())) == 3000
    assert all(path.stat().st_size == 2000 for path in out.iterdir())


@pytest.mark.spec("CLI-022")
def test_an_interrupted_transfer_is_given_up(slow: list[str], tmp_path: Path) -> None:
    out, journal = tmp_path / "out", tmp_path / "journal"
    command = [*slow, "cp", "slow:deep", str(out), "--journal", str(journal)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (out / "done").exists() or len(list(out.iterdir())) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    give_up = [*slow, "discard-journal", str(journal), str(out)]
    given_up = subprocess.run(give_up, capture_output=True, text=True, check=False)
    assert (given_up.returncode, given_up.stdout) == (0, "")
    assert given_up.stderr == f"1 unfinished files undone; {journal} is gone\n"
    assert [path.name for path in out.iterdir()] == ["done"]
    assert not journal.exists()
    again = subprocess.run(give_up, capture_output=True, text=True, check=False)
    assert again.returncode == 3
    assert "there is no such journal" in again.stderr


@pytest.mark.spec("CLI-018", "CLI-014")
@pytest.mark.parametrize("line", [1, 4, 8, 10])
def test_a_measurement_that_is_interrupted(tmp_path: Path, line: int) -> None:
    command = [*PROGRAM, "bench", str(tmp_path), "--size", "1T", "--count", "20", "--seconds", "1", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(line):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, list(tmp_path.iterdir())) == (130, [])
    assert "interrupted" in said
    assert "Traceback" not in said


@pytest.mark.spec("CLI-014", "CLI-013")
def test_interrupted_before_it_has_begun(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*PROGRAM, "ls"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "remote-store: interrupted; run the command again to go on\n"
