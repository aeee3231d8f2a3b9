"""Pipes in the folder, which OpenSSH's server gets stuck in opening."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.runtime.support import WORLDS, run

from remote_store import AsyncStore, InvalidPath, Store
from remote_store.backends import SFTPBackend
from remote_store.backends.sftp._connection import Link

Make = Callable[..., SFTPBackend]


def stuck(root: Path) -> bool:
    """Return True if somebody waits for a pipe's other end."""
    try:
        os.close(os.open(root / "pipe", os.O_WRONLY | os.O_NONBLOCK))  # whoever did waits no more
    except OSError:
        return False
    return True


@pytest.mark.spec("SFTP-044")
@pytest.mark.parametrize("world", WORLDS)
def test_a_pipe_holds_up_nobody(make: Make, root: Path, world: str) -> None:
    """Neither is a write that is under way on the same connection, nor a process of the server."""
    os.mkfifo(root / "pipe")
    (root / "f").write_bytes(b"x")

    async def others(store: AsyncStore, number: int) -> None:
        await anyio.sleep(0.05)
        assert await store.read_bytes("f") == b"x"
        await store.write(f"g{number}", b"y")

    async def main() -> None:
        async with AsyncStore(make(timeout=60)) as store:
            await store.ping()
            calls: list[Any] = [store.read_bytes, store.read, lambda path: store.copy(path, "c")]
            for number, call in enumerate(calls):
                with anyio.fail_after(10):
                    async with anyio.create_task_group() as group:
                        group.start_soon(others, store, number)
                        with pytest.raises(InvalidPath, match="pipe"):
                            await call("pipe")
                assert not stuck(root)

    run(world, main)
    assert sorted(path.name for path in root.iterdir()) == ["f", "g0", "g1", "g2", "pipe"]


@pytest.mark.spec("SFTP-044")
def test_a_pipe_that_cannot_be_freed(make: Make, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is given up, and those who read go on over a new one."""

    async def none(link: Link, number: int) -> None:
        return None

    monkeypatch.setattr(Link, "spare", none)
    os.mkfifo(root / "pipe")
    (root / "f").write_bytes(b"x")
    try:
        with Store(make(timeout=60)) as store:
            with pytest.raises(InvalidPath, match="pipe"):
                store.read_bytes("pipe")
            assert store.read_bytes("f") == b"x"
    finally:
        assert stuck(root)  # and lets the server's process go on, to its end
