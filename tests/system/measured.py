"""A program that does one large thing and says how much its memory grew meanwhile.

``measured.py ROOT LOOP CASE``, where LOOP is asyncio, trio or blocking, prints ``grown`` in MiB,
``seconds``, and of a listing ``first``, the milliseconds to its first item.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend

MIB = 1 << 20
SIZE = 1024 * MIB
"""Of the file that is streamed."""
FILES = 100_000
"""In the folder that is listed."""
KEPT = 128 * MIB
"""What the case that is there to be noticed keeps in memory."""

SOURCE, TARGET, FOLDER = "source", "target", "many"
ZEROS = bytes(MIB - 8)
times: dict[str, float] = {}


# -- the large things -------------------------------------------------------------------------------


def header(number: int) -> bytes:
    """Return the first bytes of one MiB of the file; the others are zero."""
    return number.to_bytes(8, "big")


def make_source(path: str) -> None:
    """Make the large file, quickly: it is mostly holes."""
    with open(path, "wb") as file:
        for number in range(SIZE // MIB):
            file.seek(number * MIB)
            file.write(header(number))
        file.truncate(SIZE)


def make_folder(path: str) -> None:
    """Make the large folder, quickly: hard links, of which a file can have some ten thousand."""
    os.mkdir(path)
    for number in range(FILES):
        name = f"{path}/{number}"
        if number % 10_000:
            os.link(f"{path}/{number - number % 10_000}", name)
        else:
            open(name, "xb").close()


def check_target(path: str) -> None:
    """Fail if the file that was written is not the large one, as far as headers and size tell."""
    assert os.path.getsize(path) == SIZE
    with open(path, "rb", buffering=0) as file:
        for number in range(SIZE // MIB):
            file.seek(number * MIB)
            assert file.read(10) == header(number) + b"\0\0"


class Seen:
    """What has come out of a stream so far."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, chunk: bytes) -> int:
        """Take the next chunk, and check the headers that are in it as a whole."""
        for offset in range(-self.size % MIB, len(chunk) - 7, MIB):
            assert chunk[offset : offset + 8] == header((self.size + offset) // MIB)
        self.size += len(chunk)
        return len(chunk)


def pieces() -> Iterator[bytes]:
    """Give the large file, in pieces of two sizes."""
    for number in range(SIZE // MIB):
        piece = header(number) + ZEROS
        yield piece[:300_000]
        yield piece[300_000:]


async def async_pieces() -> AsyncIterator[bytes]:
    """Give the large file, in pieces of two sizes."""
    for piece in pieces():
        yield piece


# -- in and out, blocking -----------------------------------------------------------------------------


def open_write(store: Store) -> None:
    with store.open_write(TARGET) as stream:
        for piece in pieces():
            stream.write(piece)


def read(store: Store) -> None:
    seen = Seen()
    with store.read(SOURCE) as stream:
        while chunk := stream.read(250_000):
            seen.write(chunk)
    assert seen.size == SIZE


def write_read(store: Store) -> None:
    with store.read(SOURCE) as stream:
        store.write(TARGET, stream)


def listed(store: Store, items: Callable[[Store], Iterator[object]]) -> None:
    start = time.perf_counter()
    count = 0
    for _ in items(store):
        if not count:
            times["first"] = (time.perf_counter() - start) * 1000
        count += 1
    assert count == FILES


def added_up(store: Store) -> None:
    assert store.get_folder_info(FOLDER).file_count == FILES


BLOCKING: dict[str, Callable[[Store], object]] = {
    "write(iterable)": lambda store: store.write(TARGET, pieces()),
    "write_atomic(iterable)": lambda store: store.write_atomic(TARGET, pieces()),
    "open_write": open_write,
    "read(n)": read,
    "write(read)": write_read,
    "list_files": lambda store: listed(store, lambda store: store.list_files(FOLDER)),
    "list_files(recursive)": lambda store: listed(store, lambda store: store.list_files(recursive=True)),
    "glob": lambda store: listed(store, lambda store: store.glob("**/*")),
    "get_folder_info": added_up,
    "kept in memory": lambda store: store.read_bytes(SOURCE, length=KEPT),
    "read": lambda store: store.read(SOURCE, length=KEPT).read(),
}


# -- in and out, async --------------------------------------------------------------------------------


async def async_open_write(store: AsyncStore) -> None:
    async with store.open_write(TARGET) as stream:
        for piece in pieces():
            await stream.write(piece)


async def async_for(store: AsyncStore) -> None:
    seen = Seen()
    async with await store.read(SOURCE) as stream:
        async for chunk in stream:
            seen.write(chunk)
    assert seen.size == SIZE


async def copy_to(store: AsyncStore) -> None:
    seen = Seen()
    async with await store.read(SOURCE) as stream:
        assert await stream.copy_to(seen) == SIZE
    assert seen.size == SIZE


async def async_write_read(store: AsyncStore) -> None:
    await store.write(TARGET, await store.read(SOURCE))


async def async_listed(store: AsyncStore) -> None:
    await store.exists(FOLDER)  # what is imported and started at first use
    start = time.perf_counter()
    count = 0
    async for _ in store.list_files(FOLDER):
        if not count:
            times["first"] = (time.perf_counter() - start) * 1000
        count += 1
    assert count == FILES


ASYNC: dict[str, Callable[[AsyncStore], Awaitable[object]]] = {
    "write(async iterable)": lambda store: store.write(TARGET, async_pieces()),
    "write(iterable)": lambda store: store.write(TARGET, pieces()),
    "open_write": async_open_write,
    "async for": async_for,
    "copy_to": copy_to,
    "write(read)": async_write_read,
    "list_files": async_listed,
}


# -- the measure --------------------------------------------------------------------------------------


def status(name: str) -> float:
    """Return a figure of ``/proc/self/status``, in MiB."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def measure(work: Callable[[], object]) -> float:
    """Return by how many MiB this process's resident memory grew, at its highest, during a call."""
    if os.path.exists("/proc/self/clear_refs"):
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # the highest so far is now
        before = status("VmRSS")
        work()
        return status("VmHWM") - before
    unit = MIB if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit - before


def main(root: str, loop: str, case: str) -> None:
    backend = LocalBackend(root)

    async def work() -> None:
        await ASYNC[case](AsyncStore(backend))

    def run() -> None:
        if loop == "blocking":
            BLOCKING[case](Store(backend))
        elif loop == "asyncio":
            asyncio.run(work())
        else:
            import trio

            trio.run(work)

    start = time.perf_counter()
    grown = measure(run)
    print(json.dumps({"grown": grown, "seconds": time.perf_counter() - start, **times}))


if __name__ == "__main__":
    main(*sys.argv[1:])
