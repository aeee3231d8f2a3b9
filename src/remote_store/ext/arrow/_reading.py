"""A file as Arrow reads it: anywhere, in small and large pieces, on any of its threads."""

from __future__ import annotations

import io

from ..._async import AsyncStore
from ..._runtime import drive
from .._parts import Parts

Window = tuple[int, memoryview]
"""Bytes that are held, and where in the file they begin."""


class RandomAccessFile:
    """A binary file that Arrow seeks in and reads from, with a small read-ahead.

    A read of less than ``ahead`` bytes fetches as many as that, and keeps them: the end of
    a Parquet file, where its reading begins, and small columns beside each other come
    together. Larger reads fetch what is asked for, and keep nothing. Arrow never uses one
    file in two threads at the same moment.
    """

    def __init__(self, store: AsyncStore, path: str, ahead: int) -> None:
        self._parts = drive(Parts.open(store, path))
        self._ahead = ahead
        self._position = 0
        self._windows: list[Window] = []
        self.closed = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position in bytes, and return it. Raises ValueError for one before the file's start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._parts.size}[whence]
        if base + offset < 0:
            raise ValueError(f"a position must be 0 or more, not {base + offset}")
        self._position = base + offset
        return self._position

    def read(self, n: int = -1) -> bytes | memoryview:
        """Return ``n`` bytes, fewer only at the end; all that is left if ``n`` is negative."""
        start = self._position
        left = max(self._parts.size - start, 0)
        count = left if n < 0 else min(n, left)
        held = self._held(start, count)
        data = self._fetch(start, count) if held is None else held
        self._position = start + len(data)
        return data

    def _held(self, start: int, count: int) -> memoryview | None:
        for begin, window in self._windows:
            if begin <= start and start + count <= begin + len(window):
                return window[start - begin : start - begin + count]
        return None

    def _fetch(self, start: int, count: int) -> bytes | memoryview:
        if count >= self._ahead:
            return drive(self._parts.read(start, count))
        begin = max(0, min(start, self._parts.size - self._ahead))
        window = memoryview(drive(self._parts.read(begin, self._ahead)))
        # The first one stays: it is the end of the file, which is read again and again.
        self._windows = [*self._windows[:1], (begin, window)]
        return window[start - begin : start - begin + count]

    def close(self) -> None:
        """Release what the file holds. Closing twice is fine."""
        self.closed = True
        self._windows.clear()
        drive(self._parts.aclose())
