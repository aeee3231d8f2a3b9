"""Servers that get stuck: in opening a session, in answering, in a pipe; and sessions that end."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.backends.sftp.support import Login, Server, Way, known
from tests.backends.sftp.test_sftp_channels import found
from tests.runtime.support import run
from tests.services import sshd

from remote_store import AsyncStore, BackendUnavailable, CapabilityNotSupported, Store
from remote_store._sftp import packets
from remote_store._sftp.session import Session
from remote_store.backends import SFTPBackend
from remote_store.backends.sftp import _arguments

Make = Callable[..., SFTPBackend]
KEY = asyncssh.generate_private_key("ssh-ed25519")
STEP = 1.0


@pytest.fixture
def serve(root: Path) -> Iterator[Callable[..., SFTPBackend]]:
    """Give a function that starts asyncssh's server with a way to log in, and makes a backend on it."""
    servers = []

    def made(login: type[Login], **options: Any) -> SFTPBackend:
        servers.append(Server(KEY, login=login, **options))
        return servers[-1].backend(root, known_host_keys=known(servers[-1], KEY), timeout=STEP)

    yield made
    for server in servers:
        server.close()


@pytest.mark.spec("SFTP-012")
@pytest.mark.parametrize("connections", [1, 3])
def test_a_session_that_ends_on_a_connection_that_stands(
    over: Make, way: Way, root: Path, connections: int
) -> None:
    """Its connection is closed: nobody would use it any more."""

    async def main() -> None:
        async with AsyncStore(over(connections=connections)) as store:
            for number in range(4):
                await store.write(f"f{number}", b"x")
                found(Session).close("it ended")
            assert await store.read_bytes("f0") == b"x"
            assert way.connections == 5
            with anyio.fail_after(5):
                while way.open > 2:  # both ends of the last one
                    await anyio.sleep(0.01)

    run("asyncio", main)


class Confirming(Login):
    """Confirms so many sessions, and others very late; ``ended`` are those of the latter that are over."""

    sessions, late, ended = 0, 3 * STEP, 0

    def session_requested(self) -> Any:
        type(self).sessions -= 1
        factory: Any = asyncssh.SFTPServer
        usual = asyncssh.stream.SSHServerStreamSession(None, factory, 3)
        return usual if self.sessions >= 0 else self._late()

    async def _late(self) -> asyncssh.SSHServerSession[bytes]:
        await asyncio.sleep(self.late)
        login = type(self)

        class Late(asyncssh.SSHServerSession[bytes]):
            def connection_lost(self, exc: Exception | None) -> None:
                login.ended += 1

        return Late()


@pytest.mark.spec("SFTP-014")
def test_a_session_that_is_not_confirmed(serve: Any) -> None:
    class Never(Confirming):
        late = 1000.0

    with Store(serve(Never, sftp_factory=None)) as store:
        begin = time.monotonic()
        with pytest.raises(BackendUnavailable, match="opened no session"):
            store.ping()
        assert STEP <= time.monotonic() - begin < 5 * STEP


@pytest.mark.spec("SFTP-014", "SFTP-028")
def test_further_sessions_that_are_not_confirmed(serve: Any, root: Path) -> None:
    """What needs one does without, or says so; one that comes late is closed."""

    class Once(Confirming):
        sessions = 1

    (root / "f").write_bytes(b"x")

    async def main() -> None:
        backend = serve(Once, sftp_factory=None)
        async with AsyncStore(backend) as store:
            await store.copy("f", "g")
            with pytest.raises(BackendUnavailable, match="opened no session"):
                await backend.sftp_client()
            assert await store.read_bytes("g") == b"x"
            with anyio.fail_after(5 * STEP):
                while not Once.ended:
                    await anyio.sleep(0.01)

    run("asyncio", main)


@pytest.mark.spec("SFTP-014")
def test_a_session_that_is_mute(tmp_path: Path, root: Path) -> None:
    with sshd(tmp_path / "mute", more="ForceCommand sleep 30\n") as server:
        backend = SFTPBackend(base_path=str(root), timeout=2 * STEP, **server.options)
        with (
            Store(backend) as store,
            pytest.raises(BackendUnavailable, match="SFTP service has not answered"),
        ):
            begin = time.monotonic()
            store.ping()
        assert time.monotonic() - begin < 8 * STEP


@pytest.mark.spec("SFTP-014")
def test_an_idle_connection_that_falls_silent(over: Make, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_arguments, "KEEPALIVE_SECONDS", 0.1)

    async def main() -> None:
        async with AsyncStore(over()) as store:
            await store.write("f", b"x")
            connection = store.unwrap(asyncssh.SSHClientConnection)
            await anyio.sleep(1)
            assert not connection.is_closed()  # it does answer
            way.hold()
            with anyio.fail_after(5):
                await connection.wait_closed()
            way.flow()
            assert await store.read_bytes("f") == b"x"

    run("asyncio", main)


class Raw(asyncssh.SSHServerSession[bytes]):
    """Says what it is told to as its version, and knows no request."""

    def __init__(self, version: bytes, seen: list[int]) -> None:
        self._version, self._seen = version, seen

    def connection_made(self, chan: Any) -> None:
        self._chan = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        return True

    def data_received(self, data: bytes, datatype: int | None) -> None:
        while data:
            length, kind = struct.unpack_from(">IB", data)
            number, data = data[5:9], data[4 + length :]
            self._seen.append(kind)
            first = kind == packets.INIT
            answer = (
                b"\2" + packets.u32.pack(3) + self._version
                if first
                else b"\x65" + number + bytes((0, 0, 0, 8))
            )
            self._chan.write(packets.text(answer))


@pytest.mark.spec("SFTP-027")
@pytest.mark.parametrize("version", [b"\0\0", b"\0\0\0\1x", b"\0\0\0\1x\0\0\0\1"])
def test_a_malformed_version(serve: Any, version: bytes) -> None:
    class Odd(Login):
        def session_requested(self) -> Any:
            return Raw(version, [])

    backend = serve(Odd, sftp_factory=None, encoding=None)
    with (
        Store(backend) as store,
        pytest.raises(BackendUnavailable, match=r"a malformed packet|within a string"),
    ):
        store.ping()


@pytest.mark.spec("SFTP-045")
def test_limits_that_are_announced_and_not_told(serve: Any) -> None:
    """The least that every server takes has to do."""
    seen: list[int] = []

    class Odd(Login):
        def session_requested(self) -> Any:
            return Raw(packets.text(b"limits@openssh.com") + packets.text(b"1"), seen)

    with Store(serve(Odd, sftp_factory=None, encoding=None)) as store, pytest.raises(CapabilityNotSupported):
        store.ping()
    assert seen[:2] == [packets.INIT, packets.EXTENDED]
    assert packets.LSTAT in seen


@pytest.mark.spec("STORE-017", "SFTP-028")
@pytest.mark.parametrize("hint", [asyncssh.SSHClientConnection, asyncssh.SFTPClient])
def test_native_objects_where_no_asyncio_loop_runs(make: Make, hint: type) -> None:
    with Store(make()) as store:
        store.ping()
        with pytest.raises(CapabilityNotSupported):
            store.unwrap(hint)

    async def main() -> None:
        async with AsyncStore(make()) as store:
            await store.ping()
            with pytest.raises(CapabilityNotSupported):
                store.unwrap(hint)

    run("trio", main)
