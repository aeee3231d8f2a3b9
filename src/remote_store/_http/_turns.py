"""Those who wait for a connection: first come, first served, and not for ever."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf

from ._connection import Connection


class NoneFree(TimeoutError):
    """All connections were in use, and for so long nothing happened on any of them."""


class Turns:
    """A queue for connections, or for room to make one.

    Args:
        patience: seconds after which who waits is told that it is in vain.
        moved: returns when something last happened on a connection; infinite if somebody waits
            for the server, for that has a time limit of its own.
    """

    def __init__(self, patience: float, moved: Callable[[], float]) -> None:
        self._patience, self._moved = patience, moved
        self._waiters: deque[tuple[asyncio.Future[Connection | None], float]] = deque()
        self._given = -inf  # when the last one got a connection
        self._timer: asyncio.TimerHandle | None = None

    def queue(self) -> asyncio.Future[Connection | None]:
        """Return what a connection will be the result of, or None for room to make one.

        NoneFree is raised there if none was given to anybody for all the time, and nobody reads
        or writes: such connections belong to answers that were left half-read.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append((waiter, now))
        if self._timer is None and self._patience < inf:
            self._timer = loop.call_at(now + self._patience, self._look, loop)
        return waiter

    def give(self, connection: Connection | None) -> bool:
        """Serve who waits longest; return False if nobody does."""
        while self._waiters:
            waiter, _ = self._waiters.popleft()
            if not waiter.done():
                self._given = waiter.get_loop().time()
                waiter.set_result(connection)
                return True
        return False

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Turn away those who wait in vain."""
        self._timer, now = None, loop.time()
        moved = max(self._moved(), self._given)
        while self._waiters:
            waiter, since = self._waiters[0]
            due = max(since, moved) + self._patience
            if due > now and not waiter.done():
                self._timer = loop.call_at(min(due, now + self._patience), self._look, loop)
                return
            self._waiters.popleft()
            if not waiter.done():
                text = f"all connections were in use for {self._patience:g} seconds, and nothing came or went"
                waiter.set_exception(NoneFree(text))

    def end(self, error: Exception) -> None:
        """Turn all away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiter, _ in self._waiters:
            if not waiter.done():
                waiter.set_exception(error)
        self._waiters.clear()
