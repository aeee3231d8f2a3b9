"""How far a transfer is: what is under way, and a line now and then where nobody looks at a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

from ..transfer import EventKind, TransferEvent, TransferReport
from ._errors import note
from ._places import Place

SECONDS = 30.0
"""Between two lines."""
Moved: TypeAlias = Callable[[TransferEvent], object]
"""Is told of each event that the report has counted."""


def shown(
    report: TransferReport, source: Place | None, *, on_terminal: bool, quiet: bool
) -> AbstractContextManager[Moved]:
    """Show as long as a block lasts how far a transfer is, on the error stream.

    Args:
        report: counts the events.
        source: what is moved, all of it; None where nobody knows how much that is.
        on_terminal: show a bar, and not lines.
        quiet: show nothing.
    """
    if quiet:
        return nullcontext(lambda _: None)
    if not on_terminal:
        return nullcontext(Lines(report).moved)
    from ._bar import bar  # it needs rich, which takes its time

    return bar(report, source)


class Lines:
    """A line now and then, for logs."""

    def __init__(self, report: TransferReport) -> None:
        self._report, self._under_way = report, UnderWay()
        self._next = time.monotonic() + SECONDS

    def moved(self, event: TransferEvent) -> None:
        """Take note of an event."""
        self._under_way.add(event)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS
            report, done = self._report, self._under_way.bytes
            note(f"{report.done:,} files, {done:,} bytes so far")


class UnderWay:
    """What events tell beyond the report: how far the files are that are under way.

    Attributes:
        bytes: all that needs no more work: what has arrived, was skipped or was given up.
        current: the files under way, and how much of each has arrived.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.current: dict[str, int] = {}

    def add(self, event: TransferEvent) -> None:
        """Take note of an event."""
        kind, path, size = event.kind, event.path, event.size
        if kind is EventKind.STARTED:
            self.current[path] = 0
        elif kind is EventKind.BYTES:
            self._move(path, size)
        elif kind is EventKind.RETRIED:
            self._move(path, -self.current.get(path, 0))
        elif kind is not EventKind.PLANNED:
            self._move(path, size - self.current.get(path, 0))
            self.current.pop(path, None)

    def _move(self, path: str, size: int) -> None:
        self.bytes += size
        if path in self.current:
            self.current[path] += size
