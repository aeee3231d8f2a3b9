"""Commands that change things in place: rm, mv."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from .._sync import Store, copy_tree
from ..errors import AlreadyExists, NotFound, PreconditionFailed, RemoteStoreError
from ..models import FileInfo
from ..transfer import EventKind, TransferEvent, TransferFailed, TransferOptions
from ._counting import all_of
from ._errors import FAILED, Usage, reporting
from ._look import CHUNK, Json, Location, entries
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
        if not path:
            raise Usage(f"{place.text} is all of the store, which is not deleted; name what is in it")
        is_folder = recursive and store.is_folder(path)
        if is_folder:
            store.delete_folder(path, recursive=True)
        else:
            store.delete(path, missing_ok=missing_ok)
        if as_json:
            say_json({"type": "folder" if is_folder else "file", "path": place.location(path), "gone": True})


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
        if not here.path:
            raise Usage(f"{here.text} is all of the store, which is not moved; copy it")
        within = here.store == there.store and here.store.is_file(here.path)
        with telling(here, there, as_json=as_json, found=None if within else all_of(here)) as tell:
            try:
                (_rename if within else _carry)(here, there, overwrite, tell)
            except TransferFailed:
                raise typer.Exit(FAILED) from None  # each failure was told by its event


def _rename(source: Place, target: Place, overwrite: bool, tell: Moved) -> None:
    """Have the storage move a file."""
    size = source.store.move(source.path, target.path, overwrite=overwrite).size
    for kind, how in ((EventKind.PLANNED, ""), (EventKind.DONE, "moved by the storage")):
        tell(TransferEvent(kind, source.path, size, detail=how))


def _carry(source: Place, target: Place, overwrite: bool, tell: Moved) -> None:
    """Copy files, and delete those that were copied and are still the same.

    Raises:
        TransferFailed: some could not be copied; these stay, and so do all others.
        PreconditionFailed: some were changed meanwhile; these stay. Or some may be there already,
            under another name of the place; then nothing is done.
    """
    before = {str(info.path): info for info in entries(source, recursive=True) if isinstance(info, FileInfo)}
    _refuse_itself(source, target, before)
    changed = [
        path
        for path in _copied(source, target, overwrite, tell)
        if path not in before or not _deleted(source.store, before[path])
    ]
    if changed:
        raise PreconditionFailed(
            f"{len(changed)} files were changed while they were moved, and stay; look at them",
            path=changed[0],
        )
    if source.store.is_folder(source.path) and not any(source.store.list_files(source.path, recursive=True)):
        source.store.delete_folder(source.path, recursive=True, missing_ok=True)


def _copied(source: Place, target: Place, overwrite: bool, tell: Moved) -> list[str]:
    """Copy files; return those that have arrived, now or in an earlier run that was interrupted.

    Raises:
        TransferFailed: some have not.
    """
    copied: list[str] = []
    there: list[TransferEvent] = []

    def note(event: TransferEvent) -> None:
        if event.kind is EventKind.DONE:
            copied.append(event.path)
        if event.kind is EventKind.SKIPPED:
            there.append(event)
        else:
            tell(event)

    options = TransferOptions(overwrite=overwrite, skip_existing=not overwrite)
    copy_tree(source.store, source.path, target.store, target.path, options=options, on_event=note)
    compared = [_compared(event, source, target) for event in there]
    for event in compared:
        note(event)
    if any(event.error for event in compared):
        raise TransferFailed("some files exist with other bytes")
    return copied


def _compared(event: TransferEvent, source: Place, target: Place) -> TransferEvent:
    """Return what became of a file that is there: done if it has the same bytes."""
    path = _moved(event.path, source.path, target.path)
    try:
        if _same_bytes(source.store, event.path, target.store, path):
            return TransferEvent(
                EventKind.DONE, event.path, event.size, detail="was there, with the same bytes"
            )
        raise AlreadyExists("the file exists, with other bytes; pass overwrite=True to replace it", path=path)
    except RemoteStoreError as error:
        return TransferEvent(EventKind.FAILED, event.path, event.size, error)


def _same_bytes(one: Store, path: str, other: Store, there: str) -> bool:
    if one.get_file_info(path).size != other.get_file_info(there).size:
        return False
    with one.read(path) as mine, other.read(there) as theirs:
        while piece := mine.read(CHUNK):
            if theirs.read(CHUNK) != piece:
                return False
        return not theirs.read(1)


def _refuse_itself(source: Place, target: Place, before: Mapping[str, FileInfo]) -> None:
    """Refuse to move a file onto what may be itself, which would be deleted after the copy.

    Names do not tell: one server has many, and a link leads anywhere. So the files are compared.
    """
    wanted = {_moved(path, source.path, target.path): info for path, info in before.items()}
    found = [
        info for info in _in_place_of(source, target)
        if (mine := wanted.get(str(info.path))) is not None and may_be_one(mine, info)
    ]  # fmt: skip
    if found:
        raise PreconditionFailed(
            f"{len(found)} files have the size and the time of the file that was to be moved there, and may"
            " be the very same under another name; nothing was moved. If they are others, delete the ones"
            " that are not needed",
            path=str(found[0].path),
        )


def _moved(path: str, source: str, target: str) -> str:
    """Return where a file goes that is the source, or below it."""
    rest = path[len(source) + 1 :] if source else path
    return "/".join(part for part in (target, rest) if part)


def _in_place_of(source: Place, target: Place) -> Iterable[FileInfo]:
    """Give the files that are where those of the source are to go, and others beside them."""
    store, path = target.store, target.path
    if source.path and source.store.is_file(source.path):
        return [store.get_file_info(path)] if store.is_file(path) else []
    return store.list_files(path, recursive=True) if not path or store.is_folder(path) else []


def may_be_one(one: FileInfo, other: FileInfo) -> bool:
    """Return False if two looks cannot have been at the same file; times may be cut to seconds."""
    if one.size != other.size or (one.etag and other.etag and one.etag != other.etag):
        return False
    if one.modified_at is None or other.modified_at is None:
        return True
    return abs((one.modified_at - other.modified_at).total_seconds()) <= 1


def _version(info: FileInfo) -> object:
    return (info.size, info.modified_at, info.etag)


def _deleted(store: Store, before: FileInfo) -> bool:
    """Delete a file if it still is the version that was copied."""
    if _version(store.get_file_info(before.path)) != _version(before):
        return False
    store.delete(before.path, missing_ok=True)
    return True


def inside(source: Place, target: Place) -> Place:
    """Return where a file goes: into a folder that is there, or that is meant, under its name."""
    name = source.path.rpartition("/")[2]
    if not source.path or not source.store.is_file(source.path):
        if source.path and not source.store.is_folder(source.path):
            raise NotFound("there is no such file or folder", path=source.text)
        return target
    if target.is_inside or not target.path or target.store.is_folder(target.path):
        return target._replace(path=f"{target.path}/{name}" if target.path else name)
    return target


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (rm, mv):
        app.command()(command)
