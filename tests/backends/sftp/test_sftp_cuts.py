"""Connections that are cut in the midst of changes: nothing hangs, is lost, torn or left open."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.backends.sftp.support import Server, Way, known
from tests.backends.sftp.test_sftp_connections import held, left, nothing
from tests.runtime.support import WORLDS, run
from tests.services import SFTPServer

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    Capability,
    InvalidPath,
    RemoteStoreError,
    Store,
)
from remote_store._sftp import packets
from remote_store._sftp.session import Session
from remote_store.backends import SFTPBackend

Make = Callable[..., SFTPBackend]
CHANGES = (packets.MKDIR, packets.RENAME, packets.REMOVE, packets.RMDIR)
LONG = "n" * 255


@pytest.fixture(params=["OpenSSH", "plain"])
def server(request: pytest.FixtureRequest) -> SFTPServer:
    """Give a server with all extensions, and one with none."""
    name = {"OpenSSH": "sshd", "plain": "plain_sshd"}[request.param]
    found: SFTPServer = request.getfixturevalue(name)
    return found


@pytest.fixture
def way(server: SFTPServer) -> Iterator[Way]:
    """Give a way to that server that can be cut."""
    made = Way(server.port)
    yield made
    made.close()


@pytest.fixture
def over(server: SFTPServer, way: Way, root: Path) -> Make:
    """Give a function that makes a backend whose connections go that way."""
    line = server.known_host_keys.replace(f":{server.port} ", f":{way.port} ")
    options = {**server.options, "port": way.port, "known_host_keys": line, "base_path": str(root)}
    return lambda: SFTPBackend(**options)


@pytest.mark.spec("SFTP-013", "SFTP-015", "SFTP-018", "SFTP-037")
def test_cut_at_random_moments(over: Make, way: Way, root: Path) -> None:
    """Each call ends, each file is whole, and nothing stays open."""
    picked = random.Random(7)
    versions = [bytes([65 + number]) * 50_000 for number in range(8)]

    async def work(store: AsyncStore, number: int) -> None:
        path = f"f{number % 5}"
        try:
            if number % 3 == 0:
                await store.write_atomic(path, versions[number % 8], overwrite=True)
            elif number % 3 == 1:
                assert await store.read_bytes(path) in versions
            else:
                assert len([info async for info in store.list_files("")]) <= 5
        except RemoteStoreError:
            pass

    async def main() -> None:
        async with AsyncStore(over()) as store:
            for path in range(5):
                await store.write(f"f{path}", versions[0])
            for start in range(0, 500, 20):
                with anyio.fail_after(30):
                    async with anyio.create_task_group() as group:
                        for number in range(start, start + 20):
                            group.start_soon(work, store, number)
                        await anyio.sleep(picked.random() * 0.03)
                        way.cut()
            await store.ping()
        await nothing(held, root)
        backend: Any = over()
        await backend.sweep_temporaries(older_than=0)
        await backend.aclose()

    run("asyncio", main)
    assert sorted(path.name for path in root.iterdir()) == [f"f{n}" for n in range(5)]
    assert {path.read_bytes() for path in root.iterdir()} <= set(versions)


@pytest.fixture
def plain(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Give a function that makes a backend on asyncssh's server, without extensions."""
    monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "_extensions", [])
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = Server(key)
    yield lambda **options: server.backend(root, known_host_keys=known(server, key), **options)
    server.close()


class Cut:
    """Cuts the connection when so many changes have been answered: the last answer is not heard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.after = 0
        self.kinds: tuple[int, ...] = CHANGES
        answer = Session._answer

        def _answer(session: Session, kind: int, number: int, body: bytes) -> None:
            waiter = session._waiters.get(number)
            if self.after and waiter is not None and waiter.kind in self.kinds:
                self.after -= 1
                if not self.after:
                    assert session._chan is not None
                    session._chan.get_connection().abort()
                    session._end(packets.Lost("cut"))
                    return
            answer(session, kind, number, body)

        monkeypatch.setattr(Session, "_answer", _answer)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Cut:
    return Cut(monkeypatch)


@pytest.mark.spec("SFTP-017", "SFTP-018", "SFTP-037")
@pytest.mark.parametrize("killed", [False, True], ids=["cut", "killed"])
@pytest.mark.parametrize("step", range(1, 8))
def test_cut_at_each_step_of_a_replacement(
    plain: Make, cut: Cut, root: Path, step: int, killed: bool
) -> None:
    """The server has every extension removed; what the last step did is not known to the client."""
    (root / LONG).write_bytes(b"old")

    async def main() -> None:
        backend = plain()
        async with AsyncStore(backend) as store:
            await store.ping()
            cut.after = step
            try:
                await store.write_atomic(LONG, b"new", overwrite=True)
            except BackendUnavailable:
                pass
            else:
                assert step > 6  # the replacement has no more steps than that
                assert await store.read_bytes(LONG) == b"new"
            cut.after = 0
            if not killed:  # the next connection puts it back, before anything else
                assert await store.read_bytes(LONG) in (b"old", b"new")
                assert [info.name async for info in store.list_files("", recursive=True)] == [LONG]
        other = plain()
        await other.sweep_temporaries(older_than=0)
        await other.aclose()

    run("asyncio", main)
    assert [path.name for path in root.rglob("*")] == [LONG]
    assert (root / LONG).read_bytes() in (b"old", b"new")


def aside(folder: Path, name: str, number: int, content: bytes, since: float) -> Path:
    """Leave what a killed process leaves that was replacing a file."""
    made = folder / f".~remote-store-{number:016x}.old"
    made.mkdir()
    (made / name).write_bytes(content)
    os.utime(made / name, (1, 1))
    os.utime(made, (since, since))
    return made


@pytest.mark.spec("SFTP-018", "SFTP-021", "SFTP-037")
@pytest.mark.parametrize("world", WORLDS)
def test_what_was_moved_aside(plain: Make, root: Path, world: str) -> None:
    (root / "a").mkdir()
    (root / "a" / "there").write_bytes(b"newer")
    old, new = aside(root / "a", "there", 1, b"x", 1e9), aside(root / "a", "there", 2, b"x", 3e9)
    aside(root, "missing", 3, b"the older of two", 1e9)
    aside(root, "missing", 4, b"the newest", 3e9)
    (root / "empty.old").mkdir()
    empty = root / f".~remote-store-{5:016x}.old"
    empty.mkdir()

    async def main() -> None:
        backend = plain()
        async with AsyncStore(backend) as store:
            names = [str(entry.path) async for entry in store.iter_children("")]
            assert sorted(names) == ["a", "empty.old"]
            assert [str(info.path) async for info in store.list_files("", recursive=True)] == ["a/there"]
            with pytest.raises(InvalidPath):
                await store.read_bytes(f"a/{old.name}/there")
            assert await backend.sweep_temporaries() == 3
            assert (old.exists(), new.exists(), empty.exists()) == (False, True, True)
            assert await store.read_bytes("missing") == b"the newest"
            assert await backend.sweep_temporaries(older_than=-(2**32)) == 2
            assert await store.read_bytes("a/there") == b"newer"

    run(world, main)
    assert sorted(path.name for path in root.rglob("*")) == ["a", "empty.old", "missing", "there"]


@pytest.mark.spec("SFTP-017")
def test_a_refused_replacement_keeps_the_old_file(
    plain: Make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is the old file deleted where it cannot be put back."""
    (root / "f").write_bytes(b"old")
    rename = asyncssh.SFTPServer.rename

    def only_aside(self: asyncssh.SFTPServer, oldpath: bytes, newpath: bytes) -> object:
        if newpath.endswith(b"/root/f"):
            raise asyncssh.SFTPFailure("")
        return rename(self, oldpath, newpath)

    monkeypatch.setattr(asyncssh.SFTPServer, "rename", only_aside)

    async def main() -> None:
        backend = plain()
        async with AsyncStore(backend) as store:
            with pytest.raises(RemoteStoreError):
                await store.write("f", b"new", overwrite=True)
            assert [path.read_bytes() for path in root.rglob("f")] == [b"old"]
            monkeypatch.undo()
            assert await backend.sweep_temporaries() == 1
            assert await store.read_bytes("f") == b"old"

    run("asyncio", main)
    assert left(root) == []


@pytest.mark.spec("SFTP-015", "SFTP-017")
@pytest.mark.parametrize("world", WORLDS)
def test_cancelled_while_replacing(plain: Make, root: Path, world: str) -> None:
    (root / "f").write_bytes(b"old")

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            for step in range(40):
                with anyio.move_on_after(step * 0.0003):
                    await store.write("f", b"new", overwrite=True)
                assert [path.name for path in root.iterdir()] == ["f"]
            await store.write("f", b"last", overwrite=True)

    run(world, main)
    assert (root / "f").read_bytes() == b"last"


@pytest.mark.spec("SFTP-017")
def test_many_replace_one_file(plain: Make, root: Path) -> None:
    contents = [bytes([65 + number]) * 1000 for number in range(16)]

    async def main() -> None:
        async with AsyncStore(plain()) as store, anyio.create_task_group() as group:
            for content in contents:
                group.start_soon(lambda data: store.write("f", data, overwrite=True), content)

    run("asyncio", main)
    assert [path.name for path in root.iterdir()] == ["f"]
    assert (root / "f").read_bytes() in contents


POSIX_RENAME = b"posix-rename@openssh.com"
HARDLINK = b"hardlink@openssh.com"


def extended(monkeypatch: pytest.MonkeyPatch, *names: bytes) -> None:
    """Let asyncssh's server know these extensions only."""
    monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "_extensions", [(name, b"1") for name in names])


@pytest.mark.spec("SFTP-016", "SFTP-037")
def test_cut_while_a_name_is_claimed(
    plain: Make, cut: Cut, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No empty file stays where a whole one was to appear."""
    extended(monkeypatch, POSIX_RENAME)
    cut.kinds = (packets.OPEN,)

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            cut.after = 2  # the temporary, and the name
            with pytest.raises(BackendUnavailable):
                await store.write_atomic("f", b"x")
            assert (root / "f").read_bytes() == b""
            assert not await store.exists("f")
            await store.write_atomic("f", b"x")

    run("asyncio", main)
    assert (root / "f").read_bytes() == b"x"


@pytest.mark.spec("SFTP-016", "SFTP-037")
@pytest.mark.parametrize("content", [b"", b"x"])
@pytest.mark.parametrize(("kind", "name"), [(packets.OPEN, "f"), (packets.EXTENDED, "g")])
def test_cut_while_a_file_is_moved_by_a_claim(
    plain: Make,
    cut: Cut,
    root: Path,
    content: bytes,
    kind: int,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An empty file that has been moved already is not taken for the claim of its name."""
    extended(monkeypatch, POSIX_RENAME)
    (root / "f").write_bytes(content)
    cut.kinds = (kind,)

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            cut.after = 1
            with pytest.raises(BackendUnavailable):
                await store.move("f", "g")
            assert await store.read_bytes(name) == content

    run("asyncio", main)
    assert [path.name for path in root.iterdir()] == [name]


@pytest.mark.spec("SFTP-015", "SFTP-016")
def test_a_name_that_is_claimed_in_vain(plain: Make, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extended(monkeypatch, POSIX_RENAME)

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            for step in range(20):
                with anyio.move_on_after(step * 0.0005):
                    await store.write(f"f{step}", b"x")
                assert all(path.read_bytes() == b"x" for path in root.iterdir())

            def refusing(self: asyncssh.SFTPServer, oldpath: bytes, newpath: bytes) -> None:
                raise asyncssh.SFTPFailure("")

            monkeypatch.setattr(asyncssh.SFTPServer, "posix_rename", refusing)
            with pytest.raises(RemoteStoreError):
                await store.write("refused", b"x")
            assert not await store.exists("refused")

    run("asyncio", main)
    assert left(root) == []


@pytest.mark.spec("SFTP-016")
@pytest.mark.parametrize("extension", [b"", POSIX_RENAME], ids=["none", "posix-rename"])
@pytest.mark.parametrize("probed", [True, False])
def test_a_file_system_without_links(
    root: Path, extension: bytes, probed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has the extension, and even calls itself OpenSSH, but links nothing."""
    extended(monkeypatch, HARDLINK, *([extension] if extension else []))
    renamed = []
    rename = asyncssh.SFTPServer.rename

    def refusing(self: asyncssh.SFTPServer, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("")

    def noted(self: asyncssh.SFTPServer, oldpath: bytes, newpath: bytes) -> object:
        renamed.append(newpath)
        return rename(self, oldpath, newpath)

    monkeypatch.setattr(asyncssh.SFTPServer, "link", refusing)
    monkeypatch.setattr(asyncssh.SFTPServer, "rename", noted)
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = Server(key, server_version="OpenSSH_9.2")
    try:
        with Store(server.backend(root, known_host_keys=known(server, key))) as store:
            if probed:
                assert (Capability.EXCLUSIVE_CREATE in store.probe()) is bool(extension)
            for path in ("f", "g"):
                store.write(path, b"x")
                with pytest.raises(AlreadyExists):
                    store.write(path, b"y")
            assert (Capability.EXCLUSIVE_CREATE in store.capabilities) is bool(extension)
    finally:
        server.close()
    assert bool(renamed) is not bool(extension)  # its rename only looks first
    assert sorted(path.name for path in root.iterdir()) == ["f", "g"]
