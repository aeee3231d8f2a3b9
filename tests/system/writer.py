"""A program that writes and is killed, and what its versions of a file look like.

writer.py loop ROOT WAY FIRST    writes one version after another for ever, and names each that is stored
writer.py hold ROOT PATH LOOP    writes half of version 0, says so, and goes on when it is told to
writer.py steps ROOT WAY TARGET  kills a child before and after every system call of a write, one by one
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from types import FrameType
from typing import Any

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend

TARGET = "folder/target"
WAYS = ("write bytes", "write streamed", "write_atomic bytes", "write_atomic streamed", "open_write")
ASYNC_WAYS = ("write asyncio", "write_atomic asyncio")
MIB = 1 << 20


@lru_cache(maxsize=16)
def version(number: int) -> bytes:
    """Return one version of the file: 2, 6 or 10 MiB and a bit, and in all of it the version's number."""
    size = (2 + number % 3 * 4) * MIB + number % 4099
    return (number.to_bytes(8, "big") * (size // 8 + 1))[:size]


def identify(data: bytes) -> int:
    """Return which version this is; it must be the whole of it and nothing else."""
    number = int.from_bytes(data[:8], "big")
    assert data == version(number), f"{len(data)} bytes are not version {number}"
    return number


def pieces(number: int) -> Iterator[bytes]:
    """Give a version in pieces of odd sizes."""
    data = version(number)
    for offset in range(0, len(data), 1_000_003):
        yield data[offset : offset + 1_000_003]


async def async_pieces(number: int) -> AsyncIterator[bytes]:
    """Give a version in pieces of odd sizes."""
    for piece in pieces(number):
        yield piece


def write(store: Store, path: str, way: str, number: int, *, overwrite: bool = True) -> None:
    """Store one version in one of the ways."""
    operation, _, shape = way.partition(" ")
    if operation == "open_write":
        with store.open_write(path, overwrite=overwrite) as stream:
            for piece in pieces(number):
                stream.write(piece)
        return
    call = store.write if operation == "write" else store.write_atomic
    call(path, pieces(number) if shape == "streamed" else version(number), overwrite=overwrite)


def say(text: object) -> None:
    os.write(1, f"{text}\n".encode())


def loop(root: str, way: str, first: str) -> None:
    if way in ASYNC_WAYS:
        asyncio.run(async_loop(root, way, int(first)))
    store = Store(LocalBackend(root))
    for number in range(int(first), int(first) + 12):
        version(number)  # made now, so that later nearly all of the time is spent writing
    say("ready")
    for number in itertools.count(int(first)):
        write(store, TARGET, way, number)
        say(number)


async def async_loop(root: str, way: str, first: int) -> None:
    store = AsyncStore(LocalBackend(root))
    call = store.write if way.startswith("write ") else store.write_atomic
    await store.exists(TARGET)  # all that is imported and started at first use
    say("ready")
    for number in itertools.count(first):
        await call(TARGET, async_pieces(number), overwrite=True)
        say(number)


def hold(root: str, path: str, loop: str) -> None:
    def halves() -> Iterator[bytes]:
        data = version(0)
        yield data[:MIB]
        yield data[MIB : MIB + 500_000]  # the step before this one is on the disk
        say("half")
        sys.stdin.readline()
        yield data[MIB + 500_000 :]

    async def held() -> None:
        await AsyncStore(LocalBackend(root)).write(path, halves(), overwrite=True)

    if loop == "blocking":
        Store(LocalBackend(root)).write(path, halves(), overwrite=True)
    elif loop == "asyncio":
        asyncio.run(held())
    else:
        import trio

        trio.run(held)
    say("stored")


class Killer:
    """Kills its own process at the n-th border of a system call, which is before or after one."""

    def __init__(self, n: int) -> None:
        self._left = n

    def __call__(self, frame: FrameType, event: str, call: Any) -> None:
        if event in ("c_call", "c_return") and call.__module__ in ("posix", "fcntl"):
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


def steps(root: str, way: str, target: str) -> None:
    """Print, for each kill, what is there afterwards; the last line is of a write that came to its end."""
    store = Store(LocalBackend(root))
    for n in itertools.count(1):
        path = TARGET if target == "old" else f"new {n}/target"
        if target == "old":
            store.write(path, version(0), overwrite=True)
        pid = os.fork()
        if not pid:
            # All children shall make the same calls: a collection makes some of its own, and a store
            # that was used more than a second ago looks whether its root is still the same.
            gc.disable()
            fresh = Store(LocalBackend(root))
            sys.setprofile(Killer(n))
            write(fresh, path, way, 1, overwrite=target == "old")
            sys.setprofile(None)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        found = identify(store.read_bytes(path)) if store.exists(path) else None
        say(json.dumps([code, found]))
        if code != -signal.SIGKILL:
            return


if __name__ == "__main__":
    {"loop": loop, "hold": hold, "steps": steps}[sys.argv[1]](*sys.argv[2:])
