"""What transfers have in common: what the stores at both ends are like, and the run itself."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .. import _runtime
from ..errors import InvalidPath, NotFound
from ..models import Entry, RemoteFolder
from ..paths import PathLike, RemotePath, normalize
from ..transfer._items import Item, Work
from ..transfer.events import Ended, OnEvent, is_awaited
from ..transfer.options import TransferOptions
from ..transfer.report import TransferFailed, TransferReport
from ._listing import Listing, Mapped
from ._store import AsyncStore

if TYPE_CHECKING:
    from ..transfer._in_parts import InParts

Sides: TypeAlias = tuple[AsyncStore, PathLike, AsyncStore, PathLike]
"""The store and the folder that files come from, and those that they go to."""

_AT_ONCE: Final = {"local": 8, "memory": 8, "s3": 64, "s3-pyarrow": 32, "sftp": 64, "azure": 32}
"""Files under way at once, for each kind of storage, unless the caller says so."""


def at_once(store: AsyncStore) -> int:
    return _AT_ONCE.get(store._scope.backend.name, 16)


def options_of(options: TransferOptions | None) -> TransferOptions:
    if options is not None and not isinstance(options, TransferOptions):
        raise TypeError(f"options must be TransferOptions, not {type(options).__name__}")
    return options or TransferOptions()


def require_stores(*stores: AsyncStore) -> None:
    for store in stores:
        if not isinstance(store, AsyncStore):
            raise TypeError(f"a store is needed here, not {type(store).__name__}")
        store._scope.require_open()


def is_within(place: tuple[str, str], folder: tuple[str, str]) -> bool:
    """Return True if one place, as ``Backend.place`` tells it, is the other or below it."""
    return place[0] == folder[0] and f"{place[1]}/".startswith(f"{folder[1]}/" if folder[1] else "")


async def delete_folders(store: AsyncStore, path: str) -> None:
    """Delete folders that hold nothing any more, where the storage has such."""
    if path and not await store.is_folder(path):
        return
    most = at_once(store)

    async def main() -> None:
        from ..transfer._folders import delete_empty  # it needs anyio, which needs a loop's module

        async with _folders(store, path) as listing:
            below = [folder async for folder in listing]
        await delete_empty(store, [RemoteFolder(RemotePath(path)), *below] if path else below, most)

    await (_runtime.on_asyncio(main) if _runtime.blocking() else main())


def _folders(store: AsyncStore, path: str) -> Listing[RemoteFolder]:
    """List the folders below a folder, at any depth."""
    scope, key = store._scope, store._scope.folder_key(path)

    def convert(entry: Entry) -> RemoteFolder | None:
        return scope.folder(entry) if isinstance(entry, RemoteFolder) else None

    pages = scope.backend.list_pages(key, recursive=True, files=False)
    return Listing(scope, key, path, Mapped(pages, convert))


class Place:
    """A place of this machine as a store: a folder, or a file in one.

    Args:
        folder: the folder, which need not be there.
        store: it, as a store.
        name: the file in it, if one is meant.
        whole: the folder is meant.
    """

    def __init__(self, folder: str, store: AsyncStore, name: str, whole: bool) -> None:
        self._folder, self.store, self.name, self.whole = folder, store, name, whole

    async def make(self) -> None:
        """Make the folder, if it is not there. Raises as ``LocalBackend`` does."""
        from ..backends.local import LocalBackend

        await _runtime.in_thread(LocalBackend, self._folder)  # it opens nothing yet

    async def __aenter__(self) -> Place:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.store.aclose()


async def place(local: str | os.PathLike[str], *, create: bool, parent: bool = False) -> Place:
    """Return a store for a folder, or for the folder that a file is in.

    Args:
        local: the folder or the file.
        create: it need not be there.
        parent: it is a file, whether it is there or not.

    Raises:
        NotFound: it is not there, and has to be.
    """
    from ..backends.local import LocalBackend

    def look() -> tuple[str, LocalBackend, str, bool]:
        path = os.path.abspath(os.fspath(local))
        if not create and not os.path.exists(path):
            raise NotFound("there is no such file or folder on this machine; check the path", path=path)
        whole = not parent and (create or not os.path.isfile(path))
        folder, name = (path, "") if whole else os.path.split(path)
        return folder, LocalBackend(folder, create=False), name, whole

    folder, backend, name, whole = await _runtime.in_thread(look)
    return Place(folder, AsyncStore(backend), name, whole)


async def journaled(
    journal: str | os.PathLike[str] | None,
    call: dict[str, Any],
    sides: Sides,
    options: TransferOptions,
) -> InParts | None:
    """Return what writes large files under a journal; None without one."""
    if journal is None or options.dry_run:
        return None
    path = os.fspath(journal)
    if not isinstance(path, str) or not path:
        raise TypeError("journal must be the path of a file, as str")
    from ..transfer._in_parts import InParts  # as below
    from ..transfer._ledger import Ledger

    source, source_path, target, target_path = sides
    await _refuse_journal(path, source, source_path)
    if call["call"] != "copy_tree" and call.get("delete", True):
        await _refuse_journal(path, target, target_path)
    asked = {
        **call,
        "source": source._location,
        "source_path": normalize(source_path),
        "target": target._location,
        "target_path": normalize(target_path),
        "overwrite": options.overwrite,
        "skip_existing": options.skip_existing,
    }
    return InParts(source, target, options, Ledger(path, asked))


async def _refuse_journal(path: str, store: AsyncStore, folder: PathLike) -> None:
    """Refuse a journal that a transfer would copy or delete."""
    storage, place = await store._scope.backend.place(store._scope.folder_key(folder))
    real = (await _runtime.in_thread(os.path.realpath, path)).strip("/")
    if storage == "file://" and real.startswith(f"{place}/" if place else ""):
        raise InvalidPath(
            "the journal lies within a folder that is copied, or deleted from; keep it outside", path=path
        )


def _held(stores: tuple[AsyncStore, ...], options: TransferOptions) -> int:
    """Return how many bytes the streams of one large file hold; 0 if no content is moved."""
    if len(stores) < 2:
        return 0
    most = options.stream_memory
    return sum(
        min(store._within(most, options.part_size)._scope.backend.stream_memory, most) for store in stores
    )


async def run_transfer(
    items: AsyncGenerator[Item],
    work: Work,
    stores: tuple[AsyncStore, ...],
    options: TransferOptions,
    on_event: OnEvent,
    parts: InParts | None = None,
) -> TransferReport:
    """Run a transfer where its caller is; for a blocking one on the background loop."""
    blocking = _runtime.blocking()
    awaited = is_awaited(on_event)
    if awaited and blocking:
        raise TypeError("on_event is a coroutine function, which nobody awaits here; give a plain one")
    held = _held(stores, options)
    on_server = bool(held) and stores[0]._copier(stores[1], journaled=parts is not None) is not None
    concurrency = max(map(at_once, stores))  # it is the farther one that is waited for (ADR 0019)

    async def main() -> TransferReport:
        from ..transfer._engine import Events, Run  # it needs anyio, which needs a loop's module

        events = Events(on_event, in_thread=blocking, awaited=awaited, keep=options.keep_outcomes)
        if parts is None:
            return await Run(options, concurrency, events, held, on_server).all(items, work)
        from ..transfer._ledger import Broken
        from ..transfer._recorded import Recorded

        async with parts.ledger:
            recorded = Recorded(work, stores[-1], parts, options)
            try:
                run = Run(options, concurrency, events, held, on_server, recorded.give_up)
                report = await run.all(items, recorded.work)
            except TransferFailed:
                await recorded.finish()
                raise
            except Broken as broken:
                raise broken.error from broken.error.__cause__
            await recorded.finish()
            return report

    try:
        return await _runtime.on_asyncio(main) if blocking else await main()
    except Ended as ended:
        raise ended.error from ended.error.__cause__


async def discard(journal: str | os.PathLike[str], target: AsyncStore) -> int:
    """Undo what a journal knows to be unfinished, and delete it."""
    path = os.fspath(journal)

    async def main() -> int:
        from ..transfer._recorded import discarded

        return await discarded(path, target)

    if not await _runtime.in_thread(os.path.isfile, path):
        raise NotFound("there is no such journal; check the path", path=path)
    return await _runtime.on_asyncio(main) if _runtime.blocking() else await main()
