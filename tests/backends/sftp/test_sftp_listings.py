"""A listing whose reader is interrupted goes on where it was; and it leaves room for others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.runtime.support import WORLDS, run

from remote_store import AsyncStore
from remote_store.backends import SFTPBackend


async def interrupted(listing: Any, seconds: float) -> tuple[int, int]:
    """Count the interruptions, and the entries, of a listing whose first steps are given no time."""
    count = late = 0
    while True:
        with anyio.move_on_after(seconds if late < 3 else 20) as scope:
            try:
                count += len(await listing.__anext__())
            except StopAsyncIteration:
                return late, count
        if scope.cancelled_caught:
            late, seconds = late + 1, seconds * 2


@pytest.mark.spec("SFTP-046")
@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("world", WORLDS)
def test_an_interrupted_listing_goes_on(
    make: Callable[..., SFTPBackend], root: Path, recursive: bool, world: str
) -> None:
    for number in range(250):
        (root / f"f{number}").touch()
        (root / f"l{number}").symlink_to(f"f{number}")
    for number in range(20):
        (root / f"d{number}").mkdir()
        (root / f"d{number}" / "f").touch()

    async def main() -> None:
        backend = make()
        interruptions = 0
        await backend.ping()
        for step in range(25):
            listing = backend.list_pages("", recursive=recursive)
            late, count = await interrupted(listing, 0.0002 * (step + 1))
            interruptions += late
            assert count == 520 + 20 * recursive
        assert interruptions > 5
        await backend.aclose()

    run(world, main)


@pytest.mark.spec("SFTP-035")
def test_a_listing_leaves_files_that_may_be_open(
    serve: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reader may take long for a page, and waits for no handle then, nor do others."""

    async def eight(self: Any, packet: Any) -> asyncssh.sftp.SFTPLimits:
        return asyncssh.sftp.SFTPLimits(0, 32768, 32768, 8)

    handlers = asyncssh.sftp.SFTPServerHandler._packet_handlers
    monkeypatch.setitem(handlers, b"limits@openssh.com", eight)
    for number in range(40):
        (root / f"d{number}").mkdir()
        (root / f"d{number}" / "f").write_bytes(b"x")

    async def main() -> None:
        async with AsyncStore(serve(True, timeout=0.2)) as store:
            seen = 0
            async for _ in store.list_files("", recursive=True):
                seen += 1
                if seen == 1:
                    await anyio.sleep(1.5)  # longer than anybody waits for a handle
                    assert await store.read_bytes("d0/f") == b"x"
            assert seen == 40

    run("asyncio", main)
