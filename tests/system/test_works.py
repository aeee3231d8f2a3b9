"""The blocking store inside running loops, in many threads, and one async store on loop after loop."""

from __future__ import annotations

import asyncio
import gzip
import io
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import trio
from tests.system.support import LOOPS, WATCHDOG, loops, run, temporaries

from remote_store import AlreadyExists, AsyncStore, NotFound, Store
from remote_store.backend import Backend
from remote_store.backends import LocalBackend, MemoryBackend

THREADS = 32
BIG = bytes(range(256)) * 4096 * 3


@pytest.fixture(params=["local", "memory"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    yield LocalBackend(tmp_path) if request.param == "local" else MemoryBackend()
    assert temporaries(tmp_path) == []


def use(store: Store, folder: str) -> None:
    """Use every operation of a blocking store, in a folder of its own."""
    store.ping()
    assert store.write(f"{folder}/a", b"one").size == 3
    with pytest.raises(AlreadyExists):
        store.write(f"{folder}/a", b"two")
    store.write_atomic(f"{folder}/a", iter([b"tw", b"o"]), overwrite=True)
    store.write_text(f"{folder}/deep/down/text", "a\r\nb\n")
    assert store.read_text(f"{folder}/deep/down/text") == "a\r\nb\n"
    with store.open_write(f"{folder}/big") as written:
        for offset in range(0, len(BIG), 700_001):
            written.write(BIG[offset : offset + 700_001])
    with store.read(f"{folder}/big") as stream:
        assert stream.read(10) + stream.read() == BIG
    with store.open_read(f"{folder}/big") as stream:
        stream.seek(-5, io.SEEK_END)
        assert stream.read() == BIG[-5:]
    with store.read(f"{folder}/big") as stream:
        store.write(f"{folder}/again", stream)
    assert store.read_bytes(f"{folder}/again", start=1000, length=500_000) == BIG[1000:501_000]
    store.copy(f"{folder}/a", f"{folder}/b")
    store.move(f"{folder}/b", f"{folder}/c")
    assert store.read_bytes(f"{folder}/c") == b"two"
    assert store.get_file_info(f"{folder}/c").size == 3
    names = {"a", "again", "big", "c"}
    assert {info.name for info in store.list_files(folder)} == names
    assert {child.name for child in store.iter_children(folder)} == names | {"deep"}
    assert list(store.list_folders(folder)) == ["deep"]
    assert [str(step[0]) for step in store.walk(folder)] == [folder, f"{folder}/deep", f"{folder}/deep/down"]
    assert {str(info.path) for info in store.glob(f"{folder}/**/t*")} == {f"{folder}/deep/down/text"}
    assert store.get_folder_info(folder).file_count == 5
    assert store.child(folder).read_bytes("c") == b"two"
    store.delete(f"{folder}/c")
    assert not store.exists(f"{folder}/c")
    store.delete_folder(folder, recursive=True)
    assert not store.is_folder(folder)
    with pytest.raises(NotFound):
        store.read_bytes(f"{folder}/a")


async def use_async(store: AsyncStore, folder: str) -> None:
    """Use an async store, alone and from several tasks at once."""

    async def one(name: str) -> None:
        await store.write(name, b"1" + name.encode())
        await store.write_atomic(name, iter([b"2", name.encode()]), overwrite=True)
        async with store.open_write(f"{name} big") as written:
            await written.write(BIG)
        async with await store.read(f"{name} big") as stream:
            assert b"".join([chunk async for chunk in stream]) == BIG
        assert await store.read_bytes(name) == b"2" + name.encode()

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(one, f"{folder}/{number}")
    assert len([info async for info in store.list_files(folder)]) == 16
    await store.copy(f"{folder}/0", f"{folder}/copy")
    await store.move(f"{folder}/copy", f"{folder}/moved")
    assert [str(info.path) async for info in store.glob(f"{folder}/m*")] == [f"{folder}/moved"]
    await store.delete_folder(folder, recursive=True)
    assert not await store.exists(folder)


# -- inside a running loop ------------------------------------------------------------------------


@pytest.mark.spec("GEN-007", "RUN-016")
@loops
def test_a_blocking_store_inside_a_running_loop(loop: str, backend: Backend) -> None:
    store, asynchronous = Store(backend), AsyncStore(backend)

    async def main() -> None:
        use(store, "blocking")
        await use_async(asynchronous, "async")
        async with anyio.create_task_group() as group:  # in one task, while others wait for workers
            group.start_soon(use_async, asynchronous, "others")
            for turn in range(3):
                await anyio.sleep(0)
                use(store, f"turn {turn}")
        for info in store.list_files():
            raise AssertionError(f"{info.path} is left")

    run(loop, main)


@pytest.mark.spec("GEN-007", "GEN-006")
@loops
def test_blocking_streams_and_listings_stay_open_across_awaits(loop: str, backend: Backend) -> None:
    store = Store(backend)
    for number in range(1500):
        store.write(f"many/{number}", b"1")
    store.write("big", BIG)

    async def main() -> None:
        listing = iter(store.list_files("many"))
        names = {next(listing).name}
        with store.read("big") as stream, store.open_write("copy") as written:
            while chunk := stream.read(500_000):
                await anyio.sleep(0)
                written.write(chunk)
                names |= {info.name for _, info in zip(range(100), listing, strict=False)}
        names |= {info.name for info in listing}
        assert len(names) == 1500
        assert store.read_bytes("copy") == BIG

    run(loop, main)


@pytest.mark.spec("GEN-007", "RUN-016", "STORE-010")
@loops
def test_a_blocking_store_in_the_threads_of_a_loop(loop: str, backend: Backend) -> None:
    store = Store(backend)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(anyio.to_thread.run_sync, use, store, f"thread {number}")

    run(loop, main)


@pytest.mark.spec("RUN-016", "RUN-018", "GEN-007")
@loops
def test_content_of_a_blocking_write_that_runs_a_loop_itself(loop: str, backend: Backend) -> None:
    """A blocking write, in a thread, of pieces that come from a loop, in which is a blocking read."""
    store = Store(backend)
    store.write("source", BIG)

    async def piece(offset: int) -> bytes:
        await anyio.sleep(0)
        return store.read_bytes("source", start=offset, length=1 << 20)

    def pieces() -> Iterator[bytes]:
        for offset in range(0, len(BIG), 1 << 20):
            yield run(loop, piece, offset)

    store.write("target", pieces())
    assert store.read_bytes("target") == BIG


# -- loop after loop ------------------------------------------------------------------------------


@pytest.mark.spec("STORE-010", "BE-004")
def test_one_store_on_loop_after_loop(backend: Backend) -> None:
    store = AsyncStore(backend)
    asyncio.run(use_async(store, "first"))
    asyncio.run(use_async(store, "second"))
    trio.run(use_async, store, "third")
    run("uvloop", use_async, store, "fourth")
    use(Store(backend), "in between")
    trio.run(use_async, store, "fifth")
    asyncio.run(use_async(store, "sixth"))
    asyncio.run(store.aclose())


@pytest.mark.spec("STORE-010", "BE-004")
def test_one_store_on_several_loops_at_once(backend: Backend) -> None:
    store = AsyncStore(backend)
    for loop in LOOPS:
        run(loop, use_async, store, "first")  # with all that is imported at first use
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(run, loop, use_async, store, f"{loop} {n}") for n, loop in enumerate(LOOPS * 2)]
        for job in jobs:
            job.result(WATCHDOG)
    assert list(Store(backend).list_files(recursive=True)) == []


# -- many threads ---------------------------------------------------------------------------------


@pytest.mark.spec("GEN-007", "STORE-010", "BE-004")
def test_32_threads_on_one_blocking_store(backend: Backend) -> None:
    store = Store(backend)
    store.write("shared", BIG)
    barrier = threading.Barrier(THREADS, timeout=WATCHDOG)

    def work(number: int) -> None:
        barrier.wait()
        for turn in range(3):
            use(store, f"thread {number} {turn}")
            assert store.read_bytes("shared") == BIG
            store.write("everybody's", f"{number}".encode() * 10_000, overwrite=True)
            seen = store.read_bytes("everybody's")
            assert seen in {f"{other}".encode() * 10_000 for other in range(THREADS)}
            assert {info.name for info in store.list_files()} >= {"shared"}

    with ThreadPoolExecutor(THREADS) as pool:
        for job in [pool.submit(work, number) for number in range(THREADS)]:
            job.result(WATCHDOG)
    assert {str(info.path) for info in store.list_files(recursive=True)} == {"shared", "everybody's"}


@pytest.mark.spec("STR-009", "GEN-007")
@loops
def test_wrappers_around_blocking_streams_in_a_running_loop(loop: str, backend: Backend) -> None:
    store = Store(backend)

    async def main() -> None:
        packed: Any
        with store.open_write("a.gz") as written, gzip.open(written, "wb") as packed:
            packed.write(BIG)
        await anyio.sleep(0)
        target = io.BytesIO()
        with store.read("a.gz") as stream, gzip.open(stream, "rb") as packed:
            shutil.copyfileobj(packed, target)
        assert target.getvalue() == BIG

    run(loop, main)
