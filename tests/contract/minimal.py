"""A backend as a stranger would write it: the abstract methods and nothing else, no private module."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime
from typing import Any, NamedTuple

from remote_store import (
    Backend,
    Capability,
    CapabilitySet,
    FileInfo,
    RemoteFolder,
    RemotePath,
    WriteOptions,
    WriteResult,
)
from remote_store.backend import Pages, Reader, Writer
from remote_store.capabilities import OPERATIONS
from remote_store.errors import AlreadyExists, DirectoryNotEmpty, InvalidPath, NotFound
from remote_store.models import Entry

PAGE = 100


class File(NamedTuple):
    data: bytes
    version: str
    modified_at: datetime


class MinimalBackend(Backend):
    """A dict from key to file, as an object store has it: folders are what keys begin with."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.lock = threading.Lock()
        self.versions = itertools.count()

    @property
    def name(self) -> str:
        return "minimal"

    @property
    def capabilities(self) -> CapabilitySet:
        return CapabilitySet({*OPERATIONS, Capability.EXCLUSIVE_CREATE})

    async def is_file(self, path: str) -> bool:
        return path in self.files

    async def is_folder(self, path: str) -> bool:
        return not path or self.has_below(path)

    async def get_file_info(self, path: str) -> FileInfo:
        return self.info(path, self.find(path))

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        file = self.find(path)
        return OneWayReader(file.data[start : None if length is None else start + length], file.version)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        self.check_target(path, overwrite)
        return BufferingWriter(self, path, overwrite)

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        with self.lock:
            if self.has_below(path):
                raise InvalidPath("this is a folder", path=path, backend=self.name)
            if self.files.pop(path, None) is None and not missing_ok:
                raise NotFound("there is no such file", path=path, backend=self.name)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        with self.lock:
            if path in self.files:
                raise InvalidPath("this is a file", path=path, backend=self.name)
            below = [key for key in self.files if key.startswith(f"{path}/")]
            if not below and not missing_ok:
                raise NotFound("there is no such folder", path=path, backend=self.name)
            if below and not recursive:
                raise DirectoryNotEmpty("the folder is not empty", path=path, backend=self.name)
            for key in below:
                del self.files[key]

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        with self.lock:
            result = self.store(dst, self.find(src).data, overwrite)
            del self.files[src]
            return result

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        with self.lock:
            return self.store(dst, self.find(src).data, overwrite)

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        return DictPages(self, path, recursive, files, folders)

    # -- not part of the contract ------------------------------------------------

    def has_below(self, path: str) -> bool:
        return any(key.startswith(f"{path}/") for key in list(self.files))

    def find(self, path: str) -> File:
        file = self.files.get(path)
        if file is not None:
            return file
        if self.has_below(path):
            raise InvalidPath("this is a folder", path=path, backend=self.name)
        raise NotFound("there is no such file", path=path, backend=self.name)

    def check_target(self, path: str, overwrite: bool) -> None:
        parents = itertools.accumulate(path.split("/")[:-1], lambda folder, name: f"{folder}/{name}")
        if any(parent in self.files for parent in parents):
            raise InvalidPath("a parent of this path is a file", path=path, backend=self.name)
        if self.has_below(path):
            raise InvalidPath("this is a folder", path=path, backend=self.name)
        if path in self.files and not overwrite:
            raise AlreadyExists("the file exists", path=path, backend=self.name)

    def store(self, path: str, data: bytes, overwrite: bool) -> WriteResult:
        self.check_target(path, overwrite)
        self.files[path] = File(data, f"v{next(self.versions)}", datetime.now(UTC))
        return WriteResult(RemotePath(path), len(data))

    def info(self, path: str, file: File) -> FileInfo:
        where = RemotePath(path)
        return FileInfo(where, where.name, len(file.data), file.modified_at)


class OneWayReader(Reader):
    """Reads forwards, does not know its size, and gives less than asked for."""

    def __init__(self, data: bytes, version: str) -> None:
        self.data = data
        self.position = 0
        self.version = version

    async def read(self, n: int) -> bytes:
        chunk = self.data[self.position : self.position + min(n, 300_000)]
        self.position += len(chunk)
        return chunk

    async def aclose(self) -> None:
        self.data = b""


class BufferingWriter(Writer):
    """Keeps everything until the commit."""

    def __init__(self, backend: MinimalBackend, path: str, overwrite: bool) -> None:
        self.backend, self.path, self.overwrite = backend, path, overwrite
        self.data = bytearray()

    async def write(self, data: Any) -> None:
        self.data += data

    async def commit(self) -> WriteResult:
        with self.backend.lock:
            return self.backend.store(self.path, bytes(self.data), self.overwrite)

    async def abort(self) -> None:
        self.data.clear()


class DictPages(Pages):
    """Pages over the keys as they are when the first is asked for."""

    def __init__(
        self, backend: MinimalBackend, path: str, recursive: bool, files: bool, folders: bool
    ) -> None:
        self.backend, self.path = backend, path
        self.recursive, self.files, self.folders = recursive, files, folders
        self.entries: list[Entry] | None = None

    async def __anext__(self) -> list[Entry]:
        if self.entries is None:
            with self.backend.lock:
                if self.path in self.backend.files:
                    raise InvalidPath("this is a file", path=self.path, backend=self.backend.name)
                self.entries = self.all_entries()
        page, self.entries = self.entries[:PAGE], self.entries[PAGE:]
        if not page:
            raise StopAsyncIteration
        return page

    def all_entries(self) -> list[Entry]:
        prefix = f"{self.path}/" if self.path else ""
        found: dict[str, Entry] = {}
        for key, file in self.backend.files.items():
            if not key.startswith(prefix):
                continue
            parts = key[len(prefix) :].split("/")
            if self.folders:
                for count in range(1, len(parts) if self.recursive else min(2, len(parts))):
                    folder = prefix + "/".join(parts[:count])
                    found[folder] = RemoteFolder(RemotePath(folder))
            if self.files and (self.recursive or len(parts) == 1):
                found[key] = self.backend.info(key, file)
        return list(found.values())
