"""Streams over open files: each chunk is one leaf."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Final

from ... import _runtime
from ..._types import Buffer
from ...backend import Reader, Writer
from ...models import WriteResult
from ...sessions import room_for
from ._errors import CAUGHT, raise_ours
from ._read import WHOLE_LIMIT, Handle, part_size, read_into
from ._root import Root
from ._write import TempFile

AHEAD_LEAST: Final = 1 << 16
"""Reading less than this ahead saves no time."""


class LocalReader(Reader):
    """Reads one opened version of a file, from any position.

    Who reads large pieces in order finds the next one read already: the disk works
    while the caller does. For a blocking caller, there is nobody else to do that.
    """

    seekable = True

    def __init__(self, handle: Handle, start: int, length: int | None) -> None:
        self._handle = handle
        self._start = start
        self._position = 0
        self._in_order = -1  # where the next piece begins, if the reading goes on in order
        self._ahead: _runtime.Pending[bytes] | None = None
        self._ahead_range = (0, 0)
        self.size: int = part_size(handle.size, start, length)
        self.version = handle.version

    async def read(self, n: int) -> bytes:
        count = max(0, min(n, self.size - self._position))
        if not count:
            return b""
        try:
            if _runtime.blocking():  # nothing that Ctrl-C could leave half done
                data = self._handle.pread(count, self._start + self._position)
            else:
                data = await self._piece(count)
        except CAUGHT as error:
            raise_ours(error, self._handle.key)
        self._position += len(data)
        return data

    async def _piece(self, count: int) -> bytes:
        """Return the next piece, and begin to read the one after it."""
        data = await self._read_ahead(count)
        if data is None:
            data = await _runtime.in_thread(self._handle.pread, count, self._start + self._position)
        end = self._position + len(data)
        rest = min(count, self.size - end)
        if self._in_order == self._position and rest and AHEAD_LEAST <= count <= WHOLE_LIMIT:
            self._ahead_range = (end, rest)
            self._ahead = await _runtime.start(self._handle.pread, rest, self._start + end)
        self._in_order = end
        return data

    async def _read_ahead(self, count: int) -> bytes | None:
        """Return what was read ahead, if it is what is asked for."""
        if self._ahead is None:
            return None
        await _runtime.checkpoint()  # where it has ended already, waiting for it is none
        ahead, self._ahead = self._ahead, None
        data = await ahead.wait()
        return data if self._ahead_range == (self._position, count) else None

    async def readinto(self, buffer: memoryview) -> int:
        rest = self.size - self._position
        if rest <= 0:
            return 0
        if len(buffer) > rest:
            buffer = buffer[:rest]
        position = self._start + self._position
        try:
            if _runtime.blocking():
                got = self._handle.preadinto(buffer, position)
            else:
                got = await _runtime.in_thread(self._handle.preadinto, buffer, position)
        except CAUGHT as error:
            raise_ours(error, self._handle.key)
        self._position += got
        return got

    async def seek(self, position: int) -> None:
        self._position = position

    async def aclose(self) -> None:
        ahead, self._ahead = self._ahead, None
        try:
            if ahead is not None:  # it uses the descriptor
                with suppress(Exception):  # of a piece that nobody asked for
                    await ahead.wait()
        finally:
            await _runtime.shielded(self._handle.close)


async def read_part(root: Root, key: str, start: int, length: int) -> bytes:
    """Return a part of a file, in memory that this thread makes."""
    memory = io.BytesIO(bytes(length))
    with memory.getbuffer() as view:
        size = await _runtime.in_thread(read_into, root, key, start, view)
    memory.truncate(size)
    return memory.getvalue()


async def read_opened(handle: Handle, start: int, length: int | None) -> bytes:
    """Return a part of an open file, in memory once, and close it."""
    size = part_size(handle.size, start, length)
    try:
        memory = room_for(size)
        with memory.getbuffer() as view:
            for at in range(0, size, WHOLE_LIMIT):
                last = at + WHOLE_LIMIT >= size
                with view[at : at + WHOLE_LIMIT] as piece:
                    await _runtime.in_thread(handle.fill, piece, start + at, last)
    finally:
        if handle.fd >= 0:
            await _runtime.shielded(handle.close)
    return memory.getvalue()


class LocalWriter(Writer):
    """Feeds a temporary file that takes its name on commit."""

    def __init__(self, file: TempFile, key: str) -> None:
        self._file, self._key = file, key

    async def write(self, data: Buffer) -> None:
        try:
            if _runtime.blocking():  # Ctrl-C leaves a part of it, and the file is not committed then
                self._file.write(data)
            else:
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
