"""mv: files are copied first, and go from the source when all have arrived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, NoReturn

from .._sync import Store, copy_tree, plan_sync
from ..errors import AlreadyExists, NotFound, PreconditionFailed, RemoteStoreError
from ..paths import PathLike, RemotePath
from ..transfer import EventKind, TransferEvent, TransferFailed, TransferOptions
from ..transfer.plan import Version, joined
from ._look import CHUNK
from ._places import Place
from ._under_way import Moved


class _Pair(NamedTuple):
    """A file of the source as it is, and what is where it is to go."""

    path: str
    version: Version
    there: Version | None
    linked: bool = False
    """It is to go through a link to a folder, which may be any folder of the source."""


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
        PreconditionFailed: some may be there already, under another name of the place, or may replace
            each other through a link; then nothing is done.
    """
    before: dict[str, Version] = {}
    linked: dict[str, Version] = {}
    maybe = []
    for pair in _pairs(source, target):
        before[pair.path] = pair.version
        if pair.linked and overwrite:
            _refuse_link(in_target(pair.path, source, target))
        if pair.there is not None and pair.linked:
            linked[pair.path] = pair.there
        elif pair.there is not None and may_be_one(pair.version, pair.there):
            maybe.append(pair.path)
    maybe += _may_be_any(linked, before.values())
    _refuse_itself([in_target(path, source, target) for path in maybe])
    return {path: before.get(path) for path in _copied(source, target, overwrite, tell)}


def _pairs(source: Place, target: Place) -> Iterator[_Pair]:
    """Give the files; of the target only folders are listed that the source has, too."""
    if source.path and source.store.is_file(source.path):
        is_there = target.store.is_file(target.path)
        there = Version.of(target.store.get_file_info(target.path)) if is_there else None
        yield _Pair(source.path, Version.of(source.store.get_file_info(source.path)), there)
        return
    for line in plan_sync(source.store, source.path, target.store, target.path, compare="size"):
        assert line.source is not None
        path, there = joined(source.path, line.path), line.target
        if line.linked:  # plans do not look through links, but files are copied through them
            there = version_at(target.store, RemotePath._of(in_target(path, source, target)))
        yield _Pair(path, line.source, there, line.linked)


def version_at(store: Store, path: PathLike) -> Version | None:
    """Return the version of a file, also through a link; None where nothing is."""
    try:
        return Version.of(store.get_file_info(path))
    except NotFound:
        return None


def _may_be_any(found: Mapping[str, Version], versions: Iterable[Version]) -> list[str]:
    """Return the files of which a look may have been at any of these versions."""
    sizes: defaultdict[int, list[Version]] = defaultdict(list)
    for version in versions if found else ():
        sizes[version.size].append(version)
    return [path for path, at in found.items() if any(may_be_one(at, each) for each in sizes[at.size])]


def _refuse_itself(paths: list[str]) -> None:
    """Refuse to move a file onto what may be itself, which would be deleted after the copy.

    Names do not tell: one server has many, and a link leads anywhere. So the files are compared.
    """
    if paths:
        raise PreconditionFailed(
            f"{len(paths)} files have the size and the time of a file that was to be moved there, and may"
            " be the very same under another name; nothing was moved. If they are others, delete the ones"
            " that are not needed",
            path=paths[0],
        )


def _refuse_link(path: str) -> NoReturn:
    """Refuse to replace files through a link: two names may be one file there, of which one is lost."""
    raise PreconditionFailed(
        "a link to a folder is in the way, through which files that are moved may replace each other;"
        " nothing was moved. Leave out --overwrite, or move what goes there to where the link leads",
        path=path,
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
