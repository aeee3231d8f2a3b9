"""The program as a process: terminals, pipes, signals, and without its extra."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "remote_store.cli"]


def read_all(descriptor: int) -> bytes:
    """Return what comes out of a terminal until its other end is closed."""
    found = b""
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # Linux says so at the end
            return found
        if not data:
            return found
        found += data


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Give a folder with files."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number:04}").write_bytes(bytes(2000))
    return folder


@pytest.mark.spec("CLI-012")
def test_on_a_terminal(many: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [*PROGRAM, "cp", str(many), str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = read_all(ours).decode()
    assert process.stdout is not None
    assert (process.wait(60), process.stdout.read()) == (0, b"")
    process.stdout.close()
    os.close(ours)
    assert "\x1b[" in shown
    assert "3,000 of 3,000 files" in shown
    assert "MB/s" in shown


@pytest.mark.spec("CLI-012")
def test_in_a_pipe(many: Path, tmp_path: Path) -> None:
    command = [*PROGRAM, "cp", str(many), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.startswith("3,000 of 3,000 files, 6,000,000 bytes in ")
    assert done.stderr.count("\n") == 1


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


@pytest.mark.spec("CLI-013")
def test_who_reads_goes_away(many: Path) -> None:
    process = subprocess.Popen([*PROGRAM, "ls", str(many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(30), process.stderr.read()) == (141, b"")
    process.stderr.close()


@pytest.mark.spec("CLI-015")
def test_without_the_extra(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('typer', name='typer')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*PROGRAM, "ls"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == ("remote-store: the command line needs typer; pip install 'remote-store[cli]'\n")
