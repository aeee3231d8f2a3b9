"""What lives on a loop between calls: resources that end with it, tasks of one owner, clean-ups."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator

import anyio
import pytest
import trio
from tests.runtime.support import ASYNCIO_WORLDS, WORLDS, interrupt_when, pause, run, until, wait_for

from remote_store import _runtime
from remote_store._runtime import _background, drive
from remote_store._runtime._background import Background
from remote_store._runtime.per_loop import PerLoop
from remote_store._runtime.tasks import Tasks, detached, soon, unbroken

worlds = pytest.mark.parametrize("world", WORLDS)
asyncio_worlds = pytest.mark.parametrize("world", ASYNCIO_WORLDS)


@pytest.fixture(autouse=True)
def own_background(monkeypatch: pytest.MonkeyPatch) -> Iterator[Background]:
    """A background loop of its own for each test, stopped at its end."""
    own = Background()
    monkeypatch.setattr(_background, "background", own)
    yield own
    own.stop()


# -- resources ---------------------------------------------------------------------------


class Journal:
    """Says which resources were made and closed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def make(self) -> str:
        self.lines.append("made")
        return "resource"

    async def close(self, resource: str) -> None:
        await asyncio.sleep(0)
        self.lines.append(f"closed {resource}")


@pytest.mark.spec("RUN-024")
@asyncio_worlds
def test_what_nobody_closed_is_closed_with_its_loop(world: str) -> None:
    journal = Journal()
    resources = PerLoop(journal.make, journal.close)

    async def main() -> None:
        assert await resources.get() == "resource"
        assert resources.peek() == "resource"

    run(world, main)
    assert journal.lines == ["made", "closed resource"]
    run(world, main)
    assert journal.lines == ["made", "closed resource"] * 2


@pytest.mark.spec("RUN-024")
@pytest.mark.parametrize("world", ["trio", "blocking"])
def test_on_the_background_loop_it_is_closed_when_that_stops(world: str, own_background: Background) -> None:
    journal = Journal()
    resources = PerLoop(journal.make, journal.close)

    async def main() -> None:
        await _runtime.on_asyncio(resources.get)

    trio.run(main) if world == "trio" else drive(main())
    assert journal.lines == ["made"]
    own_background.stop()
    assert journal.lines == ["made", "closed resource"]


@pytest.mark.spec("RUN-024")
@asyncio_worlds
def test_what_is_dropped_is_closed(world: str) -> None:
    journal = Journal()

    async def main() -> None:
        resources = PerLoop(journal.make, journal.close)
        await resources.get()
        del resources
        await pause()  # the task that made it lets go of it
        gc.collect()
        await until(lambda: journal.lines == ["made", "closed resource"])

    run(world, main)


@pytest.mark.spec("RUN-015")
@asyncio_worlds
def test_nothing_to_peek_at(world: str) -> None:
    async def failing() -> str:
        raise OSError("no")

    async def main() -> None:
        resources = PerLoop(failing, Journal().close)
        assert resources.peek() is None
        with pytest.raises(OSError):
            await resources.get()
        assert resources.peek() is None

    run(world, main)


# -- clean-ups -----------------------------------------------------------------------------


@pytest.mark.spec("RUN-025")
@worlds
@pytest.mark.parametrize("before", [True, False])
def test_a_clean_up_runs_to_its_end(world: str, before: bool) -> None:
    steps: list[str] = []

    async def clean_up() -> None:
        steps.append("begun")
        while not before and "cancelled" not in steps:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)
        steps.append("ended")

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                await until(lambda: "begun" in steps)
                group.cancel_scope.cancel()
                steps.append("cancelled")

            if before:
                group.cancel_scope.cancel()
            else:
                group.start_soon(cancel)
            await _runtime.shielded_on_asyncio(clean_up)
            await pause(60)
        assert group.cancel_scope.cancelled_caught

    run(world, main)
    assert steps == (["begun", "ended"] if before else ["begun", "cancelled", "ended"])


@pytest.mark.spec("RUN-025")
@asyncio_worlds
def test_a_cancellation_of_asyncio_comes_afterwards(world: str) -> None:
    ended: list[bool] = []

    async def clean_up() -> None:
        await asyncio.sleep(0.01)
        ended.append(True)

    async def main() -> None:
        task = asyncio.ensure_future(_runtime.shielded_on_asyncio(clean_up))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == [True]

    run(world, main)


@pytest.mark.spec("RUN-025")
def test_its_error_comes_out() -> None:
    async def clean_up() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        drive(_runtime.shielded_on_asyncio(clean_up))


@pytest.mark.spec("RUN-025")
def test_ctrl_c_does_not_stop_it() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def clean_up() -> None:
        begun.set()
        await asyncio.sleep(0.2)
        ended.set()

    interrupt_when(begun)
    with pytest.raises(KeyboardInterrupt):
        drive(_runtime.shielded_on_asyncio(clean_up))
    assert ended.is_set()


# -- tasks of one owner ----------------------------------------------------------------------


@pytest.mark.spec("RUN-026")
@asyncio_worlds
def test_there_is_room_for_so_many(world: str) -> None:
    running: list[int] = []
    most: list[int] = []

    async def work(number: int) -> None:
        running.append(number)
        most.append(len(running))
        await asyncio.sleep(0.001)
        running.remove(number)

    async def main() -> None:
        tasks = Tasks()
        for number in range(10):
            await tasks.fewer_than(3)
            tasks.start(work, number)
        await tasks.fewer_than(1)
        assert running == []

    run(world, main)
    assert max(most) == 3
    assert len(most) == 10


@pytest.mark.spec("RUN-026")
@asyncio_worlds
def test_a_failure_is_raised_and_the_rest_can_be_stopped(world: str) -> None:
    cancelled: list[bool] = []

    async def fail() -> None:
        raise OSError("no")

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.001)
            cancelled.append(True)

    async def main() -> None:
        tasks = Tasks()
        tasks.start(wait)
        tasks.start(fail)
        with pytest.raises(OSError, match="no"):
            await tasks.fewer_than(1)
        await tasks.stop()
        assert cancelled == [True]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(world, main)


@pytest.mark.spec("RUN-026")
@asyncio_worlds
def test_who_waits_may_be_cancelled_and_the_task_goes_on(world: str) -> None:
    async def work() -> str:
        await asyncio.sleep(0.01)
        return "value"

    async def main() -> None:
        task = Tasks().spawn(work)
        with anyio.move_on_after(0):
            await unbroken(task)
        assert await unbroken(task) == "value"

    run(world, main)


@pytest.mark.spec("RUN-026")
def test_calls_from_outside(own_background: Background) -> None:
    made: list[str] = []

    async def work(text: str) -> None:
        made.append(text)
        raise OSError("nobody is told")

    detached(work, "detached")
    wait_for(lambda: made == ["detached"])
    loop = asyncio.new_event_loop()
    soon(loop, lambda: made.append("soon"))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    soon(loop, lambda: made.append("too late"))
    assert made == ["detached", "soon"]
