"""A finished file gets its name: lost races, full disks, and cancellations on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.backends.sftp.support import Server, known
from tests.backends.sftp.test_sftp_connections import held, left, nothing
from tests.backends.sftp.test_sftp_cuts import HARDLINK, extended
from tests.runtime.support import WORLDS, run
from tests.services import SFTPServer

from remote_store import AlreadyExists, AsyncStore, Capability, RemoteStoreError, Store
from remote_store.backends import SFTPBackend

Serve = Callable[[Any], SFTPBackend]


@pytest.fixture
def serve(root: Path) -> Iterator[Serve]:
    """Give a function that starts asyncssh's server, and makes a backend on it."""
    servers = []

    def made(factory: Any) -> SFTPBackend:
        key = asyncssh.generate_private_key("ssh-ed25519")
        server = Server(key, sftp_factory=factory)
        servers.append(server)
        return server.backend(root, known_host_keys=known(server, key))

    yield made
    for server in servers:
        server.close()


async def put(store: AsyncStore, way: str, path: str) -> None:
    """Create a file in one of the ways there are."""
    if way == "open_write":
        async with store.open_write(path) as stream:
            await stream.write(b"mine")
    elif way == "move":
        await store.write(f"{path}.mine", b"mine")
        await store.move(f"{path}.mine", path)
    else:
        await getattr(store, way)(path, b"mine")


IN_EVERY_WAY = pytest.mark.parametrize("way", ["write", "write_atomic", "open_write", "move"])


@pytest.mark.spec("SFTP-016")
@pytest.mark.parametrize("times", [1, 1000])
@IN_EVERY_WAY
def test_a_race_that_is_lost_to_somebody_who_is_gone(
    serve: Serve, root: Path, way: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever held the lock deletes it before it is looked at: that is not a lack of links."""
    extended(monkeypatch, HARDLINK)
    lost: list[bytes] = []

    class Raced(asyncssh.SFTPServer):
        def link(self, oldpath: bytes, newpath: bytes, *args: Any) -> Any:
            if newpath.endswith(b"/lock") and len(lost) < times:
                lost.append(newpath)
                raise asyncssh.SFTPFailure("")
            return super().link(oldpath, newpath, *args)

    async def main() -> None:
        async with AsyncStore(serve(Raced)) as store:
            if times == 1:
                await put(store, way, "lock")
                assert await store.read_bytes("lock") == b"mine"
            else:
                with pytest.raises(AlreadyExists):
                    await put(store, way, "lock")
            await store.exists("lock")
            assert Capability.EXCLUSIVE_CREATE in store.capabilities

    run("asyncio", main)
    assert left(root) == []


@pytest.mark.spec("SFTP-016")
@pytest.mark.parametrize("way", ["write", "write_atomic", "move"])
def test_a_lock_file_has_one_holder_and_is_never_empty(
    make: Callable[..., SFTPBackend], root: Path, way: str
) -> None:
    holders, taken = [0], []

    async def work(store: AsyncStore, number: int) -> None:
        for _ in range(60):
            try:
                await put(store, way, "lock") if way != "move" else await store.move(f"m{number}", "lock")
            except AlreadyExists:
                continue
            holders[0] += 1
            taken.append(number)
            assert holders[0] == 1
            assert (root / "lock").read_bytes() == b"mine"
            holders[0] -= 1
            if way == "move":
                await store.move("lock", f"m{number}")
            else:
                await store.delete("lock")

    async def main() -> None:
        async with AsyncStore(make()) as store:
            for number in range(6 if way == "move" else 0):
                await store.write(f"m{number}", b"mine")
            async with anyio.create_task_group() as group:
                for number in range(6):
                    group.start_soon(work, store, number)

    run("asyncio", main)
    assert taken
    assert left(root) == []


class Full(asyncssh.SFTPServer):
    """Has room for three bytes of a file."""

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        super().write(file_obj, offset, data[:3])
        file_obj.flush()
        raise asyncssh.SFTPFailure("quota")


@pytest.mark.spec("SFTP-041", "STORE-031")
@pytest.mark.parametrize("world", WORLDS)
@IN_EVERY_WAY
def test_nothing_torn_stays_on_a_full_disk(serve: Serve, root: Path, way: str, world: str) -> None:
    if way == "move":
        return  # it writes nothing

    async def main() -> None:
        async with AsyncStore(serve(Full)) as store:
            with pytest.raises(RemoteStoreError, match="quota"):
                await put(store, way, "f")
            for step in range(60):
                with anyio.move_on_after(step * 0.0001):
                    with pytest.raises(RemoteStoreError):
                        await put(store, way, f"f{step}")
                assert [path for path in root.iterdir() if not path.name.startswith(".")] == []
        await nothing(held, root)

    run(world, main)
    assert list(root.iterdir()) == []


@pytest.mark.spec("SFTP-041")
def test_a_cancelled_write_is_whole_or_not_there(make: Callable[..., SFTPBackend], root: Path) -> None:
    async def main() -> None:
        async with AsyncStore(make()) as store:
            await store.ping()
            for step in range(80):
                with anyio.move_on_after(step * 0.00005):
                    await store.write(f"f{step}", b"content")
                assert {path.read_bytes() for path in root.iterdir()} <= {b"content"}
                assert left(root) == []

    run("asyncio", main)


@pytest.mark.spec("SFTP-041")
@pytest.mark.parametrize("moment", ["before it is looked at", "before it is taken away"])
def test_what_others_put_in_the_place_of_a_torn_file_stays(serve: Serve, root: Path, moment: str) -> None:
    good = b"good, from another writer"

    class Replaced(Full):
        replaced = False

        def _replace(self) -> None:
            if not Replaced.replaced:
                Replaced.replaced = True
                (root / "other").write_bytes(good)
                os.replace(root / "other", root / "f")

        def remove(self, path: bytes) -> Any:
            if moment == "before it is looked at":
                self._replace()
            return super().remove(path)

        def rename(self, oldpath: bytes, newpath: bytes) -> Any:
            self._replace()
            return super().rename(oldpath, newpath)

    with Store(serve(Replaced)) as store, pytest.raises(RemoteStoreError, match="quota"):
        store.write("f", b"bad data")
    assert [path.name for path in root.iterdir()] == ["f"]
    assert (root / "f").read_bytes() == good


@pytest.mark.spec("SFTP-019")
def test_durable_where_the_server_knows_no_fsync(plain_sshd: SFTPServer, root: Path) -> None:
    with Store(SFTPBackend(base_path=str(root), durable=True, **plain_sshd.options)) as store:
        store.write("f", b"x")
        store.write_atomic("f", b"y", overwrite=True)
        store.copy("f", "g")
        assert store.read_bytes("g") == b"y"
