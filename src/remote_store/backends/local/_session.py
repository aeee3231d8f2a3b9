"""Streams over open files: each chunk is one leaf."""

from __future__ import annotations

from ... import _runtime
from ..._types import Buffer
from ...backend import Reader, Writer
from ...models import WriteResult
from ._errors import CAUGHT, raise_ours
from ._read import Handle, part_size
from ._write import TempFile


class LocalReader(Reader):
    """Reads one opened version of a file, from any position."""

    seekable = True

    def __init__(self, handle: Handle, start: int, length: int | None) -> None:
        self._handle = handle
        self._start = start
        self._position = 0
        self.size: int = part_size(handle.size, start, length)
        self.version = handle.version

    async def read(self, n: int) -> bytes:
        count = max(0, min(n, self.size - self._position))
        if not count:
            return b""
        try:
            data = await _runtime.in_thread(self._handle.pread, count, self._start + self._position)
        except CAUGHT as error:
            raise_ours(error, self._handle.key)
        self._position += len(data)
        return data

    async def readinto(self, buffer: memoryview) -> int:
        count = max(0, min(len(buffer), self.size - self._position))
        if not count:
            return 0
        try:
            got = await _runtime.in_thread(
                self._handle.preadinto, buffer[:count], self._start + self._position
            )
        except CAUGHT as error:
            raise_ours(error, self._handle.key)
        self._position += got
        return got

    async def seek(self, position: int) -> None:
        self._position = position

    async def aclose(self) -> None:
        await _runtime.shielded(self._handle.close)


class LocalWriter(Writer):
    """Feeds a temporary file that takes its name on commit."""

    def __init__(self, file: TempFile, key: str) -> None:
        self._file, self._key = file, key

    async def write(self, data: Buffer) -> None:
        try:
            await _runtime.in_thread(self._file.write, data)
        except CAUGHT as error:
            raise_ours(error, self._key)

    async def commit(self) -> WriteResult:
        try:
            return await _runtime.in_thread(self._file.commit)
        except CAUGHT as error:
            raise_ours(error, self._key)

    async def abort(self) -> None:
        await _runtime.shielded(self._file.abort)
