"""What transfers have in common: what the stores at both ends are like, and the run itself."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final

from .. import _runtime
from ..errors import InvalidPath, NotFound
from ..models import Entry, RemoteFolder
from ..paths import PathLike, RemotePath, normalize
from ..transfer._items import Item, Work
from ..transfer.events import OnEvent
from ..transfer.options import TransferOptions
from ..transfer.report import TransferFailed, TransferReport
from ._listing import Listing, Mapped
from ._store import AsyncStore

if TYPE_CHECKING:
    from ..transfer._in_parts import InParts

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


async def refuse_nested(source: AsyncStore, path: PathLike, target: AsyncStore, into: PathLike) -> None:
    """Refuse to copy a folder into itself, which would never end."""
    if await _lies_within(target, into, source, path):
        raise InvalidPath("the target lies within the source; copy to a place outside of it", path=str(into))


async def refuse_deleted(source: AsyncStore, path: PathLike, target: AsyncStore, into: PathLike) -> None:
    """Refuse a mirror that would delete what it is to be a mirror of, or everything by mistake."""
    if await _lies_within(source, path, target, into):
        raise InvalidPath(
            "the source lies within the target, where its own files would be deleted; mirror it to a"
            " place outside, or delete nothing",
            path=str(path),
        )
    if not await source.is_folder(path):
        raise NotFound(
            "there is no such folder to mirror, and an empty one would delete everything; check the path."
            " Where folders are but names, one without files cannot be told from a mistyped one",
            path=str(path),
        )


async def _lies_within(inner: AsyncStore, path: PathLike, outer: AsyncStore, above: PathLike) -> bool:
    """Return True if one place is the other or below it, whichever backends lead there."""
    here = await inner._scope.backend.place(inner._scope.folder_key(path))
    there = await outer._scope.backend.place(outer._scope.folder_key(above))
    return here[0] == there[0] and f"{here[1]}/".startswith(f"{there[1]}/" if there[1] else "")


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
    """A place of this machine as a store: a folder, or a file in one."""

    def __init__(self, store: AsyncStore, name: str, whole: bool) -> None:
        self.store, self.name, self.whole = store, name, whole

    async def __aenter__(self) -> Place:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.store.aclose()


async def place(local: str | os.PathLike[str], *, create: bool, parent: bool = False) -> Place:
    """Return a store for a folder, or for the folder that a file is in."""
    from ..backends.local import LocalBackend

    def look() -> tuple[LocalBackend, str, bool]:
        path = os.path.abspath(os.fspath(local))
        if not create and not os.path.exists(path):
            raise NotFound("there is no such file or folder on this machine; check the path", path=path)
        whole = not parent and (create or not os.path.isfile(path))
        folder, name = (path, "") if whole else os.path.split(path)
        return LocalBackend(folder, create=create), name, whole

    backend, name, whole = await _runtime.in_thread(look)
    return Place(AsyncStore(backend), name, whole)


def journaled(
    journal: str | os.PathLike[str] | None,
    call: dict[str, Any],
    sides: tuple[AsyncStore, PathLike, AsyncStore, PathLike],
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


def _held(stores: tuple[AsyncStore, ...], options: TransferOptions) -> int:
    """Return how many bytes the streams of one large file hold; 0 if no content is moved."""
    if len(stores) < 2:
        return 0
    most = options.stream_memory
    return sum(min(store._within(most)._scope.backend.stream_memory, most) for store in stores)


async def run_transfer(
    items: AsyncGenerator[Item],
    work: Work,
    stores: tuple[AsyncStore, ...],
    options: TransferOptions,
    on_event: OnEvent,
    parts: InParts | None = None,
) -> TransferReport:
    """Run a transfer where its caller is; for a blocking one on the background loop."""
    held = _held(stores, options)
    on_server = bool(held) and stores[0]._copier(stores[1], journaled=parts is not None) is not None
    concurrency = max(map(at_once, stores))  # it is the farther one that is waited for (ADR 0019)
    blocking = _runtime.blocking()

    async def main() -> TransferReport:
        from ..transfer._engine import Events, Run  # it needs anyio, which needs a loop's module

        events = Events(on_event, in_thread=blocking)
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

    return await _runtime.on_asyncio(main) if blocking else await main()


async def discard(journal: str | os.PathLike[str], target: AsyncStore) -> int:
    """Undo what a journal knows to be unfinished, and delete it."""
    path = os.fspath(journal)

    async def main() -> int:
        from ..transfer._recorded import discarded

        return await discarded(path, target)

    if not await _runtime.in_thread(os.path.isfile, path):
        raise NotFound("there is no such journal; check the path", path=path)
    return await _runtime.on_asyncio(main) if _runtime.blocking() else await main()
