"""Many small files in order, and bounds of what is under way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from tests.runtime.support import WORLDS, run
from tests.transfer.support import WAYS, call, content, memory

import remote_store
from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    NotFound,
    PermissionDenied,
    Store,
    TransferEvent,
    TransferOptions,
    WriteResult,
    aio,
)
from remote_store.backends import MemoryBackend
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import _retry
from remote_store.transfer._budget import Budget

FILES = {f"{number:03}": b"%d" % number for number in range(100)}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class Watched(MemoryBackend):
    """Counts what is under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = self.held = self.most_held = self.begun = 0

    async def read_bytes(self, path: str, **given: Any) -> bytes:
        self.now, self.begun = self.now + 1, self.begun + 1
        self.most = max(self.most, self.now)
        data = await super().read_bytes(path, **given)
        self.held += len(data)
        self.most_held = max(self.most_held, self.held)
        await anyio.sleep(0.001)
        self.now -= 1
        self.held -= len(data)
        return data


def watched(files: dict[str, bytes]) -> Watched:
    backend = Watched()
    store = Store(backend)
    for path, data in files.items():
        store.write(path, data)
    return backend


@pytest.mark.spec("XFER-021")
def test_in_order(way: str) -> None:
    names = sorted(FILES, reverse=True)
    slow = FaultyBackend(memory(FILES), [Fault("read_bytes", "delay", at=1, seconds=0.05)])
    assert call(way, "read_many", slow, names) == [(name, FILES[name]) for name in names]
    assert call(way, "read_many", slow, iter(names)) == [(name, FILES[name]) for name in names]
    backend = memory()
    results = call(way, "write_many", backend, list(FILES.items()))
    assert [str(each.path) for each in results] == list(FILES)
    assert content(backend) == FILES
    assert call(way, "read_many", backend, []) == []


@pytest.mark.spec("XFER-021")
@pytest.mark.parametrize("world", WORLDS)
def test_awaited_iterables(world: str) -> None:
    backend, target = memory(FILES), memory()

    async def items(store: AsyncStore) -> AsyncIterator[tuple[str, bytes]]:
        async for path, data in aio.read_many(store, store.list_files()):
            yield path, data

    async def main() -> None:
        store = AsyncStore(backend)
        async for _ in aio.write_many(AsyncStore(target), items(store)):
            pass

    run(world, main)
    assert content(target) == FILES


@pytest.mark.spec("XFER-022", "XFER-007")
def test_no_more_at_once_than_allowed(way: str) -> None:
    backend = watched(FILES)
    call(way, "read_many", backend, list(FILES), options=TransferOptions(concurrency=7))
    assert 2 <= backend.most <= 7
    backend.most = 0
    call(way, "copy_tree", backend, "", memory(), options=TransferOptions(concurrency=7))
    assert 2 <= backend.most <= 7


@pytest.mark.spec("XFER-007")
@pytest.mark.parametrize(
    ("source", "target", "most"), [("memory", "memory", 8), ("memory", "far", 16), ("far", "memory", 16)]
)
def test_the_storage_with_more_says_how_many(source: str, target: str, most: int) -> None:
    class Named(Watched):
        named = "memory"

        @property
        def name(self) -> str:
            return self.named

    left, right = Named(), Named()
    left.named, right.named = source, target
    for path, data in FILES.items():
        Store(left).write(path, data)
    call("asyncio", "copy_tree", left, "", right)
    assert left.most == most


@pytest.mark.spec("XFER-022")
@pytest.mark.parametrize(("size", "most"), [(1 << 18, 4), (1 << 20, 1), (700_000, 2), (1, 64)])
def test_what_is_read_ahead_is_bounded(size: int, most: int) -> None:
    backend = watched({f"{number:03}": bytes(size) for number in range(100)})
    options = TransferOptions(memory_limit=1 << 20, concurrency=64)
    found = remote_store.read_many(Store(backend), Store(backend).list_files(), options=options)
    ahead = 0
    for number, _ in enumerate(found):
        ahead = max(ahead, backend.begun - number)
    assert (number, ahead) == (99, most)


@pytest.mark.spec("XFER-022")
@pytest.mark.parametrize("world", ["asyncio", "trio", "blocking"])
@pytest.mark.parametrize(("size", "most"), [(1 << 18, 4), (1 << 20, 1), (2 << 20, 1), (1, 64)])
def test_what_is_to_be_written_is_bounded(world: str, size: int, most: int) -> None:
    begun = ahead = number = 0

    def items() -> Iterator[tuple[str, bytes]]:
        nonlocal begun
        for name in range(100):
            begun += 1
            yield str(name), bytes(size)

    def see() -> None:
        nonlocal ahead, number
        ahead, number = max(ahead, begun - number), number + 1

    options = TransferOptions(memory_limit=1 << 20, concurrency=64)
    if world == "blocking":
        results = remote_store.write_many(Store(memory()), items(), options=options)
        assert begun == 0
        for _ in results:
            see()
    else:

        async def main() -> None:
            async for _ in aio.write_many(AsyncStore(memory()), items(), options=options):
                see()

        run(world, main)
    assert (number, ahead) == (100, most)


@pytest.mark.spec("XFER-013")
def test_a_small_file_whose_answer_was_lost(way: str) -> None:
    class Loses(MemoryBackend):
        instead: bytes | None = None

        async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
            lost = not await self.is_file(path)
            result = await super().write_bytes(path, memoryview(self.instead or bytes(data)), **given)
            if lost:
                raise BackendUnavailable("the answer was lost", path=path, retryable=True)
            return result

    backend = Loses()
    assert [str(each.path) for each in call(way, "write_many", backend, [("a", b"1"), ("b", b"2")])] == [
        "a",
        "b",
    ]
    assert content(backend) == {"a": b"1", "b": b"2"}
    other = Loses()
    other.instead = b"x"
    with pytest.raises(AlreadyExists):  # somebody else's file is not taken for ours
        call(way, "write_many", other, [("a", b"1")])


@pytest.mark.spec("XFER-023")
def test_errors_in_their_turn(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "FIRST_PAUSE", 0.001)
    faults = [Fault("read_bytes", path="050", error=PermissionDenied), Fault("read_bytes", path="049")]
    for backend, error in (
        (FaultyBackend(memory(FILES), faults), PermissionDenied),
        (memory(FILES), NotFound),
    ):
        names = list(FILES) if error is PermissionDenied else [*list(FILES)[:50], "missing"]
        taken: list[str] = []

        async def main(backend: Any = backend, names: list[str] = names, taken: list[str] = taken) -> None:
            async for name, _ in aio.read_many(AsyncStore(backend), names):
                taken.append(name)

        with pytest.raises(error):
            if way == "blocking":
                for name, _ in remote_store.read_many(Store(backend), names):
                    taken.append(name)
            else:
                run(way, main)
        assert taken == list(FILES)[:50]


@pytest.mark.spec("XFER-023")
@pytest.mark.parametrize("world", WORLDS)
def test_leaving(world: str) -> None:
    backend = FaultyBackend(memory(FILES), [Fault("read_bytes", "stall", at=5, times=None)])

    async def main() -> None:
        async with aio.read_many(AsyncStore(backend), list(FILES)) as found:
            async for name, _ in found:
                assert name == "000"
                break
        with anyio.move_on_after(0.05):
            async for _ in aio.read_many(AsyncStore(backend), list(FILES)):
                pass

    run(world, main)


@pytest.mark.spec("XFER-023")
def test_leaving_a_blocking_one() -> None:
    backend = FaultyBackend(memory(FILES), [Fault("read_bytes", "stall", at=5, times=None)])
    found = remote_store.read_many(Store(backend), FILES)
    assert next(found) == ("000", b"0")
    found.close()  # type: ignore[attr-defined]


@pytest.mark.spec("XFER-007")
def test_listed_as_needed(way: str) -> None:
    backend = watched({f"{number:05}": b"" for number in range(5000)})
    planned = begun = most = 0

    def look(event: TransferEvent) -> None:
        nonlocal planned, begun, most
        planned += event.kind.value == "planned"
        begun += event.kind.value in ("done", "failed")
        most = max(most, planned - begun)

    call(way, "copy_tree", backend, "", memory(), options=TransferOptions(concurrency=4), on_event=look)
    assert most <= 8


@pytest.mark.spec("XFER-008")
def test_content_is_bounded(way: str) -> None:
    sizes = [100_000, 600_000, 300_000, 500_000] * 10
    backend = watched({f"{number:03}": bytes(size) for number, size in enumerate(sizes)})
    options = TransferOptions(memory_limit=2_000_000, concurrency=30)
    assert call(way, "copy_tree", backend, "", memory(), options=options).done == 40
    assert 600_000 <= backend.most_held <= 2_000_000 // 3  # each counts three times


@pytest.mark.spec("XFER-008")
def test_what_is_too_large_for_the_memory_is_streamed(way: str) -> None:
    files = {"small": bytes(1 << 18), "large": bytes(1 << 20)}
    backend = watched(files)
    options = TransferOptions(memory_limit=1 << 20)
    assert call(way, "copy_tree", backend, "", target := memory(), options=options).done == 2
    assert backend.most_held == 1 << 18
    assert content(target) == files


@pytest.mark.spec("XFER-008")
@pytest.mark.parametrize("world", WORLDS)
def test_a_budget(world: str) -> None:
    async def main() -> None:
        budget = Budget(10)
        assert budget.share(50) == 10
        await budget.take(6)
        got: list[str] = []

        async def want(name: str, share: int) -> None:
            await budget.take(share)
            got.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(want, "large", 8)
            await anyio.sleep(0.01)
            group.start_soon(want, "small", 2)
            await anyio.sleep(0.01)
            assert got == []  # the large one is first
            with anyio.move_on_after(0.01):
                await budget.take(1)
            budget.give(6)
        assert sorted(got) == ["large", "small"]
        async with anyio.create_task_group() as group:
            group.start_soon(want, "never", 10)
            await anyio.sleep(0.01)
            group.start_soon(want, "behind", 0)
            await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        budget.give(10)
        await budget.take(10)

    run(world, main)
