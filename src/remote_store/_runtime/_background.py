"""The shared asyncio loop for callers that have none: trio tasks and blocking code.

One daemon thread per process, started on first use. Imported on first use, too: a
program that only reads local files never loads asyncio.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import os
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any, Final, Protocol, TypeVar

from ._pending import Pending
from ._workers import Workers

T = TypeVar("T")

EXIT_GRACE: Final = 5.0
LOOKED_UP_AT_ONCE: Final = 8


class Droppable(Protocol):
    """What is undone by others than who made it."""

    def drop(self) -> None:
        """Begin to undo it, if it is unfinished, by ``detach``."""


class LoopJob(Pending[T]):
    """One coroutine on its way through a loop in another thread."""

    __slots__ = ("_args", "_call", "_cancelled", "_context", "_loop", "_task")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, call: Callable[..., Awaitable[T]], args: tuple[Any, ...]
    ) -> None:
        super().__init__()
        self._loop, self._call, self._args = loop, call, args
        self._context = contextvars.copy_context()
        # The caller may have been marked as trio's; not by a module that is still being imported.
        mark = getattr(sys.modules.get("sniffio"), "current_async_library_cvar", None)
        if mark is not None:
            self._context.run(mark.set, "asyncio")
        self._task: asyncio.Task[T] | None = None
        self._cancelled = False

    def begin(self) -> None:
        """Make the task; runs in the loop's thread."""
        self._task = self._loop.create_task(self._main(), context=self._context)
        self._task.add_done_callback(self._end)
        if self._cancelled:
            self._task.cancel()

    async def _main(self) -> T:
        return await self._call(*self._args)

    def _end(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if task.cancelled():
            self.finish(None, asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self.finish(None, error)
        else:
            self.finish(task.result(), None)

    def cancel(self) -> None:
        """Cancel the task in its loop; its clean-up runs there, and ``done`` follows."""
        self._cancelled = True
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            pass  # the loop is closed, and with it everything on it

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def abandon(self) -> None:
        """Forget a task that its loop did not come to begin before it was closed."""
        task = self._task
        if task is not None and not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio's own gather does
            coroutine = task.get_coro()
            begun = getcoroutinestate(coroutine) != CORO_CREATED if iscoroutine(coroutine) else True
            if not begun:
                coroutine.close()

    def was_cancelled(self) -> bool:
        """Return True if the task ended by cancellation."""
        return isinstance(self._error, asyncio.CancelledError)


class ShieldedJob(LoopJob[T]):
    """One that runs to its end whoever wants to stop it: a clean-up."""

    __slots__ = ()

    def cancel(self) -> None:
        """Do nothing."""


class _Executor(ThreadPoolExecutor):
    """Threads for what libraries do beside a loop, such as looking up names of servers.

    The standard library's own take nothing more as soon as the process begins to end, and so
    before anything can be undone.
    """

    def __init__(self) -> None:
        super().__init__(1)  # no thread of it is ever begun
        self._own = Workers(LOOKED_UP_AT_ONCE, "remote-store-beside")

    def submit(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self._own.start(_settle, (future, partial(call, *args, **kwargs)))
        return future


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - carried to who waits, and raised there
        future.set_exception(error)


class Background:
    """A loop that runs for ever in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(
        self,
        call: Callable[..., Awaitable[T]],
        args: tuple[Any, ...],
        kind: type[LoopJob[T]] = LoopJob,
        *,
        awaited: bool = True,
    ) -> LoopJob[T]:
        """Begin a coroutine on the loop and return it; wait with ``Pending.wait``.

        Raises:
            RuntimeError: it is ``awaited`` in the loop's own thread, which would wait for itself.
        """
        if awaited and threading.current_thread() is self._thread:
            raise RuntimeError(
                "a blocking store was used on this library's own event loop thread, which would wait"
                " for itself; use the async store there, or call from a worker thread"
            )
        loop = self._running()
        job = kind(loop, call, args)
        loop.call_soon_threadsafe(job.begin)
        return job

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                loop.set_default_executor(_Executor())
                thread = threading.Thread(target=loop.run_forever, name="remote-store-loop", daemon=True)
                try:
                    thread.start()
                except BaseException:
                    loop.close()
                    raise
                self._loop, self._thread = loop, thread
            return self._loop

    def stop(self) -> None:
        """Cancel what runs, give it a moment to clean up, and end the thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        ended = asyncio.run_coroutine_threadsafe(_cancel_all(), loop)
        try:
            ended.result(EXIT_GRACE)
        except TimeoutError:
            return  # something refuses to end; the daemon thread dies with the process
        loop.call_soon_threadsafe(loop.stop)
        thread.join(EXIT_GRACE)
        if not thread.is_alive():
            loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


background = Background()
_inherited: list[object] = []  # closing a parent's loop in the child would disturb the parent's selector


def _after_fork() -> None:
    _inherited.append((background._loop, background._thread))
    background.__init__()  # type: ignore[misc]  # the module's one loop, reset in place
    unfinished.clear()  # the parent goes on with it
    _detached.clear()


unfinished: Final[weakref.WeakSet[Droppable]] = weakref.WeakSet()
"""What has to be undone where the process ends before it is finished."""
_detached: Final[set[LoopJob[Any]]] = set()


def detach(call: Callable[..., Awaitable[object]], *args: Any) -> None:
    """Begin a coroutine for nobody who waits, but for the end of the process, for a moment."""
    job = background.start(call, args, awaited=False)
    _detached.add(job)
    job.wake = partial(_detached.discard, job)
    if job.done:
        _detached.discard(job)


def _end() -> None:
    """Undo what is unfinished, while there are threads to do so in, and stop."""
    for each in list(unfinished):
        each.drop()
    until = time.monotonic() + EXIT_GRACE
    while _detached and time.monotonic() < until:
        time.sleep(0.01)
    background.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_end)
