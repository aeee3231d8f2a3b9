"""Links, round trips, statuses, and what else is special about files behind SFTP."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.runtime.support import run
from tests.services import SFTPServer

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store._sftp.packets import STAT, Refused
from remote_store._sftp.session import Session
from remote_store.backends import SFTPBackend
from remote_store.backends.sftp import _files
from remote_store.backends.sftp._errors import translated

Make = Callable[..., SFTPBackend]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    return folder


@pytest.mark.spec("SFTP-020", "SFTP-021", "SFTP-022")
def test_links_to_the_outside(make: Make, root: Path, outside: Path) -> None:
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "nowhere").symlink_to(root / "none")
    os.mkfifo(root / "pipe")
    with Store(make()) as store:
        assert [str(entry.path) for entry in store.iter_children("")] == []
        assert list(store.list_files("", recursive=True)) == []
        for path in ("folder/secret", "file"):
            assert not store.exists(path)
            for call in (store.read_bytes, store.open_read, store.get_file_info):
                with pytest.raises(InvalidPath, match="outside"):
                    call(path)
            with pytest.raises(InvalidPath, match="outside"):
                store.copy(path, "copied")
        for change in (
            lambda: store.write("folder/new", b"x"),
            lambda: store.write("folder/new/deep", b"x"),
            lambda: store.write("file", b"x", overwrite=True),
            lambda: store.delete("folder/secret"),
            lambda: store.delete_folder("folder/sub", missing_ok=True),
            lambda: list(store.list_files("folder")),
        ):
            with pytest.raises(InvalidPath, match="outside"):
                change()
        with pytest.raises(AlreadyExists):
            store.write("file", b"x")
        assert not store.exists("nowhere")
        with pytest.raises(NotFound):
            store.read_bytes("nowhere")
        for path in ("folder", "file", "nowhere"):
            with pytest.raises(InvalidPath):
                store.delete_folder(path, recursive=True)
            store.delete(path)
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"


@pytest.mark.spec("SFTP-020", "SFTP-021", "SFTP-022")
def test_links_within_the_root(make: Make, root: Path) -> None:
    (root / "real").mkdir()
    (root / "real" / "f").write_bytes(b"f")
    (root / "folder").symlink_to("real")
    (root / "file").symlink_to("real/f")
    (root / "real" / "up").symlink_to("..")
    with Store(make()) as store:
        assert sorted(str(entry.path) for entry in store.iter_children("")) == ["file", "folder", "real"]
        assert sorted(str(info.path) for info in store.list_files("", recursive=True)) == ["file", "real/f"]
        assert {info.size for info in store.list_files("")} == {1}
        assert store.read_bytes("folder/f") == store.read_bytes("file") == b"f"
        store.write("file", b"new", overwrite=True)
        assert (root / "file").is_symlink()
        assert (root / "real" / "f").read_bytes() == b"new"
        store.write("folder/g", b"g")
        store.delete_folder("real", recursive=True)
        assert sorted(path.name for path in root.iterdir()) == ["file", "folder"]


@pytest.mark.spec("SFTP-020")
def test_a_link_that_is_planted_later(make: Make, root: Path, outside: Path) -> None:
    import time

    (root / "a").mkdir()
    with Store(make()) as store:
        store.write("a/f", b"x")
        (root / "a").rename(root / "b")
        (root / "a").symlink_to(outside)
        time.sleep(1.1)  # folders are believed to be what they were for a second
        with pytest.raises(InvalidPath, match="outside"):
            store.write("a/f", b"x")
        with pytest.raises(InvalidPath, match="outside"):
            store.delete("a/secret")
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


class Flights:
    """Counts how often the client speaks, and then has to wait for an answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = ""
        write, received = Session._write, Session.data_received

        def _write(session: Session, packet: bytes) -> None:
            self.log += "s"
            write(session, packet)

        def data_received(session: Session, data: bytes, datatype: int | None) -> None:
            self.log += "r"
            received(session, data, datatype)

        monkeypatch.setattr(Session, "_write", _write)
        monkeypatch.setattr(Session, "data_received", data_received)

    async def of(self, call: Callable[[], Any]) -> int:
        await anyio.sleep(0.05)  # answers that nobody waits for come in
        self.log = ""
        await call()
        return self.log.rstrip("s").count("sr")


@pytest.mark.spec("SFTP-023")
@pytest.mark.parametrize("base", ["root", "/"])
def test_round_trips(sshd: SFTPServer, root: Path, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flights = Flights(monkeypatch)
    monkeypatch.setattr(_files, "INSIDE_SECONDS", 60.0)  # however slow this machine is
    backend = SFTPBackend(base_path="/" if base == "/" else str(root), **sshd.options)
    below = f"{root}/".lstrip("/") if base == "/" else ""

    async def main() -> None:
        async with AsyncStore(backend) as store:
            await store.ping()
            path = f"{below}folder/file"
            await store.write(f"{below}folder/first", b"x")
            assert await flights.of(lambda: store.write(path, b"x")) == 2
            assert await flights.of(lambda: store.read_bytes(path)) == 2
            assert await flights.of(lambda: store.get_file_info(path)) == 1
            assert await flights.of(lambda: store.exists(path)) == 1
            assert await flights.of(lambda: store.write(path, b"y", overwrite=True)) == 3
            assert await flights.of(lambda: store.write_atomic(path, b"z", overwrite=True)) == 3
            assert await flights.of(lambda: store.write_atomic(f"{path}.new", b"z")) == 3
            assert await flights.of(lambda: store.delete(path)) == 1
            assert await flights.of(lambda: store.move(f"{below}folder/first", path, overwrite=True)) == 2

    run("asyncio", main)
    assert (root / "folder" / "file").read_bytes() == b"x"


@pytest.mark.spec("SFTP-024")
def test_many_pieces_in_flight_and_no_more_than_allowed(
    make: Make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(12 << 20)
    most = 0
    ask = Session.ask

    def counted(session: Session, *args: Any) -> Any:
        nonlocal most
        most = max(most, session.busy)
        return ask(session, *args)

    monkeypatch.setattr(Session, "ask", counted)
    with Store(make(memory_limit=2 << 20)) as store:
        store.write("f", content)
        assert 4 <= most <= 12
        most = 0
        assert store.read_bytes("f") == content
        assert 4 <= most <= 12
        with store.open_read("f") as stream:
            stream.seek(5 << 20)
            assert stream.read(3 << 20) == content[5 << 20 : 8 << 20]
            assert stream.read() == content[8 << 20 :]


@pytest.mark.spec("SFTP-025")
def test_a_copy_holds_up_nobody(make: Make, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "f").write_bytes(os.urandom(5 << 20))
    copying: set[tuple[int, int]] = set()
    others: set[tuple[int, int]] = set()
    ask = Session.ask

    def noted(session: Session, kind: int, body: bytes, *args: Any) -> Any:
        (copying if b"copy-data" in body else others).add((id(session), kind))
        return ask(session, kind, body, *args)

    with Store(make()) as store:
        store.ping()
        monkeypatch.setattr(Session, "ask", noted)
        store.copy("f", "g")
        (session,) = {session for session, _ in copying}
        looked = {other for other, kind in others if kind == STAT}
        assert session not in looked
    assert (root / "g").read_bytes() == (root / "f").read_bytes()


@pytest.mark.spec("SFTP-017")
def test_permissions_are_kept(make: Make, root: Path) -> None:
    (root / "f").write_bytes(b"old")
    (root / "f").chmod(0o640)
    with Store(make()) as store:
        store.write("f", b"new", overwrite=True)
    assert stat.S_IMODE((root / "f").stat().st_mode) == 0o640


@pytest.mark.spec("SFTP-016")
def test_what_a_server_cannot_do(plain_sshd: SFTPServer, linkless_sshd: SFTPServer, root: Path) -> None:
    for server, exclusive in ((plain_sshd, False), (linkless_sshd, True)):
        with Store(SFTPBackend(base_path=str(root), **server.options)) as store:
            assert (Capability.EXCLUSIVE_CREATE in store.probe()) == exclusive
            store.write("f", b"x", overwrite=True)
            with pytest.raises(AlreadyExists):
                store.write("f", b"y")


@pytest.mark.spec("SFTP-018")
def test_a_sweep(make: Make, root: Path) -> None:
    (root / "a").mkdir()
    (root / "clock").mkdir()
    name = ".~remote-store-0123456789abcdef.tmp"
    old, new = root / "a" / name, root / name
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (1e9, 1e9))
    backend = make()

    async def main() -> None:
        assert await backend.sweep_temporaries() == 1
        assert (old.exists(), new.exists()) == (False, True)
        assert await backend.sweep_temporaries(older_than=0) == 1
        await backend.aclose()

    run("trio", main)
    assert sorted(path.name for path in root.rglob("*")) == ["a", "clock"]


@pytest.mark.spec("SFTP-019")
@pytest.mark.parametrize("durable", [True, False])
def test_durable(make: Make, root: Path, durable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    ask = Session.ask

    def noted(session: Session, kind: int, body: bytes, *args: Any) -> Any:
        asked.append(b"fsync@openssh.com" in body)
        return ask(session, kind, body, *args)

    monkeypatch.setattr(Session, "ask", noted)
    with Store(make(durable=durable)) as store:
        store.write("f", b"x")
    assert any(asked) == durable


ROWS = {
    2: NotFound, 3: PermissionDenied, 4: RemoteStoreError, 5: InvalidPath, 6: BackendUnavailable,
    7: BackendUnavailable, 8: CapabilityNotSupported, 10: NotFound, 11: AlreadyExists, 12: PermissionDenied,
    14: RemoteStoreError, 15: RemoteStoreError, 17: RemoteStoreError, 18: DirectoryNotEmpty, 19: InvalidPath,
    20: InvalidPath, 21: InvalidPath, 24: InvalidPath, 99: RemoteStoreError,
}  # fmt: skip


@pytest.mark.spec("SFTP-026")
@pytest.mark.parametrize("code", ROWS)
def test_statuses(code: int) -> None:
    error = translated(Refused(code, "the server's words"), "a/b")
    assert type(error) is ROWS[code]
    assert (error.path, error.backend) == ("a/b", "sftp")
    assert "the server's words" in str(error)


@pytest.mark.spec("SFTP-026")
def test_refusals_of_a_real_server(make: Make, root: Path) -> None:
    (root / "folder").mkdir()
    with Store(make()) as store:
        with pytest.raises(InvalidPath, match="shorten"):
            store.write("n" * 300, b"x")
        for call in (store.read_bytes, store.delete):
            with pytest.raises(InvalidPath, match="folder"):
                call("folder")
        with pytest.raises(InvalidPath, match="no Unicode text"):
            store.write("a\ud800", b"x")
        assert not store.exists("missing")
    with Store(make(base_path=f"{root}/none/deeper")) as store:
        with pytest.raises(NotFound, match="base path"):
            store.ping()
        assert list(store.list_files("")) == []
        store.write("f", b"x")
        assert (root / "none" / "deeper" / "f").read_bytes() == b"x"
        store.ping()
