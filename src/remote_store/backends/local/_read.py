"""Reading one file: whole in one go, or piece by piece from an open handle."""

from __future__ import annotations

import os
import stat
from typing import Final

from ...errors import InvalidPath, RemoteStoreError
from ._root import Root

WHOLE_LIMIT: Final = 8 << 20
"""Largest part that is read in one step: about ten milliseconds of disk or memory."""
IN_WORKER: Final = 128 << 10
"""Most bytes that a worker thread makes room for, where the caller knows how many there are: then he does.
glibc keeps memory for each thread, and of larger pieces so much that many threads keep tens of MiB."""


def read_or_open(root: Root, key: str, start: int, length: int | None) -> bytes | Handle:
    """Return a file or a part of it; the file opened, where that is too large for one step."""
    fd = -1
    try:
        fd = root.open_file(key)
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise not_a_file(facts, key)
        size = part_size(facts.st_size, start, length)
        if size > WHOLE_LIMIT:
            return Handle(root, key)
        if start:
            os.lseek(fd, start, os.SEEK_SET)
        data = os.read(fd, size)
        # Regular files come whole; a network or user-space file system may need more calls.
        while len(data) < size and (more := os.read(fd, size - len(data))):
            data += more
        return data
    finally:
        if fd >= 0:
            os.close(fd)


def read_into(root: Root, key: str, start: int, buffer: memoryview) -> int:
    """Read a file from a position on, as much as fits; return how many bytes that is."""
    fd = root.open_file(key)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise not_a_file(facts, key)
        size, at = part_size(facts.st_size, start, len(buffer)), 0
        while at < size and (count := os.preadv(fd, [buffer[at:size]], start + at)):
            at += count
        return at
    finally:
        os.close(fd)


def close_opened(found: bytes | Handle) -> None:
    """Close a file that nobody will read."""
    if isinstance(found, Handle):
        found.close()


def part_size(total: int, start: int, length: int | None) -> int:
    """Return how many bytes of a file a range covers."""
    rest = max(0, total - start)
    return rest if length is None else min(rest, length)


def not_a_file(facts: os.stat_result, key: str) -> InvalidPath:
    """Return the error for something that is there but is no regular file."""
    if stat.S_ISDIR(facts.st_mode):
        return InvalidPath("this is a folder, not a file", path=key)
    return InvalidPath("this is a socket, a pipe or a device, not a file", path=key)


class Handle:
    """An open file, pinned to the version it was opened in."""

    __slots__ = ("_facts", "_mtime", "fd", "key", "mode", "size")

    def __init__(self, root: Root, key: str) -> None:
        self.key = key
        self.fd = -1
        self.fd = root.open_file(key)
        try:
            self._facts = os.fstat(self.fd)
            if not stat.S_ISREG(self._facts.st_mode):
                raise not_a_file(self._facts, key)
        except BaseException:
            self.close()
            raise
        self.size = self._facts.st_size
        self._mtime = self._facts.st_mtime_ns
        self.mode = self._facts.st_mode & 0o777

    @property
    def version(self) -> str:
        """Token of the opened version."""
        facts = self._facts
        return f"{facts.st_dev:x}-{facts.st_ino:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"

    def pread(self, n: int, position: int) -> bytes:
        """Return up to ``n`` bytes at a position."""
        data = os.pread(self.fd, n, position)
        self.check()
        return data

    def preadinto(self, buffer: memoryview, position: int) -> int:
        """Fill a buffer from a position."""
        count = os.preadv(self.fd, [buffer], position)
        self.check()
        return count

    def fill(self, buffer: memoryview, position: int, last: bool) -> None:
        """Fill all of a buffer from a position; close the file if this is the ``last`` one."""
        try:
            at = 0
            while at < len(buffer) and (count := os.preadv(self.fd, [buffer[at:]], position + at)):
                at += count
            self.check()
            if at < len(buffer):
                raise self._changed()  # though nothing tells: the file is shorter than it says
        finally:
            if last:
                self.close()

    def check(self) -> None:
        """Raise if the file was changed in place since it was opened."""
        now = os.fstat(self.fd)
        if now.st_mtime_ns != self._mtime or now.st_size != self.size:
            raise self._changed()

    def _changed(self) -> RemoteStoreError:
        return RemoteStoreError("the file was changed while it was being read; read it again", path=self.key)

    def close(self) -> None:
        """Close the descriptor; twice is fine."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if hasattr(self, "fd"):  # Ctrl-C may come before there is one
            self.close()
