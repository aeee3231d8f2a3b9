"""Uploads that are cancelled, anywhere, leave neither an object nor parts on the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
import trio
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, nothing_unfinished, quick
from tests.runtime.support import WORLDS, pause, run, until
from tests.s3_buckets import Buckets

from remote_store import AsyncStore, Backend

NEW = bytes(11 * MIB)
PART = 5 * MIB


async def cancelled_after(turns: int, store: AsyncStore) -> bool:
    """Write, and cancel that after some turns of the loop; return True if it was done before."""
    if trio.lowlevel.in_trio_task():
        done = False

        async def write() -> None:
            nonlocal done
            await store.write("f", NEW, overwrite=True)
            done = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            for _ in range(turns):
                await pause()
            nursery.cancel_scope.cancel()
        return done
    task = asyncio.ensure_future(store.write("f", NEW, overwrite=True))
    for _ in range(turns):
        await pause()
    task.cancel()
    await asyncio.wait([task])
    return not task.cancelled()


def cancelled_within(
    operation: str, world: str, proxy: Proxy, backend: Backend, before_the_server: bool
) -> None:
    """Write, and cancel that while a request is under way: to the server, or from there."""
    seen, go_on = threading.Event(), threading.Event()

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = None if before_the_server else ask()
        if asked.operation == operation:
            seen.set()
            assert go_on.wait(30)
        return reply or ask()

    async def main() -> None:
        async with AsyncStore(backend) as store:
            if world == "trio":
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(write, store)
                    await until(seen.is_set)
                    nursery.cancel_scope.cancel()
                    go_on.set()
                return
            task = asyncio.ensure_future(write(store))
            await until(seen.is_set)
            task.cancel()
            await pause(0.01)
            go_on.set()
            await asyncio.wait([task])
            assert task.cancelled()

    async def write(store: AsyncStore) -> None:
        await store.write("f", NEW, overwrite=True)

    proxy.hook = hook
    run(world, main)


@pytest.mark.spec("S3-019")
@pytest.mark.parametrize("world", WORLDS)
def test_a_write_that_is_cancelled_anywhere_leaves_nothing(
    bucket: str, buckets: Buckets, seaweedfs_url: str, world: str
) -> None:
    async def main() -> None:
        async with AsyncStore(quick(bucket, seaweedfs_url, part_size=PART)) as store:
            turns = 0
            while not await cancelled_after(turns, store):
                assert await content(store) in (None, NEW)
                await store.delete("f", missing_ok=True)
                turns += 1 + turns // (4 if world != "trio" else 1)

    async def content(store: AsyncStore) -> bytes | None:
        return await store.read_bytes("f") if await store.exists("f") else None

    run(world, main)
    nothing_unfinished(buckets, bucket)


@pytest.mark.spec("S3-019")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("before_the_server", [True, False])
@pytest.mark.parametrize(
    "operation", ["POST uploads", "PUT uploadId partNumber", "POST uploadId"], ids=["begin", "part", "end"]
)
def test_a_write_that_is_cancelled_while_a_request_is_under_way_leaves_nothing(
    bucket: str,
    proxy: Proxy,
    undone: list[bytes | None],
    world: str,
    before_the_server: bool,
    operation: str,
) -> None:
    cancelled_within(operation, world, proxy, quick(bucket, proxy.url, part_size=PART), before_the_server)
    if operation == "POST uploadId":
        undone.append(NEW)  # the server was told to complete it, and may have done so
