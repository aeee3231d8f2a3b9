"""Blocking calls in worker threads: where they run, what they see, and what the pool keeps."""

from __future__ import annotations

import contextvars
import gc
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.runtime.support import WORLDS, Jobs, in_threads, run, wait_for

from remote_store import _runtime
from remote_store._runtime import _workers
from remote_store._runtime._workers import Workers

worlds = pytest.mark.parametrize("world", WORLDS)
ANYWHERE = [*WORLDS, "inline"]
anywhere = pytest.mark.parametrize("world", ANYWHERE)


def run_anywhere(world: str, main: Callable[..., Any], *args: Any) -> Any:
    return _runtime.drive(main(*args)) if world == "inline" else run(world, main, *args)


class Payload:
    """Something a weak reference can watch."""


class PayloadError(Exception):
    pass


# -- where a call runs ---------------------------------------------------------------


@pytest.mark.spec("RUN-001")
@worlds
def test_a_call_runs_in_a_worker_thread(world: str) -> None:
    async def main() -> tuple[str, int]:
        return await _runtime.in_thread(lambda: (threading.current_thread().name, threading.get_ident()))

    name, ident = run(world, main)
    assert name == "remote-store-worker"
    assert ident != threading.get_ident()


@pytest.mark.spec("RUN-001")
def test_a_blocking_caller_makes_the_call_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(monkeypatch)

    async def main() -> list[int]:
        one = await _runtime.in_thread(threading.get_ident)
        two = await _runtime.shielded(threading.get_ident)
        return [one, two]

    assert _runtime.drive(main()) == [threading.get_ident()] * 2
    assert jobs.all == []


@pytest.mark.spec("RUN-001")
@anywhere
def test_value_and_error_come_back(world: str) -> None:
    async def main() -> None:
        assert await _runtime.in_thread(divmod, 7, 4) == (1, 3)
        assert await _runtime.shielded(divmod, 7, 4) == (1, 3)
        for error in (ValueError("x"), SystemExit(3), KeyboardInterrupt()):
            for way in (_runtime.in_thread, _runtime.shielded):
                with pytest.raises(type(error)) as caught:
                    await way(_raise, error)
                assert caught.value is error

    run_anywhere(world, main)


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.spec("RUN-001")
@worlds
def test_a_cancelled_error_that_a_call_raises_is_an_error_like_any_other(world: str) -> None:
    import asyncio

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await _runtime.in_thread(_raise, asyncio.CancelledError())
        assert await _runtime.in_thread(int, "1") == 1

    run(world, main)


# -- start and wait --------------------------------------------------------------------


@pytest.mark.spec("RUN-006")
@anywhere
def test_start_begins_at_once_and_wait_comes_later(world: str) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def call() -> int:
        begun.set()
        assert may_end.wait(10)
        return 5

    async def main() -> int:
        pending = await _runtime.start(call)
        assert begun.wait(10)
        assert not pending.done
        may_end.set()
        return await pending.wait()

    assert run_anywhere(world, main) == 5


@pytest.mark.spec("RUN-006")
@anywhere
def test_work_that_ended_before_anybody_waits(world: str) -> None:
    async def main() -> int:
        value = await _runtime.start(int, "5")
        error = await _runtime.start(int, "x")
        wait_for(lambda: value.done and error.done)
        with pytest.raises(ValueError):
            await error.wait()
        return await value.wait()

    assert run_anywhere(world, main) == 5


@pytest.mark.spec("RUN-006")
@pytest.mark.parametrize("second", ANYWHERE)
@pytest.mark.parametrize("first", ANYWHERE)
def test_one_world_begins_and_another_waits(first: str, second: str) -> None:
    may_end = threading.Event()

    async def begin() -> _runtime.Pending[bool]:
        return await _runtime.start(may_end.wait, 10)

    async def end(pending: _runtime.Pending[bool]) -> bool:
        await _runtime.start(may_end.set)
        return await pending.wait()

    assert run_anywhere(second, end, run_anywhere(first, begin)) is True


# -- context variables -------------------------------------------------------------------

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")


@pytest.mark.spec("RUN-007")
@anywhere
def test_a_call_sees_the_context_of_its_task(world: str) -> None:
    def steps() -> Generator[None, None, list[str]]:
        seen = [variable.get()]
        yield
        return [*seen, variable.get()]

    async def on_a_loop() -> str:
        return variable.get()

    async def main() -> None:
        variable.set("here")
        assert await _runtime.in_thread(variable.get) == "here"
        assert await _runtime.shielded(variable.get) == "here"
        assert await (await _runtime.start(variable.get)).wait() == "here"
        assert await _runtime.in_steps(steps) == ["here", "here"]
        assert await _runtime.on_asyncio(on_a_loop) == "here"

    contextvars.copy_context().run(run_anywhere, world, main)


@pytest.mark.spec("RUN-007")
@worlds
def test_tasks_that_share_the_workers_do_not_share_their_context(world: str) -> None:
    import anyio

    async def one(name: str) -> None:
        variable.set(name)
        for _ in range(5):
            assert await _runtime.in_thread(variable.get) == name

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, f"task {number}")

    run(world, main)


# -- the pool ------------------------------------------------------------------------------


def _alive() -> int:
    return sum(thread.name == "remote-store-worker" for thread in threading.enumerate())


@pytest.mark.spec("RUN-008")
@worlds
def test_at_most_forty_threads_and_the_rest_queues(world: str) -> None:
    import anyio

    lock, running, most = threading.Lock(), 0, 0
    full = threading.Event()

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 40:
                full.set()
        assert full.wait(10)
        with lock:
            running -= 1

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(_runtime.in_thread, call)

    run(world, main)
    assert most == 40
    assert _alive() <= 40
    assert _workers.workers.threads <= 40
    wait_for(lambda: _workers.workers.busy() == 0)


@pytest.mark.spec("RUN-008", "RUN-023")
def test_short_calls_share_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workers, "GROW_SECONDS", 1.0)  # however slow this machine is: these are short
    pool = Workers(limit=20)
    jobs = [pool.start(int, (number,)) for number in range(500)]
    wait_for(lambda: all(job.done for job in jobs))
    assert pool.threads <= _workers.EAGER + 1  # the one that looks on


@pytest.mark.spec("RUN-008", "RUN-023")
def test_stuck_calls_get_more_threads() -> None:
    pool = Workers(limit=20)
    gate, started = threading.Event(), list[int]()

    def stick(number: int) -> None:
        started.append(number)
        gate.wait(10)

    stuck = [pool.start(stick, (number,)) for number in range(30)]
    wait_for(lambda: len(started) == 20)  # without any further call to set it off
    assert pool.threads == 20
    gate.set()
    wait_for(lambda: all(job.done for job in stuck))
    assert sorted(started) == list(range(30))
    wait_for(lambda: pool.busy() == 0)


@pytest.mark.spec("RUN-008")
def test_queued_calls_run_in_order_and_all_of_them() -> None:
    pool = Workers(limit=1)
    gate, order = threading.Event(), list[int]()
    first = pool.start(gate.wait, (10,))
    jobs = [pool.start(order.append, (number,)) for number in range(50)]
    assert pool.busy() == 51
    assert pool.threads == 1
    gate.set()
    wait_for(lambda: first.done and all(job.done for job in jobs))
    assert order == list(range(50))
    wait_for(lambda: pool.busy() == 0)


@pytest.mark.spec("RUN-008")
def test_the_warmest_worker_is_taken_again() -> None:
    pool = Workers(limit=4)
    gate = threading.Event()
    for job in [pool.start(gate.wait, (10,)) for _ in range(4)]:
        gate.set()
        wait_for(lambda job=job: job.done)  # type: ignore[misc]  # mypy cannot infer a lambda's default
    wait_for(lambda: pool.busy() == 0)
    idents = set()
    for _ in range(20):
        found = pool.start(threading.get_ident, ())
        wait_for(lambda: pool.busy() == 0)
        idents.add(found.outcome())
    assert len(idents) == 1


@pytest.mark.spec("RUN-008")
def test_idle_workers_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workers, "IDLE_SECONDS", 0.01)
    pool = Workers(limit=8)
    gate = threading.Event()
    jobs = [pool.start(gate.wait, (10,)) for _ in range(8)]
    wait_for(lambda: pool.threads == 8)
    gate.set()
    wait_for(lambda: all(job.done for job in jobs))
    wait_for(lambda: pool.threads == 0)
    assert pool.busy() == 0
    again = pool.start(int, ("3",))
    wait_for(lambda: again.done)
    assert again.outcome() == 3


@pytest.mark.spec("RUN-008")
def test_a_worker_that_was_just_given_a_job_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workers, "IDLE_SECONDS", 0.0005)
    pool = Workers(limit=2)

    def hammer(number: int) -> None:
        for turn in range(300):
            job = pool.start(int, (turn,))
            wait_for(lambda: job.done)  # noqa: B023 - called before the loop goes on
            assert job.outcome() == turn

    in_threads(3, hammer)
    wait_for(lambda: pool.busy() == 0)


@pytest.mark.spec("RUN-008")
@worlds
def test_without_a_new_thread_the_call_is_made_all_the_same(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = Workers()
    monkeypatch.setattr(_workers, "workers", pool)
    monkeypatch.setattr("remote_store._runtime._leaves.workers", pool)
    monkeypatch.setattr(threading.Thread, "start", refuse)

    async def main() -> int:
        return await _runtime.in_thread(int, "4")

    assert run(world, main) == 4
    assert pool.threads == pool.busy() == 0


# -- references ------------------------------------------------------------------------------


@contextmanager
def no_collector() -> Iterator[None]:
    """What goes away in this block goes by its count of references, not by the collector."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.spec("RUN-009")
@anywhere
def test_no_reference_to_arguments_or_result_is_kept(world: str) -> None:
    refs: list[weakref.ref[Payload]] = []

    def call(given: Payload) -> Payload:
        refs.append(weakref.ref(given))
        made = Payload()
        refs.append(weakref.ref(made))
        return made

    async def main() -> None:
        await _runtime.in_thread(call, Payload())
        await _runtime.shielded(call, Payload())
        pending = await _runtime.start(call, Payload())
        await pending.wait()
        wait_for(lambda: all(ref() is None for ref in refs))

    with no_collector():
        run_anywhere(world, main)
    assert len(refs) == 6


@pytest.mark.spec("RUN-009")
@anywhere
def test_no_reference_to_an_error_is_kept(world: str) -> None:
    refs: list[weakref.ref[Any]] = []

    def call(given: Payload) -> None:
        error = PayloadError()
        refs.extend((weakref.ref(given), weakref.ref(error)))
        try:
            raise error
        finally:
            del error

    async def fail(way: Callable[..., Any]) -> None:
        try:
            await way(call, Payload())
        except PayloadError:
            return

    async def main() -> None:
        await fail(_runtime.in_thread)
        await fail(_runtime.shielded)
        wait_for(lambda: all(ref() is None for ref in refs))

    with no_collector():
        run_anywhere(world, main)
    assert len(refs) == 4


@pytest.mark.spec("RUN-009")
@worlds
def test_no_reference_to_a_lost_result_is_kept(world: str) -> None:
    import anyio

    refs: list[weakref.ref[Payload]] = []
    begun, may_end = threading.Event(), threading.Event()

    def call(given: Payload) -> Payload:
        begun.set()
        assert may_end.wait(10)
        made = Payload()
        refs.extend((weakref.ref(given), weakref.ref(made)))
        return made

    async def one() -> None:
        await _runtime.in_thread(call, Payload())

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(one)
            while not begun.is_set():
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
            await _runtime.shielded(may_end.set)

    run(world, main)
    gc.collect()  # the loops' own frames may be in cycles here; ours must not hold the result
    wait_for(lambda: all(ref() is None for ref in refs))
    assert len(refs) == 2
