"""Worker threads of one owner, for calls that may take long: those that all share stay free."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from ._workers import Workers

T = TypeVar("T")


class Threads:
    """At most so many threads; further calls queue. They end by themselves when they have been idle.

    Used on an asyncio loop, inside ``on_asyncio``.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._workers, self._process = Workers(limit), os.getpid()

    async def call(self, call: Callable[..., T], *args: Any) -> T:
        """Make a blocking call in one of them; this returns or raises only once the call has ended."""
        if self._process != os.getpid():  # threads do not survive a fork
            self._workers, self._process = Workers(self._limit), os.getpid()
        return await self._workers.start(call, args).wait()

    def busy(self) -> int:
        """Return how many calls are running or queued now."""
        return self._workers.busy()
