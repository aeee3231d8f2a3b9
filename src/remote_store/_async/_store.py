"""``AsyncStore``: the API, written once. The blocking ``Store`` is generated from it and its parts.

Docstrings say what happens, never how it is awaited, since both faces share them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from ..capabilities import Capability, CapabilitySet
from ..errors import InvalidPath
from ..models import FileInfo, FolderInfo, WriteResult
from ..paths import PathLike, normalize
from ._part_stream import AsyncPartStream
from ._scope import located
from ._store_content import StoreContent
from ._store_listing import StoreListing


class AsyncStore(StoreContent, StoreListing):
    """Files in one place: a folder of a backend, and nothing outside of it.

    Paths are relative to the store's root, as ``str`` or ``RemotePath``; every path that
    a store returns can be passed straight back in. A store adds no state of its own, and
    may be shared by any number of tasks, threads and event loops.

    A store made from a backend owns it: closing the store closes the backend. Stores
    that come from ``child`` or from a registry only borrow theirs, and closing them does
    nothing.

    Args:
        backend: where the files are.
        root_path: the folder of the backend that is this store's root; ``""`` is all of it.

    Raises:
        InvalidPath: the root path is malformed.
    """

    # -- questions -------------------------------------------------------------

    async def exists(self, path: PathLike) -> bool:
        """Return True if a file or a folder is there.

        Raises:
            InvalidPath: the path is malformed or leaves the root.
            PermissionDenied, BackendUnavailable: the storage cannot say.
        """
        self._scope.require_open()
        key = self._scope.folder_key(path)
        with located(self._scope, (key, path)):
            return await self._scope.backend.exists(key)

    async def is_file(self, path: PathLike) -> bool:
        """Return True if a file is there. Raises as ``exists`` does."""
        self._scope.require_open()
        key = self._scope.folder_key(path)
        with located(self._scope, (key, path)):
            return await self._scope.backend.is_file(key)

    async def is_folder(self, path: PathLike) -> bool:
        """Return True if a folder is there. Raises as ``exists`` does."""
        self._scope.require_open()
        key = self._scope.folder_key(path)
        with located(self._scope, (key, path)):
            return await self._scope.backend.is_folder(key)

    async def get_file_info(self, path: PathLike) -> FileInfo:
        """Return a file's size, times and what else the storage tells.

        Raises:
            NotFound: there is no such file.
            InvalidPath: it is a folder, or the path is malformed.
        """
        self._scope.require(Capability.METADATA)
        key = self._scope.file_key(path)
        with located(self._scope, (key, path)):
            return self._scope.file_info(await self._scope.backend.get_file_info(key))

    async def get_folder_info(self, path: PathLike = "") -> FolderInfo:
        """Add up all files below a folder, at any depth. Takes as long as listing them.

        Raises:
            NotFound: there is no such folder.
            InvalidPath: it is a file, or the path is malformed.
        """
        self._scope.require(Capability.METADATA)
        key = self._scope.folder_key(path)
        with located(self._scope, (key, path)):
            return self._scope.folder_info(await self._scope.backend.get_folder_info(key))

    async def ping(self) -> None:
        """Check that the storage answers and that its root is there.

        Raises:
            NotFound: the root, the bucket or the container does not exist.
            PermissionDenied: the credentials are refused.
            BackendUnavailable: nothing answers, or the store is closed.
        """
        self._scope.require_open()
        with located(self._scope, ("", "")):
            await self._scope.backend.ping()

    async def probe(self) -> CapabilitySet:
        """Find out what this very storage can do, and return it; ``capabilities`` tell the same from then on.

        Some promises depend on the server: one that ignores conditional writes has no
        ``EXCLUSIVE_CREATE``. Where that is so it is found out anyway, before the first write
        that depends on it. It may be tried out on small files with names of their own.

        Raises:
            NotFound, PermissionDenied, BackendUnavailable: as ``ping`` does.
        """
        self._scope.require_open()
        with located(self._scope, ("", "")):
            return await self._scope.backend.probe()

    # -- changes ---------------------------------------------------------------

    async def delete(self, path: PathLike, *, missing_ok: bool = False) -> None:
        """Delete a file.

        Raises:
            NotFound: there is no such file, and ``missing_ok`` is False.
            InvalidPath: it is a folder, or the path is malformed.
        """
        self._scope.require(Capability.DELETE)
        key = self._scope.file_key(path)
        with located(self._scope, (key, path)):
            await self._scope.backend.delete(key, missing_ok=missing_ok)

    async def delete_folder(
        self, path: PathLike, *, recursive: bool = False, missing_ok: bool = False
    ) -> None:
        """Delete a folder, with all that is in it if ``recursive``.

        Raises:
            NotFound: there is no such folder, and ``missing_ok`` is False.
            DirectoryNotEmpty: something is in it, and ``recursive`` is False.
            InvalidPath: it is a file or the store's root, or the path is malformed.
        """
        self._scope.require(Capability.DELETE)
        if not normalize(path):
            raise InvalidPath(
                "Cannot delete the store root; delete what is in it",
                path=str(path),
                backend=self._scope.backend.name,
            )
        key = self._scope.file_key(path)
        with located(self._scope, (key, path)):
            await self._scope.backend.delete_folder(key, recursive=recursive, missing_ok=missing_ok)

    async def move(self, src: PathLike, dst: PathLike, *, overwrite: bool = False) -> WriteResult:
        """Move a file within the store. Onto itself it is checked to be there, and left alone.

        The source goes only when the target is complete. Missing parents come into being.

        Raises:
            NotFound: there is no such source.
            AlreadyExists: the target exists and ``overwrite`` is False.
            InvalidPath: either is a folder, or a path is malformed.
        """
        self._scope.require(Capability.MOVE)
        return await self._transfer(src, dst, overwrite, move=True)

    async def copy(self, src: PathLike, dst: PathLike, *, overwrite: bool = False) -> WriteResult:
        """Copy a file within the store, on the storage's own side where it can. Raises as ``move`` does."""
        self._scope.require(Capability.COPY)
        return await self._transfer(src, dst, overwrite, move=False)

    async def _transfer(self, src: PathLike, dst: PathLike, overwrite: bool, move: bool) -> WriteResult:
        source, target = self._scope.file_key(src), self._scope.file_key(dst)
        backend = self._scope.backend
        with located(self._scope, (source, src), (target, dst)):
            if source == target:
                info = await backend.get_file_info(source)
                return self._scope.result(WriteResult(info.path, info.size, info.etag))
            operation = backend.move if move else backend.copy
            return self._scope.result(await operation(source, target, overwrite=overwrite))

    def _copier(
        self, other: AsyncStore, *, journaled: bool = False
    ) -> Callable[[str, str, bool], Awaitable[WriteResult]] | None:
        """Return how to copy into a store by the storage alone; None where bytes better pass through us."""
        backend, target_backend = self._scope.backend, other._scope.backend
        if not target_backend.copies_from(backend) or (journaled and not target_backend.copies_are_quick):
            return None

        async def copy(src: str, dst: str, overwrite: bool) -> WriteResult:
            source, target = self._scope.file_key(src), other._scope.file_key(dst)
            with located(self._scope, (source, src), (target, dst)):
                result = await target_backend.copy_from(backend, source, target, overwrite=overwrite)
            return other._scope.result(result)

        return copy

    async def _open_parts(
        self, path: str, *, size: int, overwrite: bool, if_match: str | None, token: str | None = None
    ) -> AsyncPartStream:
        """Begin to write a file in parts, or go on with one that was begun, for transfers."""
        key, options = self._scope.file_key(path), self._wanted(if_match, None)
        with located(self._scope, (key, path)):
            inner = await self._scope.backend.open_parts(
                key, size=size, overwrite=overwrite, options=options, token=token
            )
        return AsyncPartStream(self._scope, key, path, inner)

    async def _forget_parts(self, path: str, since: datetime) -> int:
        key = self._scope.file_key(path)
        with located(self._scope, (key, path)):
            return await self._scope.backend.forget_parts(key, since)

    @property
    def _location(self) -> str:
        """What tells this store from others, in every process."""
        return f"{self._scope.backend.location} {self._scope.root}".rstrip()

    def _within(self, memory: int, part_size: int | None = None) -> AsyncStore:
        """Return this store with streams that hold about so many bytes each, where the storage can."""
        scope = self._scope
        return AsyncStore._borrow(
            scope.backend.within_memory(memory, part_size=part_size), scope.root, scope.life
        )

    async def presign(
        self,
        path: PathLike,
        *,
        method: Literal["GET", "PUT"] = "GET",
        expires: float | timedelta = 3600,
        content_type: str | None = None,
    ) -> str:
        """Return a URL by which anybody may read or write this one file, without credentials.

        Nothing is asked of the storage, so the file need not exist. The URL is a secret as
        long as it holds, and ends earlier with temporary credentials.

        Args:
            path: the file.
            method: what the URL is for: ``"GET"`` or ``"PUT"``.
            expires: how long it holds, in seconds or as a timedelta; a second to seven days.
            content_type: for PUT, the media type that has to be sent with the content.

        Raises:
            CapabilityNotSupported: the storage has no such URLs.
            ValueError: the method or the time makes no sense.
        """
        seconds = _presigned(method, expires, content_type)
        self._scope.require_open()
        self._scope.backend.capabilities.require(Capability.PRESIGN, backend=self._scope.backend.name)
        key = self._scope.file_key(path)
        with located(self._scope, (key, path)):
            return await self._scope.backend.presign(
                key, method=method, expires=seconds, content_type=content_type
            )

    def child(self, path: PathLike) -> AsyncStore:
        """Return a store whose root is a folder of this one; it need not exist yet.

        The child borrows the backend: closing it does nothing, and closing this store
        closes it too.
        """
        return AsyncStore._borrow(self._scope.backend, self._scope.folder_key(path), self._scope.life)


LONGEST_URL: Final = 7 * 24 * 3600
"""Seconds that a presigned URL may hold: the most that Signature Version 4 allows."""


def _presigned(method: object, expires: float | timedelta, content_type: str | None) -> int:
    """Check what a URL is wanted for; return how many seconds it shall hold."""
    if method not in ("GET", "PUT"):
        raise ValueError(f"method must be 'GET' or 'PUT', not {method!r}")
    if content_type is not None and method != "PUT":
        raise ValueError("content_type is for method='PUT'")
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"expires must be seconds or a timedelta, not {type(expires).__name__}")
    if not 1 <= seconds <= LONGEST_URL:
        raise ValueError(f"expires must be 1 second to 7 days, not {expires!r}")
    return int(seconds)
