"""The program as a process: terminals, pipes, signals, and without its extra."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.terminal import Terminal

PROGRAM = [sys.executable, "-m", "remote_store.cli"]


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
    listed = str(tmp_path / "listed")
    with Terminal(*PROGRAM, "cp", str(many), str(tmp_path / "out"), to_file=listed) as terminal:
        assert terminal.wait() == 0
        assert "\x1b[" in terminal.seen
        assert "3,000 of 3,000 files" in terminal.seen
        assert re.search(r"\d (|k|M|G)(B|bytes)/s", terminal.seen)  # however busy the machine is
        assert "0:00:0" in terminal.seen  # time left
        assert any(re.match(r"\d{4}, \d{4}", line) for line in terminal.lines)
        assert terminal.lines[-2].startswith("3,000 of 3,000 files, 6,000,000 bytes in ")
    assert Path(listed).read_bytes() == b""


@pytest.mark.spec("CLI-012")
def test_a_mirror_on_a_terminal(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(many, out)
    for number in range(0, 3000, 2):
        (out / f"{number:04}").unlink()
    with Terminal(*PROGRAM, "sync", str(many), str(out)) as terminal:
        assert terminal.wait() == 0
        done = [int(text.replace(",", "")) for text in re.findall(r"([\d,]+) of 1,500 files", terminal.seen)]
        assert 0 < min(done) < 1400  # all were known long before the end
        assert terminal.lines[-2].startswith("1,500 of 1,500 files, 3,000,000 bytes in ")


@pytest.mark.spec("CLI-012")
def test_the_total_of_a_mirror_is_known_while_it_goes_on(slow: list[str], tmp_path: Path) -> None:
    with Terminal(*slow, "sync", "slow:", str(tmp_path / "out")) as terminal:
        terminal.until("1 of 2 files")
        terminal.until("5.0/12.0 MiB")
        terminal.type("\x03")
        assert terminal.wait() == 130


@pytest.mark.spec("CLI-012", "CLI-006")
def test_results_go_where_the_output_goes(many: Path, tmp_path: Path) -> None:
    listed = str(tmp_path / "listed")
    command = [*PROGRAM, "cp", str(many), str(tmp_path / "out"), "--dry-run"]
    with Terminal(*command, to_file=listed) as terminal:
        assert terminal.wait() == 0
        assert "would be copied" not in terminal.seen
    assert len(Path(listed).read_text().splitlines()) == 3000


@pytest.fixture
def slow(tmp_path: Path) -> list[str]:
    """Give the program with a store ``slow``: of two files, one arrives, the other stands still."""
    config = tmp_path / "slow.toml"
    config.write_text('[backends.slow]\ntype = "slow"\n[stores.slow]\nbackend = "slow"\n')
    return [sys.executable, str(Path(__file__).with_name("slow_program.py")), "--config", str(config)]


@pytest.mark.spec("CLI-012", "CLI-014", "CLI-013")
def test_a_terminal_that_changes_its_width_and_ctrl_c(slow: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Terminal(*slow, "cp", "slow:", str(out)) as terminal:
        terminal.until("1 of 2 files")
        terminal.until("5.0/12.0 MiB")  # what has come of the second one, too
        assert re.search(r"1 of 2 files .* 5.0/12.0 MiB .*B/s \d:\d\d:\d\d", "\n".join(terminal.lines))
        assert any(line.startswith("stuck") for line in terminal.lines)
        assert max(map(len, terminal.lines)) > 70
        terminal.resize(40)
        for _ in range(100):  # the first ones may have begun before
            terminal.until("stuck", len(terminal.seen))
            if max(map(len, terminal.lines[-3:])) <= 40:
                break
        assert max(map(len, terminal.lines[-3:])) <= 40
        terminal.type("\x03")
        assert terminal.wait() == 130
        assert "interrupted; nothing is half written; run it again with --skip-existing" in " ".join(
            terminal.lines[-4:]
        )
        assert any(line.startswith("1 files, 3,145,728 bytes in ") for line in terminal.lines)
        assert "Traceback" not in terminal.seen
        assert "\x1b[?25h" in terminal.seen.rpartition("\x1b[?25l")[2]  # the cursor is there again
    assert [path.name for path in out.rglob("*") if path.is_file()] == ["done"]


@pytest.mark.spec("CLI-014", "CLI-013", "CLI-008")
@pytest.mark.parametrize("command", ["sync", "mv", "cat"])
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


@pytest.mark.spec("CLI-014", "CLI-013")
def test_interrupted_before_it_has_begun(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*PROGRAM, "ls"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "remote-store: interrupted; run the command again to go on\n"


@pytest.mark.spec("CLI-020")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    line = "remote-store sy"
    asked = {"_REMOTE_STORE_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": "1"}
    asked |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    program = "import sys; sys.argv[0] = 'remote-store'; from remote_store.cli import main; main()"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert "sync" in done.stdout
    assert "cp" not in done.stdout.split()
