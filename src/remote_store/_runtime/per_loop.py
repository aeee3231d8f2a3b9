"""One resource per asyncio loop, for SDK clients that are bound to the loop they grew up in.

A resource lives in an async generator. A loop that ends in order closes its generators,
as ``asyncio.run`` does, and so closes what nobody else has closed.
"""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from ._where import Lock
from ._workers import workers

if TYPE_CHECKING:
    from ._background import LoopJob

T = TypeVar("T")

LOOK_SECONDS: Final = 0.002
"""How often it is looked whether a loop still runs while a closing in it is waited for."""


class _Held(NamedTuple, Generic[T]):
    resource: T
    holder: Any  # an async generator


class PerLoop(Generic[T]):
    """Makes a resource for each loop that asks, and closes them all together.

    Use ``get`` from inside ``on_asyncio``. Tasks that ask at the same time share one
    making; a making that fails is tried again by the next caller.
    """

    def __init__(self, make: Callable[[], Awaitable[T]], close: Callable[[T], Awaitable[None]]) -> None:
        self._make, self._close = make, close
        self._lock = Lock()
        self._slots: dict[asyncio.AbstractEventLoop, asyncio.Task[_Held[T]]] = {}
        weakref.finalize(self, _drop, self._slots).atexit = False
        _all.add(self)

    async def get(self) -> T:
        """Return the running loop's resource, made now if it has none."""
        loop = asyncio.get_running_loop()
        if (ready := self._ready(loop)) is not None:
            return ready.resource
        with self._lock:
            self._prune()
            task = self._slots.get(loop)
            if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
                task = self._slots[loop] = loop.create_task(_made(self._make, self._close))
        # Shielded: one caller's cancellation must not take the resource from the others.
        return (await asyncio.shield(task)).resource

    def peek(self) -> T | None:
        """Return the running loop's resource, or None if it has none now."""
        ready = self._ready(asyncio.get_running_loop())
        return None if ready is None else ready.resource

    def _ready(self, loop: asyncio.AbstractEventLoop) -> _Held[T] | None:
        task = self._slots.get(loop)
        made = task is not None and task.done() and not task.cancelled() and task.exception() is None
        return task.result() if task is not None and made else None

    def _prune(self) -> None:
        # The resource of a loop that is gone cannot be closed any more, only forgotten.
        for loop in [loop for loop in self._slots if loop.is_closed()]:
            del self._slots[loop]

    async def aclose(self) -> None:
        """Close the resources of all loops, each on its own; wait for those that run elsewhere.

        Raises:
            Exception: the error of the one resource that failed to close.
            ExceptionGroup: the errors of several that failed.
        """
        failures: list[Exception] = []
        while (slot := self._take()) is not None:  # one by one: a cancelled closing can be taken up again
            try:
                await self._close_in(*slot)
            except Exception as error:  # noqa: BLE001 - all are closed first, and all failures raised below
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup("several resources failed to close", failures)

    def _take(self) -> tuple[asyncio.AbstractEventLoop, asyncio.Task[_Held[T]]] | None:
        with self._lock:
            return self._slots.popitem() if self._slots else None

    async def _close_in(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[_Held[T]]) -> None:
        from ._background import LoopJob

        if loop.is_closed() or not loop.is_running():
            return
        finish = partial(self._finish, task)
        if asyncio._get_running_loop() is not loop:
            job = LoopJob(loop, finish, ())
            try:
                loop.call_soon_threadsafe(job.begin)
            except RuntimeError:
                return  # closed meanwhile
            workers.start(_watch, (job, loop))
            try:
                await job.wait()
            except asyncio.CancelledError:
                if _is_being_cancelled():
                    raise
                # That loop ended meanwhile: it cancelled this, and closes by itself what it has.
        elif asyncio.current_task() is not None and not _driven():
            await finish()
        else:
            # A blocking close inside this very loop cannot wait for it; the loop
            # does the closing as soon as it gets control back.
            _closing.add(closing := loop.create_task(finish()))
            closing.add_done_callback(_closing.discard)

    async def _finish(self, task: asyncio.Task[_Held[T]]) -> None:
        try:
            held = await task
        except Exception:  # noqa: BLE001 - who asked for it was told; never made, nothing to close
            return
        try:
            await held.holder.aclose()
        except RuntimeError:
            if not held.holder.ag_running:
                raise
            # Its loop is ending, and has begun to close it: nobody can wait for that.
        _held.discard(held.holder)

    def forget(self) -> None:
        """Drop all resources without closing them: in a forked child they are the parent's."""
        self._lock = Lock()
        _inherited.append(dict(self._slots))  # finalizing what they hold would wake the parent's loops
        self._slots.clear()


async def _made(make: Callable[[], Awaitable[T]], close: Callable[[T], Awaitable[None]]) -> _Held[T]:
    holder = _hold(make, close)
    held = _Held(await anext(holder), holder)
    _held.difference_update([each for each in _held if each.ag_frame is None])
    _held.add(holder)
    return held


async def _hold(
    make: Callable[[], Awaitable[T]], close: Callable[[T], Awaitable[None]]
) -> AsyncGenerator[T, None]:
    resource = await make()
    try:
        yield resource
    finally:
        await close(resource)


def _drop(slots: dict[asyncio.AbstractEventLoop, asyncio.Task[_Held[Any]]]) -> None:
    """Have each loop close what a PerLoop held that nobody has any more."""
    for loop, task in slots.items():
        if task.done() and not task.cancelled() and task.exception() is None:
            try:
                loop.call_soon_threadsafe(_close_soon, loop, task.result().holder)
            except RuntimeError:
                pass  # the loop is closed


def _close_soon(loop: asyncio.AbstractEventLoop, holder: Any) -> None:
    _closing.add(closing := loop.create_task(holder.aclose()))
    closing.add_done_callback(_closing.discard)


def _watch(job: LoopJob[None], loop: asyncio.AbstractEventLoop) -> None:
    """Give up on work in a loop that stopped: nothing else would wake who waits for it."""
    while not job.done:
        if not loop.is_running() and not job.done:
            job.finish(None, None)
            if loop.is_closed():
                job.abandon()
        time.sleep(LOOK_SECONDS)


def _is_being_cancelled() -> bool:
    """Return True if it is the running task that somebody cancels."""
    task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
    return task is not None and task.cancelling() > 0


def _driven() -> bool:
    from ._where import state

    return state.inline


_held: set[Any] = set()
"""What is open. Held here, for garbage is collected as a whole: a resource that went together with its
holder would be gone before it is closed. A loop that ends closes what has not been closed by then."""
_inherited: list[object] = []
_all: weakref.WeakSet[PerLoop[Any]] = weakref.WeakSet()
_closing: set[asyncio.Task[None]] = set()


def _after_fork() -> None:
    for holder in list(_all):
        holder.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
