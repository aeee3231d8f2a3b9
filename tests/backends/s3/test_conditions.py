"""Servers that honour conditional writes, that ignore them, and that do not say."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.backends.s3.support import Asked, Proxy, Reply, error_reply, quick
from tests.runtime.support import WORLDS, run
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    NotFound,
    PreconditionFailed,
    Store,
)
from remote_store.backends import LocalBackend, MemoryBackend, S3Backend

EXCLUSIVE, CONDITIONAL = Capability.EXCLUSIVE_CREATE, Capability.CONDITIONAL_WRITE
LARGE = bytes(11 << 20)
PROBE = ".remote-store-probe-"


def asking(bucket: str, url: str, **options: Any) -> S3Backend:
    return quick(bucket, url, **{"conditional_writes": None, "part_size": 5 << 20, **options})


def probing(proxy: Proxy) -> list[str]:
    return [asked.operation for asked in proxy.asked if PROBE in asked.target]


@pytest.mark.spec("STORE-052")
def test_storage_that_has_nothing_to_find_out(tmp_path: Any) -> None:
    for backend in (MemoryBackend(), LocalBackend(tmp_path)):
        with Store(backend) as store:
            assert store.probe() is store.capabilities


@pytest.mark.spec("S3-037", "STORE-052")
@pytest.mark.parametrize("world", WORLDS)
def test_a_server_that_honours_them(proxy: Proxy, bucket: str, buckets: Buckets, world: str) -> None:
    async def main() -> None:
        async with AsyncStore(asking(bucket, proxy.url)) as store:
            await store.write("f", b"1")
            assert probing(proxy) == ["DELETE", "PUT", "PUT", "PUT", "DELETE"]
            await store.write("g", b"1")
            assert len(probing(proxy)) == 5
            await store.copy("f", "h")
            await store.copy("f", "i")
            assert probing(proxy)[5:] == ["DELETE", "DELETE", "PUT", "PUT", "PUT copy", "DELETE", "DELETE"]
            await store.write("large", [LARGE])
            assert len(probing(proxy)) > 12
            before = len(probing(proxy))
            assert {EXCLUSIVE, CONDITIONAL} <= set(await store.probe())
            with pytest.raises(AlreadyExists):
                await store.write("large", [LARGE])
            assert len(probing(proxy)) == before

    run(world, main)
    assert sorted(buckets.keys(bucket)) == ["f", "g", "h", "i", "large"]
    assert buckets.unfinished(bucket) == []


@pytest.mark.spec("S3-038", "STORE-052")
@pytest.mark.parametrize("world", WORLDS)
def test_a_server_that_ignores_them(rclone: S3Server, world: str) -> None:
    bucket = f"ignoring-{world}"
    buckets = Buckets(rclone)
    buckets._client.create_bucket(Bucket=bucket)

    async def main() -> None:
        async with AsyncStore(S3Backend(bucket, **rclone.options, part_size=5 << 20)) as store:
            etag = (await store.write("f", b"first")).etag
            assert not {EXCLUSIVE, CONDITIONAL} & set(store.capabilities)
            assert Capability.WRITE_OPTIONS in store.capabilities
            for content in (b"second", [LARGE]):
                with pytest.raises(AlreadyExists):
                    await store.write("f", content)
                with pytest.raises(CapabilityNotSupported) as caught:
                    await store.write("f", content, if_match=etag)
                assert caught.value.capability == "conditional_write"
            await store.write("large", [LARGE])
            with pytest.raises(AlreadyExists):
                await store.copy("large", "f")
            await store.move("f", "g")
            assert await store.read_bytes("g") == b"first"
        async with AsyncStore(S3Backend(bucket, **rclone.options)) as store:
            with pytest.raises(CapabilityNotSupported):  # found out now
                await store.write("g", b"second", if_match="anything")
            assert await store.read_bytes("g") == b"first"

    run(world, main)
    assert sorted(buckets.keys(bucket)) == ["g", "large"]
    buckets.close()


def ignoring(*kinds: str) -> Callable[[Asked, Callable[[], Reply]], Reply]:
    """Take the condition out of some kinds of requests, as a server does that does not know it."""

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if asked.operation in kinds and asked.header("if-none-match"):
            return Reply(200, DONE, [("ETag", '"1"')])
        return ask()

    return hook


DONE = b"""<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>"""


@pytest.mark.spec("S3-037", "S3-038")
def test_a_server_that_ignores_them_for_parts_only(proxy: Proxy, bucket: str) -> None:
    proxy.hook = ignoring("POST uploadId")
    with Store(asking(bucket, proxy.url)) as store:
        store.write("f", b"x")
        assert {EXCLUSIVE, CONDITIONAL} <= set(store.capabilities)
        store.write("large", [LARGE])
        assert EXCLUSIVE not in store.capabilities
        assert CONDITIONAL in store.capabilities
        with pytest.raises(AlreadyExists):
            store.write("large", [LARGE])
        with pytest.raises(PreconditionFailed):
            store.write("f", b"y", if_match="another")


@pytest.mark.spec("S3-037", "S3-038")
@pytest.mark.parametrize("verb", ["copy", "move"])
def test_a_server_that_ignores_them_for_copies_only(moto: S3Server, verb: str) -> None:
    bucket = Buckets(moto).new()
    with Store(asking(bucket, moto.endpoint_url)) as store:
        store.write("f", b"new")
        store.write("g", b"old")
        with pytest.raises(AlreadyExists):
            getattr(store, verb)("f", "g")
        assert (store.read_bytes("f"), store.read_bytes("g")) == (b"new", b"old")
        assert EXCLUSIVE not in store.capabilities
        assert CONDITIONAL in store.capabilities
        getattr(store, verb)("f", "h")


@pytest.mark.spec("S3-037", "S3-038")
@pytest.mark.parametrize("world", WORLDS)
def test_a_server_that_ignores_versions_for_parts_only(moto: S3Server, world: str) -> None:
    buckets = Buckets(moto)
    bucket = buckets.new()

    async def main() -> None:
        async with AsyncStore(asking(bucket, moto.endpoint_url)) as store:
            await store.probe()
            etag = (await store.write("f", [LARGE])).etag
            with pytest.raises(CapabilityNotSupported):
                await store.write("f", [LARGE + b"x"], if_match=etag)
            assert (await store.get_file_info("f")).etag == etag
            await store.write("g", [LARGE])
            with pytest.raises(AlreadyExists):
                await store.write("g", [LARGE])
            await store.write("f", b"small", if_match=etag)
            assert CONDITIONAL in store.capabilities

    run(world, main)
    assert sorted(buckets.keys(bucket)) == ["f", "g"]
    assert buckets.unfinished(bucket) == []
    buckets.close()


@pytest.mark.spec("S3-038")
@pytest.mark.parametrize("code", [(501, "NotImplemented"), (400, "InvalidArgument")])
def test_a_server_that_does_not_take_them(proxy: Proxy, bucket: str, code: tuple[int, str]) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        return error_reply(*code) if asked.header("if-none-match") else ask()

    proxy.hook = hook
    with Store(asking(bucket, proxy.url)) as store:
        store.write("f", b"x")
        store.write("large", [LARGE])
        for content in (b"y", [LARGE]):
            with pytest.raises(AlreadyExists):
                store.write("f", content)
        assert not {EXCLUSIVE, CONDITIONAL} & set(store.capabilities)


@pytest.mark.spec("S3-037", "S3-039")
@pytest.mark.parametrize("code", [(403, "AccessDenied"), (503, "SlowDown")])
def test_a_server_where_it_cannot_be_found_out(
    proxy: Proxy, bucket: str, buckets: Buckets, code: tuple[int, str]
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        return error_reply(*code) if asked.operation == "DELETE" else ask()

    proxy.hook = hook
    with Store(asking(bucket, proxy.url)) as store:
        for number in range(5):
            store.write(f"f{number}", b"x")
        with pytest.raises(AlreadyExists):
            store.write("f0", b"y")
        assert {EXCLUSIVE, CONDITIONAL} <= set(store.capabilities)
    assert probing(proxy) == ["DELETE"] * 3  # tries
    writes = [asked for asked in proxy.asked if asked.operation == "PUT"]
    assert [asked.header("if-none-match") for asked in writes] == ["*"] * 5
    assert not [key for key in buckets.keys(bucket) if PROBE in key]


@pytest.mark.spec("S3-040")
@pytest.mark.parametrize("known", [True, False])
def test_what_the_user_says_is_believed(proxy: Proxy, bucket: str, known: bool) -> None:
    with Store(asking(bucket, proxy.url, conditional_writes=known)) as store:
        assert (EXCLUSIVE in store.capabilities) == known
        store.write("f", b"x")
        with pytest.raises(AlreadyExists):
            store.write("f", b"y")
        assert (EXCLUSIVE in store.probe()) == known
    assert probing(proxy) == []
    with pytest.raises(ValueError, match="conditional_writes"):
        S3Backend("bucket", conditional_writes="maybe")  # type: ignore[arg-type]


@pytest.mark.spec("STORE-052")
def test_a_probe_raises_as_ping_does(fake: Proxy) -> None:
    fake.hook = lambda asked, ask: error_reply(404, "NoSuchBucket")
    with Store(asking("bucket", fake.url)) as store, pytest.raises(NotFound, match="bucket"):
        store.probe()
    fake.hook = lambda asked, ask: error_reply(503, "SlowDown")
    with Store(asking("bucket", fake.url)) as store, pytest.raises(BackendUnavailable):
        store.probe()


@pytest.mark.spec("S3-037")
def test_many_at_once_ask_once(proxy: Proxy, bucket: str) -> None:
    with Store(asking(bucket, proxy.url)) as store:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: store.write(f"f{number}", b"x"), range(8)))
    assert probing(proxy) == ["DELETE", "PUT", "PUT", "PUT", "DELETE"]
