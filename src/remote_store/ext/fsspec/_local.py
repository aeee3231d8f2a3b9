"""To and from the local disk."""

from __future__ import annotations

import os
from functools import partial
from glob import has_magic
from typing import Any, BinaryIO

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.implementations.local import LocalFileSystem, make_path_posix, trailing_sep
from fsspec.utils import isfilelike, other_paths

from ... import _runtime
from ...errors import InvalidPath
from ._content import may_replace, options_of
from ._copying import Copying
from ._errors import refuse
from ._local_file import Target
from ._places import inside
from ._targets import given


class Counted:
    """A file of this machine that tells a callback of fsspec how far it is."""

    def __init__(self, file: Any, callback: Any) -> None:
        self._file, self._callback = file, callback

    def read(self, n: int) -> bytes:
        data: bytes = self._file.read(n)
        self._callback.relative_update(len(data))
        return data

    def write(self, data: bytes) -> int:
        count = self._file.write(data)
        taken = count if isinstance(count, int) else len(data)  # less than offered, if it is unbuffered
        self._callback.relative_update(taken)
        return taken


class Local(Copying):
    """Part of ``RemoteStoreFileSystem``."""

    async def _get(
        self,
        rpath: Any,
        lpath: Any,
        recursive: bool = False,
        callback: Any = DEFAULT_CALLBACK,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy files to this machine, several at once, by the rules of fsspec."""
        rpath, lpath = given(rpath, lpath)
        if not isinstance(lpath, list):
            lpath = make_path_posix(lpath)
            into = lpath.endswith("/") or await _runtime.in_thread(os.path.isdir, lpath)
            rpath, lpath = await self._pairs(rpath, lpath, into, recursive, maxdepth, batch_size)
        callback.set_size(len(lpath))
        get = callback.branch_coro(self._get_file)
        calls = [partial(get, *pair, **kwargs) for pair in zip(rpath, lpath, strict=True)]
        await self._together(calls, batch_size, after=callback.relative_update)

    async def _put(
        self,
        lpath: Any,
        rpath: Any,
        recursive: bool = False,
        callback: Any = DEFAULT_CALLBACK,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy files of this machine, several at once, by the rules of fsspec."""
        lpath, rpath = given(lpath, rpath)
        if not isinstance(rpath, list):
            target, into = self._strip_protocol(rpath), await self._is_to_be_folder(rpath)
            lpath, rpath = await _runtime.in_thread(_pairs, lpath, target, into, recursive, maxdepth)
        folders = set(await _runtime.in_thread(_folders, lpath))
        pairs = list(zip(lpath, rpath, strict=True))
        makes = [partial(self._makedirs, there, exist_ok=True) for here, there in pairs if here in folders]
        await self._together(makes, batch_size)
        pairs = [pair for pair in pairs if pair[0] not in folders]
        callback.set_size(len(pairs))
        put = callback.branch_coro(self._put_file)
        calls = [partial(put, *pair, **kwargs) for pair in pairs]
        await self._together(calls, batch_size, after=callback.relative_update)

    async def _put_file(
        self, lpath: Any, rpath: str, mode: str = "overwrite", callback: Any = None, **kwargs: Any
    ) -> None:
        overwrite, options = may_replace(mode), options_of(kwargs)
        place = inside(self._places, self._strip_protocol(rpath))
        if await _runtime.in_thread(os.path.isdir, lpath):
            await self._makedirs(rpath, exist_ok=True)
            return
        file: BinaryIO = await _runtime.in_thread(open, lpath, "rb", undo=_close)
        try:
            content: Any = file
            if callback is not None:
                size = await _runtime.in_thread(os.path.getsize, lpath)
                await _runtime.user_call(callback.set_size, size)
                content = Counted(file, callback)
            await place.store.write(place.key, content, overwrite=overwrite, options=options)
        except InvalidPath as error:
            await refuse(place, error)
        finally:
            await _runtime.shielded(file.close)

    async def _get_file(self, rpath: str, lpath: Any, callback: Any = None, **kwargs: Any) -> None:
        """Copy a file to this machine, where it is whole or as it was; a folder by itself is made.

        A pipe, a device and an empty file are written to, a link is followed, and the permissions
        of a file stay.
        """
        place = inside(self._places, self._strip_protocol(rpath))
        try:
            stream = await place.store.read(place.key)
        except InvalidPath as error:
            if not isfilelike(lpath) and await place.store.is_folder(place.key):
                await _runtime.in_thread(_make_folders, lpath)
                return
            await refuse(place, error)
        async with stream:
            if callback is not None:
                await _runtime.user_call(callback.set_size, stream.size)
            if isfilelike(lpath):
                await stream.copy_to(lpath if callback is None else Counted(lpath, callback))
                return
            here: Target = await _runtime.in_thread(Target, lpath, undo=Target.drop)
            try:
                await stream.copy_to(here.file if callback is None else Counted(here.file, callback))
                await _runtime.in_thread(here.finish)
            except BaseException:
                await _runtime.shielded(here.drop)
                raise


def _pairs(
    source: Any, target: str, into: bool, recursive: bool, maxdepth: int | None
) -> tuple[list[str], list[str]]:
    """Return what a source names on this machine, and where each goes; ``into``: the target is a folder."""
    files = LocalFileSystem()
    if not isinstance(source, list):
        source = make_path_posix(source)
    names = files.expand_path(source, recursive=recursive, maxdepth=maxdepth)
    if isinstance(source, list):
        return names, other_paths(names, target, flatten=True)
    if not recursive or maxdepth is not None:
        names = [name for name in names if not (trailing_sep(name) or files.isdir(name))]
    below = len(names) == 1 if has_magic(source) else into and not trailing_sep(source)
    return names, other_paths(names, target, exists=below) if names else []


def _folders(names: list[str]) -> list[str]:
    return [name for name in names if os.path.isdir(name)]


def _make_folders(path: str) -> None:
    os.makedirs(path, exist_ok=True)


def _close(file: BinaryIO) -> None:
    file.close()
