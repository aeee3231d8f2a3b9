"""A temporary file that outlives its process: filled part by part, and put under its name at the end."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from ... import _runtime
from ..._crc import crc32
from ..._types import Buffer
from ...backend import Part, PartWriter
from ...errors import BackendUnavailable, NotFound, RemoteStoreError
from ...models import WriteResult
from .. import _temporaries
from ._change import Steps
from ._errors import CAUGHT, raise_ours
from ._root import Root
from ._write import TempFile

PART_SIZE: Final = 8 << 20
_GO_ON: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class PartFile(TempFile):
    """A temporary in which parts are put in their places; dropping it leaves it."""

    def __init__(self, root: Root, key: str, *, overwrite: bool, durable: bool, size: int, name: str) -> None:
        self._name_of_temp = name
        super().__init__(root, key, overwrite=overwrite, durable=durable)
        self.size = size

    @property
    def temporary(self) -> str:
        """Its name, by which it is found again."""
        return self._temp

    def _open(self, mode: int | None) -> None:
        if not self._name_of_temp:
            super()._open(mode)
            return
        try:
            self._find_target()
            assert self._folder is not None
            self.fd = os.open(self._name_of_temp, _GO_ON, dir_fd=self._folder.fd)
        except FileNotFoundError as error:
            raise NotFound("what was written of this file is gone", path=self._key) from error
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackendUnavailable(
                "somebody else is writing this file now; wait for its end", path=self._key, retryable=False
            ) from error
        except OSError:
            pass  # a file system without locks
        self._temp = self._name_of_temp

    def put(self, offset: int, data: Buffer) -> None:
        """Write all of the data at a place; one system call takes at most 2 GiB."""
        rest = memoryview(data)
        while rest:
            count = os.pwrite(self.fd, rest, offset)
            offset, rest = offset + count, rest[count:]

    def parts(self, parts: Sequence[Part], part_size: int) -> Steps[list[Part]]:
        """Read what is in the file, and return the parts that are as they were written."""
        found = []
        assert self._folder is not None
        fd = os.open(self._temp, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder.fd)
        try:
            for part in parts:
                size, crc = 0, 0
                for data in _chunks(fd, (part.number - 1) * part_size, part.size):
                    size, crc = size + len(data), crc32(data, crc)
                    yield
                if (size, crc) == (part.size, part.crc32):
                    found.append(part)
        finally:
            os.close(fd)
        return found

    def commit(self) -> WriteResult:
        if os.fstat(self.fd).st_size != self.size:
            raise RemoteStoreError("parts of this file are missing; write it again", path=self._key)
        return super().commit()

    def leave(self) -> None:
        """Close it, and leave it where it is."""
        self._temp = ""
        self._created.clear()
        self.abort()

    def __del__(self) -> None:
        if hasattr(self, "size"):
            self.leave()


def _chunks(fd: int, offset: int, size: int) -> Iterator[bytes]:
    end = offset + size
    while offset < end and (data := os.pread(fd, min(1 << 20, end - offset), offset)):
        yield data
        offset += len(data)


class LocalParts(PartWriter):
    """A ``PartFile`` as a session."""

    at_once = 2  # one is written while the other is filled

    def __init__(self, file: PartFile, key: str, part_size: int) -> None:
        self._file, self._key = file, key
        self.part_size = part_size
        self.token = f"{part_size} {file.temporary}"

    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        try:
            return await _runtime.in_steps(self._file.parts, sorted(parts), self.part_size)
        except CAUGHT as error:
            raise_ours(error, self._key)

    async def write(self, number: int, data: Buffer, crc32: int) -> Part:
        try:
            await _runtime.in_thread(self._file.put, (number - 1) * self.part_size, data)
        except CAUGHT as error:
            raise_ours(error, self._key)
        return Part(number, memoryview(data).nbytes, crc32)

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        try:
            return await _runtime.in_thread(self._file.commit)
        except CAUGHT as error:
            raise_ours(error, self._key)

    async def abort(self) -> None:
        await _runtime.shielded(self._file.abort)

    async def aclose(self) -> None:
        await _runtime.shielded(self._file.leave)


def opened(
    root: Root, key: str, size: int, overwrite: bool, durable: bool, part_size: int, token: str | None
) -> LocalParts:
    """Begin a file, or go on with the one of the token.

    Raises:
        NotFound: there is none any more.
    """
    name = ""
    if token is not None:
        text, _, name = token.partition(" ")
        if not text.isdigit() or not _temporaries.is_temporary(name):
            raise NotFound("this is no token of a file", path=key)
        part_size = int(text)
    file = PartFile(root, key, overwrite=overwrite, durable=durable, size=size, name=name)
    return LocalParts(file, key, part_size)


def undone(parts: LocalParts) -> None:
    """Undo what was opened and can reach nobody."""
    with suppress(OSError):
        parts._file.abort()
