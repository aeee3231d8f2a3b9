"""What may be handed to ``write``, as types."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import Protocol, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Any contiguous object with the buffer protocol is taken at run time."""


class Readable(Protocol):
    """A binary file whose ``read`` blocks: ``open(p, "rb")``, ``io.BytesIO``, a socket file."""

    def read(self, n: int, /) -> bytes: ...


class AsyncReadable(Protocol):
    """A binary file whose ``read`` is awaited: aiofiles, anyio, trio, this library's own streams."""

    def read(self, n: int, /) -> Awaitable[bytes]: ...


class Sink(Protocol):
    """A binary file that is written to, blocking or awaited."""

    def write(self, data: bytes, /) -> object: ...


Content: TypeAlias = Buffer | Readable | Iterable[Buffer]
AsyncContent: TypeAlias = Content | AsyncReadable | AsyncIterable[Buffer]
