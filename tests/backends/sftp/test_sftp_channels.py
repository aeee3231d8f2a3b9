"""Several channels of one connection, and how many files are open on one."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import asyncssh
import pytest
from tests.backends.sftp.test_sftp_connections import held, left, nothing
from tests.runtime.support import WORLDS, run
from tests.services import SFTPServer, sshd

from remote_store import AsyncStore, CapabilityNotSupported, PreconditionFailed, RemoteStoreError
from remote_store._sftp.channel import Channel
from remote_store._sftp.packets import Attrs
from remote_store._sftp.session import Session
from remote_store.backends import SFTPBackend
from remote_store.backends.sftp import _lanes, _upload

Make = Callable[..., SFTPBackend]
SIZE = 24 << 20


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let any server count as far away; give the handles that closing uploads had."""
    monkeypatch.setattr(_upload, "FAR_SECONDS", 0.0)
    handles: list[int] = []
    close = _lanes.Lanes.close

    def counted(lanes: _lanes.Lanes) -> object:
        handles.append(len(lanes._all))
        return close(lanes)

    monkeypatch.setattr(_lanes.Lanes, "close", counted)
    return handles


def found(kind: type[Session]) -> Session:
    """Return the one that is open on the running loop."""
    objects = (each for each in gc.get_objects() if issubclass(type(each), kind))  # proxies are no such type
    every: list[Session] = [each for each in objects if not each.is_closed]
    return next(each for each in every if each._loop is asyncio.get_running_loop())


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """Give content in pieces, with time for others between them."""
    for at in range(0, len(content), 1 << 20):
        yield content[at : at + (1 << 20)]
        await anyio.sleep(0.005)


@pytest.mark.spec("SFTP-024")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("durable", [False, True])
def test_a_large_upload_over_a_long_way(
    make: Make, root: Path, far: list[int], world: str, durable: bool
) -> None:
    content = os.urandom(SIZE)

    async def main() -> None:
        async with AsyncStore(make(durable=durable)) as store:
            await store.write("f", pieces(content))
            await store.write("f", pieces(content), overwrite=True)  # the channels are there by now

    run(world, main)
    assert hashlib.sha256((root / "f").read_bytes()).digest() == hashlib.sha256(content).digest()
    assert max(far) == _lanes.MOST
    assert left(root) == []


@pytest.mark.spec("SFTP-024")
def test_a_server_that_allows_one_channel(tmp_path: Path, root: Path, far: list[int]) -> None:
    content = os.urandom(SIZE)

    async def main(server: SFTPServer) -> None:
        async with AsyncStore(SFTPBackend(**{**server.options, "base_path": str(root)})) as store:
            await store.write("f", pieces(content))

    with sshd(tmp_path / "server", more="MaxSessions 1\n") as server:
        run("asyncio", lambda: main(server))
    assert (root / "f").read_bytes() == content
    assert far == [1]


@pytest.mark.spec("SFTP-015")
@pytest.mark.parametrize("world", WORLDS)
def test_a_large_upload_that_is_cancelled(make: Make, root: Path, far: list[int], world: str) -> None:
    async def main() -> None:
        async with AsyncStore(make()) as store:
            for number in range(12):
                with anyio.move_on_after(0.01 * number):
                    await store.write("f", pieces(bytes(SIZE)))
            await nothing(held, root)
            await nothing(left, root)

    run(world, main)


@pytest.mark.spec("SFTP-024")
def test_who_reads_on_does_not_wait_for_facts(
    make: Make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(8 << 20)
    (root / "f").write_bytes(content)
    fstat, held_up = Channel.fstat, True

    def slow(channel: Channel, handle: bytes) -> asyncio.Future[Attrs]:
        async def answer() -> Attrs:
            facts = await asked
            while held_up:
                await asyncio.sleep(0.001)
            return facts

        asked = fstat(channel, handle)
        return asyncio.ensure_future(answer())

    async def main() -> None:
        nonlocal held_up
        async with AsyncStore(make()) as store, await store.read("f") as stream:
            read = [await stream.read(1 << 20)]
            monkeypatch.setattr(Channel, "fstat", slow)
            with anyio.fail_after(5):
                read += [await stream.read(1 << 20) for _ in range(6)]
            with pytest.raises(TimeoutError), anyio.fail_after(0.1):
                await stream.read(1 << 20)
            held_up = False
            assert b"".join([*read, await stream.read()]) == content

    run("asyncio", main)


@pytest.mark.spec("SFTP-036")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_file_that_changes_while_it_is_read(make: Make, root: Path, at: int, world: str) -> None:
    (root / "f").write_bytes(bytes(8 << 20))

    async def main() -> None:
        async with AsyncStore(make(memory_limit=1 << 20)) as store, await store.read("f") as stream:
            for _ in range(at):
                await stream.read(1 << 20)
            os.utime(root / "f", (1, 1))
            with pytest.raises(PreconditionFailed, match="changed while it was being read"):
                await stream.read()

    run(world, main)


@pytest.mark.spec("SFTP-035")
@pytest.mark.parametrize("world", WORLDS)
def test_more_files_than_may_be_open(
    make: Make, root: Path, world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 5
    for number in range(40):
        (root / str(number)).write_bytes(b"%d" % number)
        (root / "folders" / str(number)).mkdir(parents=True)
    seen = []
    begin = Session._send

    def send(session: Session, *arguments: object) -> None:
        session.most_handles = most
        begin(session, *arguments)  # type: ignore[arg-type]
        seen.append(session._handles)

    monkeypatch.setattr(Session, "_send", send)

    async def read(store: AsyncStore, number: int) -> None:
        assert await store.read_bytes(str(number)) == b"%d" % number
        await store.write(f"folders/{number}/f", b"x")

    async def main() -> None:
        async with AsyncStore(make()) as store:
            async with anyio.create_task_group() as group:
                for number in range(40):
                    group.start_soon(read, store, number)
            assert len([1 async for _ in store.list_files("folders", recursive=True)]) == 40

    run(world, main)
    assert max(seen) == most


@pytest.mark.spec("SFTP-035")
def test_open_files_that_nobody_closes(make: Make, root: Path) -> None:
    (root / "f").write_bytes(bytes(1 << 20))

    async def main() -> None:
        async with AsyncStore(make()) as store:
            await store.ping()
            begun = [await store.read("f")]
            session = found(Session)
            session.most_handles, session.patience = 3, 0.5
            begun += [await store.read("f") for _ in range(2)]
            with pytest.raises(RemoteStoreError, match=r"^3 files are open .* close some"):
                await store.read("f")
            await begun.pop().aclose()
            begun.append(await store.read("f"))
            for stream in begun:
                await stream.aclose()

    run("asyncio", main)


@pytest.mark.spec("SFTP-028")
def test_the_client_of_asyncssh(make: Make, root: Path) -> None:
    (root / "f").write_bytes(b"x")

    async def main() -> None:
        backend = make()
        async with AsyncStore(backend) as store:
            with pytest.raises(CapabilityNotSupported):
                store.unwrap(asyncssh.SFTPClient)
            client = await backend.sftp_client()
            assert store.unwrap(asyncssh.SFTPClient) is client is await backend.sftp_client()
            assert await client.getsize(str(root / "f")) == 1
        with pytest.raises(asyncssh.Error):
            await client.getsize(str(root / "f"))

    run("asyncio", main)
    with pytest.raises(RemoteStoreError):
        run("asyncio", make(port=1).sftp_client)
