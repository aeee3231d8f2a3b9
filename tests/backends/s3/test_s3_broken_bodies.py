"""Bodies that break on their way, and objects that change while they are read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from tests.backends.s3.support import MIB, Asked, Hook, Proxy, Reply, quick
from tests.runtime.support import WORLDS, run

from remote_store import AsyncStore, BackendUnavailable, PreconditionFailed, RemoteStoreError, Store

CONTENT = bytes(itertools.islice(itertools.cycle(range(251)), 3 * MIB))
PLACES = [0, 1, len(CONTENT) // 2, len(CONTENT) - 1]


def is_body(asked: Asked) -> bool:
    return asked.method == "GET" and "list-type" not in asked.target


def cutting(places: list[int | None], *, reset: bool = False) -> Hook:
    """Return a hook that cuts one body after another at these places; the last one counts for the rest."""
    rest = list(places)

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if is_body(asked) and reply.status < 300:
            place = rest.pop(0) if len(rest) > 1 else rest[0]
            if place is not None and place < len(reply.body):
                reply.cut, reply.reset = place, reset
        return reply

    return hook


def by_chunks(store: Store) -> bytes:
    with store.read("f") as stream:
        return b"".join(stream)


def by_small_reads(store: Store) -> bytes:
    with store.read("f") as stream:
        return b"".join(iter(lambda: stream.read(100_003), b""))


def at_once(store: Store) -> bytes:
    with store.read("f") as stream:
        return stream.read()


READS: dict[str, Callable[[Store], bytes]] = {
    "read_bytes": lambda store: store.read_bytes("f"),
    "read": at_once,
    "chunks": by_chunks,
    "small reads": by_small_reads,
}


@pytest.fixture
def store(bucket: str, proxy: Proxy) -> Store:
    with Store(quick(bucket, proxy.url)) as opened:
        opened.write("f", CONTENT)
    return Store(quick(bucket, proxy.url))


@pytest.mark.spec("S3-014")
@pytest.mark.parametrize("way", READS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reset", [False, True])
def test_a_body_that_breaks_once_is_read_to_its_end(
    store: Store, proxy: Proxy, way: str, place: int, reset: bool
) -> None:
    proxy.hook = cutting([place, None], reset=reset)
    with store:
        assert READS[way](store) == CONTENT


@pytest.mark.spec("S3-014")
@pytest.mark.parametrize("way", READS)
def test_a_body_that_breaks_again_and_again_but_goes_on_is_read_to_its_end(
    store: Store, proxy: Proxy, way: str
) -> None:
    proxy.hook = cutting([100_000])
    with store:
        assert READS[way](store) == CONTENT


@pytest.mark.spec("S3-014")
@pytest.mark.parametrize("way", READS)
@pytest.mark.parametrize("first", [0, 1, MIB + 1])
def test_a_body_that_gives_nothing_more_is_given_up_after_three_resumes(
    store: Store, proxy: Proxy, way: str, first: int
) -> None:
    proxy.hook = cutting([first, 0])
    with store:
        with pytest.raises(BackendUnavailable) as caught:
            READS[way](store)
    assert caught.value.path == "f"
    assert caught.value.__cause__ is not None
    assert sum(is_body(asked) for asked in proxy.asked) == 4


@pytest.mark.spec("S3-014")
@pytest.mark.parametrize("world", WORLDS)
def test_a_body_that_falls_silent_is_asked_for_again(
    store: Store, bucket: str, proxy: Proxy, world: str
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if is_body(asked) and not any(map(is_body, proxy.asked[:-1])):
            reply.cut, reply.silent = MIB + 1, True
        return reply

    async def main() -> bytes:
        async with AsyncStore(quick(bucket, proxy.url, {"read_timeout": 0.5})) as opened:
            async with await opened.read("f") as stream:
                return await stream.read()

    proxy.asked.clear()
    proxy.hook = hook
    assert run(world, main) == CONTENT
    store.close()


@pytest.mark.spec("S3-014")
def test_a_part_that_breaks_goes_on_within_the_part(store: Store, proxy: Proxy) -> None:
    proxy.hook = cutting([10, None])
    with store:
        assert store.read_bytes("f", start=1000, length=100) == CONTENT[1000:1100]
    ranges = [asked.header("range") for asked in proxy.asked if is_body(asked)]
    assert ranges == ["bytes=1000-1099", "bytes=1010-1099"]


def replace(store: Store) -> None:
    store.write("f", CONTENT[::-1], overwrite=True)


CHANGES: dict[str, Callable[[Store], object]] = {
    "changed": replace,
    "deleted": lambda store: store.delete("f"),
}


@pytest.mark.spec("S3-013", "S3-014")
@pytest.mark.parametrize("way", READS)
@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("place", PLACES)
def test_an_object_that_changes_before_its_body_breaks_is_an_error(
    store: Store, bucket: str, seaweedfs_url: str, proxy: Proxy, way: str, what: str, place: int
) -> None:
    cut = cutting([place, None])

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = cut(asked, ask)
        if reply.cut is not None:
            with Store(quick(bucket, seaweedfs_url)) as other:
                CHANGES[what](other)
        return reply

    proxy.hook = hook
    with store:
        with pytest.raises(PreconditionFailed, match=re.escape(what)) as caught:
            READS[way](store)
    assert type(caught.value) is PreconditionFailed
    assert (caught.value.path, caught.value.retryable) == ("f", False)


@pytest.mark.spec("S3-013")
@pytest.mark.parametrize("what", CHANGES)
def test_a_seek_in_an_object_that_has_changed_is_an_error(store: Store, what: str) -> None:
    with store, store.read("f") as stream:
        assert stream.read(10) == CONTENT[:10]
        CHANGES[what](store)
        stream.seek(2 * MIB)
        with pytest.raises(PreconditionFailed, match=what):
            stream.read(10)


# -- damage --------------------------------------------------------------------------


@pytest.mark.spec("S3-021", "S3-026")
@pytest.mark.parametrize("way", READS)
@pytest.mark.parametrize("place", PLACES)
def test_a_bit_that_turns_on_the_way_down_is_noticed(
    store: Store, proxy: Proxy, way: str, place: int
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if is_body(asked) and reply.status == 200:
            reply.flip = place
        return reply

    proxy.hook = hook
    with store:
        with pytest.raises(RemoteStoreError, match="damaged") as caught:
            READS[way](store)
    assert type(caught.value) is RemoteStoreError
    assert (caught.value.path, caught.value.retryable) == ("f", True)


@pytest.mark.spec("S3-021", "S3-026")
def test_a_bit_that_turns_on_the_way_up_is_refused(bucket: str, proxy: Proxy) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if asked.method == "PUT":
            body = bytearray(asked.body)
            body[len(body) // 2] ^= 1
            asked.body = bytes(body)
        return ask()

    proxy.hook = hook
    with Store(quick(bucket, proxy.url, part_size=5 * MIB)) as store:
        for content in (b"a small one", CONTENT * 2):
            with pytest.raises(RemoteStoreError) as caught:
                store.write("f", content)
            assert (type(caught.value), caught.value.retryable) == (RemoteStoreError, True)
        assert not store.exists("f")
