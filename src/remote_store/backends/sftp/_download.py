"""One file on its way down: pieces asked for ahead, as many as the way to the server is long.

Sequential readers get pieces before they ask. The number of pieces in flight grows while
the reader has to wait for them, up to a limit in bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any, Final, NamedTuple

from ..._runtime.tasks import current_loop
from ..._sftp.packets import Attrs, Refused
from ...sessions import filled, placed
from ._files import Files
from ._opened import Opened

FIRST_DEPTH: Final = 4
"""Pieces in flight at the beginning: enough for a server that is near."""


class _Piece(NamedTuple):
    start: int
    length: int
    data: Any  # a future of bytes


class Download(Opened):
    """An open file. Its coroutines run on the loop on which it was opened."""

    def __init__(self, files: Files, key: str, start: int, length: int | None, memory: int) -> None:
        super().__init__(files, key)
        self._start, self._length = start, length
        self._ahead: deque[_Piece] = deque()
        self._next = 0  # where the next piece to ask for begins
        self._depth, self._memory = FIRST_DEPTH, memory
        self._piece = self._channel.limits.read
        self._sequential = self._all_asked = False
        self._checks: deque[Any] = deque()  # facts on their way, to compare with those of the beginning
        self.position = self.size = 0
        self.loop = current_loop()

    async def _measure(self, facts: Any) -> None:
        await super()._measure(facts)
        self._count(self.facts)

    def _count(self, facts: Attrs) -> None:
        self.size = max((facts.size or 0) - self._start, 0)
        if self._length is not None:
            self.size = min(self.size, self._length)

    async def whole(self) -> bytes:
        """Open the file and return the part that is wanted: two round trips if it is small."""
        await self._open()
        limit = self._piece if self._length is None else min(self._piece, self._length)
        if self.facts.size is not None:
            self._count(self.facts)
            if self.size <= limit:
                if (small := await self._small(limit)) is not None:
                    return small
                await self._open()
        # It is large, or another one by now than when it was looked at.
        looking = self._channel.fstat(self.handle)
        first = self._channel.read(self.handle, self._start, limit)
        again = self._channel.fstat(self.handle)
        await self._measure(looking)
        data = await first if limit else b""
        if len(data) < self.size:
            self.position = self._next = len(data)
            self._sequential = True
            return await filled(self.readinto, self.size, data)
        if not self.is_same(await again):
            raise self._changed()
        if data and not self.facts.size:
            raise self._unmeasured()
        return data[: self.size]

    async def _small(self, limit: int) -> bytes | None:
        """Read and close in one flight. Return None if it is another file by now than was looked at."""
        reading = self._channel.read(self.handle, self._start, limit) if limit else None
        looking = self._channel.fstat(self.handle)
        self.close()
        try:
            data = await reading if reading is not None else b""
        except Refused:
            return None  # a server that closes first
        try:
            facts = await looking
            same = facts.size is None or self.is_same(facts)
        except Refused:
            same = True  # one that cannot tell
        return data if same and len(data) == self.size else None

    async def read(self, n: int) -> bytes:
        """Return the next bytes, as many as asked for unless the end comes first."""
        return b"".join(await self._pieces(n))  # one piece is not copied

    async def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer, unless the end comes first; return how many bytes."""
        return placed(await self._pieces(len(buffer)), buffer)

    async def _pieces(self, n: int) -> list[bytes]:
        """Return the next bytes as they came: who puts them somewhere need not have them joined."""
        count = min(n, self.size - self.position)
        if count <= 0:
            return []
        end = self.position + count
        self._ask(end)
        if not self._checks:
            self._check()
        pieces = []
        try:
            while self.position < end:
                pieces.append(await self._take(end))
            await self._checked(wait=end == self.size or not self._sequential)
        except BaseException:
            self.position = end - count
            self._forget()  # a piece that was taken is lost: it is asked for again
            raise
        self._sequential = True
        return pieces

    async def _take(self, end: int) -> bytes:
        """Return one piece, or the part of it that is wanted."""
        self._ask(end)
        start, length, data = self._ahead[0]
        if not data.done() and self._sequential and self._depth * self._piece < self._memory:
            self._depth *= 2
        found = await data
        if not found:
            raise self._changed()
        self._ahead.popleft()
        if len(found) < length:  # servers may give less than they are asked for
            rest = self._channel.read(self.handle, self._start + start + len(found), length - len(found))
            self._ahead.appendleft(_Piece(start + len(found), length - len(found), rest))
        if (over := start + len(found) - end) > 0:
            self._ahead.appendleft(_Piece(end, over, _Here(found[-over:])))
            found = found[:-over]
        self.position += len(found)
        return bytes(found)

    def _ask(self, end: int) -> None:
        """Ask for pieces: for those that are wanted now, and for some ahead of a sequential reader."""
        if not self._ahead:
            self._next = self.position
        wanted = self.size if self._sequential else end
        while self._next < wanted and (self._next < end or len(self._ahead) < self._depth):
            if self._next >= end + self._memory or len(self._ahead) * self._piece >= self._memory:
                break
            length = min(self._piece, wanted - self._next)
            data = self._channel.read(self.handle, self._start + self._next, length)
            self._ahead.append(_Piece(self._next, length, data))
            self._next += length
        if self._next >= self.size and not self._all_asked:
            self._all_asked = True
            self._check()  # right behind the last piece: it is there when that is

    def _check(self) -> None:
        self._checks.append(self._channel.fstat(self.handle))

    async def _checked(self, wait: bool) -> None:
        """Compare facts that have arrived, or all that are on their way.

        Who reads on need not wait for them, which would be a round trip for each read: they are
        looked at by a later one, and by the last in any case.
        """
        while self._checks and (wait or self._checks[0].done()):
            facts = await self._checks.popleft()
            if not self.is_same(facts):
                raise self._changed()

    def seek(self, position: int) -> None:
        """Go on at another place."""
        if position != self.position:
            self._forget()
            self._sequential = False
            self.position = position

    def _forget(self) -> None:
        for piece in self._ahead:
            piece.data.cancel()
        for check in self._checks:
            check.cancel()
        self._ahead.clear()
        self._checks.clear()
        self._all_asked = False

    def close(self) -> None:
        """Close the file. Its fate is of no interest."""
        self._forget()
        super().close()


class _Here:
    """What has arrived already, in the place of a future."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def done(self) -> bool:
        return True

    def cancel(self) -> None:
        """Do nothing."""

    def __await__(self) -> Generator[Any, None, bytes]:
        yield from ()
        return self._data
