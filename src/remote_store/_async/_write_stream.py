"""The stream that ``open_write`` yields, over a backend's writer."""

from __future__ import annotations

from typing import Self

from .. import _runtime
from .._types import Buffer
from ..backend import CHUNK_SIZE, Writer, abandon
from ..errors import RemoteStoreError
from ..models import WriteOptions, WriteResult
from ..paths import PathLike
from ._content import as_buffer
from ._scope import Scope, locate, located


class AsyncWriteStream:
    """A file being written; use it as a context manager.

    Leaving the block cleanly commits the file under its name, whole. Leaving it by an
    exception, or dropping the stream, leaves the target as it was. Closing the stream
    inside the block (as wrappers such as ``TextIOWrapper`` do) ends the writing, and
    the commit still waits for the clean exit.
    """

    def __init__(
        self,
        scope: Scope,
        key: str,
        path: PathLike,
        overwrite: bool,
        atomic: bool,
        options: WriteOptions | None,
    ) -> None:
        self._scope, self._key, self._path = scope, key, path
        self._overwrite, self._atomic, self._options = overwrite, atomic, options
        self._writer: Writer | None = None
        self._buffer = bytearray()
        self._count = 0
        self._ended = False
        self._broken = False
        self._result: WriteResult | None = None

    @property
    def name(self) -> str:
        """The path that is written, as the caller wrote it."""
        return str(self._path)

    @property
    def result(self) -> WriteResult | None:
        """What the storage said about the file; None until it is committed."""
        return self._result

    @property
    def closed(self) -> bool:
        """True once nothing more can be written."""
        return self._ended

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written so far."""
        return self._count

    async def write(self, data: Buffer) -> int:
        """Take all of a buffer and return its length in bytes.

        Raises:
            TypeError: the data is no buffer.
            ValueError: the stream is closed, or not entered with ``with`` yet.
            RemoteStoreError: the storage failed.
        """
        writer = self._open()
        view = as_buffer(data)
        if view is None:
            raise TypeError(f"write() needs bytes or another buffer, not {type(data).__name__}")
        self._broken = True  # until it is known that all of it went down
        small = _runtime.small()
        if len(view) < small:
            self._buffer += view
            if len(self._buffer) >= small:
                await self._flush(writer)
        else:
            if self._buffer:
                await self._flush(writer)
            await self._send(writer, view)
        self._broken = False
        self._count += len(view)
        return len(view)

    async def aclose(self) -> None:
        """End the writing; the commit follows when the ``with`` block is left cleanly."""
        self._ended = True

    async def __aenter__(self) -> Self:
        if self._writer is not None or self._ended:
            raise ValueError("a write stream can be entered only once; call open_write() again")
        self._scope.require_open()
        with located(self._scope, (self._key, self._path)):
            self._writer = await self._scope.backend.open_write(
                self._key, overwrite=self._overwrite, atomic=self._atomic, options=self._options
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, *traceback: object
    ) -> None:
        writer, self._writer, self._ended = self._writer, None, True
        if writer is None:
            return
        if error is not None:
            await abandon(writer, error)
            return
        try:
            self._scope.require_open()
            self._require_whole()
            if self._buffer:
                await self._flush(writer)
            with located(self._scope, (self._key, self._path)):
                self._result = self._scope.result(await writer.commit())
        except BaseException as failure:
            await abandon(writer, failure)
            raise

    def _open(self) -> Writer:
        if self._ended:
            raise ValueError("I/O operation on closed stream")
        if self._writer is None:
            raise ValueError("enter the stream first: with store.open_write(path) as stream")
        self._scope.require_open()
        self._require_whole()
        return self._writer

    def _require_whole(self) -> None:
        if self._broken:
            raise RemoteStoreError(
                "an earlier write to this stream failed or was cancelled, so the file is not stored;"
                " write it again from the start",
                path=str(self._path),
                backend=self._scope.backend.name,
            )

    async def _flush(self, writer: Writer) -> None:
        data, self._buffer = self._buffer, bytearray()
        await self._send(writer, memoryview(data))

    async def _send(self, writer: Writer, data: memoryview) -> None:
        try:  # not "with located", which would cost as much as the rest
            if len(data) <= CHUNK_SIZE:
                await writer.write(data)
                return
            for offset in range(0, len(data), CHUNK_SIZE):
                await writer.write(data[offset : offset + CHUNK_SIZE])
        except RemoteStoreError as error:
            locate(self._scope, error, ((self._key, self._path),))
            raise
