"""``AsyncStore``: the API, written once. The blocking ``Store`` is generated from this file.

Docstrings say what happens, never how it is awaited, since both faces share them.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import Self, TypeVar

from .._types import AsyncContent
from ..backend import Backend
from ..capabilities import Capability, CapabilitySet
from ..errors import InvalidPath, RemoteStoreError
from ..models import Entry, FileInfo, FolderInfo, RemoteFolder, WriteResult
from ..paths import PathLike, normalize
from ._content import as_buffer, chunks_of
from ._listing import Listing, Mapped
from ._read_stream import AsyncReadStream
from ._reopen import ReopeningReader
from ._scope import Lifetime, Scope, locate, located
from ._walk import GlobBatches, WalkBatches, WalkStep
from ._write_stream import AsyncWriteStream

T = TypeVar("T")


class AsyncStore:
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

    def __init__(self, backend: Backend, root_path: PathLike = "") -> None:
        if not isinstance(backend, Backend):
            raise TypeError(f"backend must be a Backend instance, not {type(backend).__name__}")
        self._scope = Scope(backend, normalize(root_path), Lifetime())
        self._owns = True

    @classmethod
    def _borrow(cls, backend: Backend, root: str, life: Lifetime) -> Self:
        store = cls.__new__(cls)
        store._scope = Scope(backend, root, life)
        store._owns = False
        return store

    # -- questions -------------------------------------------------------------

    @property
    def capabilities(self) -> CapabilitySet:
        """What the backend can do."""
        return self._scope.backend.capabilities

    def supports(self, capability: Capability) -> bool:
        """Return True if the backend has a capability."""
        return capability in self._scope.backend.capabilities

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

    # -- reading ---------------------------------------------------------------

    async def read(self, path: PathLike, *, start: int = 0, length: int | None = None) -> AsyncReadStream:
        """Open a file, or a part of it, as a stream of bytes. The caller closes the stream.

        Args:
            path: the file.
            start: first byte to read, counted from 0; beyond the end the stream is empty.
            length: most bytes to read; None is up to the end.

        Raises:
            NotFound: there is no such file.
            InvalidPath: it is a folder, or the path is malformed.
            ValueError: ``start`` or ``length`` is negative.
        """
        self._scope.require(Capability.READ)
        key = self._scope.file_key(path)
        if start != 0 or length is not None:
            _check_range(start, length)
        with located(self._scope, (key, path)):
            reader = await self._scope.backend.open_read(key, start=start, length=length)
        return AsyncReadStream(self._scope, key, path, reader)

    async def open_read(self, path: PathLike) -> AsyncReadStream:
        """Open a file as a stream that can seek, whatever the storage. The caller closes it.

        Where the storage reads only forwards, each seek costs one request. Raises as
        ``read`` does.
        """
        self._scope.require(Capability.READ)
        key = self._scope.file_key(path)
        with located(self._scope, (key, path)):
            reader = await self._scope.backend.open_read(key)
            if not reader.seekable:
                try:
                    size = reader.size
                    if size is None:
                        size = (await self._scope.backend.get_file_info(key)).size
                except BaseException:
                    await reader.aclose()
                    raise
                reader = ReopeningReader(self._scope.backend, key, reader, size)
        return AsyncReadStream(self._scope, key, path, reader)

    async def read_bytes(self, path: PathLike, *, start: int = 0, length: int | None = None) -> bytes:
        """Return a file, or a part of it, as bytes. Arguments and errors are those of ``read``."""
        self._scope.require(Capability.READ)
        key = self._scope.file_key(path)
        if start != 0 or length is not None:
            _check_range(start, length)
        try:  # not "with located", which would be a tenth of a small blocking read
            return await self._scope.backend.read_bytes(key, start=start, length=length)
        except RemoteStoreError as error:
            locate(self._scope, error, ((key, path),))
            raise

    async def read_text(self, path: PathLike, *, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return a file as text; line ends are left as they are.

        Raises:
            NotFound, InvalidPath: as ``read`` does.
            UnicodeDecodeError: the bytes are no text in this encoding.
        """
        return (await self.read_bytes(path)).decode(encoding, errors)

    # -- writing ---------------------------------------------------------------

    async def write(self, path: PathLike, content: AsyncContent, *, overwrite: bool = False) -> WriteResult:
        """Write a file; missing parents come into being.

        If the content's source fails, or the call is cancelled, the target stays as it was
        and nothing is left behind. Of several that create the same file at the same time
        without ``overwrite``, exactly one succeeds.

        Args:
            path: the file.
            content: bytes or another buffer, a binary file (read from where it stands), or
                an iterable of buffers. Errors raised by it pass through unchanged.
            overwrite: replace the file if it exists.

        Raises:
            AlreadyExists: the file exists and ``overwrite`` is False.
            InvalidPath: a folder is there, a parent is a file, or the path is malformed.
            TypeError: the content is text, or nothing that gives bytes.
        """
        self._scope.require(Capability.WRITE)
        return await self._write(path, content, overwrite, atomic=False)

    async def write_atomic(
        self, path: PathLike, content: AsyncContent, *, overwrite: bool = False
    ) -> WriteResult:
        """Write a file so that no reader ever sees a part of it, even if this process is killed.

        Arguments and errors are those of ``write``. Never falls back to a plain write.
        """
        self._scope.require(Capability.ATOMIC_WRITE)
        return await self._write(path, content, overwrite, atomic=True)

    async def write_text(
        self,
        path: PathLike,
        text: str,
        *,
        encoding: str = "utf-8",
        errors: str = "strict",
        overwrite: bool = False,
    ) -> WriteResult:
        """Write text to a file; line ends are left as they are. Raises as ``write`` does.

        Raises:
            TypeError: ``text`` is no str.
            UnicodeEncodeError: the text has characters that the encoding lacks.
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be str, not {type(text).__name__}; write() takes bytes")
        return await self.write(path, text.encode(encoding, errors), overwrite=overwrite)

    def open_write(
        self, path: PathLike, *, overwrite: bool = False, atomic: bool = False
    ) -> AsyncWriteStream:
        """Return a stream to write a file piece by piece; use it as a context manager.

        Leaving the block cleanly commits the file; leaving it by an exception leaves the
        target as it was. ``atomic`` demands what ``write_atomic`` promises. Raises as
        ``write`` does, when the block is entered and when it is left.
        """
        self._scope.require(Capability.ATOMIC_WRITE if atomic else Capability.WRITE)
        return AsyncWriteStream(self._scope, self._scope.file_key(path), path, overwrite, atomic)

    async def _write(self, path: PathLike, content: object, overwrite: bool, atomic: bool) -> WriteResult:
        key = self._scope.file_key(path)
        view = as_buffer(content)
        if view is None:
            return await self._write_stream(path, key, content, overwrite, atomic)
        with located(self._scope, (key, path)):
            result = await self._scope.backend.write_bytes(key, view, overwrite=overwrite, atomic=atomic)
        return self._scope.result(result)

    async def _write_stream(
        self, path: PathLike, key: str, content: object, overwrite: bool, atomic: bool
    ) -> WriteResult:
        # Errors of the content's source are the caller's own: only the writer's calls are located.
        here = located(self._scope, (key, path))
        async with aclosing(chunks_of(content)) as chunks:
            with here:
                writer = await self._scope.backend.open_write(key, overwrite=overwrite, atomic=atomic)
            try:
                async for chunk in chunks:
                    with here:
                        await writer.write(chunk)
                with here:
                    return self._scope.result(await writer.commit())
            except BaseException:
                await writer.abort()
                raise

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

    # -- listing ---------------------------------------------------------------

    def list_files(self, path: PathLike = "", *, recursive: bool = False) -> Listing[FileInfo]:
        """List the files in a folder, at any depth if ``recursive``, in no particular order.

        A missing folder is empty. The path, the capability and the store's state are
        checked at once; pages are fetched as items are asked for.

        Raises:
            InvalidPath: the path is malformed; with the first item, if it is a file.
        """
        if recursive:
            self._scope.require(Capability.RECURSIVE_LIST)

        def convert(entry: Entry) -> FileInfo | None:
            return self._scope.file_info(entry) if isinstance(entry, FileInfo) else None

        key = self._listed(path)
        pages = self._scope.backend.list_pages(key, recursive=recursive, folders=False)
        return Listing(self._scope, key, path, Mapped(pages, convert))

    def list_folders(self, path: PathLike = "") -> Listing[str]:
        """List the names of the folders in a folder. Otherwise as ``list_files``."""

        def convert(entry: Entry) -> str | None:
            return entry.name if isinstance(entry, RemoteFolder) else None

        key = self._listed(path)
        pages = self._scope.backend.list_pages(key, files=False)
        return Listing(self._scope, key, path, Mapped(pages, convert))

    def iter_children(self, path: PathLike = "") -> Listing[Entry]:
        """List files and folders in a folder together. Otherwise as ``list_files``."""

        def convert(entry: Entry) -> Entry:
            return self._scope.file_info(entry) if isinstance(entry, FileInfo) else self._scope.folder(entry)

        key = self._listed(path)
        return Listing(self._scope, key, path, Mapped(self._scope.backend.list_pages(key), convert))

    def walk(self, path: PathLike = "") -> Listing[WalkStep]:
        """Go through a folder and all below it, parents first.

        Gives one ``(folder, names of its folders, its files)`` for each folder. Links to
        folders are named but not gone into twice where the storage has links.
        """
        key = self._listed(path)
        return Listing(self._scope, key, path, WalkBatches(self._scope, key))

    def glob(self, pattern: str) -> Listing[FileInfo]:
        r"""Find files by a pattern of their whole path, in no particular order.

        ``*`` and ``?`` match within one component, ``[abc]`` and ``[!abc]`` one character
        of a set, and ``**`` as a component any number of folders, none included. Matching
        is case-sensitive.

        Raises:
            InvalidPath: the pattern is empty or malformed.
        """
        self._scope.require(Capability.GLOB)
        key = self._scope.file_key(pattern)
        batches = GlobBatches(self._scope, self._scope.relative(key))
        return Listing(self._scope, key, pattern, batches)

    def _listed(self, path: PathLike) -> str:
        self._scope.require(Capability.LIST)
        return self._scope.folder_key(path)

    # -- the store itself --------------------------------------------------------

    def child(self, path: PathLike) -> AsyncStore:
        """Return a store whose root is a folder of this one; it need not exist yet.

        The child borrows the backend: closing it does nothing, and closing this store
        closes it too.
        """
        return AsyncStore._borrow(self._scope.backend, self._scope.folder_key(path), self._scope.life)

    def to_key(self, path: str) -> str:
        """Return the path in this store of a native name (a file system path, a URL). No I/O.

        Raises:
            InvalidPath: the name is outside of this store.
        """
        key = self._scope.backend.to_key(path)
        if self._scope.root and key != self._scope.root and not key.startswith(self._scope.prefix):
            raise InvalidPath(
                f"this is not below the store's root {self._scope.root!r}",
                path=path,
                backend=self._scope.backend.name,
            )
        return self._scope.relative(key)

    def unwrap(self, type_hint: type[T]) -> T:
        """Return the native object of this type behind the backend.

        Raises:
            CapabilityNotSupported: the backend has none.
        """
        return self._scope.backend.unwrap(type_hint)

    async def aclose(self) -> None:
        """Close the backend, if this store owns it. Closing twice is fine."""
        if self._owns and not self._scope.life.closed:
            self._scope.life.closed = True
            await self._scope.backend.aclose()

    async def __aenter__(self) -> Self:
        self._scope.require_open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AsyncStore):
            return NotImplemented
        return self._scope.backend is other._scope.backend and self._scope.root == other._scope.root

    def __hash__(self) -> int:
        return hash((id(self._scope.backend), self._scope.root))

    def __repr__(self) -> str:
        return f"AsyncStore(backend={self._scope.backend.name!r}, root_path={self._scope.root!r})"


def _check_range(start: int, length: int | None) -> None:
    for name, value in (("start", start), ("length", length)):
        if value is None and name == "length":
            continue
        if not isinstance(value, int):
            raise TypeError(f"{name} must be int, not {type(value).__name__}")
        if value < 0:
            raise ValueError(f"{name} must be 0 or more bytes, not {value}")
