"""The background loop: where coroutines run that need asyncio, for callers that have none."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import anyio
import pytest
import trio
from blockbuster import BlockBuster
from tests.runtime.support import (
    ASYNCIO_WORLDS,
    WORLDS,
    in_threads,
    interrupt_when,
    pause,
    run,
    until,
    wait_for,
)

from remote_store import Store, _runtime
from remote_store._runtime import _background, _pending
from remote_store._runtime._background import Background
from remote_store.backends import MemoryBackend

worlds = pytest.mark.parametrize("world", WORLDS)
asyncio_worlds = pytest.mark.parametrize("world", ASYNCIO_WORLDS)
elsewhere = pytest.mark.parametrize("world", ["trio", "inline"])


def run_anywhere(world: str, main: Callable[..., Any], *args: Any) -> Any:
    return _runtime.drive(main(*args)) if world == "inline" else run(world, main, *args)


@pytest.fixture(autouse=True)
def own_background(monkeypatch: pytest.MonkeyPatch) -> Iterator[Background]:
    """A background loop of its own for each test, stopped at its end."""
    own = Background()
    monkeypatch.setattr(_background, "background", own)
    yield own
    own.stop()


class Work:
    """A coroutine on a loop that a test holds, and that notes what happens to it."""

    def __init__(self) -> None:
        self.begun, self.cleaned = threading.Event(), threading.Event()
        self.cancelled = False
        self.clean_up = 0.02
        self.stubborn: str | None = None
        self.undone: list[str] = []
        self.undone_in: int | None = None

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            await asyncio.sleep(self.clean_up)
            if self.stubborn is not None:
                return self.stubborn
            raise
        finally:
            self.cleaned.set()
        raise AssertionError

    def undo(self, result: str) -> None:
        self.undone.append(result)
        self.undone_in = threading.get_ident()


async def _where() -> tuple[asyncio.AbstractEventLoop, str]:
    await asyncio.sleep(0)
    return asyncio.get_running_loop(), threading.current_thread().name


# -- where it runs ---------------------------------------------------------------------------


@pytest.mark.spec("RUN-011")
@asyncio_worlds
def test_on_asyncio_it_is_awaited_in_place(world: str, own_background: Background) -> None:
    async def main() -> None:
        task = asyncio.current_task()

        async def seen() -> object:
            return asyncio.current_task()

        assert await _runtime.on_asyncio(_where) == (
            asyncio.get_running_loop(),
            threading.current_thread().name,
        )
        assert await _runtime.on_asyncio(seen) is task

    run(world, main)
    assert own_background._loop is None


@pytest.mark.spec("RUN-011", "RUN-012")
@elsewhere
def test_elsewhere_it_runs_on_the_background_loop(world: str, own_background: Background) -> None:
    async def main() -> None:
        first = await _runtime.on_asyncio(_where)
        assert first[1] == "remote-store-loop"
        assert await _runtime.on_asyncio(_where) == first

    run_anywhere(world, main)
    thread = own_background._thread
    assert thread is not None
    assert thread.name == "remote-store-loop"
    assert thread.daemon


@pytest.mark.spec("RUN-012")
def test_many_callers_at_once_start_one_loop() -> None:
    loops: set[Any] = set()

    def call(number: int) -> None:
        if number % 2:
            loops.add(_runtime.drive(_runtime.on_asyncio(_where)))
        else:
            loops.add(trio.run(_runtime.on_asyncio, _where))

    in_threads(16, call)
    assert len(loops) == 1


@pytest.mark.spec("RUN-011")
@pytest.mark.parametrize("world", [*WORLDS, "inline"])
def test_value_and_error_come_back(world: str) -> None:
    async def main() -> None:
        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError("on the loop")

        async def add(a: int, b: int) -> int:
            await asyncio.sleep(0)
            return a + b

        assert await _runtime.on_asyncio(add, 2, 3) == 5
        with pytest.raises(ValueError, match="on the loop"):
            await _runtime.on_asyncio(fail)

    run_anywhere(world, main)


@pytest.mark.spec("RUN-012")
def test_the_loop_refuses_to_wait_for_itself() -> None:
    async def on_the_loop() -> None:
        _runtime.drive(_runtime.on_asyncio(_where))

    with pytest.raises(RuntimeError, match="own event loop thread"):
        _runtime.drive(_runtime.on_asyncio(on_the_loop))
    assert _runtime.drive(_runtime.on_asyncio(_where))[1] == "remote-store-loop"


@pytest.mark.spec("RUN-012")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_thread_that_cannot_start_leaves_no_loop(
    monkeypatch: pytest.MonkeyPatch, own_background: Background
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            _runtime.drive(_runtime.on_asyncio(_where))
    assert own_background._loop is None
    assert _runtime.drive(_runtime.on_asyncio(_where))[1] == "remote-store-loop"


@pytest.mark.spec("RUN-012")
def test_stopping_cancels_what_runs_and_waits_for_its_clean_up(own_background: Background) -> None:
    work = Work()
    outcomes: list[BaseException] = []

    def call(number: int) -> None:
        try:
            _runtime.drive(_runtime.on_asyncio(work))
        except asyncio.CancelledError as error:
            outcomes.append(error)

    thread = threading.Thread(target=call, args=(0,))
    thread.start()
    assert work.begun.wait(10)
    loop_thread = own_background._thread
    assert loop_thread is not None
    own_background.stop()
    assert work.cleaned.is_set()
    assert not loop_thread.is_alive()
    thread.join(10)
    assert len(outcomes) == 1
    own_background.stop()  # twice is fine
    assert _runtime.drive(_runtime.on_asyncio(_where))[1] == "remote-store-loop"


# -- cancellation from trio ----------------------------------------------------------------------


@pytest.mark.spec("RUN-013")
@pytest.mark.parametrize("times", [1, 3])
def test_cancelling_a_trio_task_cancels_its_asyncio_task_and_waits(times: int) -> None:
    work = Work()
    outcome: list[BaseException] = []

    async def victim() -> None:
        try:
            await _runtime.on_asyncio(work, undo=work.undo)
        except BaseException as error:
            assert work.cleaned.is_set(), "it left before the clean-up"
            outcome.append(error)
            raise

    async def main() -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(victim)
                await until(work.begun.is_set)
                for _ in range(times):
                    scope.cancel()
        assert scope.cancelled_caught

    run("trio", main)
    assert work.cancelled
    assert [type(error) for error in outcome] == [trio.Cancelled]
    assert work.undone == []


@pytest.mark.spec("RUN-013")
def test_a_deadline_of_trio_is_reported_as_such() -> None:
    work, late = Work(), Work()

    async def expire(scope: trio.CancelScope, on_the_way: Work) -> None:
        await until(on_the_way.begun.is_set)
        scope.deadline = trio.current_time()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(60) as scope:
                nursery.start_soon(expire, scope, work)
                await _runtime.on_asyncio(work)
            assert scope.cancelled_caught
            with pytest.raises(trio.TooSlowError):
                with trio.fail_after(60) as scope:
                    nursery.start_soon(expire, scope, late)
                    await _runtime.on_asyncio(late)

    run("trio", main)
    assert work.cleaned.is_set()
    assert late.cleaned.is_set()


@pytest.mark.spec("RUN-013", "RUN-004")
def test_an_outcome_in_spite_of_the_cancellation_stands() -> None:
    work = Work()
    work.stubborn = "I had it already"
    seen: list[str] = []

    async def main() -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def victim() -> None:
                    seen.append(await _runtime.on_asyncio(work, undo=work.undo))
                    await pause()
                    raise AssertionError("the cancellation was lost")

                nursery.start_soon(victim)
                await until(work.begun.is_set)
                scope.cancel()
        assert scope.cancelled_caught

    run("trio", main)
    assert seen + work.undone == ["I had it already"]


@pytest.mark.spec("RUN-013")
def test_an_error_in_the_clean_up_comes_back() -> None:
    begun = threading.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("in the clean-up")

    async def main() -> None:
        with trio.CancelScope() as scope, pytest.raises(ValueError, match="in the clean-up"):
            with trio.CancelScope():
                threading.Timer(
                    0.02, lambda: trio.from_thread.run_sync(scope.cancel, trio_token=token)
                ).start()
                token = trio.lowlevel.current_trio_token()
                await _runtime.on_asyncio(work)

    run("trio", main)


@pytest.mark.spec("RUN-013", "RUN-003")
def test_a_cancelled_trio_task_does_not_start(own_background: Background) -> None:
    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await _runtime.on_asyncio(_where)
        assert scope.cancelled_caught

    run("trio", main)
    assert own_background._loop is None


@pytest.mark.spec("RUN-013")
def test_work_that_cancels_itself_does_not_cancel_the_trio_task() -> None:
    async def give_up() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await _runtime.on_asyncio(give_up)
        await trio.sleep(0)

    run("trio", main)


@pytest.mark.spec("RUN-013")
def test_a_cancellation_before_the_task_began(blockbuster: BlockBuster) -> None:
    """The background loop is busy when the call arrives, and the caller is cancelled before it gets there."""
    blockbuster.deactivate()
    gate, blocked = threading.Event(), threading.Event()
    called: list[str] = []

    async def block() -> None:
        blocked.set()
        assert gate.wait(10)

    async def work() -> None:
        called.append("begun")
        await asyncio.sleep(60)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_runtime.on_asyncio, block)
            await until(blocked.is_set)
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as inner:
                    inner.start_soon(_runtime.on_asyncio, work)
                    await trio.testing.wait_all_tasks_blocked()
                    scope.cancel()
                    await trio.lowlevel.cancel_shielded_checkpoint()
                    gate.set()
            assert scope.cancelled_caught

    import trio.testing

    run("trio", main)
    assert called == []


@pytest.mark.spec("RUN-011", "RUN-002")
@asyncio_worlds
def test_on_asyncio_a_cancellation_arrives_as_usual(world: str) -> None:
    async def main() -> None:
        work = Work()
        task = asyncio.create_task(_called(_runtime.on_asyncio, work))
        await until(work.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert work.cleaned.is_set()

    run(world, main)


async def _called(way: Callable[..., Any], *args: Any) -> Any:
    return await way(*args)


@pytest.mark.spec("RUN-009")
@elsewhere
def test_the_loop_keeps_no_reference_to_arguments_or_result(world: str) -> None:
    class Payload:
        pass

    refs: list[weakref.ref[Payload]] = []

    async def work(given: Payload) -> Payload:
        made = Payload()
        refs.extend((weakref.ref(given), weakref.ref(made)))
        return made

    async def main() -> None:
        await _runtime.on_asyncio(work, Payload())

    gc.collect()
    gc.disable()
    try:
        run_anywhere(world, main)
        wait_for(lambda: all(ref() is None for ref in refs))
    finally:
        gc.enable()
    assert len(refs) == 2


# -- Ctrl-C in a blocking call ---------------------------------------------------------------------


@pytest.mark.spec("RUN-014")
def test_ctrl_c_cancels_the_background_work_and_waits_for_its_clean_up() -> None:
    work = Work()
    work.clean_up = 0.1
    interrupt_when(work.begun)
    with pytest.raises(KeyboardInterrupt):
        _runtime.drive(_runtime.on_asyncio(work, undo=work.undo))
    assert work.cancelled
    assert work.cleaned.is_set()
    assert work.undone == []
    assert _runtime.drive(_runtime.on_asyncio(_where))[1] == "remote-store-loop"


@pytest.mark.spec("RUN-014", "RUN-004")
def test_ctrl_c_undoes_a_result_that_came_in_spite_of_it() -> None:
    work = Work()
    work.stubborn = "too late"
    interrupt_when(work.begun)
    with pytest.raises(KeyboardInterrupt):
        _runtime.drive(_runtime.on_asyncio(work, undo=work.undo))
    assert work.undone == ["too late"]
    assert work.undone_in == threading.get_ident()


@pytest.mark.spec("RUN-014")
def test_ctrl_c_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _pending.INTERRUPT_GRACE == 10
    monkeypatch.setattr(_pending, "INTERRUPT_GRACE", 0.05)
    work = Work()
    work.clean_up = 1
    interrupt_when(work.begun)
    with pytest.raises(KeyboardInterrupt):
        _runtime.drive(_runtime.on_asyncio(work))
    assert not work.cleaned.is_set()
    wait_for(work.cleaned.is_set)


@pytest.mark.spec("RUN-014")
def test_ctrl_c_that_another_thread_took() -> None:
    work = Work()

    async def main() -> None:
        # In this thread, so that it does not wake the one that waits; and when the work is under way.
        asyncio.get_running_loop().call_later(0.1, signal.raise_signal, signal.SIGINT)
        await work()

    with pytest.raises(KeyboardInterrupt):
        _runtime.drive(_runtime.on_asyncio(main))
    assert work.cancelled


@pytest.mark.spec("RUN-014")
def test_ctrl_c_that_another_thread_took_during_a_sleep() -> None:
    timer = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        _runtime.drive(_runtime.sleep(600))
    timer.join()


@pytest.mark.spec("RUN-014")
def test_a_blocking_sleep_lasts_as_long_as_it_should() -> None:
    began = time.monotonic()
    _runtime.drive(_runtime.sleep(0.4))
    assert time.monotonic() - began >= 0.4
    _runtime.drive(_runtime.sleep(0))


@pytest.mark.spec("RUN-014", "RUN-004")
def test_ctrl_c_while_a_blocking_caller_waits_for_a_thread() -> None:
    begun, may_end = threading.Event(), threading.Event()
    undone: list[str] = []

    def call() -> str:
        begun.set()
        assert may_end.wait(10)
        return "result"

    async def main() -> None:
        pending = await _runtime.start(call)
        await pending.wait(undone.append)

    threading.Timer(0.2, may_end.set).start()
    interrupt_when(begun)
    with pytest.raises(KeyboardInterrupt):
        _runtime.drive(main())
    assert undone == ["result"]


# -- a store on top of it ---------------------------------------------------------------------------


@pytest.mark.spec("RUN-012", "RUN-016")
def test_a_store_that_needs_no_loop_works_on_the_background_loop() -> None:
    async def on_the_loop() -> bytes:
        with Store(MemoryBackend()) as store:
            store.write("a", b"1")
            return store.read_bytes("a")

    assert _runtime.drive(_runtime.on_asyncio(on_the_loop)) == b"1"


@pytest.mark.spec("RUN-013")
@worlds
def test_a_task_group_of_mixed_work_is_cancelled_as_one(world: str) -> None:
    works = [Work() for _ in range(5)]

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for work in works:
                group.start_soon(_runtime.on_asyncio, work)
                group.start_soon(_runtime.in_thread, work.begun.wait, 10)
            await until(lambda: all(work.begun.is_set() for work in works))
            group.cancel_scope.cancel()
        assert all(work.cleaned.is_set() for work in works)

    for work in works:
        work.clean_up = 0
    run(world, main)


@pytest.mark.spec("RUN-011")
def test_anyio_knows_where_it_is() -> None:
    """``anyio.run`` marks the context of its tasks with the name of their loop, and contexts are copied."""

    async def work() -> str:
        await anyio.sleep(0)
        async with anyio.create_task_group():
            pass
        return type(asyncio.current_task()).__module__

    async def main() -> str:
        return await _runtime.on_asyncio(work)

    assert anyio.run(main, backend="trio") == "_asyncio"


@pytest.mark.spec("RUN-011")
def test_a_library_that_another_thread_is_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module is to be found before it has its content: the first callers met sniffio like that."""
    monkeypatch.setitem(sys.modules, "sniffio", ModuleType("sniffio"))

    async def answer() -> int:
        return 42

    assert _runtime.drive(_runtime.on_asyncio(answer)) == 42
