"""Open files, over the parts of a file or a write stream of a store."""

from __future__ import annotations

import io
import warnings
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, Final

from fsspec.spec import AbstractBufferedFile
from fsspec.transaction import Transaction

from ..._async import AsyncWriteStream
from ..._runtime import drive
from ..._types import Buffer
from ...errors import InvalidPath, RemoteStoreError
from ...models import WriteOptions
from .._closing import Closing
from .._parts import Parts
from ._errors import refuse
from ._places import Place

REQUEST_BYTES: Final = 1 << 22
"""Bytes asked for at least where each part is a request, and gathered before they are sent."""
HELD_BYTES: Final = 1 << 18
"""Bytes read at least from a file that is held open."""


async def begin(place: Place, overwrite: bool, options: WriteOptions | None) -> AsyncWriteStream:
    """Open a file for writing.

    Raises:
        AlreadyExists: it is there, and must not be.
        IsAFolder, NotAFolder: it cannot be there.
    """
    try:
        return await place.store.open_write(place.key, overwrite=overwrite, options=options).__aenter__()
    except InvalidPath as error:
        return await refuse(place, error)


class RemoteStoreFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """A file, open for reading (``rb``) or writing (``wb``, ``xb``).

    What is written is there, whole, once the file is closed; closing it because of an
    exception, ``discard()``, and dropping the file leave what was there before.

    Args:
        details: of a file to read, what the store and fsspec know of it; of one to write, its options.
    """

    def __init__(self, fs: Any, path: str, place: Place, details: Any, **options: Any) -> None:
        self._parts: Parts | None = None
        self._stream: AsyncWriteStream | None = None
        self._closing = Closing()
        self.whole = False  # what was written has all been passed on, which closing the file does
        mode = options["mode"]
        if mode == "rb":
            info, self._details = details
            self._parts = drive(Parts.of(place.store, place.key, info))
            options["size"] = self._details["size"] = self._parts.size
            self.DEFAULT_BLOCK_SIZE = REQUEST_BYTES if info.etag is not None else HELD_BYTES
        else:
            self.DEFAULT_BLOCK_SIZE = REQUEST_BYTES
            self._stream = drive(begin(place, mode == "wb", details))
        super().__init__(fs, path, **options)
        if self._parts is not None:  # not by the file: in a circle, it would be held when it is dropped
            self.cache.fetcher = partial(_fetch, self._parts)

    def _fetch_range(self, start: int, end: int) -> bytes:
        assert self._parts is not None
        return _fetch(self._parts, start, end)

    def _upload_chunk(self, final: bool = False) -> bool:
        assert self._stream is not None
        with self.buffer.getbuffer() as data:
            drive(self._stream.write(data))
        self.whole = final
        if final and self.autocommit:
            self.commit()
        return True

    def commit(self) -> None:
        """Put the file under its name. Within a transaction its end does this.

        Raises:
            AlreadyExists: it was opened with ``xb``, and somebody else was faster.
            RemoteStoreError: the storage failed, or the file was not closed before; what was there
                before is there still.
        """
        if self._stream is None:
            return
        if not (self.whole or self.closed):
            self.discard()
            raise unclosed(self.path)
        drive(self._stream.__aexit__(None, None))

    def discard(self) -> None:
        """Forget what was written; what was there before is there still."""
        self.closed = True
        if self._stream is not None:
            drive(self._stream.__aexit__(InterruptedError, InterruptedError("discarded")))

    def close(self) -> None:
        """Close the file; one that was written is committed, unless a transaction will do so.

        Raises:
            BaseException: the one that is being raised, if the file is closed because of it.
                It is not stored then.
        """
        if self._stream is not None and not self.closed:
            failure = self._closing.failure(self.path)
            if failure is not None:
                self.discard()
                raise failure
        try:
            super().close()
        finally:
            if self._parts is not None:
                drive(self._parts.aclose())

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is not None and self._stream is not None:
            self.discard()
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


def _fetch(parts: Parts, start: int, end: int) -> bytes:
    return drive(parts.read(start, end - start))


def unclosed(path: str) -> RemoteStoreError:
    text = "the file was not closed before its transaction ended, so it is not stored; close it there"
    return RemoteStoreError(text, path=path)


class WholeFiles(Transaction):  # type: ignore[misc]
    """A transaction that stores nothing where a file was left unclosed: its content is not all here.

    It ends however its files do, as that of fsspec 2024.12 does not.
    """

    fs: Any

    def complete(self, commit: bool = True) -> None:
        left = next((file for file in self.files if not file.closed), None) if commit else None
        try:
            while commit and left is None and self.files:
                self.files.popleft().commit()
            _discard(self.files)
        finally:
            with suppress(Exception):  # the error of the commit is the one to tell
                _discard(self.files)
            self.fs._intrans = False
            self.fs._transaction = self.fs = None
        if left is not None:
            raise unclosed(left.path)


def _discard(files: deque[RemoteStoreFile]) -> None:
    """Discard all files, also where it fails for some. Raises the first such error."""
    try:
        while files:
            files.popleft().discard()
    finally:
        if files:
            _discard(files)


class Compressed(io.BufferedIOBase):
    """A file that is written through a compressor, which would not close it."""

    def __init__(self, compressor: BinaryIO, file: RemoteStoreFile) -> None:
        self._compressor, self._file = compressor, file

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        return self._compressor.write(data)

    def flush(self) -> None:
        if not self._compressor.closed:
            self._compressor.flush()

    def close(self) -> None:
        if not self.closed:
            try:
                self._compressor.close()
            finally:
                super().close()
                self._file.close()

    def __del__(self) -> None:
        """Do nothing: a file that is dropped is not stored."""


class Text(io.TextIOWrapper):
    """A file that is written as text."""

    def __del__(self) -> None:
        """Do nothing: it would be closed, and so stored, where it is dropped after an error."""
