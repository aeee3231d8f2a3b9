"""A number of files at once that looks for itself, measured beside fixed ones; the library has none."""

from __future__ import annotations

import time
from typing import Any, Final

START: Final = 8
MOST: Final = 128
WINDOW: Final = 2
"""A number is judged by so many times as many files."""
BETTER: Final = 1.05
"""How much faster it has to be to be worth it."""
REST: Final = 8
"""Windows between two looks whether another number has become better."""


class Climber:
    """A number that is doubled as long as that moves more files in a second, and now and then tried again."""

    def __init__(self) -> None:
        self.limit, self._best, self._best_rate = START, START, 0.0
        self._done = self._rest = 0
        self._begun = time.perf_counter()

    def one_more(self) -> None:
        """Count a file, and judge the number after enough of them."""
        self._done += 1
        if self._done >= WINDOW * self.limit:
            now = time.perf_counter()
            rate = self._done / (now - self._begun)
            self._begun, self._done = now, 0
            self._judge(rate)

    def _judge(self, rate: float) -> None:
        if rate > self._best_rate * BETTER or self.limit == self._best:
            self._best, self._best_rate = self.limit, rate
        else:  # it did not pay
            self.limit, self._rest = self._best, REST
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
            self._climber = Climber()
            self._most = START

        async def _worker(self, work: Any, group: Any) -> None:
            try:
                while self._found and self._failure is None and self._workers <= self._most:
                    await self._one(self._next(), work, group)
            finally:
                self._workers -= 1

        async def _one(self, item: Any, work: Any, group: Any) -> None:
            await super()._one(item, work, group)
            self._climber.one_more()
            self._most = self._climber.limit

    _engine.Run = Run  # type: ignore[misc, assignment]
