"""The contract between a store and the storage behind it.

A backend is written once, as ``async def``, and serves asyncio, trio and blocking
callers alike. It may await only leaves (see ``remote_store.lowlevel``) and its own
sessions: no task, lock or timeout of any event loop is at hand for a blocking caller.

Keys are normalised text, ``"a/b.txt"``, with ``""`` for the root. Every error is a
``RemoteStoreError`` with the key as ``path`` and the backend's name as ``backend``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import aclosing
from datetime import datetime
from typing import Any, Self, TypeVar

from .capabilities import Capability, CapabilitySet
from .errors import CapabilityNotSupported, NotFound
from .models import FileInfo, FolderInfo, WriteOptions, WriteResult
from .parts import Part as Part
from .parts import PartWriter as PartWriter
from .paths import RemotePath
from .sessions import CHUNK_SIZE as CHUNK_SIZE
from .sessions import Pages as Pages
from .sessions import Reader as Reader
from .sessions import Writer as Writer
from .sessions import abandon as abandon
from .sessions import gathered as gathered

T = TypeVar("T")


class Backend(ABC):
    """A kind of storage. Subclass it, or register a subclass, to add one.

    ``remote_store.testing.BackendContract`` holds any subclass to these rules.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name that errors carry, such as ``"local"``."""

    @property
    @abstractmethod
    def capabilities(self) -> CapabilitySet:
        """What this backend can do. A store refuses everything else before it calls."""

    # -- questions -------------------------------------------------------------

    @abstractmethod
    async def is_file(self, path: str) -> bool:
        """Return True if a file is there."""

    @abstractmethod
    async def is_folder(self, path: str) -> bool:
        """Return True if a folder is there. The root of a storage that is there is one."""

    async def exists(self, path: str) -> bool:
        """Return True if a file or a folder is there."""
        return await self.is_file(path) or await self.is_folder(path)

    @abstractmethod
    async def get_file_info(self, path: str) -> FileInfo:
        """Return a file's facts. Raises NotFound, or InvalidPath for a folder."""

    async def get_folder_info(self, path: str) -> FolderInfo:
        """Add up everything below a folder. Raises NotFound, or InvalidPath for a file."""
        count = total = 0
        newest = None
        pages = self.list_pages(path, recursive=True, folders=False)
        async with aclosing(pages):
            async for page in pages:
                for info in page:
                    if isinstance(info, FileInfo):
                        count, total = count + 1, total + info.size
                        if info.modified_at is not None and (newest is None or info.modified_at > newest):
                            newest = info.modified_at
        if not count and path and not await self.is_folder(path):
            raise NotFound("there is no such folder", path=path, backend=self.name)
        return FolderInfo(RemotePath._of(path), count, total, newest)

    async def ping(self) -> None:
        """Check that the storage answers and its root is there.

        Raises:
            NotFound, PermissionDenied, BackendUnavailable: it does not or is not.
        """
        if not await self.is_folder(""):
            raise NotFound("the root of this storage is not there; create it", path="", backend=self.name)

    async def probe(self) -> CapabilitySet:
        """Find out what this very storage can do, where only asking it tells.

        Raises:
            NotFound, PermissionDenied, BackendUnavailable: it does not answer.
        """
        return self.capabilities

    # -- content ---------------------------------------------------------------

    @abstractmethod
    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        """Open a file, or the part of it that begins at ``start`` and has at most ``length`` bytes.

        A part beyond the end is empty. Raises NotFound, or InvalidPath for a folder.
        """

    @property
    def stream_memory(self) -> int:
        """Bytes that one stream of this holds at most, by which transfers count a large file."""
        return 48 * CHUNK_SIZE

    def within_memory(self, size: int, *, part_size: int | None = None) -> Backend:
        """Return this storage with streams that hold about so many bytes each, or itself if it cannot.

        With ``part_size``, parts of large files have so many bytes, where that memory has room for two.
        What is returned shares all connections with this one, which stays the one to close.
        """
        return self

    def _with(self, **changed: Any) -> Self:
        """Return this storage with other values of some attributes; it shares all else with this one."""
        other = type(self).__new__(type(self))
        vars(other).update(vars(self) | changed)
        return other

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return a file, or the same part of it as ``open_read``, at once."""
        reader = await self.open_read(path, start=start, length=length)
        try:
            return await gathered(reader.read)
        finally:
            await reader.aclose()

    @abstractmethod
    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        """Begin to write a file; parents come into being as needed.

        Raises AlreadyExists now if a file is there and ``overwrite`` is False, and
        InvalidPath if a folder is, or if a parent is a file. ``atomic`` demands that no
        reader ever sees part of the content under the name. ``options`` come only with what
        the capabilities promise; with ``if_match`` a file of another version, or none, raises
        PreconditionFailed, and ``overwrite`` is of no account.
        """

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        """Write a whole file; the same rules as ``open_write``."""
        writer = await self.open_write(path, overwrite=overwrite, atomic=atomic, options=options)
        try:
            for offset in range(0, len(data), CHUNK_SIZE):
                await writer.write(data[offset : offset + CHUNK_SIZE])
            return await writer.commit()
        except BaseException as error:
            await abandon(writer, error)
            raise

    # -- content in parts ------------------------------------------------------

    @property
    def part_size(self) -> int:
        """Bytes from which on content is better written in parts, by ``open_parts`` where that is there."""
        return 8 * CHUNK_SIZE

    async def open_parts(
        self,
        path: str,
        *,
        size: int,
        overwrite: bool = False,
        options: WriteOptions | None = None,
        token: str | None = None,
    ) -> PartWriter:
        """Begin to write a file in parts, or go on with one that was begun: RESUMABLE_WRITE.

        Args:
            path: the file.
            size: its length in bytes.
            overwrite: replace a file that is there; otherwise as for ``open_write``.
            options: as for ``open_write``; of no account with a token, but for ``if_match``.
            token: of the ``PartWriter`` to go on with.

        Raises:
            NotFound: the storage has no such parts any more.
            BackendUnavailable: somebody else is writing them.
            CapabilityNotSupported: there is no such thing here.
        """
        raise CapabilityNotSupported(
            f"the {self.name} backend cannot go on with a write",
            path=path,
            backend=self.name,
            capability="resumable_write",
        )

    async def forget_parts(self, path: str, since: datetime) -> int:
        """Undo writes in parts of this file that were begun since then and of which no part was written.

        For who was killed before the token could be written down. Return how many there were.
        """
        return 0

    # -- changes ---------------------------------------------------------------

    @abstractmethod
    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        """Delete a file. Raises NotFound, or InvalidPath for a folder whatever ``missing_ok`` says."""

    @abstractmethod
    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        """Delete a folder. Raises NotFound, DirectoryNotEmpty, or InvalidPath for a file."""

    @abstractmethod
    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        """Give a file another name. Raises NotFound, AlreadyExists, InvalidPath.

        The two keys differ. The source goes only when the target is complete.
        """

    @abstractmethod
    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        """Copy a file within the storage. Raises NotFound, AlreadyExists, InvalidPath."""

    @property
    def copies_are_quick(self) -> bool:
        """False where a copy takes this machine's own time, so that a journal better knows of parts."""
        return True

    def copies_from(self, source: Backend) -> bool:
        """Return True if the storage can copy a file of that backend to here by itself. No I/O."""
        return source is self and Capability.COPY in self.capabilities

    async def copy_from(self, source: Backend, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        """Copy a file of another backend without its content passing through this process.

        The same rules as ``copy``; ``src`` is a key of ``source``.

        Raises:
            CapabilityNotSupported: ``copies_from`` says no.
        """
        if source is not self:
            raise CapabilityNotSupported(
                "the storage cannot copy from there by itself; read the file, and write it here",
                path=src,
                backend=self.name,
                capability="copy",
            )
        return await self.copy(src, dst, overwrite=overwrite)

    # -- listing ---------------------------------------------------------------

    @abstractmethod
    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        """List what is in a folder, in pages of bounded size and in no particular order.

        ``recursive`` goes down through all folders. What ``files`` or ``folders``
        excludes is not reported. A missing folder is empty; a file raises InvalidPath,
        at the first page.
        """

    # -- identity --------------------------------------------------------------

    @property
    def location(self) -> str:
        """Text that tells this storage from others, the same in every process; no secrets, no I/O."""
        return f"{self.name}:"

    async def place(self, path: str) -> tuple[str, str]:
        """Return which storage this is, and a name in it: equal for the same place, whichever backend tells.

        Transfers look by it whether one folder lies within another. Objects whose ``location`` says
        nothing of its own are taken for different storages, and so is one that has two addresses.
        """
        told = self.location.rstrip("/")
        return (f"{told}{id(self)}" if told == f"{self.name}:" else told), path

    async def unmake(self) -> bool:
        """Take a root away that this object has made and that nothing is in; return True if there was one.

        Mirrors ask it of their source: such a root is not one that somebody has emptied.
        """
        return False

    def to_key(self, native: str) -> str:
        """Return the key of a native name (a file system path, a URL); unchanged if it has none.

        Pure and total: no I/O, no exception.
        """
        return native

    async def presign(self, path: str, *, method: str, expires: int, content_type: str | None = None) -> str:
        """Return a URL by which anybody may GET or PUT this one file for so many seconds.

        Raises:
            CapabilityNotSupported: there are no such URLs here.
        """
        raise CapabilityNotSupported(
            f"the {self.name} backend has no URLs to give away",
            path=path,
            backend=self.name,
            capability="presign",
        )

    def unwrap(self, type_hint: type[T]) -> T:
        """Return the native object behind the backend, if it is of this type.

        Raises:
            CapabilityNotSupported: there is none of this type.
        """
        raise CapabilityNotSupported(
            f"the {self.name} backend has no native {type_hint.__name__}",
            backend=self.name,
            capability="unwrap",
        )

    @classmethod
    def from_url(cls, url: str) -> tuple[Backend, str]:
        """Return the backend that a URL names, and the folder of it that is the store's root.

        Raises:
            ValueError: the URL does not fit.
        """
        raise ValueError(f"{cls.__name__} cannot be opened by URL; make it in code, or configure a registry")

    async def aclose(self) -> None:  # noqa: B027 - nothing to close is a valid answer
        """Release all resources. Closing twice is fine."""
