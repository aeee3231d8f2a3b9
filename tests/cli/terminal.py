"""A program in a terminal of its own: what it shows, what is typed, and how wide it is."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from types import TracebackType
from typing import Final, Self

PATIENCE: Final = 60.0
_TAKE_TERMINAL: Final = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _environment() -> dict[str, str]:
    """Return ours without a width that would hide that of the terminal, such as pytest-xdist sets."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


class Terminal:
    """Runs a program until its end, or that of the block."""

    def __init__(self, *command: str, columns: int = 100, to_file: str | None = None) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(columns)
        out = os.open(to_file, os.O_WRONLY | os.O_CREAT) if to_file else theirs
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            stdin=theirs,
            stdout=out,
            stderr=theirs,
            start_new_session=True,
            env={**_environment(), "TERM": "xterm-256color"},
        )
        for descriptor in {out, theirs}:
            os.close(descriptor)
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    @property
    def seen(self) -> str:
        """All that was shown so far."""
        return self._seen.decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """What was shown so far, line by line, without colours and movements."""
        return re.split(r"[\r\n]+", _CONTROL.sub("", self.seen))

    def resize(self, columns: int) -> None:
        """Give the terminal another width; the program is told by a signal."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))

    def type(self, keys: str) -> None:
        """Type on the keyboard; "\\x03" is Ctrl-C."""
        os.write(self._ours, keys.encode())

    def until(self, text: str, begin: int = 0) -> int:
        """Read until a text is shown; return how much was read. Fails if it never is."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen[begin:]:
            assert self._read(end), f"{text!r} was not shown:\n{self.seen}"
        return len(self.seen)

    def wait(self) -> int:
        """Read until the program ends; return its exit code."""
        end = time.monotonic() + PATIENCE
        while self._read(end):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, end - time.monotonic()))
        try:
            data = os.read(self._ours, 65536) if ready else b""
        except OSError:  # Linux says so at the end
            data = b""
        self._seen += data
        return bool(data)
