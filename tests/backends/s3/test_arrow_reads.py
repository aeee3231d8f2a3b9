"""Reading through Arrow: what is asked for, and that one version or an error comes of it."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiobotocore.client import AioBaseClient
from pyarrow.fs import S3FileSystem
from tests.backends.s3.arrow import CONTENT, FIRST, PART, OneObject, arrow, by_arrow, ranges
from tests.backends.s3.support import MIB, Asked, Hook, Proxy, Reply, error_reply, quick
from tests.runtime.support import WORLDS, run, until
from tests.s3_buckets import Buckets

from remote_store import (
    AsyncStore,
    BackendUnavailable,
    CapabilityNotSupported,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    Store,
)
from remote_store.backends import S3PyArrowBackend
from remote_store.backends.s3_pyarrow import _files

LARGE = [f"bytes={start}-{min(start + PART, len(CONTENT)) - 1}" for start in range(0, len(CONTENT), PART)]
NEW = bytes(len(CONTENT))


@pytest.fixture
def stored(bucket: str, seaweedfs_url: str) -> str:
    with Store(quick(bucket, seaweedfs_url)) as store:
        store.write("f", CONTENT)
    return bucket


@pytest.fixture
def store(stored: str, proxy: Proxy) -> Iterator[Store]:
    with Store(arrow(stored, proxy.url)) as opened:
        yield opened


@pytest.fixture
def one(fake: Proxy) -> OneObject:
    """Give the object of a server that has no other."""
    fake.hook = made = OneObject(CONTENT)
    return made


def replacing(stored: str, url: str, *, when: Callable[[Asked], bool]) -> Hook:
    """Return a hook that replaces the object when it is first asked for so."""
    once = threading.Lock()

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if when(asked) and once.acquire(blocking=False):
            with Store(quick(stored, url)) as other:
                other.write("f", NEW, overwrite=True)
        return ask()

    return hook


# -- what is asked for ---------------------------------------------------------------------


@pytest.mark.spec("S3PA-003")
def test_small_content_is_one_plain_request(store: Store, proxy: Proxy) -> None:
    store.write("small", bytes(FIRST))
    proxy.asked.clear()
    assert store.read_bytes("small") == bytes(FIRST)
    assert [(asked.operation, by_arrow(asked)) for asked in proxy.asked] == [("GET", False)]


@pytest.mark.spec("S3PA-003")
def test_whole_large_content_comes_by_arrow_in_ranges(store: Store, proxy: Proxy) -> None:
    assert store.read_bytes("f") == CONTENT
    assert ranges(proxy) == sorted(LARGE)


@pytest.mark.spec("S3PA-003")
def test_a_stream_begins_with_a_plain_request(store: Store, proxy: Proxy) -> None:
    with store.read("f") as stream:
        assert stream.read(FIRST) == CONTENT[:FIRST]
        assert ranges(proxy) == []
        assert stream.read(MIB) + stream.read() == CONTENT[FIRST:]
    first = [f"bytes={FIRST}-{FIRST + PART - 1}", f"bytes={FIRST + PART}-{len(CONTENT) - 1}"]
    assert ranges(proxy) == first


@pytest.mark.spec("S3PA-003")
def test_a_part_comes_by_arrow_too(store: Store, proxy: Proxy) -> None:
    assert store.read_bytes("f", start=1000, length=4 * MIB) == CONTENT[1000 : 1000 + 4 * MIB]
    assert ranges(proxy) == [f"bytes=1000-{1000 + 4 * MIB - 1}"]
    with store.read("f", start=7, length=3 * MIB) as stream:
        stream.seek(MIB)
        assert stream.read() == CONTENT[7 + MIB : 7 + 3 * MIB]


@pytest.mark.spec("S3PA-003")
def test_everything_can_come_by_arrow(stored: str, proxy: Proxy) -> None:
    with Store(arrow(stored, proxy.url, arrow_from=0)) as store:
        assert store.read_bytes("f", start=3, length=5) == CONTENT[3:8]
        assert ranges(proxy) == ["bytes=3-7"]
        assert store.read_bytes("f", start=len(CONTENT) + 1) == b""
        with pytest.raises(NotFound):
            store.read_bytes("g")
    assert not any(asked.operation == "GET" and not by_arrow(asked) for asked in proxy.asked)


@pytest.mark.spec("S3PA-006")
@pytest.mark.parametrize("key", ["a//b", "/x"])
def test_a_name_that_arrow_has_no_path_for_is_read_all_the_same(
    bucket: str, buckets: Buckets, proxy: Proxy, key: str
) -> None:
    buckets._client.put_object(Bucket=bucket, Key=key, Body=CONTENT)
    with Store(arrow(bucket, proxy.url, arrow_from=0)) as store:
        (info,) = store.list_files("", recursive=True)
        assert store.read_bytes(info.path) == CONTENT


# -- one version ---------------------------------------------------------------------------


@pytest.mark.spec("S3PA-004")
@pytest.mark.parametrize("arrow_from", [0, FIRST])
@pytest.mark.parametrize("method", ["HEAD", "GET"], ids=["before it is opened", "before it is read"])
def test_an_object_that_is_replaced_while_arrow_reads_it_is_no_mixture(
    stored: str, proxy: Proxy, seaweedfs_url: str, arrow_from: int, method: str
) -> None:
    proxy.hook = replacing(
        stored, seaweedfs_url, when=lambda asked: by_arrow(asked) and asked.method == method
    )
    with Store(arrow(stored, proxy.url, arrow_from=arrow_from)) as store:
        assert store.read_bytes("f") == NEW


@pytest.mark.spec("S3PA-004")
@pytest.mark.parametrize("world", WORLDS)
def test_a_stream_of_a_replaced_object_fails_in_the_middle(
    stored: str, proxy: Proxy, seaweedfs_url: str, world: str
) -> None:
    proxy.hook = replacing(
        stored, seaweedfs_url, when=lambda asked: by_arrow(asked) and asked.method == "GET"
    )

    async def main() -> None:
        async with AsyncStore(arrow(stored, proxy.url)) as store, await store.read("f") as stream:
            got = await stream.read(FIRST)
            with pytest.raises(PreconditionFailed) as caught:
                while piece := await stream.read(MIB):
                    got += piece
            assert CONTENT.startswith(got)
            assert (caught.value.path, caught.value.backend) == ("f", "s3-pyarrow")

    run(world, main)


@pytest.mark.spec("S3PA-004")
def test_an_object_that_is_deleted_while_arrow_reads_it_is_an_error(store: Store) -> None:
    with store.read("f") as stream:
        stream.read(FIRST)
        store.delete("f")
        with pytest.raises(PreconditionFailed):
            stream.read()


@pytest.mark.spec("S3PA-004")
def test_a_bucket_with_versions_goes_on_with_the_version_that_was_opened(
    bucket: str, buckets: Buckets, proxy: Proxy
) -> None:
    buckets._client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with Store(arrow(bucket, proxy.url)) as store:
        store.write("f", CONTENT)
        with store.read("f") as stream:
            got = stream.read(FIRST)
            store.write("f", NEW, overwrite=True)
            assert got + stream.read() == CONTENT


# -- failures ------------------------------------------------------------------------------


@pytest.mark.spec("S3PA-005")
@pytest.mark.parametrize("arrow_from", [0, FIRST])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize(
    "reply", [error_reply(403, "AccessDenied"), Reply(reset=True)], ids=["refused", "reset"]
)
def test_where_arrow_fails_the_content_comes_by_plain_requests(
    stored: str, proxy: Proxy, arrow_from: int, method: str, reply: Reply
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        return reply if by_arrow(asked) and asked.method == method else ask()

    proxy.hook = hook
    with Store(arrow(stored, proxy.url, arrow_from=arrow_from)) as store:
        assert store.read_bytes("f") == CONTENT


FAILURES = {
    "refused": (error_reply(403, "AccessDenied"), PermissionDenied),
    "broken": (error_reply(500, "InternalError"), BackendUnavailable),
    "cut": (Reply(reset=True), BackendUnavailable),
    "gone": (error_reply(404, "NoSuchKey"), PreconditionFailed),
}


@pytest.mark.spec("S3PA-005")
@pytest.mark.parametrize("name", FAILURES)
def test_where_both_fail_the_error_is_that_of_plain_requests(fake: Proxy, one: OneObject, name: str) -> None:
    reply, error = FAILURES[name]

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        return reply if asked.header("range") else one(asked, ask)

    fake.hook = hook
    with Store(arrow("bucket", fake.url)) as store, store.read("f") as stream:
        stream.read(FIRST)
        with pytest.raises(error) as caught:
            stream.read()
    assert isinstance(caught.value, RemoteStoreError)
    assert (caught.value.path, caught.value.backend) == ("f", "s3-pyarrow")


# -- threads -------------------------------------------------------------------------------


@pytest.mark.spec("S3PA-010")
def test_so_many_threads_read_at_once(fake: Proxy, one: OneObject) -> None:
    lock, now, most = threading.Lock(), 0, 0
    both = threading.Barrier(2, timeout=30)

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        nonlocal now, most
        if not by_arrow(asked) or asked.method != "GET":
            return one(asked, ask)
        with lock:
            now += 1
            most = max(most, now)
        both.wait()  # pairs: each thread has to have one to go on
        with lock:
            now -= 1
        return one(asked, ask)

    one.content = CONTENT * 4  # seven parts, and one more that makes them even
    one.content = one.content[: 6 * PART]
    fake.hook = hook
    with Store(arrow("bucket", fake.url, threads=2)) as store:
        assert store.read_bytes("f") == one.content
    assert most == 2


@pytest.mark.spec("S3PA-010")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("how", ["cancel", "close"])
def test_no_read_begins_for_nobody(fake: Proxy, one: OneObject, world: str, how: str) -> None:
    seen, go_on = threading.Event(), threading.Event()

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if by_arrow(asked) and asked.method == "GET":
            seen.set()
            assert go_on.wait(30)
        return one(asked, ask)

    one.content = CONTENT * 3
    fake.hook = hook
    backend = arrow("bucket", fake.url, threads=1)

    async def main() -> None:
        async with AsyncStore(backend) as store:
            stream = await store.read("f")
            await stream.read(FIRST)
            await interrupted(world, stream, seen)
            if how == "close":
                await stream.aclose()
            go_on.set()
            await until(lambda: not backend._files.threads.busy())
            if how == "cancel":
                assert await stream.read(9) == one.content[FIRST : FIRST + 9]
                await stream.aclose()

    run(world, main)
    if how == "close":
        assert ranges(fake) == [f"bytes={FIRST}-{FIRST + PART - 1}"]


async def interrupted(world: str, stream: Any, seen: threading.Event) -> None:
    """Read, and cancel that while Arrow waits for the server."""
    if world == "trio":
        import trio

        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.read, MIB)
            await until(seen.is_set)
            nursery.cancel_scope.cancel()
        return
    import asyncio

    task = asyncio.ensure_future(stream.read(MIB))
    await until(seen.is_set)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


# -- identity ------------------------------------------------------------------------------


@pytest.mark.spec("S3PA-013")
def test_both_libraries_objects_can_be_had(stored: str, seaweedfs_url: str) -> None:
    async def main() -> None:
        async with AsyncStore(arrow(stored, seaweedfs_url)) as store:
            with pytest.raises(CapabilityNotSupported):
                store.unwrap(S3FileSystem)
            await store.ping()
            assert store.unwrap(S3FileSystem).get_file_info(f"{stored}/f").size == len(CONTENT)
            assert isinstance(store.unwrap(AioBaseClient), AioBaseClient)

    run("asyncio", main)


@pytest.mark.spec("S3PA-002")
def test_it_pickles_with_its_options(stored: str, seaweedfs_url: str) -> None:
    backend = pickle.loads(pickle.dumps(arrow(stored, seaweedfs_url, threads=3)))
    assert isinstance(backend, S3PyArrowBackend)
    assert (backend.name, backend._own) == ("s3-pyarrow", (3, FIRST, False))
    with Store(backend) as store:
        assert store.read_bytes("f") == CONTENT


@pytest.mark.spec("S3PA-014")
def test_a_child_that_was_forked_off_leaves_arrow_alone(
    store: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_files, "_forked", False)
    _files._after_fork()  # what Python calls in the child; Arrow has been loaded here
    assert store.read_bytes("f") == CONTENT
    assert not any(map(by_arrow, proxy.asked))
