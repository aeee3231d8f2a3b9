"""Open files.

A file that is read is pinned to one version. Where the storage tells an ETag, each part is a
request of its own, whose answer has to be of that version; elsewhere the file is held open.
A file that is written goes to the store piece by piece, and is there once it is closed.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, Final, Protocol

from fsspec.spec import AbstractBufferedFile

from ..._async import AsyncReadStream, AsyncStore, AsyncWriteStream
from ..._runtime import drive
from ...errors import InvalidPath, PreconditionFailed
from ...models import FileInfo
from ._errors import refuse
from ._places import Place

REQUEST_BYTES: Final = 1 << 22
"""Bytes asked for at least where each part is a request, and gathered before they are sent."""
HELD_BYTES: Final = 1 << 18
"""Bytes read at least from a file that is held open."""


class Source(Protocol):
    """Where the content of an open file comes from."""

    size: int

    async def fetch(self, start: int, end: int) -> bytes:
        """Return the bytes from one position up to another."""

    async def aclose(self) -> None:
        """Release what is held."""


class Parts:
    """Each part is asked for by itself, and has to be of the version that was found first."""

    def __init__(self, place: Place, info: FileInfo) -> None:
        self._place, self._version, self.size = place, info.etag, info.size

    async def fetch(self, start: int, end: int) -> bytes:
        stream = await self._place.store.read(self._place.key, start=start, length=end - start)
        try:
            assert stream._reader is not None
            if stream._reader.version not in (None, self._version):
                raise PreconditionFailed(
                    "the file was changed while it was being read; open it again", path=self._place.name
                )
            return await stream.readall()
        finally:
            await stream.aclose()

    async def aclose(self) -> None:
        pass


class Held:
    """One version, held open."""

    def __init__(self, stream: AsyncReadStream, size: int) -> None:
        self._stream, self.size = stream, size

    async def fetch(self, start: int, end: int) -> bytes:
        await self._stream.seek(start)
        return await self._stream.read(end - start)

    async def aclose(self) -> None:
        await self._stream.aclose()


async def source_of(place: Place, info: FileInfo) -> Source:
    """Open a file for reading."""
    if info.etag is not None:
        return Parts(place, info)
    stream = await place.store.open_read(place.key)
    return Held(stream, info.size if stream.size is None else stream.size)


async def begin(store: AsyncStore, place: Place, overwrite: bool) -> AsyncWriteStream:
    """Open a file for writing.

    Raises:
        AlreadyExists: it is there, and must not be.
        IsAFolder, NotAFolder: it cannot be there.
    """
    try:
        return await store.open_write(place.key, overwrite=overwrite).__aenter__()
    except InvalidPath as error:
        return await refuse(place, error)


class RemoteStoreFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """A file, open for reading (``rb``) or writing (``wb``, ``xb``).

    What is written is there, whole, once the file is closed; a ``with`` block that is left by
    an exception, ``discard()``, and dropping the file leave what was there before.
    """

    def __init__(self, fs: Any, path: str, place: Place, details: Any, **options: Any) -> None:
        self._source: Source | None = None
        self._stream: AsyncWriteStream | None = None
        self._doomed = False
        mode = options["mode"]
        if mode == "rb":
            info, self._details = details
            self._source = drive(source_of(place, info))
            options["size"] = self._details["size"] = self._source.size
            self.DEFAULT_BLOCK_SIZE = REQUEST_BYTES if info.etag is not None else HELD_BYTES
        else:
            self.DEFAULT_BLOCK_SIZE = REQUEST_BYTES
            self._stream = drive(begin(place.store, place, mode == "wb"))
        super().__init__(fs, path, **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        assert self._source is not None
        return drive(self._source.fetch(start, end)) if end > start else b""

    def _upload_chunk(self, final: bool = False) -> bool:
        assert self._stream is not None
        with self.buffer.getbuffer() as data:
            drive(self._stream.write(data))
        if final and self.autocommit:
            self.commit()
        return True

    def commit(self) -> None:
        """Put the file under its name. Within a transaction its end does this.

        Raises:
            AlreadyExists: it was opened with ``xb``, and somebody else was faster.
            RemoteStoreError: the storage failed; what was there before is there still.
        """
        if self._stream is not None:
            drive(self._stream.__aexit__(None, None))

    def discard(self) -> None:
        """Forget what was written; what was there before is there still."""
        self.closed = True
        if self._stream is not None:
            drive(self._stream.__aexit__(InterruptedError, InterruptedError("discarded")))

    def doom(self) -> None:
        """Let ``close`` forget what was written."""
        self._doomed = True

    def close(self) -> None:
        """Close the file; one that was written is committed, unless a transaction will do so."""
        if self._stream is not None and self._doomed and not self.closed:
            self.discard()
            return
        try:
            super().close()
        finally:
            source, self._source = self._source, None
            if source is not None:
                drive(source.aclose())

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is not None:
            self.doom()
        self.close()

    def __del__(self) -> None:
        if self.closed:
            return
        if self._stream is None:
            self.close()
        else:
            self.closed = True  # dropping the stream undoes it
            text = f"{self.path!r} was not closed after it was written, so it is not stored"
            warnings.warn(text, ResourceWarning, source=self, stacklevel=2)


class TextFile(io.TextIOWrapper):
    """A file in text mode; leaving its ``with`` block by an exception forgets what was written."""

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        if kind is not None and isinstance(self.buffer, RemoteStoreFile):
            self.buffer.doom()
        super().__exit__(kind, *rest)
