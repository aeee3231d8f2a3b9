"""How an asyncio task waits for work elsewhere. Imported on first use."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop as running_loop
from asyncio import sleep
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from anyio import CancelScope
from anyio.lowlevel import checkpoint
from anyio.lowlevel import checkpoint_if_cancelled as _scope_if_cancelled

from ._pending import Pending
from ._workers import workers

T = TypeVar("T")

__all__ = ["checkpoint", "checkpoint_if_cancelled", "park", "running_loop", "sleep"]


async def checkpoint_if_cancelled() -> None:
    """Raise a cancellation that is due: one of a scope, or one that the task gave itself."""
    if getattr(asyncio.current_task(), "_must_cancel", False):
        await asyncio.sleep(0)
    await _scope_if_cancelled()


async def park(pending: Pending[T], undo: Callable[[T], Any] | None) -> None:
    """Wait until the work is done; a cancellation that came meanwhile is raised then.

    ``Task.cancel()`` is caught and held. anyio's scopes cancel again at every turn of
    the loop, so they are kept out by a shield instead.
    """
    with CancelScope(shield=True):
        held = await _until_done(pending)
        if held is not None and undo is not None and pending.succeeded():
            await _until_done(workers.start(pending.discard, (undo,)))  # it may block: not on the loop
    if held is not None:
        try:
            raise held
        finally:
            del held, pending  # this frame is in the traceback: a cycle would keep results alive


async def _until_done(pending: Pending[Any]) -> asyncio.CancelledError | None:
    """Wait, whatever comes, and return the cancellation that came."""
    loop = asyncio.get_running_loop()
    held: asyncio.CancelledError | None = None
    try:
        while True:
            waiter = loop.create_future()
            pending.wake = partial(_wake, loop, waiter)
            if pending.done:
                return held
            try:
                await waiter
            except asyncio.CancelledError as cancelled:
                held = cancelled
                pending.cancel()
    finally:
        pending.wake = None
        del held


def _wake(loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None]) -> None:
    try:
        loop.call_soon_threadsafe(_resolve, waiter)
    except RuntimeError:
        pass  # the loop was closed under the waiting task: there is nobody left to wake


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
