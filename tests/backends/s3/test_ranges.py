"""Large objects read in ranges, several at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.backends.s3.support import MIB, Asked, Hook, Proxy, Reply, quick
from tests.runtime.support import WORLDS, run, until

from remote_store import AsyncStore, BackendUnavailable, PreconditionFailed, RemoteStoreError, Store
from remote_store.backends import S3Backend

PART = 5 * MIB
CONTENT = bytes(itertools.islice(itertools.cycle(range(251)), 4 * PART + 12_345))
RANGES = [f"bytes={start}-{min(start + PART, len(CONTENT)) - 1}" for start in range(PART, len(CONTENT), PART)]


def backend(bucket: str, url: str, **options: Any) -> S3Backend:
    return quick(bucket, url, part_size=PART, **options)


@pytest.fixture
def stored(bucket: str, seaweedfs_url: str) -> str:
    with Store(backend(bucket, seaweedfs_url)) as store:
        store.write("f", CONTENT)
    return bucket


@pytest.fixture(params=[True, False], ids=["hot path", "client"])
def store(request: pytest.FixtureRequest, stored: str, proxy: Proxy) -> Iterator[Store]:
    with Store(backend(stored, proxy.url, hot_path=request.param)) as opened:
        yield opened


def bodies(proxy: Proxy) -> list[str | None]:
    """Return the ranges that were asked for, None for a whole object."""
    return [asked.header("range") for asked in proxy.asked if asked.operation == "GET"]


def by_chunks(store: Store) -> bytes:
    with store.read("f") as stream:
        return b"".join(stream)


READS: dict[str, Callable[[Store], bytes]] = {
    "read_bytes": lambda store: store.read_bytes("f"),
    "chunks": by_chunks,
}


@pytest.mark.spec("S3-042")
@pytest.mark.parametrize("way", READS)
def test_the_rest_of_a_large_object_comes_in_ranges(store: Store, proxy: Proxy, way: str) -> None:
    assert READS[way](store) == CONTENT
    asked = bodies(proxy)
    assert asked[0] is None
    assert sorted(asked[1:], key=str) == sorted(RANGES)


@pytest.mark.spec("S3-042")
@pytest.mark.parametrize("size", [1, 99_991, 3 * MIB, PART + 1])
def test_reads_of_any_size_give_the_same(store: Store, size: int) -> None:
    with store.read("f") as stream:
        assert b"".join(iter(lambda: stream.read(size if size > 1 else 777_777), b"")) == CONTENT


@pytest.mark.spec("S3-042")
def test_a_large_part_of_an_object_comes_in_ranges_too(store: Store, proxy: Proxy) -> None:
    length = 3 * PART
    assert store.read_bytes("f", start=1000, length=length) == CONTENT[1000 : 1000 + length]
    assert len(bodies(proxy)) == 3


@pytest.mark.spec("S3-042")
def test_one_request_at_once_is_one_stream(stored: str, proxy: Proxy) -> None:
    with Store(backend(stored, proxy.url, concurrency=1)) as store:
        assert store.read_bytes("f") == CONTENT
    assert bodies(proxy) == [None]


@pytest.mark.spec("S3-042")
def test_no_more_than_so_many_are_held_and_under_way(stored: str, proxy: Proxy) -> None:
    with Store(backend(stored, proxy.url, concurrency=2)) as store, store.read("f") as stream:
        assert len(stream.read(PART)) == PART
        assert len(stream.read(1)) == 1  # of the first range; one more may have been asked for
        assert len(bodies(proxy)) <= 3
        assert stream.read() == CONTENT[PART + 1 :]
    assert len(bodies(proxy)) == 1 + len(RANGES)


@pytest.mark.spec("S3-042")
def test_ranges_are_asked_for_at_once(stored: str, proxy: Proxy) -> None:
    """Each range is answered only when another one has come."""
    together = threading.Barrier(2)

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if asked.header("range") in RANGES[:2]:
            together.wait(30)
        return ask()

    proxy.hook = hook
    with Store(backend(stored, proxy.url)) as store:
        assert store.read_bytes("f") == CONTENT


@pytest.mark.spec("S3-042", "S3-015")
def test_a_seek_begins_with_one_stream(store: Store, proxy: Proxy) -> None:
    with store.read("f") as stream:
        assert len(stream.read(PART + 10)) == PART + 10
        before = len(bodies(proxy))
        stream.seek(3)
        assert stream.read(10) == CONTENT[3:13]
        assert bodies(proxy)[before:] == [f"bytes=3-{len(CONTENT) - 1}"]
        stream.seek(0)
        assert stream.read() == CONTENT


def in_range(number: int, spoil: Callable[[Asked, Reply], object]) -> Hook:
    """Return a hook that spoils a range the first time that it is asked for."""
    seen: list[str] = []

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        wanted, reply = asked.header("range"), ask()
        if wanted == RANGES[number] and wanted not in seen:
            seen.append(wanted)
            spoil(asked, reply)
        return reply

    return hook


@pytest.mark.spec("S3-042", "S3-014")
@pytest.mark.parametrize("number", [0, len(RANGES) - 1])
def test_a_range_that_breaks_goes_on(store: Store, proxy: Proxy, number: int) -> None:
    proxy.hook = in_range(number, lambda asked, reply: setattr(reply, "cut", 1000))
    assert store.read_bytes("f") == CONTENT


@pytest.mark.spec("S3-042", "S3-014")
def test_a_range_that_always_breaks_is_an_error(store: Store, proxy: Proxy) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if asked.header("range"):
            reply.cut = 0
        return reply

    proxy.hook = hook
    with pytest.raises(BackendUnavailable) as caught:
        store.read_bytes("f")
    assert caught.value.path == "f"


@pytest.mark.spec("S3-042", "S3-013")
@pytest.mark.parametrize("deleted", [True, False])
def test_an_object_that_changes_between_ranges_is_an_error(
    store: Store, stored: str, seaweedfs_url: str, deleted: bool
) -> None:
    with store.read("f") as stream:
        stream.read(1000)
        with Store(quick(stored, seaweedfs_url)) as other:
            other.delete("f") if deleted else other.write("f", CONTENT[::-1], overwrite=True)
        with pytest.raises(PreconditionFailed, match="deleted" if deleted else "changed"):
            while stream.read(MIB):
                pass


@pytest.mark.spec("S3-043")
@pytest.mark.parametrize("way", READS)
@pytest.mark.parametrize("number", [0, len(RANGES) - 1])
def test_a_bit_that_turns_in_a_range_is_noticed(store: Store, proxy: Proxy, way: str, number: int) -> None:
    proxy.hook = in_range(number, lambda asked, reply: setattr(reply, "flip", 100))
    with pytest.raises(RemoteStoreError, match="damaged") as caught:
        READS[way](store)
    assert caught.value.retryable


@pytest.mark.spec("S3-042", "S3-016")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("dropped", [True, False])
def test_who_stops_early_ends_all_requests(stored: str, proxy: Proxy, world: str, dropped: bool) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if asked.header("range") in RANGES[1:]:
            reply.cut, reply.silent = 10, True
        return reply

    async def main() -> None:
        async with AsyncStore(backend(stored, proxy.url)) as store:
            stream = await store.read("f")
            assert len(await stream.read(PART) + await stream.read(1)) == PART + 1
            await until(lambda: proxy.silenced == len(RANGES) - 1)
            if dropped:
                del stream
            else:
                await stream.aclose()
            await until(lambda: closed_by_us(proxy))

    proxy.hook = hook
    run(world, main)


def closed_by_us(proxy: Proxy) -> bool:
    """Return True if the far ends of the silent connections see that they were closed."""
    silent = [each for each in list(proxy.open) if each.fileno() >= 0]
    ended = 0
    for each in silent:
        try:
            each.setblocking(False)
            ended += each.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            ended += 1
    return ended >= len(RANGES) - 1


@pytest.mark.spec("S3-042")
@pytest.mark.parametrize("world", WORLDS)
def test_a_read_that_is_cancelled_can_be_made_again(stored: str, proxy: Proxy, world: str) -> None:
    import anyio

    go_on = threading.Event()

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if asked.header("range") == RANGES[0]:
            assert go_on.wait(30)
        return ask()

    async def main() -> bytes:
        async with AsyncStore(backend(stored, proxy.url)) as store, await store.read("f") as stream:
            first = await stream.read(PART)
            with anyio.move_on_after(0.2) as scope:
                await stream.read(10)
            assert scope.cancelled_caught
            go_on.set()
            return first + await stream.read()

    proxy.hook = hook
    assert run(world, main) == CONTENT
