"""What ``write`` accepts, brought to one form: buffers of a useful size."""

from __future__ import annotations

import inspect
import io
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any, Final, cast

from .. import _runtime
from ..backend import CHUNK_SIZE

_PULL_SECONDS: Final = 0.01
_ACCEPTED: Final = (
    "content must be bytes or another buffer, a binary file, or an iterable of buffers, blocking or async"
)


def as_buffer(content: object) -> memoryview | None:
    """Return a flat view if content is a buffer, None if it is something else to read from."""
    if isinstance(content, str):
        raise TypeError("content must be bytes, not str; encode it, or use write_text()")
    if isinstance(content, bytes):
        return memoryview(content)
    try:
        view = memoryview(cast(bytes, content))
    except TypeError:
        return None
    if not view.c_contiguous:
        raise TypeError("content must be a contiguous buffer; copy it with bytes(content) first")
    if not view.nbytes:
        return memoryview(b"")
    try:
        return view.cast("B")
    except (TypeError, ValueError, NotImplementedError):  # items of a format that Python has no name for
        from pickle import PickleBuffer

        # Of the content, not of the view: a view that lends its memory crashes the interpreter
        # when the garbage collector finds it in a cycle.
        return PickleBuffer(cast(bytes, content)).raw()


def chunks_of(content: object) -> AsyncGenerator[bytes | memoryview, None]:
    """Return the chunks of content that is no buffer.

    Raises:
        TypeError: it is nothing to read bytes from. Raised before anything is read.
    """
    if isinstance(content, io.TextIOBase):
        raise TypeError("content is a file in text mode; open it in binary mode, as in open(path, 'rb')")
    read = getattr(content, "read", None)
    is_async = inspect.iscoroutinefunction(read) if callable(read) else hasattr(content, "__aiter__")
    if is_async and _runtime.blocking():
        raise TypeError("async content needs the async store; pass blocking content here")
    if callable(read):
        return _async_file(read) if is_async else _file(read)
    if is_async:
        return _async_pieces(content)
    if hasattr(content, "__iter__"):
        return _pieces(iter(cast(Any, content)))
    raise TypeError(f"{_ACCEPTED}, not {type(content).__name__}")


async def _file(read: Callable[[int], Any]) -> AsyncGenerator[bytes | memoryview, None]:
    while chunk := _checked(await _runtime.user_call(read, CHUNK_SIZE)):
        yield chunk


async def _async_file(read: Callable[[int], Awaitable[Any]]) -> AsyncGenerator[bytes | memoryview, None]:
    while chunk := _checked(await read(CHUNK_SIZE)):
        yield chunk


async def _pieces(pieces: Iterator[Any]) -> AsyncGenerator[bytes | memoryview, None]:
    ended = False
    while not ended:
        batch, ended = await _runtime.user_call(_pull, pieces, _runtime.small())
        for chunk in _sliced(batch):
            yield chunk


def _pull(pieces: Iterator[Any], enough: int) -> tuple[list[memoryview], bool]:
    """Take pieces until they are worth a step, or a moment has passed."""
    batch: list[memoryview] = []
    size = 0
    until = time.monotonic() + _PULL_SECONDS
    for piece in pieces:
        batch.append(_kept(piece, enough))
        size += len(batch[-1])
        if size >= enough or time.monotonic() >= until:
            return batch, False
    return batch, True


async def _async_pieces(pieces: Any) -> AsyncGenerator[bytes | memoryview, None]:
    batch: list[memoryview] = []
    size = 0
    try:
        async for piece in pieces:
            batch.append(_kept(piece, _runtime.small()))
            size += len(batch[-1])
            if size >= _runtime.small():
                for chunk in _sliced(batch):
                    yield chunk
                batch, size = [], 0
        for chunk in _sliced(batch):
            yield chunk
    finally:
        if inspect.isasyncgen(pieces):
            await pieces.aclose()  # nobody else will: the caller gave it away


def _sliced(batch: list[memoryview]) -> Iterator[bytes | memoryview]:
    """Join small pieces and cut large ones, so that each step is neither tiny nor long."""
    if len(batch) > 1:
        batch = [memoryview(b"".join(batch))]
    for piece in batch:
        for offset in range(0, len(piece), CHUNK_SIZE):
            yield piece[offset : offset + CHUNK_SIZE]


def _kept(piece: object, enough: int) -> memoryview:
    """Return a view of a piece that stays right although its source goes on.

    A source may fill the same buffer anew for each piece, or resize it, which fails while
    there is a view of it. A large piece is handed on before the source is asked again.
    """
    view = _checked(piece)
    stays = isinstance(piece, bytes) or (len(view) >= enough and not isinstance(piece, bytearray))
    return view if stays else memoryview(bytes(view))


def _checked(piece: object) -> memoryview:
    if isinstance(piece, str):
        raise TypeError(
            "content gave text (str) where bytes are needed; open the file in binary mode, or encode it"
        )
    view = None if piece is None else as_buffer(piece)
    if view is None:
        raise TypeError(f"content gave {type(piece).__name__} where bytes are needed")
    return view
