"""A number of files at once that looks for itself, measured beside fixed ones; the library has none."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final

import anyio

START: Final = 8
MOST: Final = 128
WINDOW: Final = 2
"""A number is judged by so many times as many files."""
BETTER: Final = 1.05
"""How much faster it has to be to be worth it."""
REST: Final = 8
"""Windows between two looks whether another number has become better."""


class Climbing:
    """Slots whose number is doubled as long as that moves more files in a second, now and then tried."""

    def __init__(self) -> None:
        self.limit, self.best, self.best_rate = START, START, 0.0
        self._busy = self._done = self._rest = 0
        self._waiting: deque[anyio.Event] = deque()
        self._begun = time.perf_counter()

    async def acquire(self) -> None:
        while self._busy >= self.limit:
            event = anyio.Event()
            self._waiting.append(event)
            await event.wait()
        self._busy += 1

    def release(self) -> None:
        self._busy -= 1
        self._done += 1
        if self._done >= WINDOW * self.limit:
            self._judge()
        while self._waiting:
            self._waiting.popleft().set()

    def _judge(self) -> None:
        now = time.perf_counter()
        rate = self._done / (now - self._begun)
        self._begun, self._done = now, 0
        if rate > self.best_rate * BETTER or self.limit == self.best:
            self.best, self.best_rate = self.limit, rate
        elif self.limit != self.best:  # it did not pay
            self.limit, self._rest = self.best, REST
            return
        if self._rest:
            self._rest -= 1
        else:
            self.limit = min(MOST, self.limit * 2)


def climb() -> None:
    """Have all transfers of this process look for their number."""
    from remote_store.transfer import _engine

    class Run(_engine.Run):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            if self._options.concurrency is None:
                self._slots = Climbing()  # type: ignore[assignment]

    _engine.Run = Run  # type: ignore[misc, assignment]
