"""Measures one job in a process of its own: ``memory_script.py WAY JOB TYPE OPTIONS MEBIBYTES``."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from remote_store import AsyncStore, Backend, Store
from remote_store.backends._known import backend_class

MIB = 1 << 20
PIECE = bytes(range(256)) * 4096


def resident() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / MIB


class Peak(threading.Thread):
    """Looks at this process's memory every few milliseconds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.before = self.most = resident()
        self.start()

    def run(self) -> None:
        while True:
            self.most = max(self.most, resident())
            time.sleep(0.002)

    @property
    def added(self) -> float:
        return self.most - self.before


def pieces(mebibytes: int) -> Iterator[bytes]:
    for _ in range(mebibytes):
        yield PIECE


def blocking(backend: Backend, job: str, mebibytes: int) -> float:
    with Store(backend) as store:
        if job == "list":
            next(store.list_files("warm"), None)
            peak = Peak()
            assert sum(1 for _ in store.list_files("many")) == 100_000
            return peak.added
        store.write("warm", pieces(20), overwrite=True)
        store.ping()
        peak = Peak()
        if job == "write":
            store.write("large", pieces(mebibytes), overwrite=True)
        else:
            with store.read("large") as stream:
                assert sum(len(chunk) for chunk in iter(lambda: stream.read(MIB), b"")) == mebibytes * MIB
        return peak.added


async def awaited(backend: Backend, job: str, mebibytes: int) -> float:
    async with AsyncStore(backend) as store:
        if job == "list":
            [info async for info in store.list_files("warm")]
            peak = Peak()
            count = 0
            async for _ in store.list_files("many"):
                count += 1
            assert count == 100_000
            return peak.added
        await store.write("warm", pieces(20), overwrite=True)
        await store.ping()
        peak = Peak()
        if job == "write":
            await store.write("large", pieces(mebibytes), overwrite=True)
        else:
            total = 0
            async with await store.read("large") as stream:
                async for chunk in stream:
                    total += len(chunk)
            assert total == mebibytes * MIB
        return peak.added


def run(way: str, main: Callable[..., Awaitable[float]], *args: Any) -> float:
    if way == "trio":
        import trio

        return trio.run(main, *args)
    import asyncio

    async def called() -> float:
        return await main(*args)

    return asyncio.run(called())


if __name__ == "__main__":
    way, job, kind, options, mebibytes = sys.argv[1:]
    backend = backend_class(kind)(**json.loads(options))
    size = int(mebibytes)
    added = blocking(backend, job, size) if way == "blocking" else run(way, awaited, backend, job, size)
    print(added)
