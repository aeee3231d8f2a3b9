"""Who needs two open files at once waits for both: or each could hold one, and all wait for another."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from ..._runtime.tasks import current_loop

if TYPE_CHECKING:
    from ..._sftp.channel import Channel


class Pairs:
    """The pairs of files that may be open on a channel; who finds none left waits for a turn."""

    def __init__(self) -> None:
        self._taken = 0
        self._waiting: deque[Any] = deque()

    @asynccontextmanager
    async def one(self, most: int) -> AsyncIterator[None]:
        """Wait for a pair out of so many files that may be open, and have it."""
        while self._taken >= max(most // 2, 1):
            turn = current_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except BaseException:
                if not turn.cancelled():
                    self._next()  # it came together with the cancellation
                raise
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._next()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return


_OF_CHANNELS: Final[WeakKeyDictionary[Channel, Pairs]] = WeakKeyDictionary()


def pairs_of(channel: Channel) -> Pairs:
    """Return the pairs of a channel."""
    return _OF_CHANNELS.setdefault(channel, Pairs())
