"""A backend in memory: the reference for all others, and a store for tests and scratch data.

Like an object store it knows only files: a folder is there while something is below
it. The tree of dictionaries keeps listings proportional to what they report.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Never, TypeAlias, cast

from .. import _runtime
from .._secrets import masked
from .._types import Buffer, whole
from ..backend import CHUNK_SIZE, Backend, Pages, Reader, Writer
from ..capabilities import Capability, CapabilitySet
from ..errors import (
    AlreadyExists,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PreconditionFailed,
    RemoteStoreError,
)
from ..models import Entry, FileInfo, RemoteFolder, WriteOptions, WriteResult
from ..paths import RemotePath

PAGE: Final = 1000


_PLAIN: Final = WriteOptions()
_versions: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    options: WriteOptions = _PLAIN
    modified_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    etag: str = field(default_factory=lambda: f"{next(_versions):x}")


Folder: TypeAlias = dict[str, "_File | Folder"]


class MemoryBackend(Backend):
    """Keeps files in this process's memory; they are gone when the object is.

    Safe to share between threads and event loops. Two objects share nothing.
    """

    def __init__(self) -> None:
        self._root: Folder = {}
        self._lock = _runtime.Lock()

    @property
    def name(self) -> str:
        return "memory"

    @property
    def capabilities(self) -> CapabilitySet:
        return _ALL

    def __repr__(self) -> str:
        return "MemoryBackend()"

    async def is_file(self, path: str) -> bool:
        await _runtime.checkpoint()
        return isinstance(self._find(path), _File)

    async def is_folder(self, path: str) -> bool:
        await _runtime.checkpoint()
        return isinstance(self._find(path), dict)

    async def get_file_info(self, path: str) -> FileInfo:
        await _runtime.checkpoint()
        return _info(path, self._file(path))

    @property
    def stream_memory(self) -> int:
        return 2 * CHUNK_SIZE

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        await _runtime.checkpoint()
        file = self._file(path)
        return _MemoryReader(_part(file.data, start, length), file.etag)

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        await _runtime.checkpoint()
        return _part(self._file(path).data, start, length)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        await _runtime.checkpoint()
        with self._lock:
            self._check_target(path, overwrite, options)
        return _MemoryWriter(self, path, overwrite, options)

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        await _runtime.checkpoint()
        return self._put(path, _File(whole(data), options or _PLAIN), overwrite, options)

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await _runtime.checkpoint()
        with self._lock:
            node = self._find(path)
            if isinstance(node, dict):
                self._fail(InvalidPath, "this is a folder, not a file; use delete_folder()", path)
            if node is not None:
                self._remove(path)
            elif not missing_ok:
                self._fail(NotFound, "there is no such file", path)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await _runtime.checkpoint()
        with self._lock:
            node = self._find(path)
            if isinstance(node, _File):
                self._fail(InvalidPath, "this is a file, not a folder; use delete()", path)
            if node is None:
                if not missing_ok:
                    self._fail(NotFound, "there is no such folder", path)
            elif not recursive:
                self._fail(
                    DirectoryNotEmpty, "the folder is not empty; pass recursive=True to delete all", path
                )
            else:
                self._remove(path)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        await _runtime.checkpoint()
        with self._lock:
            file = self._file(src)
            result = self._put_locked(dst, file, overwrite)
            self._remove(src)
            return result

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        await _runtime.checkpoint()
        with self._lock:
            file = self._file(src)
            return self._put_locked(dst, _File(file.data, file.options), overwrite)

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        return _MemoryPages(self, path, recursive, (files, folders))

    @classmethod
    def from_url(cls, url: str) -> tuple[Backend, str]:
        if url != "memory://":
            raise ValueError(f"a store in memory is memory:// and nothing more, not {masked(url)!r}")
        return cls(), ""

    # -- the tree; callers that change it hold the lock --------------------------

    def _find(self, path: str) -> _File | Folder | None:
        node: _File | Folder | None = self._root
        for part in path.split("/") if path else ():
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def _file(self, path: str) -> _File:
        node = self._find(path)
        if isinstance(node, dict):
            self._fail(InvalidPath, "this is a folder, not a file", path)
        if node is None:
            self._fail(NotFound, "there is no such file", path)
        return node

    def _put(self, path: str, file: _File, overwrite: bool, options: WriteOptions | None) -> WriteResult:
        with self._lock:
            return self._put_locked(path, file, overwrite, options)

    def _put_locked(
        self, path: str, file: _File, overwrite: bool, options: WriteOptions | None = None
    ) -> WriteResult:
        self._check_target(path, overwrite, options)
        *parents, name = path.split("/")
        folder = self._root
        for part in parents:
            folder = cast(Folder, folder.setdefault(part, {}))
        folder[name] = file
        return WriteResult(RemotePath._of(path), len(file.data), file.etag)

    def _check_target(self, path: str, overwrite: bool, options: WriteOptions | None = None) -> None:
        head = path.rpartition("/")[0]
        while head:
            if isinstance(self._find(head), _File):
                self._fail(InvalidPath, f"{head!r} is a file, so nothing can be below it", path)
            head = head.rpartition("/")[0]
        node = self._find(path)
        if isinstance(node, dict):
            self._fail(InvalidPath, "this is a folder, not a file", path)
        if options is not None and options.if_match is not None:
            if node is None or node.etag != options.if_match:
                self._fail(PreconditionFailed, "the file is another version, or gone; read it again", path)
        elif node is not None and not overwrite:
            self._fail(AlreadyExists, "the file exists; pass overwrite=True to replace it", path)

    def _remove(self, path: str) -> None:
        """Take a node out, and the folders above that it leaves empty."""
        while path:
            head, _, name = path.rpartition("/")
            parent = cast(Folder, self._find(head))
            del parent[name]
            if parent:
                return
            path = head

    def _fail(self, error: type[RemoteStoreError], text: str, path: str) -> Never:
        raise error(text, path=path, backend=self.name)


_ALL: Final = CapabilitySet(frozenset(Capability) - {Capability.PRESIGN, Capability.RESUMABLE_WRITE})


def _part(data: bytes, start: int, length: int | None) -> bytes:
    if start == 0 and length is None:
        return data
    return data[start : None if length is None else start + length]


def _info(path: str, file: _File) -> FileInfo:
    where, options = RemotePath._of(path), file.options
    extra = {name: value for name in _TOLD if (value := getattr(options, name))}
    return FileInfo(
        where, where.name, len(file.data), file.modified_at, None, options.content_type, extra, etag=file.etag
    )


_TOLD: Final = (
    "metadata", "tags", "storage_class", "cache_control", "content_disposition", "content_encoding",
    "content_language",
)  # fmt: skip


class _MemoryReader(Reader):
    seekable = True

    def __init__(self, data: bytes, version: str) -> None:
        self._data = data
        self.version = version
        self._position = 0
        self.size = len(data)
        self.version = version

    async def read(self, n: int) -> bytes:
        await _runtime.checkpoint()
        chunk = self._data[self._position : self._position + n]
        self._position += len(chunk)
        return chunk

    async def seek(self, position: int) -> None:
        self._position = position

    async def aclose(self) -> None:
        self._data = b""


class _MemoryWriter(Writer):
    def __init__(
        self, backend: MemoryBackend, path: str, overwrite: bool, options: WriteOptions | None
    ) -> None:
        self._backend, self._path, self._overwrite, self._options = backend, path, overwrite, options
        self._chunks: list[bytes] = []

    async def write(self, data: Buffer) -> None:
        await _runtime.checkpoint()
        self._chunks.append(bytes(data))

    async def commit(self) -> WriteResult:
        await _runtime.checkpoint()
        file = _File(b"".join(self._chunks), self._options or _PLAIN)
        return self._backend._put(self._path, file, self._overwrite, self._options)

    async def abort(self) -> None:
        self._chunks.clear()


class _MemoryPages(Pages):
    """Copies one folder's names at a time, so writers may go on between pages."""

    def __init__(self, backend: MemoryBackend, path: str, recursive: bool, want: tuple[bool, bool]) -> None:
        self._backend, self._top, self._recursive = backend, path, recursive
        self._files, self._folders = want
        self._entries = self._walk()

    async def __anext__(self) -> list[Entry]:
        await _runtime.checkpoint()
        with self._backend._lock:
            page = [entry for _, entry in zip(range(PAGE), self._entries, strict=False)]
        if not page:
            raise StopAsyncIteration
        return page

    def _walk(self) -> Iterator[Entry]:
        if isinstance(self._backend._find(self._top), _File):
            self._backend._fail(InvalidPath, "this is a file, not a folder", self._top)
        pending = [self._top]
        while pending:
            folder = pending.pop()
            node = self._backend._find(folder)
            for name, child in list(node.items()) if isinstance(node, dict) else ():
                path = f"{folder}/{name}" if folder else name
                if isinstance(child, _File):
                    if self._files:
                        yield _info(path, child)
                    continue
                if self._folders:
                    yield RemoteFolder(RemotePath._of(path))
                if self._recursive:
                    pending.append(path)
