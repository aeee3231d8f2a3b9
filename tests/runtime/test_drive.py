"""The inline drive: blocking calls without any loop, wherever they are made."""

from __future__ import annotations

import asyncio
import gzip
import io
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from tests.runtime.support import WORLDS, Jobs, run

from remote_store import AsyncStore, Store, _runtime
from remote_store._runtime import _background
from remote_store._runtime._where import World, state, world
from remote_store.backends import LocalBackend, MemoryBackend

worlds = pytest.mark.parametrize("world", WORLDS)


@pytest.fixture(params=["local", "memory"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> LocalBackend | MemoryBackend:
    return LocalBackend(tmp_path / "root") if request.param == "local" else MemoryBackend()


def use_everything(store: Store) -> None:
    """Call what a blocking store has."""
    assert store.write("a/b.txt", b"12345", overwrite=True).size == 5
    assert store.write("a/i.txt", iter([b"1", b"2"]), overwrite=True).size == 2
    assert store.write("a/f.txt", io.BytesIO(b"123"), overwrite=True).size == 3
    store.write_text("a/t.txt", "text", overwrite=True)
    assert store.read_text("a/t.txt") == "text"
    with store.open_write("a/c.txt.gz", overwrite=True) as stream, gzip.open(stream, "wb") as packed:
        packed.write(b"packed")
    with store.read("a/c.txt.gz") as source, gzip.open(source) as unpacked:
        assert unpacked.read() == b"packed"
    with store.open_read("a/b.txt") as file:
        file.seek(2)
        assert file.read() == b"345"
    assert store.read_bytes("a/b.txt", start=1, length=2) == b"23"
    store.copy("a/b.txt", "a/d.txt", overwrite=True)
    store.move("a/d.txt", "a/e.txt", overwrite=True)
    names = {"b.txt", "c.txt.gz", "e.txt", "f.txt", "i.txt", "t.txt"}
    assert {info.name for info in store.list_files("a")} == names
    assert {info.name for info in store.glob("**/*")} == names
    assert list(store.list_folders()) == ["a"]
    assert [len(files) for _, _, files in store.walk()] == [0, 6]
    assert store.get_folder_info("a").file_count == 6
    assert store.exists("a")
    assert store.is_file("a/b.txt")
    store.ping()
    store.delete("a/b.txt")
    store.delete_folder("a", recursive=True)
    assert not store.exists("a")


@pytest.mark.spec("RUN-016")
def test_a_result_and_an_error_come_back() -> None:
    async def add(a: int, b: int) -> int:
        return a + b

    async def fail() -> None:
        raise ValueError("inside")

    assert _runtime.drive(add(1, 2)) == 3
    with pytest.raises(ValueError, match="inside"):
        _runtime.drive(fail())
    assert not state.inline


@pytest.mark.spec("RUN-016")
def test_the_world_inside_is_inline_and_outside_it_is_as_before() -> None:
    async def inside() -> World:
        return world()

    async def main(expected: World) -> None:
        assert world() is expected
        assert _runtime.drive(inside()) is World.INLINE
        assert world() is expected

    run("asyncio", main, World.ASYNCIO)
    run("uvloop", main, World.ASYNCIO)
    run("trio", main, World.TRIO)


@pytest.mark.spec("RUN-016")
def test_driving_within_a_drive() -> None:
    async def inner() -> bool:
        return _runtime.blocking()

    async def outer() -> tuple[bool, bool, bool]:
        return _runtime.blocking(), _runtime.drive(inner()), _runtime.blocking()

    assert _runtime.drive(outer()) == (True, True, True)
    assert not _runtime.blocking()


@pytest.mark.spec("RUN-016")
def test_every_blocking_call_without_a_loop(
    backend: LocalBackend | MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: object) -> None:
        raise AssertionError("a blocking call made a loop, or used a worker")

    monkeypatch.setattr(asyncio, "new_event_loop", forbidden)
    monkeypatch.setattr(_background.Background, "start", forbidden)
    jobs = Jobs(monkeypatch)
    with Store(backend) as store:
        use_everything(store)
    assert jobs.all == []


@pytest.mark.spec("RUN-016", "GEN-007")
@worlds
def test_every_blocking_call_inside_a_running_loop(
    world: str, backend: LocalBackend | MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(monkeypatch)

    async def main() -> None:
        ran: list[str] = []

        async def other() -> None:
            ran.append("other")

        async with anyio.create_task_group() as group:
            group.start_soon(other)
            with Store(backend) as store:
                use_everything(store)
            assert ran == [], "the loop went on inside a blocking call"
        assert ran == ["other"]
        assert jobs.all == []

    run(world, main)


@pytest.mark.spec("RUN-016")
@worlds
def test_a_cancelled_scope_does_not_touch_a_blocking_call(
    world: str, backend: LocalBackend | MemoryBackend
) -> None:
    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            with Store(backend) as store:
                use_everything(store)
            await anyio.sleep(0)
        assert scope.cancelled_caught

    run(world, main)


# -- what suspends -----------------------------------------------------------------------------


@pytest.mark.spec("RUN-017")
@pytest.mark.parametrize("inside", [None, *WORLDS])
def test_a_coroutine_that_suspends_is_refused(inside: str | None) -> None:
    closed: list[str] = []

    async def suspends() -> None:
        try:
            await _Suspend()
        finally:
            closed.append("closed")

    async def main() -> None:
        with pytest.raises(RuntimeError, match="use the async API"):
            _runtime.drive(suspends())

    if inside is None:
        with pytest.raises(RuntimeError, match="use the async API"):
            _runtime.drive(suspends())
    else:
        run(inside, main)
    assert closed == ["closed"]
    assert not state.inline


class _Suspend:
    def __await__(self) -> Generator[None, None, None]:
        yield


@pytest.mark.spec("RUN-017")
def test_a_coroutine_that_will_not_close_is_refused_too() -> None:
    async def stubborn() -> None:
        try:
            await _Suspend()
        except GeneratorExit:
            await _Suspend()

    with pytest.raises(RuntimeError):
        _runtime.drive(stubborn())
    assert not state.inline


# -- user code inside a blocking call ----------------------------------------------------------------


class Sink:
    """A file whose ``write`` is the test's own code."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call

    def write(self, data: bytes) -> int:
        self.call()
        return len(data)


class Source(Sink):
    """A file whose ``read`` is the test's own code."""

    ended = False

    def read(self, n: int) -> bytes:
        self.call()
        self.ended, ended = True, self.ended
        return b"" if ended else b"data"


def _loops_and_stores(folder: Path) -> None:
    async def main() -> None:
        store = AsyncStore(LocalBackend(folder))
        await store.write("inner", b"1", overwrite=True)
        assert await store.read_bytes("inner") == b"1"
        assert Store(LocalBackend(folder)).read_bytes("inner") == b"1"

    asyncio.run(main())
    trio.run(main)
    assert Store(LocalBackend(folder)).read_bytes("inner") == b"1"
    assert not _runtime.blocking()


@pytest.mark.spec("RUN-018")
@pytest.mark.parametrize("kind", ["file", "iterable", "sink", "buffered sink"])
def test_user_code_in_a_blocking_call_may_run_loops_and_stores(kind: str, tmp_path: Path) -> None:
    calls: list[int] = []

    def own_code() -> None:
        _loops_and_stores(tmp_path / "other")
        calls.append(1)

    def pieces() -> Iterator[bytes]:
        own_code()
        yield b"data"
        own_code()

    with Store(LocalBackend(tmp_path / "root")) as store:
        store.write("there", b"data")
        if kind == "file":
            store.write("a", Source(own_code))
        elif kind == "iterable":
            store.write("a", pieces())
        elif kind == "sink":
            from remote_store._sync import ReadStream

            stream = store.read("there")
            assert isinstance(stream, io.BufferedReader)
            raw = stream.detach()
            assert isinstance(raw, ReadStream)
            with raw:
                raw.copy_to(Sink(own_code))
        else:
            with store.read("there") as source:
                while data := source.read(100):
                    Sink(own_code).write(data)
    assert calls
    assert not state.inline


@pytest.mark.spec("RUN-018", "RUN-016")
def test_user_code_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    def fail() -> None:
        raise LookupError("in user code")

    with Store(LocalBackend(tmp_path)) as store:
        with pytest.raises(LookupError, match="in user code"):
            store.write("a", Source(fail))
        assert not state.inline
        assert list(tmp_path.iterdir()) == []


@pytest.mark.spec("RUN-018", "RUN-001")
@worlds
def test_user_code_in_an_async_call_runs_in_a_worker_and_may_do_the_same(world: str, tmp_path: Path) -> None:
    threads: set[str] = set()

    def own_code() -> None:
        threads.add(threading.current_thread().name)
        _loops_and_stores(tmp_path / "other")

    async def main() -> None:
        store = AsyncStore(LocalBackend(tmp_path / "root"))
        await store.write("a", Source(own_code))
        await store.aclose()

    run(world, main)
    assert threads == {"remote-store-worker"}


# -- no world at all -----------------------------------------------------------------------------------


async def _use(store: AsyncStore) -> None:
    await store.exists("a")


@pytest.mark.spec("RUN-019")
@pytest.mark.parametrize("leaf", ["store", "in_thread", "on_asyncio", "checkpoint"])
def test_outside_of_any_loop_the_async_api_says_how_to_run_it(
    leaf: str, backend: LocalBackend | MemoryBackend
) -> None:
    coroutine: Any
    if leaf == "store":
        coroutine = _use(AsyncStore(backend))
    elif leaf == "checkpoint":
        coroutine = _runtime.checkpoint()
    else:
        coroutine = getattr(_runtime, leaf)(int)
    with pytest.raises(RuntimeError, match=r"asyncio\.run\(\) or trio\.run\(\), or use the blocking Store"):
        coroutine.send(None)


@pytest.mark.spec("RUN-019")
def test_the_store_still_works_afterwards(backend: LocalBackend | MemoryBackend) -> None:
    store = AsyncStore(backend)
    with pytest.raises(RuntimeError):
        _use(store).send(None)
    for name in WORLDS:
        run(name, _use, store)


@pytest.mark.spec("RUN-019")
def test_a_callback_of_the_loop_is_no_task() -> None:
    """Stepped by hand inside a loop's callback: nothing could wake it."""
    outcome: list[BaseException] = []

    async def main() -> None:
        def callback() -> None:
            try:
                _runtime.in_thread(int).send(None)
            except RuntimeError as error:
                outcome.append(error)

        asyncio.get_running_loop().call_soon(callback)
        await asyncio.sleep(0.001)

    run("asyncio", main)
    assert "asyncio.run()" in str(outcome[0])


@pytest.mark.spec("RUN-001")
def test_in_trios_guest_mode_a_trio_task_is_in_trio() -> None:
    """asyncio runs below, and its loop is the running one; the task is trio's all the same."""
    seen: list[World] = []

    async def guest() -> str:
        seen.append(world())
        return await _runtime.in_thread(str, "ok")

    async def host() -> str:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result
        )
        outcome = await done
        seen.append(world())
        return str(outcome.unwrap())

    assert asyncio.run(host()) == "ok"
    assert seen == [World.TRIO, World.ASYNCIO]
