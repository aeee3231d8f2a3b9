"""Answers to GET that are damaged, or that lack what a reader needs."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, error_reply, quick
from tests.runtime.support import WORLDS, run
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import AsyncStore, PermissionDenied, PreconditionFailed, RemoteStoreError, Store

CONTENT = bytes(range(256)) * (8 << 10)  # 2 MiB
DAMAGED = CONTENT[:-5] + b"\0" + CONTENT[-4:]
CRC = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
FACTS = [("ETag", '"1"'), ("Last-Modified", "Fri, 27 Nov 2026 06:00:00 GMT")]
WAYS: list[Any] = [True, "aiohttp", False]


def giving(content: bytes, *headers: tuple[str, str]) -> Callable[[Asked, object], Reply]:
    """Return a hook that gives content, or the range of it that is asked for."""

    def hook(asked: Asked, ask: object) -> Reply:
        found = re.match(r"bytes=(\d+)-(\d*)", asked.header("range") or "")
        if found is None:
            return Reply(200, content, [*FACTS, *headers])
        start, end = int(found[1]), int(found[2] or len(content) - 1)
        where = ("Content-Range", f"bytes {start}-{end}/{len(content)}")
        return Reply(206, content[start : end + 1], [*FACTS, where])

    return hook


@pytest.mark.spec("S3-043")
@pytest.mark.parametrize("hot_path", WAYS)
@pytest.mark.parametrize("size", [100_003, MIB, 5 * MIB])
def test_who_reads_on_after_damage_gets_nothing(fake: Proxy, hot_path: Any, size: int) -> None:
    fake.hook = giving(DAMAGED, ("x-amz-checksum-crc32", CRC))
    got = 0
    errors: list[tuple[str, str | None, bool]] = []
    with Store(quick("bucket", fake.url, hot_path=hot_path)) as store, store.read("f") as stream:
        while len(errors) < 3:
            try:
                piece = stream.read(size)
            except RemoteStoreError as error:
                errors.append((str(error), error.path, error.retryable))
            else:
                assert piece, "an end as of whole content"
                got += len(piece)
        stream.seek(0)
        with pytest.raises(RemoteStoreError, match="damaged"):
            stream.read(1)
    assert got < len(CONTENT)
    assert {("damaged" in text, path, retryable) for text, path, retryable in errors} == {(True, "f", True)}


@pytest.mark.spec("S3-043")
@pytest.mark.parametrize("world", WORLDS)
def test_who_awaits_more_after_damage_gets_nothing(fake: Proxy, world: str) -> None:
    fake.hook = giving(DAMAGED, ("x-amz-checksum-crc32", CRC))

    async def main() -> None:
        async with AsyncStore(quick("bucket", fake.url)) as store:
            async with await store.read("f") as stream:
                assert await stream.read(MIB) == CONTENT[:MIB]
                for _ in range(3):
                    with pytest.raises(RemoteStoreError, match="damaged"):
                        await stream.read(MIB)
            fake.hook = giving(CONTENT, ("x-amz-checksum-crc32", CRC))
            assert await store.read_bytes("f") == CONTENT

    run(world, main)


ODD: dict[str, Reply] = {
    "no length": Reply(200, CONTENT, FACTS, chunked=True),
    "no time": Reply(200, CONTENT * 3, [("ETag", '"1"'), ("Last-Modified", "yesterday")]),
}


@pytest.mark.spec("S3-073")
@pytest.mark.parametrize("how", ODD)
@pytest.mark.parametrize("hot_path", WAYS)
def test_an_answer_that_makes_no_sense_is_an_error_and_keeps_no_connection(
    fake: Proxy, hot_path: Any, how: str
) -> None:
    fake.hook = lambda asked, ask: ODD[how]
    few = {"max_pool_connections": 2, "read_timeout": 5}
    with Store(quick("bucket", fake.url, few, hot_path=hot_path)) as store:
        for _ in range(4):
            with pytest.raises(RemoteStoreError) as caught:
                store.read_bytes("f")
            assert (type(caught.value), caught.value.path) == (RemoteStoreError, "f")
            with pytest.raises(RemoteStoreError):
                store.read("f")
        fake.hook = giving(CONTENT)
        assert store.read_bytes("f") == CONTENT


@pytest.mark.spec("S3-073")
@pytest.mark.parametrize("hot_path", [True, "aiohttp"])
def test_a_checksum_that_makes_no_sense_is_none(fake: Proxy, hot_path: Any) -> None:
    fake.hook = giving(CONTENT, ("x-amz-checksum-crc32", "abc"))
    with Store(quick("bucket", fake.url, hot_path=hot_path)) as store:
        assert store.read_bytes("f") == CONTENT


# -- versions that may not be named -------------------------------------------------------


def no_versions(asked: Asked, ask: Callable[[], Reply]) -> Reply:
    return error_reply(403, "AccessDenied") if "versionId=" in asked.target else ask()


@pytest.fixture
def versioned(moto: S3Server) -> Iterator[tuple[Proxy, Any, str]]:
    """Give a server where no version may be named, a client past it, and a bucket that keeps versions."""
    buckets, proxy = Buckets(moto), Proxy(moto.endpoint_url)
    name = buckets.new()
    buckets._client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    proxy.hook = no_versions
    yield proxy, buckets._client, name
    proxy.close()
    buckets.close()


LARGE = bytes(range(256)) * (96 << 10)  # 24 MiB


@pytest.mark.spec("S3-072")
@pytest.mark.parametrize("hot_path", [True, False])
def test_versions_need_not_be_named(versioned: tuple[Proxy, Any, str], hot_path: bool) -> None:
    proxy, client, bucket = versioned
    client.put_object(Bucket=bucket, Key="f", Body=LARGE)
    with Store(quick(bucket, proxy.url, part_size=5 * MIB, hot_path=hot_path)) as store:
        assert store.read_bytes("f") == LARGE
        with store.read("f") as stream:
            for position in (20 * MIB, 3, 11 * MIB):
                stream.seek(position)
                assert stream.read(10) == LARGE[position : position + 10]
        assert sum("versionId=" in asked.target for asked in proxy.asked) <= 5  # those begun at once, and one


@pytest.mark.spec("S3-072", "S3-013")
def test_an_object_that_is_replaced_meanwhile_is_an_error_there(versioned: tuple[Proxy, Any, str]) -> None:
    proxy, client, bucket = versioned
    client.put_object(Bucket=bucket, Key="f", Body=LARGE)
    with Store(quick(bucket, proxy.url)) as store, store.read("f") as stream:
        assert stream.read(10) == LARGE[:10]
        client.put_object(Bucket=bucket, Key="f", Body=LARGE[::-1])
        stream.seek(20 * MIB)
        with pytest.raises(PreconditionFailed, match="changed"):
            stream.read(10)


@pytest.mark.spec("S3-072")
def test_who_may_not_read_at_all_is_told_so(versioned: tuple[Proxy, Any, str]) -> None:
    proxy, client, bucket = versioned
    client.put_object(Bucket=bucket, Key="f", Body=LARGE)
    with Store(quick(bucket, proxy.url)) as store, store.read("f") as stream:
        assert stream.read(10) == LARGE[:10]
        proxy.hook = lambda asked, ask: error_reply(403, "AccessDenied")
        stream.seek(20 * MIB)
        with pytest.raises(PermissionDenied):
            stream.read(10)
