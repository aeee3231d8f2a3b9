"""How a trio task waits for work elsewhere. Imported on first use."""

from __future__ import annotations

from typing import Any

import outcome
import trio
from trio import sleep
from trio.lowlevel import checkpoint, checkpoint_if_cancelled

from ._pending import Pending

__all__ = ["checkpoint", "checkpoint_if_cancelled", "park", "sleep"]


class _Parked:
    """One parked task: it is resumed once, whoever comes first."""

    def __init__(self, pending: Pending[Any]) -> None:
        self.pending = pending
        self.task = trio.lowlevel.current_task()
        self.token = trio.lowlevel.current_trio_token()
        self.waiting = True
        self.raise_cancel: Any = None

    def wake(self) -> None:
        try:
            self.token.run_sync_soon(self.resume)
        except trio.RunFinishedError:
            pass  # the run ended under the waiting task: there is nobody left to wake

    def resume(self) -> None:
        if not self.waiting:
            return
        self.waiting = False
        if self.raise_cancel is not None and self.pending.was_cancelled():
            # The work ended because this task was cancelled: say so in trio's own words.
            self.pending.discard(None)
            trio.lowlevel.reschedule(self.task, outcome.capture(self.raise_cancel))
        else:
            trio.lowlevel.reschedule(self.task)

    def abort(self, raise_cancel: Any) -> trio.lowlevel.Abort:
        self.raise_cancel = raise_cancel
        self.pending.cancel()
        return trio.lowlevel.Abort.FAILED


async def park(pending: Pending[Any]) -> None:
    """Wait until the work is done.

    A cancellation is passed on to the work. If the work ends cancelled, that is raised
    here; if it ends otherwise, its outcome stands and trio raises at the next checkpoint.
    """
    parked = _Parked(pending)
    pending.wake = parked.wake
    if pending.done:
        parked.waiting = False
    else:
        await trio.lowlevel.wait_task_rescheduled(parked.abort)
    pending.wake = None
