"""Where work runs. The only package that knows of event loops and threads.

Everything above is plain ``async def``. Its leaves, one call each, come here:

    in_thread     a blocking call: in a worker thread, or at once for a blocking caller
    user_call     a blocking call into the caller's own code
    in_steps      a long blocking job, cut so that cancelling it waits milliseconds
    shielded      a blocking call that cancellation cannot keep from starting
    start         a blocking call begun now and awaited later
    on_asyncio    a coroutine that needs an asyncio loop, wherever the caller stands
    shielded_on_asyncio  the same for a clean-up, which cancellation cannot stop
    checkpoint    let others run, and let a pending cancellation through
    sleep         let time pass
    small         how much data is worth a leaf
    drive         run a coroutine whose leaves all answer at once: the blocking face
    per_loop      (module) one resource for each asyncio loop that asks for it
    tasks         (module) tasks of a session that lives on an asyncio loop
"""

from ._drive import blocking, drive
from ._leaves import (
    checkpoint,
    in_steps,
    in_thread,
    on_asyncio,
    shielded,
    shielded_on_asyncio,
    sleep,
    small,
    start,
    user_call,
)
from ._pending import Pending
from ._where import Lock

__all__ = [
    "Lock",
    "Pending",
    "blocking",
    "checkpoint",
    "drive",
    "in_steps",
    "in_thread",
    "on_asyncio",
    "shielded",
    "shielded_on_asyncio",
    "sleep",
    "small",
    "start",
    "user_call",
]
