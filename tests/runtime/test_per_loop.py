"""One resource for each event loop: making, sharing, failing, closing."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tests.runtime.support import (
    ASYNCIO_WORLDS,
    WATCHDOG,
    WORLDS,
    Thread,
    interrupt_when,
    run,
    until,
    wait_for,
)

from remote_store import _runtime
from remote_store._runtime import _background, _pending
from remote_store._runtime._background import Background
from remote_store._runtime.per_loop import PerLoop

worlds = pytest.mark.parametrize("world", WORLDS)
asyncio_worlds = pytest.mark.parametrize("world", ASYNCIO_WORLDS)


@pytest.fixture(autouse=True)
def own_background(monkeypatch: pytest.MonkeyPatch) -> Iterator[Background]:
    """A background loop of its own for each test, stopped at its end."""
    own = Background()
    monkeypatch.setattr(_background, "background", own)
    yield own
    own.stop()


class Client:
    """A thing that belongs to the loop it was made in."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = 0

    async def aclose(self) -> None:
        assert asyncio.get_running_loop() is self.loop, "closed in a foreign loop"
        assert asyncio.current_task() is not None
        await asyncio.sleep(0)
        self.closed += 1


class Clients(PerLoop[Client]):
    """Counts what it makes, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__(self._new, Client.aclose)
        self.made: list[Client] = []
        self.failures = failures
        self.tried = 0
        self.gate: asyncio.Event | None = None

    async def _new(self) -> Client:
        self.tried += 1
        await (asyncio.sleep(0.001) if self.gate is None else self.gate.wait())
        if self.tried <= self.failures:
            raise OSError("cannot connect")
        self.made.append(Client())
        return self.made[-1]


async def _closed(clients: PerLoop[Any]) -> None:
    await clients.aclose()


class LoopThread:
    """An event loop that runs in another thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever)
        self._thread.start()

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(WATCHDOG)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def __enter__(self) -> LoopThread:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self.loop.is_closed():
            self.stop()
            self.loop.close()


# -- making ------------------------------------------------------------------------------------


@pytest.mark.spec("RUN-015")
@asyncio_worlds
def test_tasks_that_ask_at_the_same_time_share_one(world: str) -> None:
    clients = Clients()

    async def main() -> None:
        got = await asyncio.gather(*(clients.get() for _ in range(20)))
        assert set(got) == {await clients.get()} == set(clients.made)
        assert clients.tried == 1
        await clients.aclose()

    run(world, main)
    assert [client.closed for client in clients.made] == [1]


@pytest.mark.spec("RUN-015")
@worlds
def test_from_every_world_by_way_of_on_asyncio(world: str) -> None:
    clients = Clients()

    async def main() -> None:
        one = await _runtime.on_asyncio(clients.get)
        assert await _runtime.on_asyncio(clients.get) is one
        await _closed(clients)
        assert one.closed == 1

    run(world, main)


@pytest.mark.spec("RUN-015")
def test_each_loop_has_its_own() -> None:
    clients = Clients()

    async def main() -> None:
        mine = await clients.get()
        with LoopThread() as other:
            theirs = other.call(clients.get())
            assert theirs is not mine
            assert theirs.loop is other.loop
            assert await clients.get() is mine
            blocking = await asyncio.to_thread(_runtime.drive, _runtime.on_asyncio(clients.get))
            assert len({mine, theirs, blocking}) == 3
            await clients.aclose()
            assert [client.closed for client in clients.made] == [1, 1, 1]
        again = await clients.get()
        assert again not in (mine, theirs, blocking)
        await clients.aclose()

    run("asyncio", main)


@pytest.mark.spec("RUN-015")
@asyncio_worlds
def test_a_failed_making_is_tried_again_by_the_next_caller(world: str) -> None:
    clients = Clients(failures=2)

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(OSError, match="cannot connect"):
                await clients.get()
        client = await clients.get()
        assert clients.tried == 3
        await clients.aclose()
        assert client.closed == 1

    run(world, main)


@pytest.mark.spec("RUN-015")
def test_all_who_wait_for_a_failing_making_get_its_error() -> None:
    clients = Clients(failures=1)

    async def main() -> None:
        got = await asyncio.gather(*(clients.get() for _ in range(5)), return_exceptions=True)
        assert [type(error) for error in got] == [OSError] * 5
        assert clients.tried == 1
        await clients.aclose()

    run("asyncio", main)


@pytest.mark.spec("RUN-015")
@asyncio_worlds
def test_one_callers_cancellation_does_not_take_it_from_the_others(world: str) -> None:
    clients = Clients()

    async def main() -> None:
        clients.gate = asyncio.Event()
        first, second = asyncio.create_task(clients.get()), asyncio.create_task(clients.get())
        await until(lambda: clients.tried)
        first.cancel()
        await asyncio.sleep(0)
        clients.gate.set()
        client = await second
        assert first.cancelled()
        assert clients.tried == 1
        await clients.aclose()
        assert client.closed == 1

    run(world, main)


@pytest.mark.spec("RUN-015")
def test_a_making_that_everybody_gave_up_on_is_closed_in_the_end() -> None:
    clients = Clients()

    async def main() -> None:
        clients.gate = asyncio.Event()
        task = asyncio.create_task(clients.get())
        await until(lambda: clients.tried)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        asyncio.get_running_loop().call_later(0.01, clients.gate.set)
        await clients.aclose()
        assert [client.closed for client in clients.made] == [1]

    run("asyncio", main)


@pytest.mark.spec("RUN-015")
def test_a_cancelled_making_is_tried_again() -> None:
    clients = Clients()

    async def main() -> None:
        clients.gate = asyncio.Event()
        waiting = asyncio.create_task(clients.get())
        await until(lambda: clients.tried)
        for task in asyncio.all_tasks() - {asyncio.current_task(), waiting}:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        clients.gate = None
        client = await clients.get()
        assert clients.tried == 2
        await clients.aclose()
        assert client.closed == 1

    run("asyncio", main)


# -- closing -------------------------------------------------------------------------------------


@pytest.mark.spec("RUN-015")
def test_closing_from_another_loop_waits_for_it() -> None:
    clients = Clients()
    with LoopThread() as other:
        client = other.call(clients.get())

        async def main() -> None:
            await clients.aclose()
            assert client.closed == 1

        run("asyncio", main)
        assert client.closed == 1


@pytest.mark.spec("RUN-015")
@pytest.mark.parametrize("world", [*WORLDS, "inline"])
def test_closing_from_anywhere_closes_those_of_a_running_loop(world: str) -> None:
    clients = Clients()
    with LoopThread() as other:
        client = other.call(clients.get())
        if world == "inline":
            _runtime.drive(clients.aclose())
        else:
            run(world, _closed, clients)
        assert client.closed == 1


@pytest.mark.spec("RUN-015")
def test_blocking_code_closes_those_of_the_background_loop() -> None:
    clients = Clients()
    client = _runtime.drive(_runtime.on_asyncio(clients.get))
    _runtime.drive(clients.aclose())
    assert client.closed == 1
    _runtime.drive(clients.aclose())
    assert client.closed == 1


@pytest.mark.spec("RUN-015")
@asyncio_worlds
def test_blocking_code_inside_the_very_loop_does_not_hang(world: str) -> None:
    clients = Clients()

    async def main() -> None:
        client = await clients.get()
        _runtime.drive(clients.aclose())
        assert client.closed == 0  # nobody could have run it yet
        gc.collect()  # the loop itself holds tasks only weakly
        await until(lambda: client.closed)
        assert client.closed == 1
        again = await clients.get()
        assert again is not client
        await clients.aclose()

    run(world, main)


@pytest.mark.spec("RUN-015")
def test_closing_in_a_callback_of_the_very_loop_does_not_hang() -> None:
    clients = Clients()

    async def main() -> None:
        client = await clients.get()
        asyncio.get_running_loop().call_soon(_runtime.drive, clients.aclose())
        await until(lambda: client.closed)

    run("asyncio", main)


@pytest.mark.spec("RUN-015")
def test_resources_of_closed_loops_are_forgotten() -> None:
    clients = Clients()
    refs: list[weakref.ref[Client]] = []

    async def main() -> None:
        refs.append(weakref.ref(await clients.get()))

    for _ in range(3):
        run("asyncio", main)
        clients.made.clear()
    assert len(clients._slots) == 1
    run("asyncio", _closed, clients)
    gc.collect()
    assert [ref() for ref in refs] == [None] * 3


@pytest.mark.spec("RUN-015")
def test_a_loop_that_stands_still_does_not_hang_the_closing() -> None:
    clients = Clients()
    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(clients.get())
    run("asyncio", _closed, clients)
    assert client.closed == 0
    loop.close()


@pytest.mark.spec("RUN-015")
def test_a_failing_close_is_reported() -> None:
    class Bad:
        pass

    async def make() -> Bad:
        return Bad()

    async def close(bad: Bad) -> None:
        raise OSError("cannot close")

    holder = PerLoop(make, close)

    async def main() -> None:
        await holder.get()
        with pytest.raises(OSError, match="cannot close"):
            await holder.aclose()
        await holder.aclose()

    run("asyncio", main)


@pytest.mark.spec("RUN-015")
def test_one_failing_close_does_not_keep_the_others_open() -> None:
    made: list[Client] = []

    async def make() -> Client:
        made.append(Client())
        return made[-1]

    async def close(client: Client) -> None:
        await client.aclose()
        raise OSError("cannot close")

    holder = PerLoop(make, close)
    with LoopThread() as one, LoopThread() as two:
        one.call(holder.get())
        two.call(holder.get())

        async def main() -> None:
            await holder.get()
            with pytest.raises(ExceptionGroup, match="failed to close") as caught:
                await holder.aclose()
            assert [str(error) for error in caught.value.exceptions] == ["cannot close"] * 3

        run("asyncio", main)
        assert [client.closed for client in made] == [1, 1, 1]


@pytest.mark.spec("RUN-015")
def test_a_loop_that_ends_meanwhile_does_not_hang_the_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The closing is on its way to a loop that stops, and is closed, before it gets to it."""
    clients = Clients()
    busy, may_end, on_its_way = threading.Event(), threading.Event(), threading.Event()
    with LoopThread() as other:
        other.call(clients.get())
        send = other.loop.call_soon_threadsafe

        def block_and_stop() -> None:
            busy.set()
            assert may_end.wait(10)
            other.loop.stop()

        def sent(*args: Any) -> asyncio.Handle:
            handle = send(*args)
            on_its_way.set()
            return handle

        send(block_and_stop)
        assert busy.wait(10)
        monkeypatch.setattr(other.loop, "call_soon_threadsafe", sent)
        closing = Thread(target=run, args=("asyncio", _closed, clients), daemon=True)
        closing.start()
        assert on_its_way.wait(10)
        may_end.set()
        other.stop()
        other.loop.close()
        closing.join(10)
        assert not closing.is_alive()


@pytest.mark.spec("RUN-015")
def test_a_cancelled_closing_can_be_taken_up_again() -> None:
    began = asyncio.Event()

    async def make() -> Client:
        return Client()

    async def close(client: Client) -> None:
        began.set()
        await asyncio.sleep(0.01)
        await client.aclose()

    holder = PerLoop(make, close)
    with LoopThread() as other:
        client = other.call(holder.get())

        async def main() -> None:
            await holder.get()
            task = asyncio.create_task(_closed(holder))
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await holder.aclose()
            assert client.closed == 1

        run("asyncio", main)


@pytest.mark.spec("RUN-015")
def test_what_was_never_made_needs_no_closing() -> None:
    clients = Clients(failures=1)

    async def main() -> None:
        with pytest.raises(OSError, match="cannot connect"):
            await clients.get()
        await clients.aclose()
        assert clients.made == []

    run("asyncio", main)


@pytest.mark.spec("RUN-015", "RUN-002")
def test_a_cancelled_closing_elsewhere_is_waited_for() -> None:
    began, closed = threading.Event(), threading.Event()

    async def make() -> Client:
        return Client()

    async def close(client: Client) -> None:
        began.set()
        try:
            await asyncio.sleep(0.02)
        finally:
            closed.set()

    holder = PerLoop(make, close)
    with LoopThread() as other:
        other.call(holder.get())

        async def main() -> None:
            task = asyncio.create_task(_closed(holder))
            await until(began.is_set)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert closed.is_set()

        run("asyncio", main)


@pytest.mark.spec("RUN-014", "RUN-015")
def test_ctrl_c_in_a_blocking_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pending, "INTERRUPT_GRACE", 0.05)
    began, closed = threading.Event(), threading.Event()

    async def make() -> Client:
        return Client()

    async def close(client: Client) -> None:
        began.set()
        try:
            await asyncio.sleep(WATCHDOG)
        finally:
            await asyncio.sleep(1)
            closed.set()

    holder = PerLoop(make, close)
    with LoopThread() as other:
        other.call(holder.get())
        interrupt_when(began)
        with pytest.raises(KeyboardInterrupt):
            _runtime.drive(holder.aclose())
        assert not closed.is_set()
        wait_for(closed.is_set)


@pytest.mark.spec("RUN-015")
def test_gets_and_closings_in_many_loops_at_once() -> None:
    clients = Clients()
    errors: list[BaseException] = []

    async def some() -> None:
        for _ in range(10):
            client = await clients.get()
            assert client.loop is asyncio.get_running_loop()
            await asyncio.sleep(0)

    def call(work: Callable[[], Awaitable[None]]) -> None:
        try:
            run("asyncio", work)
        except BaseException as error:
            errors.append(error)

    with LoopThread() as steady:
        threads = [threading.Thread(target=call, args=(some,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            steady.call(some())
            steady.call(clients.aclose())
        for thread in threads:
            thread.join(WATCHDOG)
        steady.call(clients.aclose())
        wait_for(lambda: all(client.closed for client in clients.made if not client.loop.is_closed()))
    assert errors == []
