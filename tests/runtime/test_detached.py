"""Work for nobody who waits: on the background loop, from its own thread, and at the end of the process."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest
from tests.runtime.support import script

from remote_store import _runtime
from remote_store._runtime.tasks import detached
from remote_store._runtime.threads import Threads


@pytest.mark.spec("RUN-027")
@pytest.mark.parametrize("on_the_loop", [False, True])
def test_it_runs_wherever_it_is_begun(on_the_loop: bool) -> None:
    ran = threading.Event()

    async def work() -> None:
        ran.set()
        raise ZeroDivisionError  # nobody is told

    async def begin() -> None:
        detached(work)

    if on_the_loop:  # who drops a writer there cannot choose the thread: garbage is collected in any
        _runtime.drive(_runtime.on_asyncio(begin))
    else:
        detached(work)
    assert ran.wait(20)


AT_EXIT = """
import asyncio, sys, time
from remote_store._runtime.tasks import detached, dropped_at_exit

async def say(text):
    await asyncio.to_thread(time.sleep, 0.05)
    print(text, flush=True)

class Thing:
    def drop(self):
        detached(say, "dropped")

    def __del__(self):
        self.drop()

kept, gone, moment = Thing(), Thing(), Thing()
for each in (kept, gone):
    dropped_at_exit(each)
del gone
detached(say, "begun a moment before")
"""


@pytest.mark.spec("RUN-027")
def test_the_end_of_the_process_waits_for_it() -> None:
    """What is collected when no thread runs any more (``moment``) begins none, and hangs nothing."""
    done = script(AT_EXIT)
    assert sorted(done.stdout.splitlines()) == ["begun a moment before", "dropped", "dropped"]


STUCK = """
import asyncio
from remote_store._runtime import _background
from remote_store._runtime.tasks import detached

_background.EXIT_GRACE = 0.3
detached(asyncio.sleep, 1000)
"""


@pytest.mark.spec("RUN-027")
def test_the_end_of_the_process_waits_for_a_moment_only() -> None:
    begun = time.monotonic()
    script(STUCK)
    assert time.monotonic() - begun < 60


@pytest.mark.spec("RUN-028")
def test_who_is_cancelled_leaves_a_call_to_itself() -> None:
    go_on, ended = threading.Event(), threading.Event()

    def call() -> bytes:
        go_on.wait(30)
        ended.set()
        return b"x"

    async def main() -> None:
        threads = Threads(1)
        assert await threads.call_and_leave(lambda: 3) == 3
        with pytest.raises(ZeroDivisionError):
            await threads.call_and_leave(lambda: 1 // 0)
        task = asyncio.ensure_future(threads.call_and_leave(call))
        while not threads.busy():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert not ended.is_set()

    asyncio.run(main())
    go_on.set()
    assert ended.wait(20)
    gc.collect()
