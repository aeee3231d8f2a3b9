"""cp, put and get: transfers of many files, with progress."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from .._sync import copy_tree, discard_journal
from ..transfer import TransferFailed, TransferOptions
from ._change import inside
from ._counting import all_of
from ._errors import FAILED, note, reporting
from ._look import Json, Location
from ._places import Places
from ._telling import telling

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")]
Skip = Annotated[bool, typer.Option("--skip-existing", help="Leave files alone that are there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be done.")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="Files under way at once.")]
Verify = Annotated[bool, typer.Option("--verify", help="Read each file back, and compare.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="End with the first failure.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print failures only.")]
Journal = Annotated[
    Path | None,
    typer.Option(help="A file to note what is done in: the same command goes on where it was interrupted."),
]


GO_ON: Final = "what is done is noted in {}; run the same command again to go on"


@reporting
def cp(
    context: typer.Context,
    source: Location,
    target: Location,
    overwrite: Overwrite = False,
    skip_existing: Skip = False,
    dry_run: DryRun = False,
    concurrency: Concurrency = None,
    verify: Verify = False,
    fail_fast: FailFast = False,
    journal: Journal = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Copy a file, or all files of a folder, from one location to another.

    The files of a folder go below TARGET; a file goes into TARGET if that is a folder or ends in
    a slash. Either location may be a path of this machine.
    """
    options = TransferOptions(
        overwrite=overwrite, skip_existing=skip_existing, dry_run=dry_run, concurrency=concurrency,
        verify="full" if verify else "storage", on_error="fail_fast" if fail_fast else "collect",
    )  # fmt: skip
    with Places(context.obj) as places:
        here = places.find(source)
        there = inside(here, places.find(target))
        sides = (here.store, here.path, there.store, there.path)
        try:
            with telling(
                here, there, as_json=as_json, quiet=quiet, every=dry_run, found=all_of(here)
            ) as tell:
                copy_tree(*sides, options=options, on_event=tell, journal=absolute(journal))
        except TransferFailed:
            raise typer.Exit(FAILED) from None  # each failure was told by its event
        except KeyboardInterrupt:
            if journal is not None:
                raise KeyboardInterrupt(GO_ON.format(journal)) from None
            again = "run it again" if overwrite or skip_existing else "run it again with --skip-existing"
            raise KeyboardInterrupt(f"{again} to go on") from None


def absolute(journal: Path | None) -> Path | None:
    """Return a journal's path as errors tell it, so that it looks like none of a store."""
    return None if journal is None else journal.absolute()


@reporting
def discard(
    context: typer.Context,
    journal: Annotated[Path, typer.Argument(help="What the transfer was given as --journal.")],
    target: Location,
) -> None:
    """Give up an interrupted transfer to TARGET: undo what is unfinished there, delete its journal.

    Files that have arrived stay.
    """
    with Places(context.obj) as places:
        undone = discard_journal(journal.absolute(), places.find(target).store)
    note(f"{undone:,} unfinished files undone; {journal} is gone")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(cp)
    app.command("put", help="Copy from this machine: the same as cp.")(cp)
    app.command("get", help="Copy to this machine: the same as cp.")(cp)
    app.command("discard-journal")(discard)
