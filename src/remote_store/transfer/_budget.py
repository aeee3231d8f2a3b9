"""Bytes that may be in memory at once, given to files in the order in which they ask."""

from __future__ import annotations

from collections import deque

import anyio


class Budget:
    """A number of bytes; who asks for more than all of it gets all of it, alone."""

    def __init__(self, limit: int) -> None:
        self._limit = self._free = limit
        self._waiting: deque[tuple[int, anyio.Event]] = deque()

    def share(self, size: int) -> int:
        """Return what a file of this size takes."""
        return min(size, self._limit)

    async def take(self, share: int) -> None:
        """Wait until so much is free; first come, first served, so that large files get their turn."""
        if not self._waiting and share <= self._free:
            self._free -= share
            return
        entry = (share, anyio.Event())
        self._waiting.append(entry)
        try:
            await entry[1].wait()
        except BaseException:
            if entry[1].is_set():
                self.give(share)
            else:
                self._waiting.remove(entry)
                self.give(0)  # who stood behind may fit
            raise

    def give(self, share: int) -> None:
        """Give bytes back."""
        self._free += share
        while self._waiting and self._waiting[0][0] <= self._free:
            share, event = self._waiting.popleft()
            self._free -= share
            event.set()
