"""What a backend may await, for backends that live outside this package.

A backend serves asyncio, trio and blocking callers with one code, so it has no loop to
call upon. It awaits its own sessions and these functions, which know where they stand:

    in_thread     a blocking call: in a worker thread, or at once for a blocking caller
    in_steps      a long blocking job, cut so that cancelling it waits milliseconds
    shielded      a blocking call that cancellation cannot keep from starting: a clean-up
    user_call     a blocking call into the caller's own code
    on_asyncio    a coroutine that needs an asyncio loop, wherever the caller stands
    shielded_on_asyncio  the same for a clean-up, which cancellation cannot stop
    checkpoint    let others run, and let a pending cancellation through
    sleep         let time pass; cancellation ends it

``PerLoop`` keeps one resource, such as an SDK client, for each asyncio loop; ``Lock`` is
a lock, for short steps, that is free again in a forked child.
"""

from ._runtime import Lock as Lock
from ._runtime import checkpoint as checkpoint
from ._runtime import in_steps as in_steps
from ._runtime import in_thread as in_thread
from ._runtime import on_asyncio as on_asyncio
from ._runtime import shielded as shielded
from ._runtime import shielded_on_asyncio as shielded_on_asyncio
from ._runtime import sleep as sleep
from ._runtime import user_call as user_call
from ._runtime.per_loop import PerLoop as PerLoop
