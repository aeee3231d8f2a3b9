"""mv: files are copied first, and go from the source when all have arrived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from .._sync import Store, copy_tree, plan_sync
from ..errors import AlreadyExists, PreconditionFailed, RemoteStoreError
from ..transfer import EventKind, TransferEvent, TransferFailed, TransferOptions
from ..transfer.plan import Version, joined
from ._look import CHUNK
from ._places import Place
from ._under_way import Moved

_Pair: TypeAlias = tuple[str, Version, Version | None]
"""A file of the source as it is, and what is where it is to go."""


def rename(source: Place, target: Place, overwrite: bool, tell: Moved) -> None:
    """Have the storage move a file."""
    size = source.store.move(source.path, target.path, overwrite=overwrite).size
    for kind, how in ((EventKind.PLANNED, ""), (EventKind.DONE, "moved by the storage")):
        tell(TransferEvent(kind, source.path, size, detail=how))


def copied(source: Place, target: Place, overwrite: bool, tell: Moved) -> dict[str, Version | None]:
    """Copy files; return those that have arrived, now or in an earlier run that was interrupted.

    Returns:
        Each as it was before; None for one that came in the meantime.

    Raises:
        TransferFailed: some have not arrived.
        PreconditionFailed: some may be there already, under another name of the place; then nothing
            is done.
    """
    before: dict[str, Version] = {}
    maybe = []
    for path, version, there in _pairs(source, target):
        before[path] = version
        if there is not None and may_be_one(version, there):
            maybe.append(in_target(path, source, target))
    _refuse_itself(maybe)
    return {path: before.get(path) for path in _copied(source, target, overwrite, tell)}


def _pairs(source: Place, target: Place) -> Iterator[_Pair]:
    """Give the files; of the target only folders are listed that the source has, too."""
    if source.path and source.store.is_file(source.path):
        there = target.store.is_file(target.path)
        old = Version.of(target.store.get_file_info(target.path)) if there else None
        yield source.path, Version.of(source.store.get_file_info(source.path)), old
        return
    for line in plan_sync(source.store, source.path, target.store, target.path, compare="size"):
        assert line.source is not None
        yield joined(source.path, line.path), line.source, line.target


def _refuse_itself(paths: list[str]) -> None:
    """Refuse to move a file onto what may be itself, which would be deleted after the copy.

    Names do not tell: one server has many, and a link leads anywhere. So the files are compared.
    """
    if paths:
        raise PreconditionFailed(
            f"{len(paths)} files have the size and the time of the file that was to be moved there, and may"
            " be the very same under another name; nothing was moved. If they are others, delete the ones"
            " that are not needed",
            path=paths[0],
        )


def may_be_one(one: Version, other: Version) -> bool:
    """Return False if two looks cannot have been at the same file; times may be cut to seconds."""
    if one.size != other.size or (one.etag and other.etag and one.etag != other.etag):
        return False
    if one.modified_at is None or other.modified_at is None:
        return True
    return abs((one.modified_at - other.modified_at).total_seconds()) <= 1


def in_target(path: str, source: Place, target: Place) -> str:
    """Return where a file goes that is the source, or below it."""
    return joined(target.path, path[len(source.path) + 1 :] if source.path else path)


def _copied(source: Place, target: Place, overwrite: bool, tell: Moved) -> list[str]:
    arrived: list[str] = []
    there: list[TransferEvent] = []

    def note(event: TransferEvent) -> None:
        if event.kind is EventKind.DONE:
            arrived.append(event.path)
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
    return arrived


def _compared(event: TransferEvent, source: Place, target: Place) -> TransferEvent:
    """Return what became of a file that is there: done if it has the same bytes."""
    path = in_target(event.path, source, target)
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
