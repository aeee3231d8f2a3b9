"""Streams of the program that whoever started it has closed, or that cannot hold every name."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


def standing() -> None:
    """See to it that both streams are there, and take all names."""
    if sys.stdout is None:
        sys.stdout = _opened(_unread(), 1)
    if sys.stderr is None:
        sys.stderr = _opened(os.open(os.devnull, os.O_WRONLY), 2)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as Python does for the error stream


def _unread() -> int:
    """Return a pipe that nobody reads: results are not lost in silence, and no results are no failure."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def _opened(descriptor: int, number: int) -> TextIO:
    """Return a stream with its own number, which no file may get that is opened later."""
    if descriptor != number:
        os.dup2(descriptor, number)
        os.close(descriptor)
    return open(number, "w", encoding="utf-8", errors="backslashreplace")
