"""Folders that are left when their files are gone."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from ..errors import DirectoryNotEmpty, InvalidPath
from ..models import RemoteFolder

if TYPE_CHECKING:
    from .._async import AsyncStore


async def delete_empty(store: AsyncStore, folders: list[RemoteFolder], most: int) -> None:
    """Delete folders that hold nothing, the deepest first, so many at once; the others stay.

    Raises:
        RemoteStoreError: the first failure; what is as deep is deleted all the same.
    """
    by_depth: defaultdict[int, list[RemoteFolder]] = defaultdict(list)
    for folder in folders:
        by_depth[str(folder.path).count("/")].append(folder)
    for depth in sorted(by_depth, reverse=True):
        await _delete_all(store, by_depth[depth], most)


async def _delete_all(store: AsyncStore, folders: list[RemoteFolder], most: int) -> None:
    failures: list[Exception] = []

    async def worker() -> None:
        while folders:
            try:
                await _delete(store, folders.pop())
            except Exception as error:  # noqa: BLE001 - raised below, outside of the group's own wrapping
                failures.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(min(most, len(folders))):
            group.start_soon(worker)
    if failures:
        raise failures[0]


async def _delete(store: AsyncStore, folder: RemoteFolder) -> None:
    if folder.is_link:
        await store.delete(folder.path, missing_ok=True)
        return
    with suppress(DirectoryNotEmpty, InvalidPath):  # somebody has put a file into it, or in its place
        await store.delete_folder(folder.path, missing_ok=True)
