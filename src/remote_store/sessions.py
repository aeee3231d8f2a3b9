"""What a backend opens: a file that is read, one that is written, a listing. Each method is a leaf.

Dropping one releases what it holds; dropping a writer undoes it.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Self

from ._types import Buffer
from .errors import CapabilityNotSupported, RemoteStoreError
from .models import Entry, WriteResult

CHUNK_SIZE: Final = 1 << 20
"""Bytes that move in one step of a stream, unless the caller asks for another size."""


class Reader(ABC):
    """One open file, read from front to back, or anywhere where ``seekable``.

    A reader delivers one version of the file. If the file changes under it, it raises
    ``RemoteStoreError`` rather than mix two. Dropping a reader releases what it holds.
    """

    seekable: bool = False
    size: int | None = None
    """Bytes between position 0 and the end, if known."""
    version: str | None = None
    """Opaque token of the version being read, the same for every reader of that version."""

    @abstractmethod
    async def read(self, n: int) -> bytes:
        """Return the next bytes: at least one and at most ``n``; ``b""`` only at the end."""

    async def readinto(self, buffer: memoryview) -> int:
        """Fill a writable buffer from the front; return how many bytes; 0 only at the end."""
        data = await self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def seek(self, position: int) -> None:
        """Continue at ``position``, counted in bytes from where the reader was opened."""
        raise CapabilityNotSupported("this stream cannot seek; use open_read()", capability="seek")

    @abstractmethod
    async def aclose(self) -> None:
        """Release what the reader holds. Closing twice is fine."""


class Writer(ABC):
    """One file being written. It appears under its name at ``commit``, whole or not at all.

    A writer that is dropped without ``commit`` leaves nothing behind.
    """

    @abstractmethod
    async def write(self, data: Buffer) -> None:
        """Take all of the data; it may be reused by the caller as soon as this returns."""

    @abstractmethod
    async def commit(self) -> WriteResult:
        """Make the file visible.

        Raises:
            AlreadyExists: somebody else created it meanwhile, and ``overwrite`` was not given.
        """

    @abstractmethod
    async def abort(self) -> None:
        """Undo everything. Runs to its end although the task is cancelled; harmless after commit."""


async def abandon(writer: Writer, error: BaseException) -> None:
    """Abort a writer because of an error, which stays the one to raise even if aborting fails too."""
    try:
        await writer.abort()
    except RemoteStoreError as failure:
        error.add_note(f"undoing the write failed too: {failure}")


class Pages(ABC):
    """A listing under way: an async iterator of pages, each a list of bounded size.

    Dropping it releases what it holds.
    """

    def __aiter__(self) -> Self:
        return self

    @abstractmethod
    async def __anext__(self) -> list[Entry]:
        """Return the next page; it may be empty although more follow."""

    async def aclose(self) -> None:  # noqa: B027 - nothing to release is a valid answer
        """Release what the listing holds. Closing twice is fine."""


async def gathered(
    read: Callable[[int], Awaitable[bytes]], first: bytes = b"", size: int = CHUNK_SIZE
) -> bytes:
    """Return what has been read already and all that ``read`` still gives, in memory once.

    ``size`` is how many bytes are asked for at a time.
    """
    buffer = io.BytesIO(first)
    buffer.seek(len(first))
    while chunk := await read(size):
        buffer.write(chunk)
    return buffer.getvalue()  # its own buffer: joining chunks would need the room twice


async def filled(
    readinto: Callable[[memoryview], Awaitable[int]], size: int, first: bytes = b"", step: int = CHUNK_SIZE
) -> bytes:
    """Return ``size`` bytes, those that have been read already and the rest, read to where they stay.

    ``step`` is how many bytes are asked for at a time. What ends early is returned as far as it goes.

    Raises:
        RemoteStoreError: there is no memory for so many.
    """
    memory, at = room_for(size), len(first)
    with memory.getbuffer() as view:
        view[:at] = first
        while at < size:
            with view[at : at + step] as piece:
                if not (got := await readinto(piece)):
                    break
            at += got
    memory.truncate(at)
    return memory.getvalue()  # no copy


def room_for(size: int) -> io.BytesIO:
    """Return memory of so many bytes, all of it zeros. Raises RemoteStoreError if there is not so much."""
    try:
        return io.BytesIO(bytes(size))
    except (MemoryError, OverflowError) as error:
        raise RemoteStoreError(
            f"the file has {size:,} bytes, for which there is no memory; read it as a stream"
        ) from error


def placed(pieces: Iterable[bytes], buffer: memoryview) -> int:
    """Copy pieces into a buffer, one behind the other; return how many bytes that is."""
    at = 0
    for piece in pieces:
        buffer[at : at + len(piece)] = piece
        at += len(piece)
    return at
