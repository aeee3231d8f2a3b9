"""Work that goes on elsewhere, and how each world waits for it.

The rule for all three: whoever waits leaves only when the work has ended. A
cancellation that arrives meanwhile is passed on to the work if it can be, held, and
raised once it has ended, so nothing is ever left running behind the caller's back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar, cast

from ._where import World, state, world

T = TypeVar("T")

INTERRUPT_GRACE: Final = 10.0
"""Seconds that Ctrl-C in a blocking call waits for the cancelled work to clean up."""

LOOK: Final = 0.25
"""Seconds after which a waiting thread looks whether a signal has come.

Python wakes a thread that waits only if the signal interrupts that very thread in the waiting
itself. One that another thread has taken, or that comes a moment before, would wait for ever.
"""


class Pending(Generic[T]):
    """One piece of work in another thread or loop; awaited at most once."""

    __slots__ = ("_error", "_value", "done", "wake")

    def __init__(self) -> None:
        self._value: T | None = None
        self._error: BaseException | None = None
        self.done = False
        self.wake: Callable[[], None] | None = None

    def finish(self, value: T | None, error: BaseException | None) -> None:
        """Store the outcome and wake who waits; called by the worker.

        ``done`` is set before ``wake`` is read, and a waiter sets ``wake`` before it
        reads ``done``: one of the two always sees the other.
        """
        self._value, self._error = value, error
        self.done = True
        if (wake := self.wake) is not None:
            wake()

    def cancel(self) -> None:
        """Ask the work to stop; thread work cannot be and runs to its end."""

    def was_cancelled(self) -> bool:
        """Return True if the work ended because it was asked to; thread work never does."""
        return False

    def outcome(self) -> T:
        """Return the value or raise the error; the work is done."""
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # the traceback holds this frame: without this, a cycle keeps results alive
        value, self._value = self._value, None
        return cast(T, value)

    async def wait(self, undo: Callable[[T], Any] | None = None) -> T:
        """Wait for the end of the work, and return or raise its outcome.

        ``undo`` is called with a result that nobody will receive, because the
        waiting task was cancelled after the work could no longer be stopped.
        """
        where = World.INLINE if state.inline else world()
        if where is World.INLINE:
            self._block(undo)
        elif where is World.TRIO:
            from . import _trio

            await _trio.park(self)
        else:
            from . import _asyncio

            await _asyncio.park(self, undo)
        return self.outcome()

    def succeeded(self) -> bool:
        """Return True if the work has ended with a result."""
        return self.done and self._error is None

    def discard(self, undo: Callable[[T], Any] | None) -> None:
        """Drop the outcome; undo it if it is a result."""
        value, error = self._value, self._error
        self._value = self._error = None
        if undo is not None and error is None:
            undo(cast(T, value))

    def _block(self, undo: Callable[[T], Any] | None) -> None:
        ended = threading.Lock()  # a third of what an Event costs
        ended.acquire()
        self.wake = ended.release
        try:
            while not self.done:
                ended.acquire(timeout=LOOK)
        except BaseException:  # Ctrl-C: stop the work, give it time to clean up, then go on raising
            self.cancel()
            if not self.done:
                ended.acquire(timeout=INTERRUPT_GRACE)
            if self.done:
                self.discard(undo)
            raise
