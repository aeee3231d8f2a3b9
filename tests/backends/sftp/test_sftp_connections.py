"""Connections: how many, how long, and what happens when they are lost."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.backends.sftp.support import Way, silent_port
from tests.runtime.support import WORLDS, run
from tests.services import SFTPServer, sshd

from remote_store import AsyncStore, BackendUnavailable, RemoteStoreError, Store
from remote_store.backends import SFTPBackend

Make = Callable[..., SFTPBackend]


def left(root: Path) -> list[str]:
    """Return the temporaries in a folder."""
    found = (name for _, folders, files in os.walk(root) for name in (*folders, *files))
    return [name for name in found if name.startswith(".~")]  # folders may vanish while this looks


def held(root: Path) -> list[str]:
    """Return what any process but this one has open below a folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                targets = [os.readlink(entry) for entry in (process / "fd").iterdir()]
            except OSError:
                continue
            found += [target for target in targets if target.startswith(f"{root}/")]
    return found


async def nothing(question: Callable[[Path], list[str]], root: Path) -> None:
    """Wait until the answer is nothing: the server may be a moment behind."""
    with anyio.fail_after(5):
        while question(root):
            await anyio.sleep(0.01)


@pytest.mark.spec("SFTP-012", "SFTP-028")
@pytest.mark.parametrize("world", WORLDS)
def test_connections_of_a_loop(over: Make, way: Way, world: str) -> None:
    async def main() -> None:
        backend = over(connections=2)
        async with AsyncStore(backend) as store:
            assert way.connections == 0
            if world != "trio":
                with pytest.raises(RemoteStoreError):
                    store.unwrap(asyncssh.SSHClientConnection)
            for number in range(5):
                await store.write(f"f{number}", b"x")
            assert way.connections == 1
            async with anyio.create_task_group() as group:
                for _ in range(200):
                    group.start_soon(store.get_file_info, "f0")
            assert 1 <= way.connections <= 2
            if world != "trio":
                assert not store.unwrap(asyncssh.SSHClientConnection).is_closed()
        async with AsyncStore(backend) as store:  # it can be used again
            assert await store.read_bytes("f0") == b"x"

    run(world, main)


@pytest.mark.spec("SFTP-013")
@pytest.mark.parametrize("world", WORLDS)
def test_a_connection_that_was_lost(over: Make, way: Way, root: Path, world: str) -> None:
    (root / "f").write_bytes(b"content")

    async def main() -> None:
        async with AsyncStore(over()) as store:
            assert await store.read_bytes("f") == b"content"
            way.cut()
            assert await store.read_bytes("f") == b"content"
            way.cut()
            assert [info.name async for info in store.list_files("")] == ["f"]
            way.cut()
            await anyio.sleep(0.05)
            await store.write("g", b"x")
            stream = await store.open_read("f")
            way.cut()
            with pytest.raises(BackendUnavailable) as caught:
                await stream.read()
            assert caught.value.retryable
            await stream.aclose()
            with pytest.raises(BackendUnavailable):
                async with store.open_write("h") as writer:
                    await writer.write(bytes(1 << 20))
                    way.cut()
                    await writer.write(bytes(1 << 20))
            assert sorted(path.name for path in root.iterdir() if path.name[0] != ".") == ["f", "g"]
            assert len(left(root)) <= 1  # nobody could take it away
            backend: Any = over()
            assert await backend.sweep_temporaries(older_than=0) == len(left(root)) or not left(root)
            await backend.aclose()
        await nothing(held, root)

    run(world, main)
    assert left(root) == []


@pytest.mark.spec("SFTP-015")
@pytest.mark.parametrize("world", WORLDS)
def test_cancelled_at_any_moment(make: Make, root: Path, world: str) -> None:
    (root / "large").write_bytes(bytes(3 << 20))

    async def main() -> None:
        async with AsyncStore(make()) as store:
            await store.ping()
            calls: list[Callable[[], Any]] = [
                lambda: store.write("new/f", b"x" * 1000, overwrite=True),
                lambda: store.write("new/g", bytes(2 << 20), overwrite=True),
                lambda: store.read_bytes("large"),
                lambda: store.copy("large", "copied", overwrite=True),
                lambda: store.delete_folder("new", recursive=True, missing_ok=True),
            ]
            for step in range(60):
                for call in calls:
                    with anyio.move_on_after(step * 0.0002):
                        await call()
                assert left(root) == []
            await nothing(held, root)
            assert await store.read_bytes("large") == bytes(3 << 20)

    run(world, main)


@pytest.mark.spec("SFTP-012")
@pytest.mark.parametrize("world", WORLDS)
def test_closed_by_who_has_been_cancelled(over: Make, way: Way, world: str) -> None:
    store = AsyncStore(over())

    async def main() -> None:
        await store.write("f", b"x")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await store.aclose()
        end = anyio.current_time() + 10
        while way.open:
            assert anyio.current_time() < end
            await anyio.sleep(0.01)

    run(world, main)


@pytest.mark.spec("SFTP-014")
def test_a_server_that_says_nothing(make: Make) -> None:
    listening, port = silent_port()
    with listening, Store(make(port=port, timeout=0.2)) as store:
        with pytest.raises(BackendUnavailable, match="to 127"):
            store.ping()


@pytest.mark.spec("SFTP-013", "SFTP-014", "SFTP-015")
def test_a_server_that_falls_silent(over: Make, way: Way) -> None:
    with Store(over(timeout=0.5)) as store:
        store.write("g", b"x")
        way.hold()
        begin = time.monotonic()
        with pytest.raises(BackendUnavailable, match="not answered for 3 seconds"):
            store.read_bytes("g")
        assert time.monotonic() - begin < 5  # it is not asked again
        assert way.connections == 1


@pytest.mark.spec("SFTP-014")
def test_nobody_is_there(make: Make) -> None:
    listening, port = silent_port()
    listening.close()
    for options in ({"port": port}, {"host": "name.invalid"}):
        with Store(make(**options)) as store, pytest.raises(BackendUnavailable) as caught:
            store.ping()
        assert caught.value.retryable
        assert isinstance(caught.value.__cause__, OSError)
        assert caught.value.backend == "sftp"


@pytest.mark.spec("SFTP-027")
def test_what_is_no_sftp(tmp_path: Path, root: Path) -> None:
    with sshd(tmp_path / "talking", more="ForceCommand echo hello, and welcome to this server\n") as server:
        talking = SFTPBackend(base_path=str(root), **server.options)
        with Store(talking) as store, pytest.raises(BackendUnavailable, match="login script"):
            store.ping()
    with sshd(tmp_path / "ending", more="ForceCommand true\n") as server:
        ending = SFTPBackend(base_path=str(root), **server.options)
        with Store(ending) as store, pytest.raises(BackendUnavailable, match="closed"):
            store.ping()


@pytest.mark.spec("SFTP-012")
def test_a_rekeyed_connection(tmp_path: Path, root: Path, sshd: SFTPServer) -> None:
    from tests import services

    with services.sshd(tmp_path / "rekeying", more="RekeyLimit 1M\n") as server:
        with Store(SFTPBackend(base_path=str(root), **server.options)) as store:
            content = random.Random(1).randbytes(8 << 20)
            store.write("f", content)
            assert store.read_bytes("f") == content
