"""Worker threads of one owner, for calls that may take long: those that all share stay free."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from ._workers import Job, Workers
from .tasks import soon

T = TypeVar("T")
NAME: Final = "remote-store-own"


class Threads:
    """At most so many threads; further calls queue. They end by themselves when they have been idle.

    Used on an asyncio loop, inside ``on_asyncio``.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._workers, self._process = Workers(limit, NAME), os.getpid()

    async def call(self, call: Callable[..., T], *args: Any) -> T:
        """Make a blocking call in one of them; this returns or raises only once the call has ended."""
        return await self._start(call, args).wait()

    async def call_and_leave(self, call: Callable[..., T], *args: Any) -> T:
        """Make one that nothing depends on: who is cancelled goes at once, and the call ends by itself."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        pending = self._start(call, args)
        pending.wake = partial(soon, loop, partial(_resolve, ended))
        if not pending.done:
            await ended
        return pending.outcome()

    def _start(self, call: Callable[..., T], args: tuple[Any, ...]) -> Job[T]:
        if self._process != os.getpid():  # threads do not survive a fork
            self._workers, self._process = Workers(self._limit, NAME), os.getpid()
        return self._workers.start(call, args)

    def busy(self) -> int:
        """Return how many calls are running or queued now."""
        return self._workers.busy()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
