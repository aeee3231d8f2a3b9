"""Copying and moving."""

from __future__ import annotations

from functools import partial
from glob import has_magic
from typing import Any

from fsspec.utils import other_paths

from ..._async._places import is_within
from ...capabilities import Capability
from ...errors import DirectoryNotEmpty, InvalidPath
from ._changing import FOLDERLESS, Changing
from ._errors import IsAFolder, refuse
from ._places import Place, inside
from ._targets import given


class Copying(Changing):
    """Part of ``RemoteStoreFileSystem``."""

    # -- one file --------------------------------------------------------------

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
        """Move a file, by the storage itself if it can; one that is there already stays."""
        source, target = self._both(path1, path2)
        try:
            if source.store == target.store:
                await source.store.move(source.key, target.key, overwrite=True)
            elif await source.real() == await target.real():
                await source.store.get_file_info(source.key)  # or an error says what it is
            else:
                await _copy(source, target)
                await source.store.delete(source.key)
        except InvalidPath as error:
            if await source.store.is_folder(source.key):
                await refuse(source, error)
            await refuse(target, error)

    # -- what fsspec's patterns and lists name ---------------------------------

    async def _copy(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        on_error: str | None = None,
        maxdepth: int | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy files; ``on_error="ignore"``, the usual if ``recursive``, leaves out what is gone by then."""
        path1, path2 = given(path1, path2)
        names, targets = await self._pairs_of(path1, path2, recursive, maxdepth, batch_size)
        calls = [partial(self._cp_file, *pair, **kwargs) for pair in zip(names, targets, strict=True)]
        ignore = on_error == "ignore" or (on_error is None and recursive)
        for result in await self._together(calls, batch_size, failures=True):
            if isinstance(result, Exception) and not (ignore and isinstance(result, FileNotFoundError)):
                raise result

    async def _mv(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        maxdepth: int | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Move files, each by itself; folders go when nothing is left in them.

        Raises:
            InvalidPath: a target is below its source, or among the sources, or of two of them, or
                a source is a link to a folder; nothing was moved.
            IsAFolder: a source is a folder, and ``recursive`` is not given.
        """
        path1, path2 = given(path1, path2)
        if path1 == path2:
            return
        names, targets = await self._pairs_of(path1, path2, recursive, maxdepth, batch_size)
        if not names:
            folder = inside(self._places, self._strip_protocol(path1))
            raise IsAFolder("this is a folder; pass recursive=True to move it", path=folder.name)
        if recursive and not isinstance(path2, list):
            await self._refuse_links(names, batch_size)
        pairs = await self._apart(names, targets)
        await self._move(pairs, recursive and not isinstance(path2, list), batch_size)

    async def _refuse_links(self, names: list[str], batch_size: int | None) -> None:
        """Refuse links to folders: they cannot be moved, and what they lead to is another folder's."""
        sources = [inside(self._places, name) for name in names]
        kept = [each for each in sources if each.key and each.store._scope.backend.name not in FOLDERLESS]
        above = sorted({each.name.rpartition("/")[0] for each in kept})
        for listing in await self._together([partial(self._ls, folder) for folder in above], batch_size):
            for entry in listing:
                if entry.get("islink") and entry["name"] in names:
                    raise InvalidPath(
                        "this is a link to a folder, which cannot be moved; delete it or leave it out, and"
                        " move what it leads to by its own path",
                        path=entry["name"],
                    )

    async def _apart(self, names: list[str], targets: list[str]) -> list[tuple[Place, Place]]:
        """Return what is to be moved, without what is in its place; refuse what would be lost on the way."""
        pairs = [self._both(*pair) for pair in zip(names, targets, strict=True)]
        if len(pairs) == 1:
            return pairs  # moving one file to where it is does nothing
        found = [(await source.real(), await target.real()) for source, target in pairs]
        sources, taken = {source for source, _ in found}, set()
        moving = []
        for pair, (here, there) in zip(pairs, found, strict=True):
            if here == there:
                continue
            if there in sources or there in taken or is_within(there, here):
                raise InvalidPath(
                    "the target is below its source, or moved itself, or the target of two; move to a place"
                    " of its own",
                    path=pair[1].name,
                )
            taken.add(there)
            moving.append(pair)
        return moving

    async def _move(self, pairs: list[tuple[Place, Place]], recursive: bool, batch_size: int | None) -> None:
        above = {source.name.rpartition("/")[0] for source, _ in pairs} if recursive else set()
        folders = [pair for pair in pairs if pair[0].name in above]
        looks = [partial(self._isfile, source.name) for source, _ in folders]
        is_file = await self._together(looks, batch_size)  # as well: S3 may have both under one name

        async def move(source: Place, target: Place) -> None:
            try:
                await self._mv_file(source.name, target.name)
            except IsAFolder:
                if not recursive:
                    raise
                folders.append((source, target))  # an empty one

        files = [pair for pair in pairs if pair[0].name not in above]
        files += [pair for pair, both in zip(folders, is_file, strict=True) if both]
        await self._together([partial(move, *pair) for pair in files], batch_size)
        for source, target in sorted(folders, key=lambda pair: pair[0].name, reverse=True):
            await self._makedirs(target.name, exist_ok=True)
            try:
                if source.key:
                    await source.store.delete_folder(source.key, missing_ok=True)
            except DirectoryNotEmpty:
                pass  # of what came meanwhile, or stays where it is

    async def _pairs_of(
        self, path1: Any, path2: Any, recursive: bool, maxdepth: int | None, batch_size: int | None
    ) -> tuple[list[str], list[str]]:
        """Return what the arguments of ``copy`` and ``mv`` name, and where each goes."""
        if isinstance(path2, list):
            return path1, path2
        into = await self._is_to_be_folder(path2)
        return await self._pairs(path1, path2, into, recursive, maxdepth, batch_size)

    async def _is_to_be_folder(self, target: str) -> bool:
        """Return True if what is copied to a target goes into it. The root of a store is always a folder.

        A target that is refused is so here, before its slashes are stripped.
        """
        place = self._places.find(self._strip_protocol(target))
        return target.endswith("/") or place is None or not place.key or await self._isdir(target)

    async def _pairs(
        self,
        source: Any,
        target: str,
        into: bool,
        recursive: bool,
        maxdepth: int | None,
        batch_size: int | None,
    ) -> tuple[list[str], list[str]]:
        """Return what a source names, and where each goes; ``into``: the target is a folder.

        fsspec's rules, which need a slash before the names: without it, what lies in the root
        would take the name of the folder it goes into.
        """
        names = await self._expand_path(source, recursive=recursive, maxdepth=maxdepth)
        if not isinstance(source, str):
            return names, other_paths(names, target, flatten=True)
        if not recursive or maxdepth is not None:
            names = await self._without_folders(names, batch_size)
        below = len(names) == 1 if has_magic(source) else into and not source.endswith("/")
        return names, other_paths([f"/{name}" for name in names], target, exists=below) if names else []

    def _both(self, path1: str, path2: str) -> tuple[Place, Place]:
        first, second = self._strip_protocol(path1), self._strip_protocol(path2)
        return inside(self._places, first), inside(self._places, second)


async def _copy(source: Place, target: Place) -> None:
    """Copy a file, by the storage itself if it can."""
    if source.store == target.store and source.store.supports(Capability.COPY):
        await source.store.copy(source.key, target.key, overwrite=True)
    elif await source.real() == await target.real():
        await source.store.get_file_info(source.key)
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
