"""What may be handed to ``write``, and to transfers of many files, as types."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from .models import FileInfo, RemoteFile
    from .paths import PathLike
    from .transfer.plan import PlanItem

    Buffer: TypeAlias = ReadableBuffer
    WritableBuffer: TypeAlias = WriteableBuffer
else:
    # Python 3.11 has no name for the buffer protocol at run time
    Buffer: TypeAlias = bytes | bytearray | memoryview
    WritableBuffer: TypeAlias = bytearray | memoryview


def whole(view: memoryview) -> bytes:
    """Return the bytes of a flat view; where it shows all of a ``bytes`` object, that one, uncopied."""
    owner = view.obj
    return owner if type(owner) is bytes and len(owner) == view.nbytes else bytes(view)


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

Paths: TypeAlias = "Iterable[PathLike | FileInfo | RemoteFile]"
AsyncPaths: TypeAlias = "Paths | AsyncIterable[PathLike | FileInfo | RemoteFile]"
Items: TypeAlias = "Iterable[tuple[PathLike, Buffer]]"
AsyncItems: TypeAlias = "Items | AsyncIterable[tuple[PathLike, Buffer]]"
Plan: TypeAlias = "Iterable[PlanItem]"
AsyncPlan: TypeAlias = "Plan | AsyncIterable[PlanItem]"
