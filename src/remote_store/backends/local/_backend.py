"""``LocalBackend``: the contract in terms of the sync jobs beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from ... import _runtime
from ..._secrets import masked
from ...backend import CHUNK_SIZE, Backend, Pages, PartWriter, Reader, Writer
from ...capabilities import OPERATIONS, Capability, CapabilitySet
from ...errors import InvalidPath, NotFound, RemoteStoreError
from ...models import Entry, FileInfo, WriteOptions, WriteResult
from .._temporaries import refuse_reserved
from . import _change, _parts
from ._errors import CAUGHT, NAME, raise_ours
from ._listing import Scan, file_info
from ._read import IN_WORKER, WHOLE_LIMIT, Handle, close_opened, not_a_file, read_or_open
from ._root import Root
from ._session import LocalReader, LocalWriter, read_opened, read_part
from ._write import TempFile, write_whole

T = TypeVar("T")
_ALL: Final = CapabilitySet({*OPERATIONS, Capability.EXCLUSIVE_CREATE, Capability.RESUMABLE_WRITE})
"""A file system has no place for write options, and no token that proves a file unchanged."""


class LocalBackend(Backend):
    """Files in a folder of this machine, which no path can leave. Linux, macOS and other POSIX systems.

    Args:
        root: the folder; made if it is missing.
        durable: flush each written file and its folder to the disk before a write
            returns, so that it survives a power cut. Costs milliseconds per file.
        create: make a missing root now. With False a missing root reads as empty,
            ``ping`` reports it, and the first write makes it.

    Raises:
        InvalidPath: the root is there and is no folder.
        PermissionDenied: the root cannot be made.
    """

    def __init__(self, root: str | os.PathLike[str], *, durable: bool = False, create: bool = True) -> None:
        if os.open not in os.supports_dir_fd:
            raise RemoteStoreError(
                "LocalBackend needs a POSIX system; use another backend here", backend=NAME
            )
        given = os.fspath(root)
        if not isinstance(given, str):
            raise TypeError(f"root must be str or a path of str, not {type(given).__name__}")
        if not given or "\0" in given:
            raise InvalidPath("the root must be the path of a folder", path=given, backend=NAME)
        self._durable, self._part_size = durable, _parts.PART_SIZE
        self._made = create and not os.path.lexists(given)
        self._root = Root(_prepare(given, create))

    @property
    def name(self) -> str:
        return NAME

    @property
    def capabilities(self) -> CapabilitySet:
        return _ALL

    def __repr__(self) -> str:
        return f"LocalBackend({self._root.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._root.path, self._durable)

    # -- questions -------------------------------------------------------------

    async def is_file(self, path: str) -> bool:
        return await self._call(path, self._root.kind, path) == stat.S_IFREG

    async def is_folder(self, path: str) -> bool:
        return await self._call(path, self._root.kind, path) == stat.S_IFDIR

    async def exists(self, path: str) -> bool:
        return await self._call(path, self._root.kind, path) in (stat.S_IFREG, stat.S_IFDIR)

    async def get_file_info(self, path: str) -> FileInfo:
        return await self._call(path, self._file_info, path)

    def _file_info(self, key: str) -> FileInfo:
        facts = self._root.stat(key)
        if not stat.S_ISREG(facts.st_mode):
            raise not_a_file(facts, key)
        return file_info(key, key.rpartition("/")[2], facts)

    async def ping(self) -> None:
        if await self._call("", self._root.kind, "") != stat.S_IFDIR:
            raise NotFound(
                f"the root folder {self._root.path!r} is not there; create it", path="", backend=NAME
            )

    # -- content ---------------------------------------------------------------

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        try:  # as _call does, one coroutine less
            refuse_reserved(path, NAME)
            if length is not None and IN_WORKER < length <= WHOLE_LIMIT and not _runtime.blocking():
                return await read_part(self._root, path, start, length)
            found = await _runtime.in_thread(read_or_open, self._root, path, start, length, undo=close_opened)
            return found if isinstance(found, bytes) else await read_opened(found, start, length)
        except CAUGHT as error:
            raise_ours(error, path)

    @property
    def stream_memory(self) -> int:
        return 2 * CHUNK_SIZE

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        handle = await self._call(path, Handle, self._root, path, undo=Handle.close)
        return LocalReader(handle, start, length)

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        if data.nbytes > WHOLE_LIMIT:
            return await super().write_bytes(path, data, overwrite=overwrite, atomic=atomic, options=options)
        return await self._call(path, write_whole, self._root, path, data, overwrite, self._durable)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        def begin() -> TempFile:
            return TempFile(self._root, path, overwrite=overwrite, durable=self._durable)

        return LocalWriter(await self._call(path, begin, undo=TempFile.abort), path)

    @property
    def part_size(self) -> int:
        return self._part_size

    def within_memory(self, size: int, *, part_size: int | None = None) -> Backend:
        if part_size is None:
            return self
        part = min(part_size, max(CHUNK_SIZE, size // 2))  # one is written while another is filled
        return self._with(_part_size=part)

    async def open_parts(
        self,
        path: str,
        *,
        size: int,
        overwrite: bool = False,
        options: WriteOptions | None = None,
        token: str | None = None,
    ) -> PartWriter:
        undo = _parts.undone if token is None else None
        return await self._call(
            path, _parts.opened, self._root, path, size, overwrite, self._durable, self._part_size, token,
            undo=undo,
        )  # fmt: skip

    # -- changes ---------------------------------------------------------------

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self._call(path, _change.delete_file, self._root, path, missing_ok)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self._steps(path, _change.delete_folder, self._root, path, recursive, missing_ok)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        return await self._between(_change.move_file, src, dst, overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        return await self._between(_change.copy_file, src, dst, overwrite)

    @property
    def copies_are_quick(self) -> bool:
        return False

    def copies_from(self, source: Backend) -> bool:
        # No subclass: one that changes what is read or written is not asked by the kernel.
        return source is self or type(source) is type(self) is LocalBackend

    async def copy_from(self, source: Backend, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        if not self.copies_from(source) or not isinstance(source, LocalBackend):
            return await super().copy_from(source, src, dst, overwrite=overwrite)
        return await self._between(_change.copy_file, src, dst, overwrite, source._root)

    async def _between(
        self,
        job: Callable[..., _change.Steps[WriteResult]],
        src: str,
        dst: str,
        overwrite: bool,
        *others: Root,
    ) -> WriteResult:
        refuse_reserved(dst, NAME)
        return await self._steps(src, job, self._root, src, dst, overwrite, self._durable, *others)

    async def sweep_temporaries(self) -> int:
        """Delete the temporary files that killed writers left behind; return how many.

        Temporaries of writers that are still alive, in any process, stay.
        """
        return await self._steps("", _change.sweep_all, self._root)

    # -- listing ---------------------------------------------------------------

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        return _LocalPages(
            self, path, Scan(self._root, path, recursive=recursive, files=files, folders=folders)
        )

    # -- identity --------------------------------------------------------------

    @property
    def location(self) -> str:
        return f"file://{self._root.path}"

    async def place(self, path: str) -> tuple[str, str]:
        real = await self._call(path, os.path.realpath, os.path.join(self._root.path, path))
        return "file://", real.strip("/")

    async def unmake(self) -> bool:
        return self._made and await _runtime.in_thread(self._unmake)

    def _unmake(self) -> bool:
        try:
            os.rmdir(self._root.path)  # the next write makes it again
        except OSError:
            return False  # there is something in it
        return True

    def to_key(self, native: str) -> str:
        root = self._root.path.rstrip("/") + "/"
        return native.removeprefix(root).strip("/") if native.startswith(root) else native

    def unwrap(self, type_hint: type[T]) -> T:
        return cast(T, Path(self._root.path)) if type_hint is Path else super().unwrap(type_hint)

    @classmethod
    def from_url(cls, url: str) -> tuple[Backend, str]:
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or "#" in url:
            raise ValueError(f"a folder of this machine is file:///absolute/folder, not {masked(url)!r}")
        options = {
            name: _switch(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)
        }
        return cls(unquote(parts.path), **options), ""

    async def aclose(self) -> None:
        self._root.close()

    # -- the one way down ------------------------------------------------------

    async def _call(
        self, key: str, call: Callable[..., T], *args: Any, undo: Callable[[T], Any] | None = None
    ) -> T:
        try:
            refuse_reserved(key, NAME)
            return await _runtime.in_thread(call, *args, undo=undo)
        except CAUGHT as error:
            raise_ours(error, key)

    async def _steps(self, key: str, job: Callable[..., _change.Steps[T]], *args: Any) -> T:
        try:
            refuse_reserved(key, NAME)
            return await _runtime.in_steps(job, *args)
        except CAUGHT as error:
            raise_ours(error, key)


class _LocalPages(Pages):
    def __init__(self, backend: LocalBackend, key: str, scan: Scan) -> None:
        self._backend, self._key, self._scan = backend, key, scan

    async def __anext__(self) -> list[Entry]:
        page = await self._backend._call(self._key, self._scan.next_page)
        if not page:
            raise StopAsyncIteration
        return page

    async def aclose(self) -> None:
        await _runtime.shielded(self._scan.close)


def _prepare(root: str, create: bool) -> str:
    """Return the real path of the root, made if wanted."""
    try:
        path = os.path.realpath(root)
    except UnicodeError as error:
        raise_ours(error, root)
    try:
        if create:
            os.makedirs(path, exist_ok=True)
    except FileExistsError:
        pass
    except NotADirectoryError as error:
        raise InvalidPath(
            "a parent of the root is a file; choose another root", path=root, backend=NAME
        ) from error
    except OSError as error:
        raise_ours(error, root)
    if os.path.exists(path) and not os.path.isdir(path):
        raise InvalidPath("the root is a file; give a folder", path=root, backend=NAME)
    return path


def _switch(name: str, value: str) -> bool:
    if name not in ("durable", "create"):
        raise ValueError(f"unknown option {name!r} in a file: URL; known options: create, durable")
    if value not in ("true", "false"):
        raise ValueError(f"option {name!r} must be true or false, not {value!r}")
    return value == "true"


def _rebuild(root: str, durable: bool) -> LocalBackend:
    return LocalBackend(root, durable=durable, create=False)
