"""Uploads that one process begins and another ends: what the protocol adds to the contract."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from tests.backends.s3.support import nothing_unfinished, quick
from tests.runtime.support import WORLDS, run
from tests.s3_buckets import Buckets

from remote_store import NotFound, RemoteStoreError
from remote_store.backends import S3Backend
from remote_store.backends.s3._parts import MOST_PARTS, part_size_of

MIB = 1 << 20


@pytest.mark.spec("S3-061")
def test_as_many_parts_as_there_may_be() -> None:
    api = S3Backend("b", part_size=5 * MIB)._api
    for size in (1, 5 * MIB, 50_000 * MIB, 50_000 * MIB + 1, 5 << 40):
        part = part_size_of(api, size)
        assert part >= 5 * MIB
        assert part % MIB == 0
        assert -(-size // part) <= MOST_PARTS
    assert part_size_of(api, 50_000 * MIB) == 5 * MIB


@pytest.mark.spec("S3-063", "BE-027")
def test_what_is_forgotten(bucket: str, seaweedfs_url: str, buckets: Buckets) -> None:
    async def main() -> None:
        backend = quick(bucket, seaweedfs_url)
        begun = datetime.now(UTC)
        for key in ("a", "a", "a b", "b"):
            await backend.open_parts(key, size=10)
        kept = await backend.open_parts("a", size=10)
        part = await kept.write(1, b"0123456789", zlib.crc32(b"0123456789"))
        assert await backend.forget_parts("a", begun + timedelta(minutes=1)) == 0
        assert await backend.forget_parts("a", begun) == 2
        assert await backend.forget_parts("a", begun) == 0
        assert sorted(buckets.unfinished(bucket)) == ["a", "a b", "b"]
        assert await kept.confirmed([part]) == [part]
        await kept.commit([part])
        assert (await backend.get_file_info("a")).size == 10
        for key in ("a b", "b"):
            assert await backend.forget_parts(key, begun) == 1
        await backend.aclose()

    run("asyncio", main)
    nothing_unfinished(buckets, bucket)


@pytest.mark.spec("S3-062", "BE-023")
def test_more_parts_than_a_page_of_them(bucket: str, seaweedfs_url: str, buckets: Buckets) -> None:
    async def main() -> None:
        backend = quick(bucket, seaweedfs_url)
        begun = await backend.open_parts("f", size=10)
        tiny = begun.token.replace(str(begun.part_size), "1", 1)  # of such a size Amazon would not take them
        writer = await backend.open_parts("f", size=1010, token=tiny)
        parts = []

        async def write(numbers: range) -> None:
            parts.extend([await writer.write(number, b"x", zlib.crc32(b"x")) for number in numbers])

        async with anyio.create_task_group() as group:
            for first in range(1, 1011, 101):
                group.start_soon(write, range(first, first + 101))
        assert sorted(await writer.confirmed(parts)) == sorted(parts)
        await writer.abort()
        with pytest.raises(NotFound):
            await backend.open_parts("f", size=10, overwrite=True, token="none of ours")
        await backend.aclose()

    run("asyncio", main)


@pytest.mark.spec("S3-064")
@pytest.mark.parametrize("world", WORLDS)
def test_beginning_that_is_cancelled(bucket: str, seaweedfs_url: str, buckets: Buckets, world: str) -> None:
    async def main() -> None:
        backend = quick(bucket, seaweedfs_url)
        await backend.ping()
        for pause in (0, 0.001, 0.002, 0.004, 0.008):
            with anyio.move_on_after(pause):
                writer = await backend.open_parts("f", size=10)
                await writer.abort()
        await backend.aclose()

    run(world, main)
    nothing_unfinished(buckets, bucket)


@pytest.mark.spec("S3-061")
def test_a_part_that_arrives_damaged(bucket: str, seaweedfs_url: str, buckets: Buckets) -> None:
    async def main() -> None:
        backend = quick(bucket, seaweedfs_url)
        writer = await backend.open_parts("f", size=10)
        with pytest.raises(RemoteStoreError) as caught:
            await writer.write(1, b"0123456789", zlib.crc32(b"something else"))
        assert caught.value.retryable
        part = await writer.write(1, b"0123456789", zlib.crc32(b"0123456789"))
        await writer.commit([part])
        assert await backend.read_bytes("f") == b"0123456789"
        await backend.aclose()

    run("asyncio", main)


@pytest.mark.spec("S3-007")
def test_a_part_in_any_buffer_goes_by_the_client_without_a_warning(bucket: str, seaweedfs_url: str) -> None:
    async def main() -> None:
        backend = quick(bucket, seaweedfs_url, hot_path=False)
        writer = await backend.open_parts("f", size=2 * MIB)
        content = bytearray(2 * MIB)
        part = await writer.write(1, content, zlib.crc32(content))
        assert (await writer.commit([part])).size == 2 * MIB
        await backend.aclose()

    run("asyncio", main)
