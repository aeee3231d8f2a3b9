"""The leaf calls: the one place that decides where a piece of work runs."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, TypeVar

from ._interrupt import interrupt_is_held, uninterrupted
from ._pending import LOOK, Pending
from ._where import World, state, world
from ._workers import workers

T = TypeVar("T")

SMALL_INLINE: Final = 1 << 13
SMALL_HOP: Final = 1 << 18
SLICE_SECONDS: Final = 0.01
"""How long a worker goes on with a long job before it looks for a cancellation."""


async def in_thread(call: Callable[..., T], *args: Any, undo: Callable[[T], Any] | None = None) -> T:
    """Make a blocking call without blocking the loop.

    The call always runs to its end before this returns or raises. If it has a result
    that cancellation keeps from the caller, ``undo`` is called with it.
    """
    if state.inline:
        return uninterrupted(call, *args)
    await _raise_if_cancelled()
    return await workers.start(call, args).wait(undo)


async def user_call(call: Callable[..., T], *args: Any) -> T:
    """Make a blocking call into the caller's own code: a file, an iterator, a callback.

    It is not part of the driven coroutine, so it finds itself in its own world, and may
    run event loops and blocking stores.
    """
    if not state.inline:
        return await in_thread(call, *args)
    try:
        state.inline = False
        return call(*args)
    finally:
        state.inline = True


async def shielded(call: Callable[..., T], *args: Any) -> T:
    """Make a blocking call that must happen although the task is being cancelled."""
    if state.inline:
        return uninterrupted(call, *args)
    return await workers.start(call, args).wait()


async def start(call: Callable[..., T], *args: Any) -> Pending[T]:
    """Begin a blocking call in a worker thread; await its outcome with ``wait()``."""
    return workers.start(call, args)


async def in_steps(make: Callable[..., Generator[None, None, T]], *args: Any) -> T:
    """Run a long blocking job, written as a generator that yields between its steps.

    If the task is cancelled, the job stops at the next step and its ``finally`` blocks
    run, in a worker thread, before the cancellation goes on.
    """
    steps = make(*args)
    try:
        while True:
            ended: tuple[T] | None = await in_thread(_advance, steps)
            if ended is not None:
                return ended[0]
    except BaseException:
        await shielded(steps.close)
        raise


def _advance(steps: Generator[None, None, T]) -> tuple[T] | None:
    """Go on for a while; return the job's result in a tuple once it has ended."""
    until = time.monotonic() + SLICE_SECONDS
    try:
        while True:
            next(steps)
            if interrupt_is_held() or time.monotonic() >= until:
                return None
    except StopIteration as stop:
        return (stop.value,)


async def on_asyncio(
    call: Callable[..., Awaitable[T]], *args: Any, undo: Callable[[T], Any] | None = None
) -> T:
    """Run a coroutine function that needs an asyncio loop.

    On asyncio it is awaited in place; from trio and from blocking code it runs on the
    shared background loop, and cancelling the caller cancels it there. ``undo`` is
    called, in the caller's thread, with a result that cancellation keeps from the caller.
    """
    where = World.INLINE if state.inline else world()
    if where is World.ASYNCIO:
        return await call(*args)
    if where is World.TRIO:
        await _raise_if_cancelled()
    from ._background import background

    return await background.start(call, args).wait(undo)


async def shielded_on_asyncio(call: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run a coroutine function as ``on_asyncio`` does, to its end although the task is being cancelled."""
    from ._background import LoopJob, ShieldedJob, background

    job: LoopJob[T]
    if state.inline or world() is not World.ASYNCIO:
        job = background.start(call, args, ShieldedJob)
    else:
        from ._asyncio import running_loop

        job = ShieldedJob(running_loop(), call, args)
        job.begin()
    return await job.wait()


def small() -> int:
    """Return the size in bytes below which data is better gathered than sent down at once.

    Copying a few hundred KiB is cheaper than a hop to a worker, and dearer than a call.
    """
    return SMALL_INLINE if state.inline else SMALL_HOP


async def checkpoint() -> None:
    """Let other tasks run and a pending cancellation through; nothing for a blocking caller."""
    if state.inline:
        return
    if world() is World.TRIO:
        from . import _trio

        await _trio.checkpoint()
    else:
        from . import _asyncio

        await _asyncio.checkpoint()


async def sleep(seconds: float) -> None:
    """Wait. Cancellation ends it at once, and so does Ctrl-C for a blocking caller."""
    if state.inline:
        _sleep_here(seconds)
    elif world() is World.TRIO:
        from . import _trio

        await _trio.sleep(seconds)
    else:
        from . import _asyncio

        await _asyncio.sleep(seconds)


def _sleep_here(seconds: float) -> None:
    """Wait in this thread, but not for long at once: a signal may come without waking it, see ``LOOK``."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, LOOK))


async def _raise_if_cancelled() -> None:
    if world() is World.TRIO:
        from . import _trio

        await _trio.checkpoint_if_cancelled()
    else:
        from . import _asyncio

        await _asyncio.checkpoint_if_cancelled()
