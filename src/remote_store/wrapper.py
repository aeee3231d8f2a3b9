"""Layers: a backend around another backend, for retries, limits, logs, caches and the like.

    class Loud(BackendWrapper):
        async def delete(self, path: str, *, missing_ok: bool = False) -> None:
            print("delete", path)
            await super().delete(path, missing_ok=missing_ok)

    store = Store(Loud(LocalBackend("/data")))

``BackendWrapper`` forwards the whole contract of ``Backend``, so a layer overrides only
what it changes, and a layer that changes nothing is not noticed. What an operation is made
of stays the inner backend's matter: ``read_bytes`` goes to its ``read_bytes``, and does not
come back as ``open_read`` and ``read``. A layer that wants to see all reading overrides
both, and wraps the reader as well; ``ReaderWrapper``, ``WriterWrapper``, ``PartWriterWrapper`` and
``PagesWrapper`` do for sessions what ``BackendWrapper`` does for backends.

Not forwarded are ``from_url``, since a URL names a backend and not a layer around one, and
``within_memory``, which would give the inner storage without the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from ._types import Buffer
from .backend import Backend, Pages, Part, PartWriter, Reader, Writer
from .capabilities import CapabilitySet
from .models import Entry, FileInfo, FolderInfo, WriteOptions, WriteResult

T = TypeVar("T")


class BackendWrapper(Backend):
    """A backend that hands everything on to another one. Closing it closes the other.

    Args:
        inner: the backend to hand on to; also the attribute ``inner``.
    """

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def capabilities(self) -> CapabilitySet:
        return self.inner.capabilities

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner!r})"

    # -- questions -------------------------------------------------------------

    async def is_file(self, path: str) -> bool:
        return await self.inner.is_file(path)

    async def is_folder(self, path: str) -> bool:
        return await self.inner.is_folder(path)

    async def exists(self, path: str) -> bool:
        return await self.inner.exists(path)

    async def get_file_info(self, path: str) -> FileInfo:
        return await self.inner.get_file_info(path)

    async def get_folder_info(self, path: str) -> FolderInfo:
        return await self.inner.get_folder_info(path)

    async def ping(self) -> None:
        await self.inner.ping()

    async def probe(self) -> CapabilitySet:
        return await self.inner.probe()

    # -- content ---------------------------------------------------------------

    @property
    def stream_memory(self) -> int:
        return self.inner.stream_memory

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        return await self.inner.open_read(path, start=start, length=length)

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        return await self.inner.read_bytes(path, start=start, length=length)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        return await self.inner.open_write(path, overwrite=overwrite, atomic=atomic, options=options)

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        return await self.inner.write_bytes(path, data, overwrite=overwrite, atomic=atomic, options=options)

    # -- content in parts ------------------------------------------------------

    @property
    def part_size(self) -> int:
        return self.inner.part_size

    async def open_parts(
        self,
        path: str,
        *,
        size: int,
        overwrite: bool = False,
        options: WriteOptions | None = None,
        token: str | None = None,
    ) -> PartWriter:
        return await self.inner.open_parts(path, size=size, overwrite=overwrite, options=options, token=token)

    async def forget_parts(self, path: str, since: datetime) -> int:
        return await self.inner.forget_parts(path, since)

    # -- changes ---------------------------------------------------------------

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self.inner.delete(path, missing_ok=missing_ok)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self.inner.delete_folder(path, recursive=recursive, missing_ok=missing_ok)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        return await self.inner.move(src, dst, overwrite=overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        return await self.inner.copy(src, dst, overwrite=overwrite)

    @property
    def copies_are_quick(self) -> bool:
        return self.inner.copies_are_quick

    def copies_from(self, source: Backend) -> bool:
        return self.inner.copies_from(self.inner if source is self else source)

    async def copy_from(self, source: Backend, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        if source is self:  # so that a layer that changes copies changes these, too
            return await self.copy(src, dst, overwrite=overwrite)
        return await self.inner.copy_from(source, src, dst, overwrite=overwrite)

    # -- listing ---------------------------------------------------------------

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        return self.inner.list_pages(path, recursive=recursive, files=files, folders=folders)

    # -- identity --------------------------------------------------------------

    @property
    def location(self) -> str:
        return self.inner.location

    async def place(self, path: str) -> tuple[str, str]:
        return await self.inner.place(path)

    async def unmake(self) -> bool:
        return await self.inner.unmake()

    def to_key(self, native: str) -> str:
        return self.inner.to_key(native)

    async def presign(self, path: str, *, method: str, expires: int, content_type: str | None = None) -> str:
        return await self.inner.presign(path, method=method, expires=expires, content_type=content_type)

    def unwrap(self, type_hint: type[T]) -> T:
        """Return this layer, or what lies below it, whichever is first of the type.

        Raises:
            CapabilityNotSupported: there is none of this type.
        """
        for candidate in (self, self.inner):
            if isinstance(candidate, type_hint):
                return candidate
        return self.inner.unwrap(type_hint)

    async def aclose(self) -> None:
        await self.inner.aclose()


class ReaderWrapper(Reader):
    """A reader that hands everything on to another one, the attribute ``inner``."""

    def __init__(self, inner: Reader) -> None:
        self.inner = inner
        self.seekable = inner.seekable
        self.size = inner.size
        self.version = inner.version

    async def read(self, n: int) -> bytes:
        return await self.inner.read(n)

    async def readinto(self, buffer: memoryview) -> int:
        return await self.inner.readinto(buffer)

    async def seek(self, position: int) -> None:
        await self.inner.seek(position)

    async def aclose(self) -> None:
        await self.inner.aclose()


class WriterWrapper(Writer):
    """A writer that hands everything on to another one, the attribute ``inner``."""

    def __init__(self, inner: Writer) -> None:
        self.inner = inner

    async def write(self, data: Buffer) -> None:
        await self.inner.write(data)

    async def commit(self) -> WriteResult:
        return await self.inner.commit()

    async def abort(self) -> None:
        await self.inner.abort()


class PartWriterWrapper(PartWriter):
    """A writer of parts that hands everything on to another one, the attribute ``inner``."""

    def __init__(self, inner: PartWriter) -> None:
        self.inner = inner
        self.token = inner.token
        self.part_size = inner.part_size
        self.at_once = inner.at_once

    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        return await self.inner.confirmed(parts)

    async def write(self, number: int, data: Buffer, crc32: int) -> Part:
        return await self.inner.write(number, data, crc32)

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        return await self.inner.commit(parts)

    async def abort(self) -> None:
        await self.inner.abort()

    async def aclose(self) -> None:
        await self.inner.aclose()


class PagesWrapper(Pages):
    """A listing that hands everything on to another one, the attribute ``inner``."""

    def __init__(self, inner: Pages) -> None:
        self.inner = inner

    async def __anext__(self) -> list[Entry]:
        return await self.inner.__anext__()

    async def aclose(self) -> None:
        await self.inner.aclose()
