"""Worker threads for blocking calls: few, warm, and the same for every loop.

A hop to a worker and back is the price of every async file operation. The pools of
the standard library and of anyio pay about twice as much for it (locks, futures and
conditions per call), and neither can start a call from one loop flavour and let
another wait for it; see ``sdd/adrs/0002``.
"""

from __future__ import annotations

import atexit
import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ._pending import Pending

T = TypeVar("T")

LIMIT: Final = 40
"""Threads at most; further calls queue. The figure anyio and trio settled on."""
EAGER: Final = 4
"""Threads that calls are handed to at once. More of them only fight for the interpreter
lock while the calls are short: 50 cached reads at once took 3 to 4 times as long with 40."""
GROW_SECONDS: Final = 0.002
"""A queue that has stood this long gets one thread more: its calls wait for a disk, not the lock."""
IDLE_SECONDS: Final = 10.0
EXIT_GRACE: Final = 5.0


class Job(Pending[T]):
    """One blocking call on its way through a worker."""

    __slots__ = ("_args", "_call", "_context")

    def __init__(self, call: Callable[..., T], args: tuple[Any, ...]) -> None:
        super().__init__()
        self._call: Callable[..., T] | None = call
        self._args = args
        self._context = contextvars.copy_context()

    def run(self) -> None:
        """Make the call; let go of its arguments before anybody learns of the end."""
        call, args = self._call, self._args
        assert call is not None, "a job runs once"
        self._call, self._args = None, ()
        try:
            value, error = self._context.run(call, *args), None
        except BaseException as raised:  # noqa: BLE001 - carried to the waiting task and raised there
            value, error = None, raised
        del call, args
        try:
            self.finish(value, error)
        finally:
            del value, error


class _Growth(Job[None]):
    """What one further worker does while calls queue: look on for a moment, then join in."""

    __slots__ = ("_pool",)

    def __init__(self, pool: Workers) -> None:
        super().__init__(_nothing, ())
        self._pool = pool

    def run(self) -> None:
        """Take a call that still waits after a moment, if there is one."""
        time.sleep(GROW_SECONDS)
        job = self._pool.grow()
        if job is not None:
            job.run()


def _nothing() -> None:
    pass


class _Worker:
    """A thread and the lock it sleeps on between jobs."""

    __slots__ = ("job", "pool", "ready")

    def __init__(self, pool: Workers, job: Job[Any]) -> None:
        self.pool = pool
        self.job: Job[Any] | None = job
        self.ready = threading.Lock()
        self.ready.acquire()

    def run(self) -> None:
        while (job := self.job) is not None:
            self.job = None
            job.run()
            del job
            if not self.pool.next_job(self):
                self._sleep()

    def _sleep(self) -> None:
        while not self.ready.acquire(timeout=IDLE_SECONDS):
            if self.pool.retire(self):
                return


class Workers:
    """A pool that hands each call to the worker that slept last: the warmest."""

    def __init__(self, limit: int = LIMIT, name: str = "remote-store-worker") -> None:
        self._limit, self._name = limit, name
        self._eager = min(EAGER, limit)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._queue: deque[Job[Any]] = deque()
        self._growing = False
        self.threads = 0

    def start(self, call: Callable[..., T], args: tuple[Any, ...]) -> Job[T]:
        """Begin a call and return it; wait for it with ``Pending.wait``."""
        job = Job(call, args)
        with self._lock:
            queued = self.threads - len(self._idle) - self._growing >= self._eager
            if queued:
                self._queue.append(job)
            worker = self._claim(growth=queued)
        if not queued:
            self._hand(job, worker)
        elif worker is not _NOBODY:
            self._hand(_Growth(self), worker)
        return job

    def _claim(self, *, growth: bool) -> _Worker | None:
        """Return an idle worker, None to spawn one, or _NOBODY; the caller holds the lock."""
        if growth:
            if self._growing or not (self._idle or self.threads < self._limit):
                return _NOBODY
            self._growing = True
        if self._idle:
            return self._idle.pop()
        self.threads += 1
        return None

    def _hand(self, job: Job[Any], worker: _Worker | None) -> None:
        if worker is None:
            self._spawn(job)
        else:
            worker.job = job
            worker.ready.release()

    def grow(self) -> Job[Any] | None:
        """Return a call that still queues, and see to it that the rest of the queue is watched too."""
        with self._lock:
            self._growing = False
            if not self._queue:
                return None
            job = self._queue.popleft()
            worker = self._claim(growth=True) if self._queue else _NOBODY
        if worker is not _NOBODY:
            self._hand(_Growth(self), worker)
        return job

    def _spawn(self, job: Job[Any]) -> None:
        worker = _Worker(self, job)
        thread = threading.Thread(target=worker.run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads from the system, or the interpreter is going down
            with self._lock:
                self.threads -= 1
            job.run()

    def next_job(self, worker: _Worker) -> bool:
        """Give a worker that has just finished its next job, or put it to rest."""
        with self._lock:
            if self._queue:
                worker.job = self._queue.popleft()
                return True
            self._idle.append(worker)
            return False

    def retire(self, worker: _Worker) -> bool:
        """Let a worker go that had nothing to do, unless a job is just on its way to it."""
        with self._lock:
            if worker not in self._idle:
                return False
            self._idle.remove(worker)
            self.threads -= 1
            return True

    def busy(self) -> int:
        """Return how many calls are running or queued now."""
        with self._lock:
            return self.threads - len(self._idle) - self._growing + len(self._queue)


_NOBODY: Final = _Worker.__new__(_Worker)
"""Stands for "no worker now", where None stands for "a new one"."""

workers = Workers()


def _after_fork() -> None:
    # Threads do not survive a fork; the child starts with a pool of its own.
    workers.__init__()  # type: ignore[misc]  # the module's one pool, reset in place


def _drain() -> None:
    # Workers are daemons, so that a stuck disk cannot hang the exit; work in
    # flight still gets a moment to end, for a write cut off by the exit is torn.
    waited = threading.Event()
    for _ in range(int(EXIT_GRACE / 0.01)):
        if not workers.busy():
            return
        waited.wait(0.01)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_drain)
