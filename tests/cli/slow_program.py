"""The command line with two more kinds of store.

slow    of its two files one comes, and one does not
stuck   listings and deletions of folders have no end; it says so when they begin
"""

from __future__ import annotations

from typing import Any

from remote_store import Store, register_backend
from remote_store.backend import Pages
from remote_store.backends import MemoryBackend
from remote_store.cli import main
from remote_store.testing import Fault, FaultyBackend

SIZE = 3 << 20


class Slow(FaultyBackend):
    """Has two files; the reading of one stands still after the first piece."""

    def __init__(self) -> None:
        inner = MemoryBackend()
        for name in ("done", "stuck"):
            Store(inner).write(f"deep/{name}", bytes(SIZE * (3 if name == "stuck" else 1)))
        super().__init__(inner, [Fault("reader.read", "stall", path="deep/stuck", at=3, times=None)])


class Stuck(FaultyBackend):
    """Has a folder with a file, and neither lists nor deletes it."""

    def __init__(self) -> None:
        inner = MemoryBackend()
        Store(inner).write("deep/file", b"")
        super().__init__(
            inner, [Fault(name, "stall", times=None) for name in ("pages.next", "delete_folder")]
        )

    def list_pages(self, path: str, **how: bool) -> Pages:
        print("stuck", flush=True)
        return super().list_pages(path, **how)

    async def delete_folder(self, path: str, **how: Any) -> None:
        print("stuck", flush=True)
        await super().delete_folder(path, **how)


if __name__ == "__main__":
    register_backend("slow", Slow)
    register_backend("stuck", Stuck)
    main()
