"""A backend of one's own, as small as it can be: files in a dictionary."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from remote_store import (
    AlreadyExists,
    Backend,
    CapabilitySet,
    DirectoryNotEmpty,
    FileInfo,
    InvalidPath,
    NotFound,
    RemoteFolder,
    RemotePath,
    Store,
    WriteOptions,
    WriteResult,
)
from remote_store.capabilities import OPERATIONS
from remote_store.lowlevel import checkpoint
from remote_store.typing import Buffer, Entry, Pages, Reader, Writer


@dataclass(eq=False)
class Stored:
    """What the dictionary holds for each file."""

    data: bytes
    time: float = field(default_factory=time.time)


class DictBackend(Backend):
    """Keeps files in a dictionary, under their whole path."""

    def __init__(self) -> None:
        self.files: dict[str, Stored] = {}

    @property
    def name(self) -> str:
        return "dict"

    @property
    def capabilities(self) -> CapabilitySet:
        # Not what it lacks: conditional writes, options stored beside the content, URLs to give away.
        return CapabilitySet(OPERATIONS)

    # -- questions

    async def is_file(self, path: str) -> bool:
        await checkpoint()
        return path in self.files

    async def is_folder(self, path: str) -> bool:
        await checkpoint()
        return not path or next(self.below(path), None) is not None

    async def get_file_info(self, path: str) -> FileInfo:
        return self.info(path, await self.load(path))

    # -- content

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        data = (await self.load(path)).data
        return BytesReader(data[start:] if length is None else data[start : start + length])

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        await self.check_target(path, overwrite)
        return DictWriter(self, path, overwrite)

    # -- changes

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        if await self.is_folder(path):
            raise InvalidPath("this is a folder", path=path, backend=self.name)
        if self.files.pop(path, None) is None and not missing_ok:
            raise NotFound("there is no such file", path=path, backend=self.name)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await checkpoint()
        if path in self.files:
            raise InvalidPath("this is a file", path=path, backend=self.name)
        found = list(self.below(path))
        if not found and not missing_ok:
            raise NotFound("there is no such folder", path=path, backend=self.name)
        if found and not recursive:
            raise DirectoryNotEmpty("the folder is not empty", path=path, backend=self.name)
        for key in found:
            self.files.pop(key, None)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        result = await self.copy(src, dst, overwrite=overwrite)
        self.files.pop(src, None)
        return result

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        return await self.store(dst, (await self.load(src)).data, overwrite)

    # -- listing

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        return DictPages(self.entries(path, recursive, files, folders))

    def entries(self, path: str, recursive: bool, files: bool, folders: bool) -> Iterator[Entry]:
        if path in self.files:
            raise InvalidPath("this is a file", path=path, backend=self.name)
        seen = set()
        skip = len(path) + 1 if path else 0
        for key in self.below(path):
            ends = [at for at, char in enumerate(key) if char == "/" and at >= skip]
            for end in ends if recursive else ends[:1]:
                if folders and key[:end] not in seen:
                    seen.add(key[:end])
                    yield RemoteFolder(RemotePath(key[:end]))
            stored = self.files.get(key)
            if files and stored and (recursive or not ends):
                yield self.info(key, stored)

    # -- helpers of its own

    def below(self, path: str) -> Iterator[str]:
        prefix = f"{path}/" if path else ""
        return (key for key in list(self.files) if key.startswith(prefix))

    def info(self, path: str, stored: Stored) -> FileInfo:
        changed = datetime.fromtimestamp(stored.time, UTC)
        return FileInfo(RemotePath(path), path.rpartition("/")[2], len(stored.data), changed)

    async def load(self, path: str) -> Stored:
        await checkpoint()  # nothing here waits, so let other tasks run
        stored = self.files.get(path)
        if stored is not None:
            return stored
        if await self.is_folder(path):
            raise InvalidPath("this is a folder", path=path, backend=self.name)
        raise NotFound("there is no such file", path=path, backend=self.name)

    async def check_target(self, path: str, overwrite: bool) -> None:
        parts = path.split("/")
        parents = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if any(parent in self.files for parent in parents) or await self.is_folder(path):
            raise InvalidPath("a folder is there, or a parent is a file", path=path, backend=self.name)
        if path in self.files and not overwrite:
            raise AlreadyExists("the file exists", path=path, backend=self.name)

    async def store(self, path: str, data: bytes, overwrite: bool) -> WriteResult:
        await self.check_target(path, overwrite)
        stored = Stored(data)
        if overwrite:
            self.files[path] = stored
        elif self.files.setdefault(path, stored) is not stored:  # one step: nobody comes between
            raise AlreadyExists("the file exists", path=path, backend=self.name)
        return WriteResult(RemotePath(path), len(data))


class BytesReader(Reader):
    """Reads from bytes that are there already."""

    seekable = True

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.size = len(data)

    async def read(self, n: int) -> bytes:
        chunk = self.data[self.at : self.at + n]
        self.at += len(chunk)
        return chunk

    async def seek(self, position: int) -> None:
        self.at = position

    async def aclose(self) -> None:
        self.data = b""


class DictWriter(Writer):
    """Gathers what is written, and stores it at the commit."""

    def __init__(self, backend: DictBackend, path: str, overwrite: bool) -> None:
        self.backend, self.path, self.overwrite = backend, path, overwrite
        self.data = bytearray()

    async def write(self, data: Buffer) -> None:
        self.data += data

    async def commit(self) -> WriteResult:
        return await self.backend.store(self.path, bytes(self.data), self.overwrite)

    async def abort(self) -> None:
        self.data.clear()


class DictPages(Pages):
    """Cuts the entries into pages."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self.entries = entries

    async def __anext__(self) -> list[Entry]:
        await checkpoint()
        page = list(islice(self.entries, 1000))
        if not page:
            raise StopAsyncIteration
        return page


if __name__ == "__main__":
    with Store(DictBackend(), "project") as store:
        store.write_text("notes/today.txt", "it rains")
        store.copy("notes/today.txt", "notes/tomorrow.txt")
        for info in store.list_files("notes"):
            print(info.path, info.size)
        print(store.read_text("notes/tomorrow.txt"))
