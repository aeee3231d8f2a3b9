"""Streams over files that change under them, and what a call costs in hops to other threads."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.backends.support import tree

from remote_store import AsyncStore, RemoteStoreError, Store
from remote_store._runtime import _workers
from remote_store.backends import LocalBackend

CONTENT = bytes(range(256)) * 1024

CHANGES: dict[str, Callable[[Path], object]] = {
    "grows": lambda path: os.truncate(path, len(CONTENT) + 1),
    "shrinks": lambda path: os.truncate(path, 10),
    "is emptied": lambda path: os.truncate(path, 0),
    "is touched": lambda path: os.utime(path, ns=(1, 1)),
}


@pytest.mark.spec("LOC-025")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("how", ["read", "readinto", "seek back"])
def test_a_change_in_place_is_told(store: Store, root: Path, change: str, how: str) -> None:
    store.write("sub/f", CONTENT)
    with store.open_read("sub/f") as stream:
        assert stream.read(10) == CONTENT[:10]
        CHANGES[change](root / "sub/f")
        if how == "seek back":
            stream.seek(200_000)
        with pytest.raises(RemoteStoreError, match="changed while it was being read") as caught:
            if how == "readinto":
                stream.readinto(bytearray(len(CONTENT)))  # type: ignore[attr-defined]  # a raw file has it
            else:
                stream.read()
        assert type(caught.value) is RemoteStoreError
        assert (caught.value.path, caught.value.backend) == ("sub/f", "local")


@pytest.mark.anyio
@pytest.mark.spec("LOC-025")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("n", [1000, len(CONTENT), -1])
async def test_a_change_in_place_is_told_when_awaited(root: Path, change: str, n: int) -> None:
    async with AsyncStore(LocalBackend(root)) as store:
        await store.write("f", CONTENT)
        async with await store.open_read("f") as stream:
            CHANGES[change](root / "f")
            with pytest.raises(RemoteStoreError, match="changed while it was being read"):
                while await stream.read(n):
                    pass


@pytest.mark.spec("LOC-025", "LOC-014")
def test_what_is_no_change_of_content(store: Store, root: Path) -> None:
    store.write("f", CONTENT)
    with store.open_read("f") as stream:
        (root / "f").chmod(0o600)
        os.link(root / "f", root / "g")
        store.write("f", b"new", overwrite=True)
        store.delete("g")
        assert stream.read() == CONTENT


# -- hops -----------------------------------------------------------------------------------------


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the calls that are handed to worker threads."""
    made: list[str] = []
    start = _workers.Workers.start

    def recorded(pool: Any, call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        made.append(getattr(call, "__name__", "?"))
        return start(pool, call, args)

    monkeypatch.setattr(_workers.Workers, "start", recorded)
    return made


SMALL = b"x" * 1000
ONE_HOP: dict[str, Callable[[AsyncStore], Awaitable[object]]] = {
    "read_bytes": lambda store: store.read_bytes("f"),
    "part": lambda store: store.read_bytes("f", start=5, length=10),
    "write": lambda store: store.write("sub/g", SMALL),
    "write_atomic": lambda store: store.write_atomic("g", SMALL),
    "overwrite": lambda store: store.write("f", SMALL, overwrite=True),
    "memoryview": lambda store: store.write("g", memoryview(SMALL)),
    "a megabyte": lambda store: store.write("g", bytes(1 << 20)),
    "get_file_info": lambda store: store.get_file_info("f"),
    "exists": lambda store: store.exists("f"),
    "delete": lambda store: store.delete("f"),
}


@pytest.mark.spec("LOC-026")
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("call", ONE_HOP)
def test_one_hop(root: Path, hops: list[str], call: str, loop: str) -> None:
    (root / "f").write_bytes(SMALL)

    async def main() -> None:
        store = AsyncStore(LocalBackend(root))
        hops.clear()
        await ONE_HOP[call](store)

    anyio.run(main, backend=loop)
    assert len(hops) == 1, hops


@pytest.mark.spec("LOC-026")
def test_no_hop_for_a_blocking_caller(plain: Store, hops: list[str]) -> None:
    plain.write("f", SMALL)
    assert plain.read_bytes("f") == SMALL
    with plain.open_write("g") as writer:
        writer.write(SMALL)
    with plain.open_read("g") as reader:
        assert reader.read() == SMALL
    plain.copy("f", "h")
    assert len(list(plain.list_files())) == 3
    assert hops == []


@pytest.mark.spec("LOC-018", "LOC-019")
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_cancelled_write_leaves_nothing(root: Path, loop: str) -> None:
    async def main() -> None:
        store = AsyncStore(LocalBackend(root))
        for checkpoint in range(6):
            with anyio.CancelScope() as scope:
                async with store.open_write("a/b/f") as writer:
                    for step in range(6):
                        if step == checkpoint:
                            scope.cancel()
                        await writer.write(bytes(300_000))
            assert scope.cancelled_caught
            assert tree(root) == {}

    anyio.run(main, backend=loop)
