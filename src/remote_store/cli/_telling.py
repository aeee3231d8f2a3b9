"""What a transfer does, told as it comes, and its sum at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..transfer import EventKind, TransferEvent, TransferReport
from ._counting import Found
from ._errors import complain, note, words
from ._output import say, say_json
from ._progress import shown
from ._under_way import Moved


@contextmanager
def telling(
    as_json: bool, quiet: bool = False, every: bool = False, found: Found | None = None
) -> Iterator[Moved]:
    """Show events as they come, and their sum at the end, however that comes."""
    report = TransferReport()
    try:
        with shown(report, found, on_terminal=sys.stderr.isatty(), quiet=quiet or as_json) as moved:

            def tell(event: TransferEvent) -> None:
                report.add(event)
                moved(event)
                if as_json:
                    say_json(_as_dict(event))
                elif event.kind is EventKind.FAILED and event.error is not None:
                    complain(words(event.error))
                elif every and event.kind is EventKind.SKIPPED and not quiet:
                    say(f"{event.path}  {event.size}")

            yield tell
    finally:
        if as_json:
            say_json({"report": report.as_dict()})
        elif report.planned and not quiet:
            note(_summary(report))


def _summary(report: TransferReport) -> str:
    whole = report.planned == report.done + report.skipped + report.failed  # else it was stopped half-way
    files = f"{report.done:,} of {report.planned:,} files" if whole else f"{report.done:,} files"
    parts = [files, f"{report.done_bytes:,} bytes"]
    parts += [f"{report.skipped:,} skipped"] if report.skipped else []
    parts += [f"{report.failed:,} failed"] if report.failed else []
    return f"{', '.join(parts)} in {report.seconds:.1f} s"


def _as_dict(event: TransferEvent) -> dict[str, object]:
    found: dict[str, object] = {"event": event.kind.value, "path": event.path, "size": event.size}
    if event.error is not None:
        found["error"] = words(event.error)
    if event.detail:
        found["detail"] = event.detail
    return found
