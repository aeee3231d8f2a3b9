"""What many calls wait for together: a connection that fails or is closed, the end of what one has left."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.backends.sftp.support import silent_port
from tests.backends.sftp.test_sftp_cuts import Cut, cut, plain
from tests.runtime.support import WORLDS, run

from remote_store import AsyncStore, BackendUnavailable, RemoteStoreError
from remote_store._sftp import packets
from remote_store._sftp.channel import Channel
from remote_store.backends import SFTPBackend
from remote_store.backends.sftp._unfinished import Unfinished

Make = Callable[..., SFTPBackend]
__all__ = ["cut", "plain"]  # fixtures


@pytest.mark.spec("SFTP-012")
@pytest.mark.parametrize("world", WORLDS)
def test_closed_while_it_is_connected(world: str) -> None:
    listening, port = silent_port()
    backend = SFTPBackend(
        "127.0.0.1", port=port, username="x", password="y", host_key_policy="auto", timeout=20
    )
    caught: list[BaseException] = []

    async def call(path: str) -> None:
        try:
            await backend.read_bytes(path)
        except BaseException as error:
            caught.append(error)
            if not isinstance(error, Exception):
                raise

    async def main() -> None:
        with anyio.fail_after(15):
            async with anyio.create_task_group() as group:
                for path in "abc":
                    group.start_soon(call, path)
                await anyio.sleep(0.3)
                await backend.aclose()

    run(world, main)
    listening.close()
    assert [type(error) for error in caught] == [BackendUnavailable] * 3
    assert all("closed" in str(error) for error in caught)


@pytest.mark.spec("SFTP-048")
def test_each_call_has_an_error_of_its_own(make: Make) -> None:
    backend = make(port=1)

    async def main() -> None:
        calls = [backend.read_bytes(path) for path in "abc"]
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(error, BackendUnavailable) for error in errors)
        assert [getattr(error, "path", None) for error in errors] == ["a", "b", "c"]
        assert len({id(error) for error in errors}) == 3
        for error in errors:
            assert isinstance(error, BaseException)
            assert isinstance(error.__cause__, OSError)
            assert len(traceback.extract_tb(error.__traceback__)) < 30
        await backend.aclose()

    run("asyncio", main)


@pytest.mark.spec("SFTP-037")
@pytest.mark.parametrize("step", range(1, 6))
def test_another_connection_ends_what_one_has_left(
    plain: Callable[..., SFTPBackend], cut: Cut, root: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that one connection was replacing is there again though the other one never was lost."""
    monkeypatch.setattr("remote_store.backends.sftp._links.MANY", 1)
    (root / "f").write_bytes(b"old")
    for number in range(4):
        (root / f"g{number}").touch()

    async def main() -> None:
        backend = plain(connections=2)
        async with AsyncStore(backend) as store:
            for _ in range(3):  # both connections are made
                async with anyio.create_task_group() as group:
                    for number in range(4):
                        group.start_soon(store.exists, f"g{number}")
            cut.after = step
            try:
                await store.write_atomic("f", b"new", overwrite=True)
            except BackendUnavailable:
                pass
            cut.after = 0
            assert await store.read_bytes("f") in (b"old", b"new")
            assert [path.name for path in root.rglob("f")] == ["f"]

    run("asyncio", main)
    assert not list(root.glob(".~remote-store-*.old"))


@pytest.mark.spec("SFTP-037")
def test_a_connection_is_lost_while_it_ends_what_another_has_left(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was to have a second one waits until that has ended it."""
    busy: list[Channel] = []
    monkeypatch.setattr("remote_store.backends.sftp._links.MANY", 0)
    monkeypatch.setattr(Channel, "busy", property(busy.count))

    async def main() -> None:
        backend: Any = make(connections=2)
        links = await backend._api._links.get()
        first, second = await links.get(), await links.get()
        assert first is not second
        begun, go_on = asyncio.Event(), asyncio.Event()
        ended: list[Channel] = []

        async def end(channel: Channel) -> None:
            if not ended:
                begun.set()
                await go_on.wait()
                ended.append(channel)
                channel.close("lost")
                raise packets.Lost("lost")
            await asyncio.sleep(0.01)
            ended.append(channel)

        first.lost.append(Unfinished(0.0, end))
        call = asyncio.create_task(links.get())
        await begun.wait()
        busy.append(first.channel)  # so the next call gets the second
        other = asyncio.create_task(links.get())
        await asyncio.sleep(0.01)
        go_on.set()
        assert not (await other).is_closed
        assert len(ended) == 2
        assert not (await call).is_closed
        await backend.aclose()

    run("asyncio", main)


@pytest.mark.spec("SFTP-037")
def test_many_calls_wait_for_the_end_of_what_was_left(
    plain: Callable[..., SFTPBackend], cut: Cut, root: Path
) -> None:
    """None of them sees the file missing."""
    (root / "f").write_bytes(b"old")
    seen: list[Any] = []

    async def read(store: AsyncStore) -> None:
        try:
            seen.append(await store.read_bytes("f"))
        except RemoteStoreError as error:
            seen.append(error)

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            cut.after, cut.kinds = 2, (packets.MKDIR, packets.RENAME)
            with pytest.raises(BackendUnavailable):
                await store.write_atomic("f", b"new", overwrite=True)
            cut.after = 0
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(read, store)

    run("asyncio", main)
    assert set(seen) <= {b"old", b"new"}
    assert len(seen) == 8
