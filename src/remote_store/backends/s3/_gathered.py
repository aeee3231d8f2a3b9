"""Content that is gathered until it fills a part."""

from __future__ import annotations

from mmap import mmap
from typing import Any

try:
    from mmap import MAP_ANONYMOUS, MAP_PRIVATE

    _OWN: dict[str, Any] = {"flags": MAP_PRIVATE | MAP_ANONYMOUS}  # a fork's child has a copy
except ImportError:  # Windows, whose processes share nothing by themselves
    _OWN = {}


class Gathered:
    """Memory of its own, which the system has back as soon as nobody needs it.

    Of buffers of some MiB that come and go, glibc keeps up to twice the largest, in each thread:
    tens of MiB in a transfer of files of all sizes.
    """

    def __init__(self) -> None:
        self._memory: mmap | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, data: memoryview, most: int) -> None:
        """Take data, of which there must be no more than still fits into a part."""
        if self._memory is None:
            self._memory = mmap(-1, most, **_OWN)
        self._memory[self._size : self._size + len(data)] = data
        self._size += len(data)

    @property
    def content(self) -> memoryview:
        """What was gathered; no copy."""
        return memoryview(b"") if self._memory is None else memoryview(self._memory)[: self._size]

    def taken(self) -> memoryview:
        """Return what was gathered, and begin anew."""
        content = self.content
        self.clear()
        return content

    def clear(self) -> None:
        """Let go of what was gathered."""
        self._memory, self._size = None, 0
