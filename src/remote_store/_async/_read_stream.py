"""The stream that ``read`` returns, over a backend's reader."""

from __future__ import annotations

import inspect
import io
from typing import Final, Self

from .. import _runtime
from .._types import Sink, WritableBuffer
from ..backend import CHUNK_SIZE, Reader, gathered
from ..errors import CapabilityNotSupported, RemoteStoreError
from ..paths import PathLike
from ._scope import Scope, locate, located

READ_SIZE: Final = 1 << 16
"""Least number of bytes that a small read fetches ahead."""


class AsyncReadStream:
    """A file's content, or a part of it, as a stream of bytes.

    One version of the file is read: if it changes meanwhile, reading raises
    ``RemoteStoreError``. Not for use by several tasks or threads at the same time.
    Dropping it releases what it holds.
    """

    def __init__(self, scope: Scope, key: str, path: PathLike, reader: Reader) -> None:
        self._scope, self._key, self._path = scope, key, path
        self._reader: Reader | None = reader
        self._seekable = reader.seekable
        self._size = reader.size
        self._version = reader.version
        self._buffer = b""
        self._used = 0  # bytes of the buffer that were handed out
        self._fetched = 0  # where the reader stands

    @property
    def name(self) -> str:
        """The path that was opened, as the caller wrote it."""
        return str(self._path)

    @property
    def size(self) -> int | None:
        """Length of the whole stream in bytes, if the storage told it."""
        return self._size

    @property
    def closed(self) -> bool:
        """True once the stream is closed."""
        return self._reader is None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True if ``seek`` works."""
        return self._seekable

    def tell(self) -> int:
        """Return the position in bytes from where the stream was opened."""
        self._open()
        return self._fetched - (len(self._buffer) - self._used)

    async def read(self, n: int | None = -1) -> bytes:
        """Return ``n`` bytes, fewer only at the end; all that is left if ``n`` is negative or None.

        Raises:
            ValueError: the stream is closed.
            RemoteStoreError: the storage failed, or the file changed since it was opened.
        """
        if n is None or n < 0:
            return await self.readall()
        data = self._take(n)
        if len(data) == n:
            return data
        parts = [data] if data else []
        missing = n - len(data)
        while missing > 0:
            chunk = await self._fetch(missing)
            if not chunk:
                break
            parts.append(chunk)
            missing -= len(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def readall(self) -> bytes:
        """Return all that is left; it is in memory once. Raises as ``read`` does."""
        return await gathered(self._fetch, self._take(len(self._buffer)))

    async def readinto(self, buffer: WritableBuffer) -> int:
        """Fill a writable buffer; return how many bytes, fewer than fit only at the end.

        Raises:
            ValueError: the stream is closed.
            RemoteStoreError: the storage failed, or the file changed since it was opened.
        """
        view = memoryview(buffer).cast("B")
        reader = self._open()
        count = self._take_into(view) if self._buffer else 0
        try:  # not "with located", which would cost as much as the rest
            while count < len(view):
                got = await reader.readinto(view[count:] if count else view)
                if not got:
                    break
                self._fetched += got
                count += got
        except RemoteStoreError as error:
            locate(self._scope, error, ((self._key, self._path),))
            raise
        return count

    def _take_into(self, view: memoryview) -> int:
        data = self._take(len(view))
        view[: len(data)] = data
        return len(data)

    async def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position in bytes and return it, counted as by ``tell``.

        Raises:
            ValueError: the position is negative, or the stream is closed.
            CapabilityNotSupported: the stream is not seekable; ``open_read`` gives one that is.
        """
        reader = self._open()
        position = self._target(offset, whence)
        start = self._fetched - len(self._buffer)
        if start <= position <= self._fetched:
            self._used = position - start
            return position
        with located(self._scope, (self._key, self._path)):
            await reader.seek(position)
        self._buffer, self._used, self._fetched = b"", 0, position
        return position

    def _target(self, offset: int, whence: int) -> int:
        if not self._seekable:
            raise CapabilityNotSupported(
                "this stream cannot seek; use open_read()", path=str(self._path), capability="seek"
            )
        if whence == io.SEEK_SET:
            base = 0
        elif whence == io.SEEK_CUR:
            base = self.tell()
        elif whence == io.SEEK_END and self._size is not None:
            base = self._size
        else:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        if base + offset < 0:
            raise ValueError(f"cannot seek to the negative position {base + offset}")
        return base + offset

    async def copy_to(self, sink: Sink) -> int:
        """Write all that is left to a binary file, blocking or async, and return the byte count."""
        total = 0
        async for chunk in self:
            if inspect.iscoroutinefunction(sink.write):
                await sink.write(chunk)
            else:
                await _runtime.user_call(_write_all, sink, chunk)
            total += len(chunk)
        return total

    async def aclose(self) -> None:
        """Release what the stream holds. Closing twice is fine."""
        reader, self._reader = self._reader, None
        self._buffer = b""
        if reader is not None:
            with located(self._scope, (self._key, self._path)):
                await reader.aclose()

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk: up to 1 MiB, however the content was written."""
        chunk = self._take(CHUNK_SIZE) or await self._fetch(CHUNK_SIZE)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def _open(self) -> Reader:
        if self._reader is None:
            raise ValueError("I/O operation on closed stream")
        self._scope.require_open()
        return self._reader

    def _take(self, n: int) -> bytes:
        """Return up to ``n`` bytes that are there already."""
        self._open()
        data = self._buffer[self._used : self._used + n]
        self._used += len(data)
        return data

    async def _fetch(self, n: int) -> bytes:
        """Return up to ``n`` bytes from the storage; a small read fetches some more and keeps it."""
        reader = self._open()
        with located(self._scope, (self._key, self._path)):
            chunk = await reader.read(max(n, READ_SIZE))
        self._fetched += len(chunk)
        if len(chunk) <= n:
            self._buffer, self._used = b"", 0
            return chunk
        self._buffer, self._used = chunk, n
        return chunk[:n]


def _write_all(sink: Sink, data: bytes) -> None:
    """Write all of the data to a blocking file, which may take less than offered if it is unbuffered."""
    rest = memoryview(data)
    while rest:
        count = sink.write(bytes(rest) if len(rest) < len(data) else data)
        rest = rest[count if isinstance(count, int) else len(rest) :]
