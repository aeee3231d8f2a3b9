"""The command line with one more kind of store, ``slow``: of its two files one comes, and one does not."""

from __future__ import annotations

from remote_store import Store, register_backend
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


if __name__ == "__main__":
    register_backend("slow", Slow)
    main()
