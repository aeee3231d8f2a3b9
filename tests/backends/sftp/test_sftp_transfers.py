"""Moves and copies on the server: of two names, of files that change, of many at once, and cut short."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.backends.sftp.test_sftp_connections import held, left, nothing
from tests.backends.sftp.test_sftp_cuts import HARDLINK, Cut, cut, extended, plain
from tests.runtime.support import WORLDS, run

from remote_store import AlreadyExists, AsyncStore, BackendUnavailable, PreconditionFailed, Store
from remote_store._sftp import packets
from remote_store._sftp.channel import Channel
from remote_store.backends import SFTPBackend
from remote_store.backends.sftp import _copy

Make = Callable[..., SFTPBackend]
__all__ = ["cut", "plain"]  # fixtures


@pytest.mark.spec("SFTP-042")
@pytest.mark.parametrize("world", WORLDS)
def test_a_move_that_is_cancelled_leaves_one_name(make: Make, root: Path, world: str) -> None:
    async def main() -> None:
        async with AsyncStore(make()) as store:
            await store.ping()
            for step in range(60):
                (root / "a").write_bytes(b"x")
                with anyio.move_on_after(step * 0.00005):
                    await store.move("a", "b")
                await store.ping()
                (left_one,) = root.iterdir()
                left_one.unlink()

    run(world, main)


@pytest.mark.spec("SFTP-042", "SFTP-037")
@pytest.mark.parametrize("step", [1, 2])
def test_a_move_that_is_cut_can_be_made_again(
    plain: Make, cut: Cut, root: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the link, or to the end of the old name, is not heard."""
    extended(monkeypatch, HARDLINK)
    (root / "a").write_bytes(b"x")
    cut.kinds = (packets.EXTENDED, packets.REMOVE)

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            cut.after = step
            with pytest.raises(BackendUnavailable):
                await store.move("a", "b")
            if await store.exists("a"):
                await store.move("a", "b")
            assert await store.read_bytes("b") == b"x"

    run("asyncio", main)
    assert [path.name for path in root.iterdir()] == ["b"]


@pytest.mark.spec("SFTP-042", "SFTP-037")
def test_a_move_that_is_cut_takes_nothing_of_others(
    plain: Make, cut: Cut, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody creates the target in the last moment; that the link was refused is not heard."""
    extended(monkeypatch, HARDLINK)
    (root / "a").write_bytes(b"x")
    cut.kinds = (packets.EXTENDED,)
    link = asyncssh.SFTPServer.link

    def late(self: asyncssh.SFTPServer, oldpath: bytes, newpath: bytes) -> object:
        (root / "b").write_bytes(b"y")
        os.utime(root / "b", (1, 1))
        return link(self, oldpath, newpath)

    monkeypatch.setattr(asyncssh.SFTPServer, "link", late)

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            cut.after = 1
            with pytest.raises(BackendUnavailable):
                await store.move("a", "b")
            with pytest.raises(AlreadyExists):
                await store.move("a", "b")

    run("asyncio", main)
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {"a": b"x", "b": b"y"}


@pytest.mark.spec("SFTP-042")
@pytest.mark.parametrize("extensions", [True, False], ids=["OpenSSH", "plain"])
def test_a_move_onto_another_name_of_the_same_file(
    make: Make, plain: Make, root: Path, extensions: bool
) -> None:
    (root / "folder").mkdir()
    (root / "a").write_bytes(b"x")
    os.link(root / "a", root / "folder" / "b")
    with Store(make() if extensions else plain()) as store:
        store.move("a", "folder/b", overwrite=True)
        assert store.read_bytes("folder/b") == b"x"
    assert sorted(path.name for path in root.rglob("*")) == ["b", "folder"]


@pytest.mark.spec("SFTP-042")
@pytest.mark.parametrize("extensions", [True, False], ids=["OpenSSH", "plain"])
def test_a_move_onto_itself(make: Make, plain: Make, root: Path, extensions: bool) -> None:
    """By way of a linked folder, or under the very same name: there is nothing to do."""
    (root / "folder").mkdir()
    (root / "folder" / "f").write_bytes(b"x")
    (root / "linked").symlink_to("folder")
    backend: Any = make() if extensions else plain()

    async def main() -> None:
        for source, target in (("folder/f", "linked/f"), ("linked/f", "folder/f"), ("folder/f", "folder/f")):
            await backend.move(source, target, overwrite=True)
            assert (root / "folder" / "f").read_bytes() == b"x"
        await backend.aclose()

    run("asyncio", main)
    assert sorted(path.name for path in root.rglob("*")) == ["f", "folder", "linked"]


@pytest.mark.spec("SFTP-042")
@pytest.mark.parametrize("extensions", [True, False], ids=["OpenSSH", "plain"])
def test_a_move_of_a_link_onto_its_file(make: Make, plain: Make, root: Path, extensions: bool) -> None:
    """The file stays, and is no link to itself."""
    for name in ("f", "g"):
        (root / name).write_bytes(name.encode())
    (root / "link").symlink_to("f")
    (root / "other").symlink_to("g")
    with Store(make() if extensions else plain()) as store:
        store.move("link", "f", overwrite=True)
        store.move("g", "other", overwrite=True)
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {"f": b"f", "other": b"g"}
    assert not any(path.is_symlink() for path in root.iterdir())


@pytest.mark.spec("SFTP-042")
def test_a_move_onto_a_file_of_the_same_size_and_age(make: Make, root: Path) -> None:
    """What looks like the same file need not be it: another one may have the old name by then."""
    for name in ("a", "b"):
        (root / name).write_bytes(name.encode())
        os.utime(root / name, (1, 1))
    with Store(make()) as store:
        store.move("a", "b", overwrite=True)
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {"b": b"a"}


class Spied:
    """Does something after each piece that the server has copied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
        copy_data = Channel.copy_data

        async def copied(asked: Any) -> None:
            try:
                await asked
            finally:
                then()

        def noted(channel: Channel, *args: Any) -> Any:
            return channel._loop.create_task(copied(copy_data(channel, *args)))

        monkeypatch.setattr(_copy, "COPY_PIECE", 1 << 20)
        monkeypatch.setattr(Channel, "copy_data", noted)


@pytest.mark.spec("SFTP-036", "SFTP-025")
@pytest.mark.parametrize("change", ["rewritten", "truncated"])
def test_a_copy_of_a_file_that_changes(
    make: Make, root: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "f").write_bytes(b"a" * (3 << 20))
    os.utime(root / "f", (1, 1))
    changes = {
        "rewritten": lambda: (root / "f").write_bytes(b"b" * (3 << 20)),
        "truncated": lambda: os.truncate(root / "f", 1000),
    }
    Spied(monkeypatch, changes[change])
    with Store(make()) as store, pytest.raises(PreconditionFailed, match="copied"):
        store.copy("f", "g")
    assert [path.name for path in root.iterdir()] == ["f"]


@pytest.mark.spec("SFTP-035")
@pytest.mark.parametrize("copies", [True, False], ids=["there", "through"])
def test_more_copies_than_files_may_be_open(
    make: Make, plain: Make, root: Path, copies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes two, into folders that are not there yet; one of those that wait is cancelled."""
    begin = Channel.begin

    async def few(channel: Channel) -> None:
        await begin(channel)
        channel.most_handles = 5

    monkeypatch.setattr(Channel, "begin", few)
    for number in range(12):
        (root / f"s{number}").write_bytes(b"%d" % number)

    async def main() -> None:
        async with AsyncStore(make(timeout=1) if copies else plain()) as store:
            with anyio.fail_after(20):
                async with anyio.create_task_group() as group:
                    for number in range(12):
                        group.start_soon(store.copy, f"s{number}", f"d{number}/f")
                    with anyio.move_on_after(0):
                        await store.copy("s0", "cancelled")
            for number in range(12):
                assert await store.read_bytes(f"d{number}/f") == b"%d" % number

    run("asyncio", main)
    assert left(root) == []


@pytest.mark.spec("SFTP-015")
def test_a_copy_whose_channel_is_lost_leaves_nothing(
    make: Make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stands, so what was begun is taken away over another channel."""
    (root / "f").write_bytes(b"x" * 1000)
    copy_data = Channel.copy_data

    def lost(channel: Channel, *args: Any) -> Any:
        channel.close()
        return copy_data(channel, *args)

    async def main() -> None:
        async with AsyncStore(make()) as store:
            await store.ping()
            with monkeypatch.context() as patched:
                patched.setattr(Channel, "copy_data", lost)
                with pytest.raises(BackendUnavailable):
                    await store.copy("f", "new/g")
            assert [path.name for path in root.iterdir()] == ["f"]
            await store.copy("f", "g")
        await nothing(held, root)

    run("asyncio", main)
