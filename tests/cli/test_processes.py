"""The program as a process: terminals, pipes, and without its extra."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.support import PROGRAM
from tests.cli.terminal import Terminal


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
        assert min(done) < 1400  # all were known long before the end
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


@pytest.mark.spec("CLI-012")
def test_in_a_pipe(many: Path, tmp_path: Path) -> None:
    command = [*PROGRAM, "cp", str(many), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.startswith("3,000 of 3,000 files, 6,000,000 bytes in ")
    assert done.stderr.count("\n") == 1


@pytest.mark.spec("CLI-013")
def test_who_reads_goes_away(many: Path) -> None:
    process = subprocess.Popen([*PROGRAM, "ls", str(many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(30), process.stderr.read()) == (141, b"")
    process.stderr.close()


@pytest.mark.spec("CLI-013")
def test_streams_that_are_closed_or_full(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    program = f"{shlex.join(PROGRAM)} "
    for line, code, said in (
        ("cat f >&-", 141, ""),
        ("--version >&-", 141, ""),
        ("cp f g -q >&-", 0, ""),
        ("cp f h 2>&-", 0, ""),
        ("ls none 2>&-", 3, ""),
        ("ls f >/dev/full", 1, "remote-store: the output cannot be written: No space left on device\n"),
    ):
        done = subprocess.run(
            program + line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (code, "", said), line
    assert {path.name for path in tmp_path.iterdir()} == {"f", "g", "h"}


@pytest.mark.spec("CLI-011")
def test_an_output_that_lacks_letters(tmp_path: Path) -> None:
    (tmp_path / "\xfcn").mkdir()
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*PROGRAM, "ls", str(tmp_path)], env=environment, capture_output=True, check=True)
    assert done.stdout == b"\\xfcn/\n"


@pytest.mark.spec("CLI-015")
def test_without_the_extra(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('typer', name='typer')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*PROGRAM, "ls"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == ("remote-store: the command line needs typer; pip install 'remote-store[cli]'\n")


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
