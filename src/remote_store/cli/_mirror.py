"""sync and check: a folder made, or found, the same as another."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from .._sync import plan_sync, sync
from ..transfer import Action, TransferEvent, TransferFailed, TransferOptions
from ._copy import GO_ON, Concurrency, DryRun, FailFast, Journal, Quiet, Verify, absolute
from ._counting import Differing
from ._errors import FAILED, reporting
from ._look import Json, Location, folder
from ._output import say, say_json
from ._places import Places
from ._telling import telling

Compare = Annotated[
    Literal["time", "size", "checksum", "etag"],
    typer.Option(help="What tells, beside the size, that a file has changed."),
]
Delete = Annotated[bool, typer.Option("--delete", help="Delete files that SOURCE does not have.")]


@reporting
def mirror(
    context: typer.Context,
    source: Location,
    target: Location,
    compare: Compare = "time",
    delete: Delete = False,
    dry_run: DryRun = False,
    concurrency: Concurrency = None,
    verify: Verify = False,
    fail_fast: FailFast = False,
    journal: Journal = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make TARGET the same as SOURCE: copy what is new or has changed.

    What changes on either side meanwhile is left alone, and counts as failed.
    """
    options = TransferOptions(
        dry_run=dry_run, concurrency=concurrency, verify="full" if verify else "storage",
        on_error="fail_fast" if fail_fast else "collect",
    )  # fmt: skip
    with Places(context.obj) as places:
        here, there = places.find(source), places.find(target)
        sides = (here.store, here.path, there.store, there.path)
        found = Differing(lambda: plan_sync(*sides, compare=compare, delete=delete), here.path)
        kept = absolute(journal)
        try:
            with telling(here, there, as_json=as_json, quiet=quiet, every=dry_run, found=found) as tell:

                def told(event: TransferEvent) -> None:
                    found.note(event)
                    tell(event)

                sync(*sides, compare=compare, delete=delete, options=options, on_event=told, journal=kept)
        except TransferFailed:
            raise typer.Exit(FAILED) from None  # each failure was told by its event
        except KeyboardInterrupt:
            raise KeyboardInterrupt(GO_ON.format(journal) if journal else "") from None


@reporting
def check(
    context: typer.Context,
    source: Location,
    target: Location,
    compare: Compare = "size",
    as_json: Json = False,
) -> None:
    """Compare two folders; print each difference, and exit with 1 if there is any."""
    differ = False
    with Places(context.obj) as places:
        here, there = folder(places.find(source)), places.find(target)
        for line in plan_sync(here.store, here.path, there.store, there.path, compare=compare, delete=True):
            if line.action is Action.UNCHANGED:
                continue
            differ = True
            if as_json:
                say_json({"path": line.path, "difference": line.action.value, "reason": line.reason})
            else:
                say(f"{line.path}: {line.reason}")
    if differ:
        raise typer.Exit(FAILED)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("sync")(mirror)
    app.command()(check)
