"""Cancelling a task that waits for a thread, in every way that asyncio, anyio and trio know."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import anyio
import pytest
import trio
from tests.runtime.support import ASYNCIO_WORLDS, WORLDS, Jobs, pause, run, until, wait_for

from remote_store import _runtime
from remote_store._runtime import _leaves

worlds = pytest.mark.parametrize("world", WORLDS)
asyncio_worlds = pytest.mark.parametrize("world", ASYNCIO_WORLDS)


class Call:
    """A blocking call that a test holds in its worker thread."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.ended = False
        self.error = error
        self.undone: list[str] = []

    def __call__(self) -> str:
        self.begun.set()
        assert self.may_end.wait(20)
        self.ended = True
        if self.error is not None:
            raise self.error
        return "result"

    def undo(self, result: str) -> None:
        assert self.ended
        self.undone.append(result)


class Victim:
    """A task that makes a call and tells what came of it."""

    def __init__(self, call: Call, way: Callable[..., Awaitable[str]] | None = None) -> None:
        self.call = call
        self._way = way
        self.outcome: str | BaseException | None = None
        self.then: BaseException | None = None

    async def __call__(self) -> None:
        try:
            if self._way is None:
                self.outcome = await _runtime.in_thread(self.call, undo=self.call.undo)
            else:
                self.outcome = await self._way(self.call)
        except BaseException as error:
            self.outcome = error
            raise
        try:
            await pause()
        except BaseException as error:
            self.then = error
            raise


def received_or_undone(victim: Victim) -> bool:
    """Return whether the result went to exactly one of the two."""
    return (victim.outcome == "result") + len(victim.call.undone) == 1


# -- one by one ----------------------------------------------------------------------------


@pytest.mark.spec("RUN-002", "RUN-004")
@asyncio_worlds
@pytest.mark.parametrize("times", [1, 2, 7])
def test_task_cancel_waits_for_the_thread(world: str, times: int) -> None:
    async def main() -> None:
        victim = Victim(Call())
        task = asyncio.create_task(victim())
        await until(victim.call.begun.is_set)
        for _ in range(times):
            task.cancel("why")
            for _ in range(5):
                await asyncio.sleep(0.001)
            assert not task.done()
        victim.call.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert victim.call.ended
        assert isinstance(victim.outcome, asyncio.CancelledError)
        assert victim.call.undone == ["result"]

    run(world, main)


@pytest.mark.spec("RUN-002")
@asyncio_worlds
def test_the_message_of_a_cancellation_is_kept(world: str) -> None:
    async def main() -> None:
        victim = Victim(Call())
        task = asyncio.create_task(victim())
        await until(victim.call.begun.is_set)
        task.cancel("why")
        victim.call.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(victim.outcome, asyncio.CancelledError)
        assert victim.outcome.args == ("why",)

    run(world, main)


@pytest.mark.spec("RUN-002", "RUN-004")
@worlds
@pytest.mark.parametrize("times", [1, 3])
def test_an_anyio_scope_waits_for_the_thread(world: str, times: int) -> None:
    async def main() -> None:
        victim = Victim(Call())
        async with anyio.create_task_group() as group:
            group.start_soon(victim)
            await until(victim.call.begun.is_set)
            with anyio.CancelScope(shield=True):
                for _ in range(times):
                    group.cancel_scope.cancel()
                    await pause(0.005)
                assert victim.outcome is None
                victim.call.may_end.set()
        assert victim.call.ended
        assert received_or_undone(victim)
        if victim.outcome == "result":
            assert isinstance(victim.then, anyio.get_cancelled_exc_class()), "the cancellation was lost"
        else:
            assert isinstance(victim.outcome, anyio.get_cancelled_exc_class())

    run(world, main)


@pytest.mark.spec("RUN-002", "RUN-004")
def test_a_trio_scope_waits_for_the_thread() -> None:
    async def main() -> None:
        victim = Victim(Call())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(victim)
            await until(victim.call.begun.is_set)
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await trio.sleep(0.005)
                assert victim.outcome is None
            victim.call.may_end.set()
        assert victim.outcome == "result"  # trio lets the outcome stand
        assert isinstance(victim.then, trio.Cancelled)  # and raises at the next checkpoint
        assert victim.call.undone == []

    run("trio", main)


@pytest.mark.spec("RUN-002", "RUN-004")
@asyncio_worlds
def test_asyncio_timeout_waits_for_the_thread_and_raises_timeout_error(world: str) -> None:
    async def main() -> None:
        victim = Victim(Call())

        async def release() -> None:
            await until(lambda: scope.expired())
            victim.call.may_end.set()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as scope:
                task = asyncio.create_task(release())
                scope.reschedule(asyncio.get_running_loop().time() + 0.01)
                await victim()
        assert victim.call.undone == ["result"]
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        await task

    run(world, main)


@pytest.mark.spec("RUN-002", "RUN-004")
@asyncio_worlds
def test_wait_for_waits_for_the_thread(world: str) -> None:
    async def main() -> None:
        victim = Victim(Call())
        asyncio.get_running_loop().call_later(0.05, victim.call.may_end.set)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(victim(), 0.01)
        assert victim.call.undone == ["result"]

    run(world, main)


@pytest.mark.spec("RUN-002", "RUN-004")
@asyncio_worlds
def test_a_task_group_waits_for_the_thread(world: str) -> None:
    async def main() -> None:
        victim = Victim(Call())

        async def fail() -> None:
            await until(victim.call.begun.is_set)
            asyncio.get_running_loop().call_later(0.01, victim.call.may_end.set)
            raise ValueError("a sibling failed")

        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                group.create_task(victim())
                group.create_task(fail())
        assert caught.group_contains(ValueError, match="a sibling failed")
        assert len(caught.value.exceptions) == 1
        assert victim.call.undone == ["result"]

    run(world, main)


@pytest.mark.spec("RUN-002")
@worlds
def test_deadlines_of_anyio(world: str) -> None:
    async def main() -> None:
        call = Call()
        threading.Timer(0.05, call.may_end.set).start()
        with anyio.move_on_after(0.01) as scope:
            await _runtime.in_thread(call)
            await pause()
        assert call.ended
        assert scope.cancelled_caught
        call = Call()
        threading.Timer(0.05, call.may_end.set).start()
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.01):
                await _runtime.in_thread(call)
                await pause()
        assert call.ended
        assert await _runtime.in_thread(int, "1") == 1

    run(world, main)


@pytest.mark.spec("RUN-002")
@asyncio_worlds
def test_both_kinds_of_cancellation_at_once(world: str) -> None:
    async def main() -> None:
        victim = Victim(Call())

        async def body() -> None:
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                await victim()

        scopes: list[anyio.CancelScope] = []
        task = asyncio.create_task(body())
        await until(victim.call.begun.is_set)
        scopes[0].cancel()
        await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.sleep(0.005)
        victim.call.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert victim.call.undone == ["result"]

    run(world, main)


@pytest.mark.spec("RUN-002")
@worlds
def test_waiting_under_a_cancelled_scope_does_not_spin(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """anyio's scopes cancel at every turn of the loop; each delivered one would wake the task."""

    async def main() -> int:
        victim = Victim(Call())
        async with anyio.create_task_group() as group:
            group.start_soon(victim)
            await until(victim.call.begun.is_set)
            group.cancel_scope.cancel()
            turns = _turns(world, monkeypatch)
            threading.Timer(0.2, victim.call.may_end.set).start()
        return turns()

    assert run(world, main) < 30


def _turns(world: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count how often something happens in the loop from now on."""
    count = 0
    if world == "trio":

        class Counter(trio.abc.Instrument):
            def before_io_wait(self, timeout: float) -> None:
                nonlocal count
                count += 1

        trio.lowlevel.add_instrument(Counter())
        return lambda: count
    from anyio._backends import _asyncio

    deliver = _asyncio.CancelScope._deliver_cancellation

    def counted(scope: Any, origin: Any) -> bool:
        nonlocal count
        count += 1
        return deliver(scope, origin)

    monkeypatch.setattr(_asyncio.CancelScope, "_deliver_cancellation", counted)
    return lambda: count


@pytest.mark.spec("RUN-002")
@worlds
def test_an_error_of_the_call_gives_way_to_the_cancellation(world: str) -> None:
    async def main() -> None:
        victim = Victim(Call(ValueError("of the call")))
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(victim)
                await until(victim.call.begun.is_set)
                group.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await pause(0.005)
                victim.call.may_end.set()
        except ExceptionGroup as errors:
            raised = [str(error) for error in errors.exceptions]
            assert raised == ["of the call"]
        assert victim.call.ended
        assert victim.call.undone == []

    run(world, main)


@pytest.mark.spec("RUN-004")
@worlds
def test_undo_is_not_called_for_what_was_received(world: str) -> None:
    async def main() -> None:
        victim = Victim(Call())
        victim.call.may_end.set()
        await victim()
        assert victim.outcome == "result"
        assert victim.call.undone == []
        failing = Victim(Call(ValueError()))
        failing.call.may_end.set()
        with pytest.raises(ValueError):
            await failing()
        assert failing.call.undone == []

    run(world, main)


@pytest.mark.spec("RUN-004")
@asyncio_worlds
def test_a_result_that_is_there_but_not_delivered_is_undone(world: str) -> None:
    """The thread is done and has called; the loop has not yet come to tell the task."""

    async def main() -> None:
        victim = Victim(Call())
        task = asyncio.create_task(victim())
        await until(victim.call.begun.is_set)
        victim.call.may_end.set()
        wait_for(lambda: victim.call.ended)  # blocks the loop
        threading.Event().wait(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert victim.call.undone == ["result"]

    run(world, main)


@pytest.mark.spec("RUN-002", "RUN-004")
@worlds
def test_every_result_goes_to_one_place_at_any_moment(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three hundred tasks, cancelled at random moments, some twice."""
    jobs = Jobs(monkeypatch)
    chance = random.Random(5)
    victims: list[Victim] = []

    async def one(victim: Victim, scope: anyio.CancelScope) -> None:
        with scope:
            await victim()

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(300):
                victim = Victim(Call())
                victims.append(victim)
                scope = anyio.CancelScope()
                group.start_soon(one, victim, scope)
                events = [scope.cancel, scope.cancel, victim.call.may_end.set]
                chance.shuffle(events)
                for event in events:
                    for _ in range(chance.choice((0, 0, 1, 2))):
                        await pause()
                    if chance.random() < 0.2:
                        await pause(0.001)
                    event()

    run(world, main)
    assert jobs.unfinished() == 0
    for victim in victims:
        assert received_or_undone(victim) == victim.call.ended
        assert not victim.call.begun.is_set() or victim.call.ended


@pytest.mark.spec("RUN-002", "RUN-004")
@asyncio_worlds
def test_every_result_goes_to_one_place_with_native_cancellation(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(monkeypatch)
    chance = random.Random(6)
    victims: list[Victim] = []

    async def main() -> None:
        tasks = []
        for _ in range(300):
            victim = Victim(Call())
            victims.append(victim)
            tasks.append(task := asyncio.create_task(victim()))
            events: list[Callable[[], object]] = [task.cancel, task.cancel, victim.call.may_end.set]
            chance.shuffle(events)
            for event in events:
                for _ in range(chance.choice((0, 0, 1, 2))):
                    await asyncio.sleep(0)
                if chance.random() < 0.2:
                    await asyncio.sleep(0.001)
                event()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(
            task.cancelled() or victim.outcome == "result"
            for task, victim in zip(tasks, victims, strict=True)
        )

    run(world, main)
    assert jobs.unfinished() == 0
    for victim in victims:
        assert received_or_undone(victim) == victim.call.ended
        assert not victim.call.begun.is_set() or victim.call.ended


# -- already cancelled ------------------------------------------------------------------------


@pytest.mark.spec("RUN-003")
@worlds
def test_in_a_cancelled_scope_the_call_is_not_started(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(monkeypatch)

    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await _runtime.in_thread(int)
        assert scope.cancelled_caught
        assert jobs.all == []

    run(world, main)


@pytest.mark.spec("RUN-003")
@asyncio_worlds
def test_a_task_that_cancelled_itself_does_not_start_the_call(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(monkeypatch)

    async def main() -> None:
        async def body() -> None:
            current = asyncio.current_task()
            assert current is not None
            current.cancel()
            await _runtime.in_thread(int)

        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(body())
        assert jobs.all == []

    run(world, main)


@pytest.mark.spec("RUN-003")
@asyncio_worlds
def test_cleaning_up_after_a_native_cancellation_may_use_threads(world: str) -> None:
    """asyncio's cancellation is an event, not a state: code that caught it goes on as usual."""

    async def main() -> None:
        async def body() -> int:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return await _runtime.in_thread(int, "5")
            raise AssertionError

        task = asyncio.create_task(body())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == 5

    run(world, main)


@pytest.mark.spec("RUN-003")
@worlds
def test_shielded_makes_its_call_all_the_same(world: str) -> None:
    made = threading.Event()

    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await _runtime.shielded(made.set)
            assert made.is_set()
            await pause()
        assert scope.cancelled_caught, "the cancellation was lost"

    run(world, main)
    assert made.is_set()


@pytest.mark.spec("RUN-003", "RUN-002")
@asyncio_worlds
def test_shielded_waits_for_its_end(world: str) -> None:
    async def main() -> None:
        call = Call()
        task = asyncio.create_task(_called(_runtime.shielded, call))
        await until(call.begun.is_set)
        task.cancel()
        await asyncio.sleep(0.005)
        assert not task.done()
        call.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert call.ended

    run(world, main)


async def _called(way: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    return await way(*args)


@pytest.mark.spec("RUN-003")
@worlds
def test_checkpoint_lets_a_cancellation_through_and_others_run(world: str) -> None:
    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await _runtime.checkpoint()
            raise AssertionError("the cancellation did not come through")
        assert scope.cancelled_caught
        ran: list[str] = []

        async def other(name: str) -> None:
            for _ in range(2):
                ran.append(name)
                await _runtime.checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(other, "one")
            group.start_soon(other, "two")
        assert set(ran[:2]) == {"one", "two"}

    run(world, main)


# -- work in steps ---------------------------------------------------------------------------


class Steps:
    """A job in steps, each held by the test or running free, that writes down what happens."""

    def __init__(self, count: int, gate: threading.Event | None = None) -> None:
        self.count, self.gate = count, gate
        self.begun = threading.Event()
        self.log: list[str] = []
        self.threads: set[str] = set()

    def __call__(self) -> Generator[None, None, str]:
        try:
            for number in range(self.count):
                self.log.append(f"step {number}")
                self.threads.add(threading.current_thread().name)
                self.begun.set()
                if self.gate is not None:
                    assert self.gate.wait(20)
                yield
            self.log.append("end")
            return "result"
        finally:
            self.log.append("finally")
            self.threads.add(threading.current_thread().name)


@pytest.mark.spec("RUN-005")
@worlds
@pytest.mark.parametrize("slice_seconds", [0, 60])
def test_steps_run_to_their_end_in_workers(
    world: str, slice_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_leaves, "SLICE_SECONDS", slice_seconds)
    jobs = Jobs(monkeypatch)
    steps = Steps(3)

    async def main() -> str:
        return await _runtime.in_steps(steps)

    assert run(world, main) == "result"
    assert steps.log == ["step 0", "step 1", "step 2", "end", "finally"]
    assert steps.threads == {"remote-store-worker"}
    assert len(jobs.all) == (4 if slice_seconds == 0 else 1)


@pytest.mark.spec("RUN-005", "RUN-001")
def test_a_blocking_caller_runs_all_steps_itself() -> None:
    steps = Steps(3)

    async def main() -> str:
        return await _runtime.in_steps(steps)

    assert _runtime.drive(main()) == "result"
    assert steps.threads == {threading.current_thread().name}


@pytest.mark.spec("RUN-005")
def test_ctrl_c_stops_a_blocking_job_at_its_next_step() -> None:
    """A copy of many gigabytes is one call: it must not have to come to its end first."""
    log: list[str] = []

    def steps() -> Generator[None, None, None]:
        try:
            for number in range(1000):
                log.append(f"step {number}")
                if number == 2:
                    signal.raise_signal(signal.SIGINT)
                yield
        finally:
            log.append("finally")

    async def main() -> None:
        await _runtime.in_steps(steps)

    with pytest.raises(KeyboardInterrupt):
        _runtime.drive(main())
    assert log[-1] == "finally"
    assert len(log) < 10


@pytest.mark.spec("RUN-005")
@worlds
def test_a_cancelled_job_stops_at_the_next_step(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_leaves, "SLICE_SECONDS", 0)
    jobs = Jobs(monkeypatch)
    steps = Steps(1000, gate := threading.Event())

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_runtime.in_steps, steps)
            await until(steps.begun.is_set)
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await pause(0.005)
            gate.set()
        assert jobs.unfinished() == 0
        assert steps.log[-1] == "finally", "the cancellation went on before the clean-up had run"
        assert "end" not in steps.log
        assert len(steps.log) < 10

    run(world, main)
    assert steps.threads == {"remote-store-worker"}


@pytest.mark.spec("RUN-005")
@asyncio_worlds
def test_a_second_cancellation_does_not_cut_the_clean_up_short(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_leaves, "SLICE_SECONDS", 0)
    in_clean_up, may_end = threading.Event(), threading.Event()
    log: list[str] = []

    def steps() -> Generator[None, None, None]:
        try:
            while True:
                yield
        finally:
            in_clean_up.set()
            assert may_end.wait(20)
            log.append("clean")

    async def main() -> None:
        task = asyncio.create_task(_called(_runtime.in_steps, steps))
        await asyncio.sleep(0.01)
        task.cancel()
        await until(in_clean_up.is_set)
        task.cancel()
        await asyncio.sleep(0.005)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["clean"]

    run(world, main)


@pytest.mark.spec("RUN-005")
@worlds
def test_an_error_in_a_step_comes_back_and_closes_the_job(world: str) -> None:
    log: list[str] = []

    def steps() -> Generator[None, None, None]:
        try:
            yield
            raise ValueError("in a step")
        finally:
            log.append("finally")

    async def main() -> None:
        with pytest.raises(ValueError, match="in a step"):
            await _runtime.in_steps(steps)
        assert log == ["finally"]

    run(world, main)
