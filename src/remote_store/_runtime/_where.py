"""Which of three worlds the running code stands in: inline, asyncio or trio."""

from __future__ import annotations

import enum
import os
import sys
import threading
import weakref
from typing import Any

_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def Lock() -> threading.Lock:  # noqa: N802 - named as what it makes
    """Return a lock that is free again in a forked child, whoever held it in the parent."""
    _locks.add(lock := threading.Lock())
    return lock


def _after_fork() -> None:
    for lock in list(_locks):
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class World(enum.Enum):
    """Who runs the current coroutine."""

    INLINE = "inline"
    ASYNCIO = "asyncio"
    TRIO = "trio"


class _State(threading.local):
    # True only while a blocking caller's coroutine runs in this thread, and never while
    # code of the caller's own is called from it: that sees its own world.
    inline = False


state = _State()


def world() -> World:
    """Return the world of the caller.

    Raises:
        RuntimeError: there is none; the coroutine is stepped by hand or by an unknown loop.
    """
    if state.inline:
        return World.INLINE
    # A library that nobody imported runs nothing. asyncio is asked by task, not by loop:
    # in trio's guest mode a loop runs below the trio task.
    if (asyncio := sys.modules.get("asyncio")) is not None:
        try:
            if asyncio.current_task() is not None:
                return World.ASYNCIO
        except RuntimeError:
            pass
    if (trio := sys.modules.get("trio")) is not None and trio.lowlevel.in_trio_task():
        return World.TRIO
    raise RuntimeError(
        "the async API was used outside asyncio and trio; run it with asyncio.run() or trio.run(),"
        " or use the blocking Store"
    )
