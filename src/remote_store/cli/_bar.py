"""How far a transfer is, on a terminal: files, bytes, rate, time left, and what is under way."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from rich import progress
from rich.console import Console, RenderableType
from rich.text import Text

from ..transfer import TransferEvent, TransferReport
from ._counting import Counting, Found
from ._output import printable
from ._under_way import Moved, UnderWay

SHOWN: Final = 3
"""Files under way that are named; the others are counted."""


class Bar(progress.Progress):
    """A bar, and below it the files under way."""

    def __init__(self, report: TransferReport, counting: Counting, console: Console) -> None:
        self._report, self._counting, self._under_way = report, counting, UnderWay()
        super().__init__(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(binary_units=True),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            refresh_per_second=5,
            redirect_stdout=sys.stdout.isatty(),  # else it would take lines away from a file or a pipe
        )
        self._bar = self.add_task("", total=None)

    def moved(self, event: TransferEvent) -> None:
        """Take note of an event, which the report has counted."""
        self._under_way.add(event)
        known, total = self._counting, self.tasks[0].total
        files = (
            f"{self._report.done:,} of {known.files:,} files"
            if known.ended
            else f"{self._report.done:,} files"
        )
        if known.ended and total is None:  # to say it again would begin the measurement of the rate anew
            total = known.bytes
        self.update(self._bar, total=total, completed=self._under_way.bytes, description=files)

    def end(self) -> None:
        """Show how far it came."""
        report, known = self._report, self._counting
        if not known.ended or known.files < report.planned:  # then nobody knows of more
            files = f"{report.done:,} of {report.planned:,} files"
            self.update(self._bar, total=report.planned_bytes, description=files)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Give what is drawn."""
        yield self.make_tasks_table(self.tasks)
        if names := list(self._under_way.current):
            more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            shown = ", ".join(printable(name.rpartition("/")[2]) for name in islice(names, SHOWN))
            yield Text(f"{shown}{more}", style="dim", no_wrap=True, overflow="ellipsis")


@contextmanager
def bar(report: TransferReport, found: Found | None) -> Iterator[Moved]:
    """Show a bar on the error stream as long as a block lasts."""
    with Counting(found) as counting, Bar(report, counting, Console(stderr=True)) as drawn:
        try:
            yield drawn.moved
        finally:
            drawn.end()
