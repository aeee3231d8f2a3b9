"""Commands that change things in place: rm, mv."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import InvalidPath, NotFound
from ..transfer import TransferFailed
from ._counting import all_of
from ._emptying import emptied
from ._errors import FAILED, Usage, complain, reporting
from ._look import Json, Location
from ._moving import copied, rename
from ._output import say_json
from ._places import Place, Places
from ._telling import telling
from ._under_way import Moved


@reporting
def rm(
    context: typer.Context,
    location: Location,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="A folder with all in it.")] = False,
    missing_ok: Annotated[bool, typer.Option("--missing-ok", help="Nothing there is fine.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a file, or a folder with all that is in it."""
    with Places(context.obj) as places:
        place = places.find(location)
        store, path = place.store, place.path
        _refuse_whole(place, "deleted", "name what is in it")
        is_folder = recursive and store.is_folder(path)
        if is_folder:
            store.delete_folder(path, recursive=True)
        else:
            _delete(place, missing_ok)
        if as_json:
            say_json({"type": "folder" if is_folder else "file", "path": place.location(path), "gone": True})


def _delete(place: Place, missing_ok: bool) -> None:
    try:
        place.store.delete(place.path, missing_ok=missing_ok)
    except InvalidPath as error:
        if not place.store.is_folder(place.path):
            raise
        error.message = "this is a folder, not a file; give --recursive"  # storages have their own words
        raise


def _refuse_whole(place: Place, what: str, instead: str) -> None:
    """Refuse to take away all of a store, or by a slip of the hand the folder where the user is."""
    if not place.path:
        raise Usage(f"{place.text} is all of the store, which is not {what}; {instead}")
    if place.is_dotted:
        raise Usage(f"a folder is not {what} by dots, as {place.text}; give its name")


@reporting
def mv(
    context: typer.Context,
    source: Location,
    target: Location,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Move a file or a folder, also from one store to another; the source goes once all is there.

    A file that is there already with the same bytes counts as copied, so that the same command goes
    on where it was interrupted.
    """
    with Places(context.obj) as places:
        here, there = places.find(source), places.find(target)
        there = inside(here, there)
        _refuse_whole(here, "moved", "copy it")
        within = here.store == there.store and here.store.is_file(here.path)
        with telling(here, there, as_json=as_json, found=None if within else all_of(here)) as tell:
            if within:
                rename(here, there, overwrite, tell)
            else:
                _carry(here, there, overwrite, tell)


def _carry(source: Place, target: Place, overwrite: bool, tell: Moved) -> None:
    """Copy files, delete those that have arrived, and tell what stays."""
    try:
        arrived = copied(source, target, overwrite, tell)
    except TransferFailed:
        raise typer.Exit(FAILED) from None  # each failure was told by its event
    stays = emptied(source, target, arrived)
    for path, why in stays.items():
        complain(f"{source.location(path)}: {why}")
    if stays:
        raise typer.Exit(FAILED)


def inside(source: Place, target: Place) -> Place:
    """Return where a file goes: into a folder that is there, or that is meant, under its name."""
    name = source.path.rpartition("/")[2]
    if not source.path or not source.store.is_file(source.path):
        if source.path and not source.store.is_folder(source.path):
            raise NotFound("there is no such file or folder", path=source.location(source.path))
        return target
    if target.is_inside or not target.path or target.store.is_folder(target.path):
        return target._replace(path=f"{target.path}/{name}" if target.path else name)
    return target


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (rm, mv):
        app.command()(command)
