"""For sessions whose work stands on an asyncio loop: tasks of one owner, and ways in from outside.

Used only inside ``on_asyncio``, where a loop runs whoever the caller is.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import Task as Task
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from ._background import Droppable

T = TypeVar("T")


class Tasks:
    """Tasks of one owner on the loop in which it was made."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[Any]] = set()
        self._failure: BaseException | None = None

    def start(self, call: Callable[..., Awaitable[object]], *args: Any) -> None:
        """Begin a coroutine function in a task of its own."""
        task = self.spawn(call, *args)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def spawn(self, call: Callable[..., Awaitable[T]], *args: Any) -> asyncio.Task[T]:
        """Begin one whose outcome is looked at by the caller, and which ``stop`` leaves alone."""
        return _in_task(self.loop, call, *args)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None and self._failure is None:
            self._failure = task.exception()

    async def fewer_than(self, limit: int) -> None:
        """Wait until fewer tasks than this run.

        Raises:
            Exception: the first failure of a task; the others go on.
        """
        while self._failure is None and len(self._running) >= limit:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)  # the callbacks of those that ended
        if self._failure is not None:
            raise self._failure

    async def stop(self) -> None:
        """Cancel all tasks and wait for their ends, whatever they are."""
        for task in self._running:
            task.cancel()
        while self._running:
            await asyncio.wait(self._running)
            await asyncio.sleep(0)


class Turns:
    """Has those who change one thing do so one after another."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    def of(self, thing: bytes) -> AbstractAsyncContextManager[None]:
        """Return what one waits in for the turn of a thing, by its name, and then has it."""
        return self._locks.setdefault(thing, asyncio.Lock())


def begun(call: Callable[..., Awaitable[T]], *args: Any) -> asyncio.Task[T]:
    """Begin a coroutine function whose outcome may never be looked at."""
    task = _in_task(asyncio.get_running_loop(), call, *args)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # or the loop would complain
    return task


def _in_task(
    loop: asyncio.AbstractEventLoop, call: Callable[..., Awaitable[T]], *args: Any
) -> asyncio.Task[T]:
    async def main() -> T:
        return await call(*args)

    return loop.create_task(main())


async def unbroken(task: asyncio.Future[T]) -> T:
    """Wait for a task or an answer; a cancellation ends the waiting, and nothing else."""
    return await asyncio.shield(task)


async def ended(task: asyncio.Task[Any], seconds: float | None = None) -> None:
    """Wait until a task has ended, however it does, but no longer than so many seconds."""
    await asyncio.wait([task], timeout=seconds)


async def dropped(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until all have ended; their outcomes are nobody's any more."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        await ended(task)
        if not task.cancelled():
            task.exception()


def current_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop."""
    return asyncio.get_running_loop()


def soon(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Make a short call in a loop, from any thread; a loop that is closed has nothing left to do."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        pass


def dropped_at_exit(thing: Droppable) -> None:
    """Have ``drop`` called where the process ends and the thing is there still."""
    from ._background import unfinished

    unfinished.add(thing)


def detached(call: Callable[..., Awaitable[object]], *args: Any) -> None:
    """Run a coroutine function on the background loop, for nobody who waits; failures are dropped.

    The end of the process waits for it, for a few seconds. Once no thread can run any more, nothing is done.
    """
    if sys.is_finalizing():
        return  # Python 3.11 would wait for ever for a new thread
    from ._background import detach

    try:
        detach(_silent, call, args)
    except RuntimeError:
        pass  # the process is ending, and begins no thread any more


async def _silent(call: Callable[..., Awaitable[object]], args: tuple[Any, ...]) -> None:
    try:
        await call(*args)
    except Exception:  # noqa: BLE001, S110 - a clean-up after somebody who is gone: there is nobody to tell
        pass
