"""Transfers of many files. The blocking functions are generated from these.

Docstrings say what happens, never how it is awaited, since both faces share them.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from .. import _runtime
from ..capabilities import Capability
from ..paths import PathLike, RemotePath, normalize
from ..transfer._copying import Copying
from ..transfer._items import Item, Nothing, gone, tree
from ..transfer.events import OnEvent
from ..transfer.options import TransferOptions
from ..transfer.report import TransferReport
from ._nested import refuse_nested
from ._places import (
    Sides,
    delete_folders,
    discard,
    journaled,
    options_of,
    place,
    require_stores,
    run_transfer,
)
from ._store import AsyncStore


async def copy_tree(
    source: AsyncStore,
    source_path: PathLike,
    target: AsyncStore,
    target_path: PathLike = "",
    *,
    options: TransferOptions | None = None,
    on_event: OnEvent = None,
    journal: str | os.PathLike[str] | None = None,
) -> TransferReport:
    """Copy a folder with all files below it, or one file, from one store to another or within one.

    Files keep their paths below the folder; folders without files are not copied. No file is
    ever seen half written under its name where the target can write atomically. Within one
    backend the storage copies by itself.

    Args:
        source: the store that has the files.
        source_path: the folder or the file in it; ``""`` is all of the store.
        target: the store that they are copied into.
        target_path: the folder that they go into; for a file, its path there.
        options: how; see ``TransferOptions``.
        on_event: called with each ``TransferEvent``, one after the other; what it raises ends the
            transfer. It should return soon.
        journal: a file in which to note what is done, made if it is not there. A transfer that was
            killed goes on where it was when it is called again with the same one. See
            ``discard_journal``. Keep it out of the folder that is copied; a file that would replace it
            fails. A dry run makes none.

    Returns:
        What was done, as numbers.

    Raises:
        TransferFailed: some files failed, the others are there; its ``report`` tells of all.
        NotFound: there is nothing at ``source_path``.
        InvalidPath: a path is malformed, or the target lies within the source.
        BackendUnavailable: another transfer uses the journal now.
        RemoteStoreError: the journal is that of another transfer; or the first failure, with
            ``on_error="fail_fast"``.
    """
    sides = (source, source_path, target, target_path)
    return await _copied(sides, options, on_event, journal)


async def _copied(
    sides: Sides,
    options: TransferOptions | None,
    on_event: OnEvent,
    journal: str | os.PathLike[str] | None,
    found: Callable[[], Awaitable[None]] | None = None,
) -> TransferReport:
    """Copy a folder or a file; ``found`` is called once it is known to be there, but for dry runs."""
    source, source_path, target, target_path = sides
    require_stores(source, target)
    source._scope.require(Capability.READ)
    target._scope.require(Capability.WRITE)
    await refuse_nested(*sides)
    chosen = options_of(options)
    parts = await journaled(journal, {"call": "copy_tree"}, sides, chosen)
    work = Copying(source, target, chosen, parts).copy
    items = tree(source, source_path, target_path, None if chosen.dry_run else found)
    return await run_transfer(items, work, (source, target), chosen, on_event, parts)


async def upload(
    local: str | os.PathLike[str],
    store: AsyncStore,
    path: PathLike = "",
    *,
    options: TransferOptions | None = None,
    on_event: OnEvent = None,
    journal: str | os.PathLike[str] | None = None,
) -> TransferReport:
    """Copy a folder of this machine, or one file, into a store. Otherwise as ``copy_tree``.

    Args:
        local: the folder or the file.
        store: the store that the files go into.
        path: the folder that they go into; for a file, its path there, by default its name.
        options: how; see ``TransferOptions``.
        on_event: called with each ``TransferEvent``.
        journal: a file in which to note what is done; see ``copy_tree``.

    Returns:
        What was done, as numbers.

    Raises:
        NotFound: nothing is at ``local``.
        TransferFailed, InvalidPath, RemoteStoreError: as for ``copy_tree``.
    """
    require_stores(store)
    async with await place(local, create=False) as source:
        name = "" if source.whole else source.name
        return await copy_tree(
            source.store, name, store, path, options=options, on_event=on_event, journal=journal
        )


async def download(
    store: AsyncStore,
    path: PathLike,
    local: str | os.PathLike[str],
    *,
    options: TransferOptions | None = None,
    on_event: OnEvent = None,
    journal: str | os.PathLike[str] | None = None,
) -> TransferReport:
    """Copy a folder of a store, or one file, to this machine. Otherwise as ``copy_tree``.

    Args:
        store: the store that has the files.
        path: the folder or the file in it; ``""`` is all of the store.
        local: the folder that they go into, made if it is not there; for a file, its new path,
            or a folder that it goes into under its name.
        options: how; see ``TransferOptions``.
        on_event: called with each ``TransferEvent``.
        journal: a file in which to note what is done; see ``copy_tree``.

    Returns:
        What was done, as numbers.

    Raises:
        NotFound: nothing is at ``path``.
        TransferFailed, InvalidPath, RemoteStoreError: as for ``copy_tree``.
    """
    require_stores(store)
    single = bool(normalize(path)) and await store.is_file(path)
    into = await _runtime.in_thread(os.path.isdir, local)
    async with await place(local, create=True, parent=single and not into) as target:
        there = "" if not single else normalize(path).rpartition("/")[2] if into else target.name
        return await _copied((store, path, target.store, there), options, on_event, journal, target.make)


async def delete_tree(
    store: AsyncStore,
    path: PathLike,
    *,
    options: TransferOptions | None = None,
    on_event: OnEvent = None,
) -> TransferReport:
    """Delete a folder with all files below it, or one file, and report on each.

    ``Store.delete_folder`` does the same in fewer requests, and tells nothing of the files.

    Args:
        store: the store that has the files.
        path: the folder or the file; ``""`` deletes all that is in the store, and leaves its root.
        options: how; sizes, verification and overwriting have no meaning here.
        on_event: called with each ``TransferEvent``.

    Returns:
        What was done, as numbers.

    Raises:
        TransferFailed: some files could not be deleted; its ``report`` tells of all.
        NotFound: there is nothing at ``path``.
        InvalidPath: the path is malformed.
        RemoteStoreError: the first failure, with ``on_error="fail_fast"``.
    """
    require_stores(store)
    store._scope.require(Capability.DELETE)
    chosen = options_of(options)

    async def delete(item: Item, *_: object) -> str:
        if chosen.dry_run:
            raise Nothing("dry run: would be deleted")
        path = RemotePath._of(item.source)  # as it was listed, which no text may be able to name
        await store.delete(path, missing_ok=True)  # somebody else may have been quicker
        return "deleted"

    report = await run_transfer(gone(store, path), delete, (store,), chosen, on_event)
    if not chosen.dry_run:
        await delete_folders(store, normalize(path))
    return report


async def discard_journal(journal: str | os.PathLike[str], target: AsyncStore) -> int:
    """Give up a transfer that was to be gone on with: undo its unfinished writes, delete its journal.

    Files that have arrived stay where they are.

    Args:
        journal: the file that the transfer was given.
        target: the store that it copied into.

    Returns:
        How many unfinished files were undone.

    Raises:
        NotFound: there is no such journal.
        BackendUnavailable: the transfer is under way, or the storage does not answer; nothing is lost.
        RemoteStoreError: it is no journal, or that of a transfer into another store.
    """
    require_stores(target)
    return await discard(journal, target)
