"""What a transfer does, told as it comes, and its sum at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..errors import RemoteStoreError
from ..transfer import EventKind, TransferEvent, TransferReport
from . import _errors
from ._counting import Found
from ._errors import code_of, complain, note, words
from ._output import say, say_json
from ._places import Place, located
from ._progress import shown
from ._under_way import Moved


@contextmanager
def telling(
    here: Place,
    there: Place,
    *,
    as_json: bool,
    quiet: bool = False,
    every: bool = False,
    found: Found | None = None,
) -> Iterator[Moved]:
    """Show events as they come, and their sum at the end, however that comes.

    Args:
        here: where files come from.
        there: where they go.
        as_json: as JSON objects.
        quiet: failures only.
        every: what is skipped, too, as it is in a dry run.
        found: looks for what there is to move, to show how far it is.
    """
    report = TransferReport()
    told: list[BaseException] = []  # the first failure, which may be raised, too
    try:
        with shown(report, found, on_terminal=sys.stderr.isatty(), quiet=quiet or as_json) as moved:

            def tell(event: TransferEvent) -> None:
                report.add(event)
                moved(event)
                if event.kind is EventKind.FAILED and event.error and not told:
                    told.append(event.error)
                error = words(event.error, located(event.error, (here, there))) if event.error else ""
                if as_json:
                    say_json(_as_dict(event, error))
                elif event.kind is EventKind.FAILED:
                    complain(error)
                elif every and event.kind is EventKind.SKIPPED and not quiet:
                    how = event.detail.removeprefix("dry run: ")
                    deleted = how.startswith("would be deleted")
                    path = (there if deleted else here).below(event.path)
                    say(f"{'-' if deleted else event.size:>12}  {path}: {how}")

            yield tell
    except RemoteStoreError as error:
        if _errors.debug or error not in told:
            raise
        raise typer.Exit(code_of(error)) from None  # it was told by its event
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


def _as_dict(event: TransferEvent, error: str) -> dict[str, object]:
    found: dict[str, object] = {"event": event.kind.value, "path": event.path, "size": event.size}
    more = {"error": error, "detail": event.detail}
    return found | {name: text for name, text in more.items() if text}
