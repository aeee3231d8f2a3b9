"""bench: how fast a store is."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from .._sync import Store
from ._errors import complain, reporting
from ._look import Json, Location, folder
from ._measuring import Limits, Measure, Measuring
from ._output import bytes_of, say, say_json
from ._places import Place, Places, telling_of

FOLDER: Final = "remote-store-bench-"
"""What the name of the folder begins with that a measurement works in."""
_HEAD: Final = ("", "at once", "files", "median ms", "95 % ms", "files/s", "MiB/s")


@reporting
def bench(
    context: typer.Context,
    location: Location,
    count: Annotated[int, typer.Option(min=1, help="Small files, of 4 KiB each.")] = 100,
    size: Annotated[str, typer.Option(help="Bytes of each large file: 512k, 16M, 1G.")] = "16M",
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Calls and streams at once.")] = 8,
    seconds: Annotated[float, typer.Option(min=0.1, help="Longest time of each measure.")] = 5.0,
    as_json: Json = False,
) -> None:
    """Measure how fast a store is: single calls, many files, large files, listings.

    It works in a folder of its own below LOCATION, and removes it. What a call costs is shown as the
    median, and as the time that 95 of 100 calls keep to. Each measure ends after --seconds at the latest.
    """
    limits = Limits(count, bytes_of(size), concurrency, seconds)
    with Places(context.obj) as places, _folder_in(places.find(location)) as store:
        if not as_json:
            say(_row(_HEAD))
        for measure in Measuring(store, limits).all():
            if as_json:
                say_json(measure.as_dict())
            else:
                say(_row(_cells(measure)))
            sys.stdout.flush()  # each line as it comes, into a pipe too


@contextmanager
def _folder_in(place: Place) -> Iterator[Store]:
    """Give a folder of its own; it is gone afterwards.

    Raises:
        NotFound: it would have to be made in a folder that is not there, and would stay.
    """
    store, path = folder(place).store, place.path
    own = f"{path}/" * bool(path) + FOLDER + secrets.token_hex(4)
    try:
        with telling_of(own):
            yield store.child(own)
    finally:
        try:
            store.delete_folder(own, recursive=True, missing_ok=True)
        except BaseException:
            complain(f"{place.location(own)} may still be there; delete it with rm --recursive")
            raise


def _cells(measure: Measure) -> tuple[str, ...]:
    median, most = measure.part(50), measure.part(95)
    return (
        measure.what,
        f"{measure.at_once}",
        f"{measure.files:,}",
        "" if median is None else f"{median * 1000:,.2f}",
        "" if most is None else f"{most * 1000:,.2f}",
        f"{measure.rate(measure.files):,.1f}",
        f"{measure.rate(measure.bytes) / (1 << 20):,.1f}" if measure.bytes else "",
    )


def _row(cells: tuple[str, ...]) -> str:
    return (f"{cells[0]:<12}" + "".join(f"{cell:>11}" for cell in cells[1:])).rstrip()


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(bench)
