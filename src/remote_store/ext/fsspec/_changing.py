"""Deleting, and making folders."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from glob import has_magic
from typing import Any, Final

from fsspec.config import conf

from ... import _runtime
from ..._async import AsyncStore
from ...errors import AlreadyExists, InvalidPath, NotFound, RemoteStoreError
from ...models import Entry, RemoteFolder
from .._together import together
from ._errors import NotAFolder, refuse
from ._listing import Looking
from ._places import Place, inside

AT_ONCE: Final = 128
"""Files under way at once, unless fsspec or the caller is told another number."""

FOLDERLESS: Final = frozenset(("memory", "s3", "s3-pyarrow"))
"""Backends that keep no folder that nothing is in. What was seen once would be no proof: it may be a race."""


class Changing(Looking):
    """Part of ``RemoteStoreFileSystem``."""

    async def _together(
        self, calls: Sequence[Callable[[], Awaitable[Any]]], batch_size: int | None = None, **options: Any
    ) -> list[Any]:
        """Make calls, ``batch_size`` at once as fsspec means it: -1 is all of them."""
        size = batch_size or self.batch_size or conf.get("gather_batch_size") or AT_ONCE
        if size != -1 and size < 1:
            raise ValueError(f"batch_size must be 1 or more, or -1, not {size}")
        return await together(calls, len(calls) if size == -1 else size, **options)

    # -- folders ---------------------------------------------------------------

    async def _mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        place = inside(self._places, self._strip_protocol(path))
        if place.store._scope.backend.name in FOLDERLESS:
            return
        if await place.store.exists(place.key):
            raise AlreadyExists("this is there already", path=place.name)
        parent = place.key.rpartition("/")[0]
        if not create_parents and not await place.store.is_folder(parent):
            raise NotFound("the folder above is missing; pass create_parents=True", path=place.name)
        await _make_folder(place)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        place = inside(self._places, self._strip_protocol(path))
        if place.store._scope.backend.name in FOLDERLESS:
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
        try:
            await place.store.delete_folder(place.key)
        except InvalidPath as error:
            if not await self._isfile(path):
                raise
            raise NotAFolder(error.message, path=place.name, backend=error.backend) from error

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
        if recursive and maxdepth is None:
            named = await self._named(path)
            whole = partial(self._rm_all, batch_size=batch_size)
            calls = [partial(self._rm_file if named[name] else whole, name) for name in _outermost(named)]
        else:
            names = await self._expand_path(path, recursive=recursive, maxdepth=maxdepth)
            if recursive:
                names = await self._without_folders(names, batch_size)
            calls = [partial(self._rm_file, name) for name in names]
        for call in calls:
            inside(self._places, *call.args)  # one that is refused is, before anything is deleted
        await self._together(calls, batch_size)

    async def _named(self, path: Any) -> dict[str, bool]:
        """Return what a path or paths name, each with True if it is known that only a file has the name."""
        named: dict[str, bool] = {}
        for text in [path] if isinstance(path, str) else path:
            name = self._strip_protocol(text)
            if has_magic(name):
                found = await self._glob(name, detail=True)
                sure = "**" not in name  # a recursive listing tells one of both
                named |= {each: sure and details["type"] == "file" for each, details in found.items()}
            else:
                named[name] = False
        if not named:
            text = path if isinstance(path, str) else ", ".join(map(str, path))
            raise NotFound("there is no such file or folder, and nothing matches", path=text)
        return named

    async def _rm_all(self, path: str, batch_size: int | None) -> None:
        place = inside(self._places, path)
        if not place.key:
            children = [entry async for entry in place.store.iter_children()]
            await self._together([partial(_delete, place.store, entry) for entry in children], batch_size)
            return
        try:
            await place.store.delete_folder(place.key, recursive=True)
        except InvalidPath:
            await self._rm_file(path)
        else:
            if await place.store.is_file(place.key):  # of the same name, as S3 may have it
                await place.store.delete(place.key, missing_ok=True)

    async def _without_folders(self, names: list[str], batch_size: int | None) -> list[str]:
        """Leave out folders, but for those of whose name there is a file as well."""
        alone = await self._together([partial(self._is_no_file, name) for name in names], batch_size)
        return [name for name, out in zip(names, alone, strict=True) if not out]

    async def _is_no_file(self, name: str) -> bool:
        return await self._isdir(name) and not await self._isfile(name)


def _outermost(names: Iterable[str]) -> list[str]:
    """Leave out what is below another name."""
    found: list[str] = []
    for name in sorted(names, key=lambda name: name.split("/")):
        if not (found and name.startswith(f"{found[-1]}/")):
            found.append(name)
    return found


async def _delete(store: AsyncStore, entry: Entry) -> None:
    """Delete what was listed; of a link to a folder the link."""
    if isinstance(entry, RemoteFolder) and not entry.is_link:
        await store.delete_folder(entry.path, recursive=True, missing_ok=True)
    else:
        await store.delete(entry.path, missing_ok=True)


async def _make_folder(place: Place) -> None:
    """Make a folder by writing a file in it, and deleting that."""
    trace = f"{place.key}/.{uuid.uuid4().hex}"
    try:
        await place.store.write(trace, b"", overwrite=True)
    except InvalidPath as error:
        await refuse(place, error)
    except BaseException:  # it may have been written all the same
        with suppress(RemoteStoreError):
            await _remove(place, trace)
        raise
    await _remove(place, trace)


async def _remove(place: Place, trace: str) -> None:
    """Delete the file, whoever is cancelled meanwhile."""
    delete = partial(place.store.delete, trace, missing_ok=True)
    await (delete() if _runtime.blocking() else _runtime.shielded_on_asyncio(delete))
