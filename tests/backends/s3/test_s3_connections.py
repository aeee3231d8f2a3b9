"""Streams that are left half-way give their connection back: of a pool of one, here."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
from pathlib import Path

import pytest
import trio
import trustme
from tests.backends.s3.support import MIB, Proxy, Reply, quick
from tests.runtime.support import WORLDS, pause, run, until, wait_for

from remote_store import AsyncStore, BackendUnavailable, Store

CONTENT = b"0123456789abcdef" * (MIB // 2)
ONE = {"max_pool_connections": 1}


@pytest.fixture
def filled(bucket: str, seaweedfs_url: str) -> str:
    with Store(quick(bucket, seaweedfs_url)) as store:
        store.write("f", CONTENT)
    return bucket


async def closed(store: AsyncStore) -> None:
    stream = await store.read("f")
    assert await stream.read(10) == CONTENT[:10]
    await stream.aclose()


async def dropped(store: AsyncStore) -> None:
    stream = await store.read("f")
    assert await stream.read(10) == CONTENT[:10]
    del stream
    gc.collect()


async def sought(store: AsyncStore) -> None:
    async with await store.read("f") as stream:
        for position in (5 * MIB, 1, 7 * MIB):
            await stream.seek(position)
            assert await stream.read(3) == CONTENT[position : position + 3]


async def read_to_the_end(store: AsyncStore) -> None:
    stream = await store.read("f")
    assert await stream.read() == CONTENT
    assert await store.read_bytes("f", length=3) == CONTENT[:3]  # while it is still open
    await stream.aclose()


@pytest.mark.spec("S3-016")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("leave", [closed, dropped, sought, read_to_the_end])
def test_a_stream_that_is_left_gives_its_connection_back(
    filled: str, seaweedfs_url: str, world: str, leave: object
) -> None:
    async def main() -> None:
        async with AsyncStore(quick(filled, seaweedfs_url, ONE)) as store:
            for _ in range(3):
                assert callable(leave)
                await leave(store)
                assert await store.read_bytes("f", length=3) == CONTENT[:3]

    run(world, main)


@pytest.mark.spec("S3-016")
@pytest.mark.parametrize("drop", [False, True])
def test_a_blocking_stream_that_is_left_gives_its_connection_back(
    filled: str, seaweedfs_url: str, drop: bool
) -> None:
    with Store(quick(filled, seaweedfs_url, ONE)) as store:
        for _ in range(3):
            stream = store.read("f")
            assert stream.read(10) == CONTENT[:10]
            if not drop:
                stream.close()
            del stream
            gc.collect()
            assert store.read_bytes("f", length=3) == CONTENT[:3]


@pytest.mark.spec("S3-016")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("cut", [None, 0, 1000, 3 * MIB])
@pytest.mark.parametrize("whole", [False, True])
def test_a_read_that_is_cancelled_gives_its_connection_back(
    filled: str, proxy: Proxy, world: str, cut: int | None, whole: bool
) -> None:
    silent = threading.Event()

    def hook(asked: object, ask: object) -> Reply:
        assert callable(ask)
        reply = ask()
        assert isinstance(reply, Reply)
        if not silent.is_set():
            reply.cut, reply.silent = cut, True
            silent.set()
        return reply

    async def main() -> None:
        async with AsyncStore(quick(filled, proxy.url, ONE)) as store:
            await cancelled_when(silent, reading, store)
            assert await store.read_bytes("f") == CONTENT

    async def reading(store: AsyncStore) -> None:
        if whole:
            await store.read_bytes("f")
        else:
            async with await store.read("f") as stream:
                await stream.read()
        raise AssertionError("it should never end")

    proxy.hook = hook
    run(world, main)


async def cancelled_when(event: threading.Event, call: object, *args: object) -> None:
    """Run an async function in a task, and cancel it a moment after the event has come."""
    assert callable(call)
    if trio.lowlevel.in_trio_task():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call, *args)
            await until(event.is_set)
            await pause(0.05)
            nursery.cancel_scope.cancel()
        return
    task = asyncio.ensure_future(call(*args))
    await until(event.is_set)
    await pause(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.spec("S3-026")
def test_a_certificate_that_does_not_hold_is_not_worth_another_try(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = Proxy(tls=context)
    server.hook = lambda asked, ask: Reply(200, b"content", [("ETag", '"1"')])
    try:
        with Store(quick("bucket", server.url)) as store:
            with pytest.raises(BackendUnavailable, match="verify=") as caught:
                store.read_bytes("f")
        assert (caught.value.retryable, caught.value.path) == (False, "f")
        assert caught.value.__cause__ is not None
        with Store(quick("bucket", server.url, {"verify": str(tmp_path / "ca.pem")})) as store:
            assert store.read_bytes("f") == b"content"
    finally:
        server.close()


@pytest.mark.spec("S3-016")
def test_a_stream_that_outlives_its_loop_can_be_dropped(filled: str, proxy: Proxy) -> None:
    async def main() -> object:
        async with AsyncStore(quick(filled, proxy.url)) as store:
            stream = await store.read("f")
            await stream.read(10)
            return stream

    stream = asyncio.run(main())
    del stream
    gc.collect()
    wait_for(lambda: not proxy.open)


@pytest.mark.spec("S3-074")
@pytest.mark.parametrize("world", WORLDS)
def test_streams_that_nobody_reads_are_not_waited_for_for_ever(
    filled: str, seaweedfs_url: str, world: str
) -> None:
    few = {"max_pool_connections": 2, "read_timeout": 1, "retries": {"total_max_attempts": 3}}

    async def main() -> None:
        async with AsyncStore(quick(filled, seaweedfs_url, few)) as store:
            streams = [await store.read("f") for _ in range(2)]
            for stream in streams:
                assert await stream.read(10) == CONTENT[:10]
            for ask in (store.read, store.exists):
                with pytest.raises(BackendUnavailable, match=r"max_pool_connections in client_options"):
                    await ask("f")
            await streams[0].aclose()
            assert await store.read_bytes("f") == CONTENT
            assert await streams[1].read() == CONTENT[10:]

    run(world, main)
