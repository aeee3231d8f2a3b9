"""Reading and writing files."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from .._types import AsyncContent
from ..backend import abandon
from ..capabilities import Capability
from ..errors import RemoteStoreError
from ..models import WriteOptions, WriteResult
from ..paths import PathLike
from ._content import as_buffer, chunks_of
from ._read_stream import AsyncReadStream
from ._reopen import ReopeningReader
from ._scope import locate, located
from ._store_base import StoreBase
from ._write_stream import AsyncWriteStream


class StoreContent(StoreBase):
    """Reading and writing. Part of ``AsyncStore``."""

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

    async def write(
        self,
        path: PathLike,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        if_match: str | None = None,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        """Write a file; missing parents come into being.

        If the content's source fails, or the call is cancelled, the target stays as it was
        and nothing is left behind. Of several that create the same file at the same time
        without ``overwrite``, exactly one succeeds.

        Args:
            path: the file.
            content: bytes or another buffer, a binary file (read from where it stands), or
                an iterable of buffers. Errors raised by it pass through unchanged.
            overwrite: replace the file if it exists.
            if_match: replace the file only if it still has this ``etag``, as ``FileInfo`` or
                ``WriteResult`` told it, whatever ``overwrite`` says.
            options: what to store beside the content, where the storage can.

        Raises:
            AlreadyExists: the file exists and ``overwrite`` is False.
            PreconditionFailed: the file is not the version that ``if_match`` names, or is gone.
            CapabilityNotSupported: the storage cannot do what ``if_match`` or ``options`` ask.
            InvalidPath: a folder is there, a parent is a file, or the path is malformed.
            TypeError: the content is text, or nothing that gives bytes.
        """
        self._scope.require(Capability.WRITE)
        return await self._write(path, content, overwrite, False, self._wanted(if_match, options))

    async def write_atomic(
        self,
        path: PathLike,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        if_match: str | None = None,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        """Write a file so that no reader ever sees a part of it, even if this process is killed.

        Arguments and errors are those of ``write``. Never falls back to a plain write.
        """
        self._scope.require(Capability.ATOMIC_WRITE)
        return await self._write(path, content, overwrite, True, self._wanted(if_match, options))

    async def write_text(
        self,
        path: PathLike,
        text: str,
        *,
        encoding: str = "utf-8",
        errors: str = "strict",
        overwrite: bool = False,
        if_match: str | None = None,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        """Write text to a file; line ends are left as they are. Raises as ``write`` does.

        Raises:
            TypeError: ``text`` is no str.
            UnicodeEncodeError: the text has characters that the encoding lacks.
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be str, not {type(text).__name__}; write() takes bytes")
        data = text.encode(encoding, errors)
        return await self.write(path, data, overwrite=overwrite, if_match=if_match, options=options)

    def open_write(
        self,
        path: PathLike,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        if_match: str | None = None,
        options: WriteOptions | None = None,
    ) -> AsyncWriteStream:
        """Return a stream to write a file piece by piece; use it as a context manager.

        Leaving the block cleanly commits the file; leaving it by an exception leaves the
        target as it was. ``atomic`` demands what ``write_atomic`` promises. Raises as
        ``write`` does, when the block is entered and when it is left.
        """
        self._scope.require(Capability.ATOMIC_WRITE if atomic else Capability.WRITE)
        wanted = self._wanted(if_match, options)
        return AsyncWriteStream(self._scope, self._scope.file_key(path), path, overwrite, atomic, wanted)

    def _wanted(self, if_match: str | None, options: WriteOptions | None) -> WriteOptions | None:
        """Return the options to hand down, if any; refuse what the storage cannot do."""
        if if_match is None and options is None:
            return None
        if options is not None and not isinstance(options, WriteOptions):
            raise TypeError(f"options must be WriteOptions, not {type(options).__name__}")
        options = options or WriteOptions()
        if if_match is not None:
            options = replace(options, if_match=if_match)
        able, name = self._scope.backend.capabilities, self._scope.backend.name
        if options.if_match is not None:
            able.require(Capability.CONDITIONAL_WRITE, backend=name)
        if options.stores:
            able.require(Capability.WRITE_OPTIONS, backend=name)
        return options

    async def _write(
        self, path: PathLike, content: object, overwrite: bool, atomic: bool, options: WriteOptions | None
    ) -> WriteResult:
        key = self._scope.file_key(path)
        view = as_buffer(content)
        if view is None:
            return await self._write_stream(path, key, content, overwrite, atomic, options)
        with located(self._scope, (key, path)):
            result = await self._scope.backend.write_bytes(
                key, view, overwrite=overwrite, atomic=atomic, options=options
            )
        return self._scope.result(result)

    async def _write_stream(
        self,
        path: PathLike,
        key: str,
        content: object,
        overwrite: bool,
        atomic: bool,
        options: WriteOptions | None,
    ) -> WriteResult:
        # Errors of the content's source are the caller's own: only the writer's calls are located.
        here = located(self._scope, (key, path))
        async with aclosing(chunks_of(content)) as chunks:
            with here:
                writer = await self._scope.backend.open_write(
                    key, overwrite=overwrite, atomic=atomic, options=options
                )
            try:
                async for chunk in chunks:
                    with here:
                        await writer.write(chunk)
                with here:
                    return self._scope.result(await writer.commit())
            except BaseException as error:
                await abandon(writer, error)
                raise


def _check_range(start: int, length: int | None) -> None:
    for name, value in (("start", start), ("length", length)):
        if value is None and name == "length":
            continue
        if not isinstance(value, int):
            raise TypeError(f"{name} must be int, not {type(value).__name__}")
        if value < 0:
            raise ValueError(f"{name} must be 0 or more bytes, not {value}")
