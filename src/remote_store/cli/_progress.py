"""How far a transfer is: on a terminal a bar, and elsewhere a line now and then."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from ..transfer import TransferEvent, TransferReport
from ._counting import Found
from ._errors import note
from ._under_way import Moved, UnderWay

SECONDS = 30.0
"""Between two lines."""


def shown(
    report: TransferReport, found: Found | None, *, on_terminal: bool, quiet: bool
) -> AbstractContextManager[Moved]:
    """Show as long as a block lasts how far a transfer is, on the error stream.

    Args:
        report: counts the events.
        found: looks for what there is to move; None where nobody knows how much that is.
        on_terminal: show a bar, and not lines.
        quiet: show nothing.
    """
    if quiet:
        return nullcontext(lambda _: None)
    if not on_terminal:
        return nullcontext(Lines(report).moved)
    from ._bar import bar  # it needs rich, which takes its time

    return bar(report, found)


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
