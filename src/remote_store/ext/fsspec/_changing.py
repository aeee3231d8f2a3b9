"""Copying, moving, deleting, and making folders."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Awaitable, Callable
from glob import has_magic
from typing import Any, Final

from fsspec.asyn import _run_coros_in_chunks
from fsspec.utils import other_paths

from ...backend import Backend
from ...capabilities import Capability
from ...errors import AlreadyExists, InvalidPath, NotFound
from ._errors import refuse
from ._listing import Looking
from ._places import Place, inside

_folderless: Final[weakref.WeakSet[Backend]] = weakref.WeakSet()
"""Backends that were seen to keep no folder that nothing is in."""


class Changing(Looking):
    """Part of ``RemoteStoreFileSystem``."""

    # -- folders ---------------------------------------------------------------

    async def _mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        place = inside(self._places, self._strip_protocol(path))
        if place.store._scope.backend in _folderless:
            return
        if await place.store.exists(place.key):
            raise AlreadyExists("this is there already", path=place.name)
        parent = place.key.rpartition("/")[0]
        if not create_parents and not await place.store.is_folder(parent):
            raise NotFound("the folder above is missing; pass create_parents=True", path=place.name)
        await _make_folder(place)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        place = inside(self._places, self._strip_protocol(path))
        if place.store._scope.backend in _folderless:
            return
        if await place.store.is_folder(place.key):
            if not exist_ok:
                raise AlreadyExists("this folder is there already", path=place.name)
            return
        if await place.store.is_file(place.key):
            raise AlreadyExists("this is a file", path=place.name)
        await _make_folder(place)

    async def _rmdir(self, path: str) -> None:
        place = inside(self._places, self._strip_protocol(path))
        await place.store.delete_folder(place.key)

    # -- deleting --------------------------------------------------------------

    async def _rm_file(self, path: str, **kwargs: Any) -> None:
        place = inside(self._places, self._strip_protocol(path))
        try:
            await place.store.delete(place.key)
        except InvalidPath as error:
            await refuse(place, error)

    async def _rm(
        self,
        path: Any,
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Delete files, and folders if ``recursive``; with ``maxdepth`` files up to that depth only."""
        delete: Callable[[str], Awaitable[None]]
        if not recursive:
            delete, names = self._rm_file, await self._expand_path(path)
        elif maxdepth is None:
            delete, names = self._rm_all, _outermost(await self._expand_path(path))
        else:
            every = await self._expand_path(path, recursive=True, maxdepth=maxdepth)
            delete, names = self._rm_file, [name for name in every if not await self._isdir(name)]
        await _run_coros_in_chunks(
            [delete(name) for name in names], batch_size=batch_size or self.batch_size, nofiles=True
        )

    async def _rm_all(self, path: str) -> None:
        place = inside(self._places, path)
        try:
            await place.store.delete_folder(place.key, recursive=True)
        except InvalidPath:
            if not place.key:
                raise
            await self._rm_file(path)

    # -- copying and moving ----------------------------------------------------

    async def _cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file; a folder by itself is made anew where the storage keeps empty folders."""
        source, target = self._both(path1, path2)
        try:
            await _copy(source, target)
        except InvalidPath as error:
            if await source.store.is_folder(source.key):
                await self._makedirs(target.name, exist_ok=True)
                return
            await refuse(target, error)

    async def _mv_file(self, path1: str, path2: str) -> None:
        source, target = self._both(path1, path2)
        if source.store != target.store:
            await self._cp_file(path1, path2)
            await self._rm_file(path1)
            return
        try:
            await source.store.move(source.key, target.key, overwrite=True)
        except InvalidPath as error:
            if await source.store.is_folder(source.key):
                await refuse(source, error)
            await refuse(target, error)

    async def _mv(
        self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any
    ) -> None:
        """Move a file, by the storage itself; or what ``copy`` takes, which is copied and then deleted."""
        if path1 == path2:
            return
        if isinstance(path1, str) and isinstance(path2, str) and await self._isfile(path1):
            into = path2.endswith("/") or await self._isdir(path2)
            names, targets = await self._pairs(path1, path2, into)
            await self._mv_file(names[0], targets[0])
            return
        await self._copy(path1, path2, recursive=recursive, maxdepth=maxdepth, on_error="raise")
        await self._rm(path1, recursive=recursive, maxdepth=maxdepth)

    async def _copy(
        self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any
    ) -> None:
        if isinstance(path2, str):
            into = path2.endswith("/") or await self._isdir(path2)
            path1, path2 = await self._pairs(path1, path2, into, recursive, maxdepth)
        await super()._copy(path1, path2, recursive=recursive, maxdepth=maxdepth, **kwargs)

    async def _pairs(
        self, source: Any, target: str, into: bool, recursive: bool = False, maxdepth: int | None = None
    ) -> tuple[list[str], list[str]]:
        """Return what a source names, and where each goes; ``into``: the target is a folder.

        fsspec's rules, which need a slash before the names: without it, what lies in the root
        would take the name of the folder it goes into.
        """
        names = await self._expand_path(source, recursive=recursive, maxdepth=maxdepth)
        if not isinstance(source, str):
            return names, other_paths(names, target, flatten=True)
        if not recursive or maxdepth is not None:
            names = [name for name in names if not await self._isdir(name)]
        below = len(names) == 1 if has_magic(source) else into and not source.endswith("/")
        return names, other_paths([f"/{name}" for name in names], target, exists=below) if names else []

    def _both(self, path1: str, path2: str) -> tuple[Place, Place]:
        first, second = self._strip_protocol(path1), self._strip_protocol(path2)
        return inside(self._places, first), inside(self._places, second)


def _outermost(names: list[str]) -> list[str]:
    """Leave out what is below another name."""
    found: list[str] = []
    for name in sorted(names, key=lambda name: name.split("/")):
        if not (found and name.startswith(f"{found[-1]}/")):
            found.append(name)
    return found


async def _copy(source: Place, target: Place) -> None:
    """Copy a file, by the storage itself if it can."""
    if source.store == target.store and source.store.supports(Capability.COPY):
        await source.store.copy(source.key, target.key, overwrite=True)
    elif (on_server := source.store._copier(target.store)) is not None:
        await on_server(source.key, target.key, True)
    else:
        await _pass_on(source, target)


async def _pass_on(source: Place, target: Place) -> None:
    """Copy between two storages: the bytes pass through here, a chunk at a time."""
    out = target.store.open_write(target.key, overwrite=True)
    async with await source.store.read(source.key) as stream, out:
        async for chunk in stream:
            await out.write(chunk)


async def _make_folder(place: Place) -> None:
    """Make a folder by writing a file in it, and deleting that; find out whether it stays."""
    trace = f"{place.key}/.{uuid.uuid4().hex}"
    try:
        await place.store.write(trace, b"", overwrite=True)
    except InvalidPath as error:
        await refuse(place, error)
    await place.store.delete(trace, missing_ok=True)
    if not await place.store.is_folder(place.key):
        _folderless.add(place.store._scope.backend)
