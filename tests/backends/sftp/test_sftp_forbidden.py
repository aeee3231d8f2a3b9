"""What a server forbids, or does to somebody else's files: nothing may be deleted, or linked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest
from tests.backends.sftp.test_sftp_connections import left, nothing
from tests.backends.sftp.test_sftp_cuts import (
    HARDLINK,
    POSIX_RENAME,
    Cut,
    Make,
    cut,
    extended,
    plain,
)
from tests.runtime.support import run
from tests.services import SFTPServer, sshd

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    Capability,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store._sftp import packets

__all__ = ["cut", "plain"]  # fixtures


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SFTPServer]:
    """Give OpenSSH's server where nothing may be deleted."""
    with sshd(tmp_path_factory.mktemp("keeping"), denied="remove") as server:
        yield server


@pytest.mark.spec("SFTP-047")
@pytest.mark.parametrize("first", ["write", "write_atomic", "large", "copy", "move"])
def test_where_nothing_may_be_deleted(keeping: SFTPServer, make: Make, root: Path, first: str) -> None:
    """The first file that is given a name leaves a temporary; what comes after it does not."""
    calls: dict[str, Callable[[Store, str], Any]] = {
        "write": lambda store, path: store.write(path, b"x"),
        "write_atomic": lambda store, path: store.write_atomic(path, b"x"),
        "large": lambda store, path: store.write(path, b"x" * (1 << 20)),
        "copy": lambda store, path: store.copy("f", path),
        "move": lambda store, path: store.move("moved", path),
    }
    for name in ("f", "moved"):
        (root / name).write_bytes(b"x")
    with Store(make(**keeping.options)) as store:
        calls[first](store, "first")
        for name, call in calls.items():
            (root / "moved").write_bytes(b"x")
            call(store, f"new {name}")
            assert set((root / f"new {name}").read_bytes()) == {ord("x")}
        assert len(left(root)) == 1
        for name, call in calls.items():
            (root / "moved").touch()
            with pytest.raises(AlreadyExists):
                call(store, f"new {name}")
        assert Capability.EXCLUSIVE_CREATE in store.capabilities
        names = {str(info.path) for info in store.list_files("")}
    assert names == {"f", "moved", "first", *(f"new {name}" for name in calls)}
    assert (root / "first").stat().st_size in (1, 1 << 20)


@pytest.mark.spec("SFTP-042", "SFTP-047")
def test_a_move_whose_first_name_may_not_be_deleted(
    serve: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is taken back."""
    extended(monkeypatch, HARDLINK)

    class Sticky(asyncssh.SFTPServer):
        def remove(self, path: bytes) -> Any:
            if path.endswith(b"/theirs"):
                raise asyncssh.SFTPPermissionDenied("")
            return super().remove(path)

    (root / "theirs").write_bytes(b"x")
    with Store(serve(Sticky)) as store, pytest.raises(PermissionDenied) as caught:
        store.move("theirs", "ours")
    assert caught.value.path == "theirs"
    assert [path.name for path in root.iterdir()] == ["theirs"]


@pytest.mark.spec("SFTP-016")
def test_a_move_of_what_may_have_no_second_name(serve: Any, root: Path) -> None:
    """As with files of others on many systems. New files go on to be linked."""
    linked = []

    class Protected(asyncssh.SFTPServer):
        def link(self, oldpath: bytes, newpath: bytes) -> Any:
            if oldpath.endswith(b"/theirs"):
                raise asyncssh.SFTPPermissionDenied("")
            linked.append(newpath)
            return super().link(oldpath, newpath)

    (root / "theirs").write_bytes(b"x")
    (root / "taken").write_bytes(b"y")
    with Store(serve(Protected)) as store:
        with pytest.raises(AlreadyExists):
            store.move("theirs", "taken")
        store.move("theirs", "ours")
        assert store.read_bytes("ours") == b"x"
        linked.clear()
        store.write("new", b"x")
        assert [Path(os.fsdecode(path)).name for path in linked] == ["new"]
    assert left(root) == []
    assert sorted(path.name for path in root.iterdir()) == ["new", "ours", "taken"]


@pytest.mark.spec("SFTP-042", "SFTP-047")
def test_a_move_of_what_may_be_neither_deleted_nor_read(
    serve: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second name is taken back all the same: it was made by this very move."""
    extended(monkeypatch, HARDLINK)

    class Closed(asyncssh.SFTPServer):
        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
            if not pflags & asyncssh.FXF_WRITE:
                raise asyncssh.SFTPPermissionDenied("")
            return super().open(path, pflags, attrs)

        def remove(self, path: bytes) -> Any:
            if path.endswith(b"/theirs"):
                raise asyncssh.SFTPPermissionDenied("")
            return super().remove(path)

    (root / "theirs").write_bytes(b"x")
    with Store(serve(Closed)) as store, pytest.raises(PermissionDenied):
        store.move("theirs", "ours")
    assert [path.name for path in root.iterdir()] == ["theirs"]


@pytest.mark.spec("SFTP-015", "SFTP-016")
@pytest.mark.parametrize("how", ["cancelled", "refused"])
def test_links_that_are_tried_out_leave_nothing(serve: Any, root: Path, how: str) -> None:
    """What is tried is whether a new file can be given a second name, and closing that file fails."""
    closing = threading.Event()

    class Linkless(asyncssh.SFTPServer):
        def link(self, oldpath: bytes, newpath: bytes) -> Any:
            raise asyncssh.SFTPFailure("")

        async def close(self, file_obj: object) -> None:
            super().close(file_obj)
            closing.set()
            if how == "refused":
                raise asyncssh.SFTPFailure("quota")
            await anyio.sleep(0.2)

    (root / "f").write_bytes(b"x")

    async def main() -> None:
        async with AsyncStore(serve(Linkless)) as store, anyio.create_task_group() as group:
            group.start_soon(store.move, "f", "g")
            if how == "cancelled":
                with anyio.fail_after(5):
                    while not closing.is_set():
                        await anyio.sleep(0.001)
                group.cancel_scope.cancel()
        await nothing(left, root)

    run("asyncio", main)
    assert closing.is_set()
    assert len(list(root.iterdir())) == 1


@pytest.mark.spec("SFTP-016", "SFTP-037")
@pytest.mark.parametrize("there", ["before", "meanwhile"])
def test_an_empty_file_of_somebody_elses_is_no_claim(
    plain: Make, cut: Cut, root: Path, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost while a name is claimed, and nobody knows whether that was done."""
    extended(monkeypatch, POSIX_RENAME)
    cut.kinds = (packets.OPEN,)
    old = {"before": 1, "meanwhile": 2}[there]

    async def main() -> None:
        async with AsyncStore(plain()) as store:
            await store.ping()
            if there == "before":
                (root / "marker").touch()
                os.utime(root / "marker", (old, old))
            cut.after = 2  # the temporary, and the name
            with pytest.raises((BackendUnavailable, AlreadyExists)):
                await store.write_atomic("marker", b"x")
            cut.after = 0
            if there == "meanwhile":
                os.utime(root / "marker", (old, old))  # an older one: the claim is gone, and not this
            await store.ping()

    run("asyncio", main)
    assert (root / "marker").stat().st_mtime == old


@pytest.mark.spec("SFTP-016")
@pytest.mark.parametrize("age", [1, 4e9], ids=["old", "of the future"])
def test_a_move_whose_claim_comes_to_nothing(
    serve: Any, root: Path, age: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The empty file is taken away, however new what was to have its name."""
    extended(monkeypatch, POSIX_RENAME)

    class Refusing(asyncssh.SFTPServer):
        def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
            raise asyncssh.SFTPFailure("")

    (root / "f").write_bytes(b"x")
    os.utime(root / "f", (age, age))
    with Store(serve(Refusing)) as store, pytest.raises(RemoteStoreError):
        store.move("f", "g")
    assert [path.name for path in root.iterdir()] == ["f"]
