"""Parts of a large object that are asked for at once and given in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from ..._runtime.tasks import Task, begun, unbroken

Fetch = Callable[[int, int], Awaitable[deque[bytes]]]


class Ahead:
    """A body made of ranges: what is held and what is under way are ``count`` parts together.

    Used on one loop, and closed there.
    """

    def __init__(self, fetch: Fetch, start: int, end: int, part: int, count: int) -> None:
        self._fetch, self._next, self._end, self._part, self._count = fetch, start, end, part, count
        self._parts: deque[Task[deque[bytes]]] = deque()
        self._pieces: deque[bytes] = deque()
        self._offset = 0  # of what is still to be given of the first piece
        self._fill()

    def _fill(self) -> None:
        while len(self._parts) < self._count and self._next < self._end:
            end = min(self._next + self._part, self._end)
            self._parts.append(begun(self._fetch, self._next, end))
            self._next = end

    async def read(self, n: int) -> bytes:
        """Return some of the next bytes, at most ``n``; ``b""`` is the end."""
        if not self._pieces:
            self._fill()
            if not self._parts:
                return b""
            self._pieces = await unbroken(self._parts[0])
            del self._parts[0]
        piece, start = self._pieces[0], self._offset
        self._offset = min(start + n, len(piece))
        given = piece[start : self._offset]  # no copy if it is all
        if self._offset == len(piece):
            del self._pieces[0]
            self._offset = 0
        return given

    def close(self) -> None:
        """Stop what is under way."""
        parts, self._parts, self._next = self._parts, deque(), self._end
        self._pieces.clear()
        for each in parts:
            if not each.done() and not each.get_loop().is_closed():
                each.cancel()
