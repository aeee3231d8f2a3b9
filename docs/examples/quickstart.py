"""The first five minutes: make a store, write, read, list. Blocking, then awaited."""

from __future__ import annotations

import asyncio
import tempfile

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend


def blocking(folder: str) -> None:
    # A store is a folder of some storage. Here that is a folder of this machine.
    with Store(LocalBackend(folder)) as store:
        # Missing folders come into being, and writing says what was stored.
        result = store.write("reports/may.csv", b"day,sales\n1,20\n")
        print("stored", result.path, result.size, "bytes")

        print("it says", store.read_text("reports/may.csv").splitlines())
        print("a part of it:", store.read_bytes("reports/may.csv", start=4, length=5))

        for info in store.list_files("reports"):
            print("listed", info.path, info.size)


async def awaited(folder: str) -> None:
    # The async store has the same methods. It runs under asyncio, and under trio as well.
    async with AsyncStore(LocalBackend(folder)) as store:
        await store.write("reports/june.csv", b"day,sales\n1,30\n")
        print("awaited", await store.read_bytes("reports/june.csv"))

        async for info in store.list_files("reports"):
            print("listed", info.path, info.size)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        blocking(temporary)
        asyncio.run(awaited(temporary))
