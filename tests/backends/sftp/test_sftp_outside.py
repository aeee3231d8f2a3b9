"""No way leads out of the base path: through folders that are to be made, or links that look like files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.services import SFTPServer

from remote_store import InvalidPath, NotFound, Store
from remote_store.backends import SFTPBackend

Make = Callable[..., SFTPBackend]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    return folder


@pytest.mark.spec("SFTP-020")
@pytest.mark.parametrize("extensions", ["sshd", "plain_sshd"])
@pytest.mark.parametrize("below", ["new/f", "new/sub/f", "new/sub/deeper/f"])
def test_folders_to_be_made_behind_a_link(
    request: pytest.FixtureRequest, make: Make, root: Path, outside: Path, extensions: str, below: str
) -> None:
    server: SFTPServer = request.getfixturevalue(extensions)
    (root / "link").symlink_to(outside)
    (root / "f").write_bytes(b"x")
    with Store(make(**server.options)) as store:
        for overwrite in (False, True):
            for write in (store.write, store.write_atomic):
                with pytest.raises(InvalidPath, match="outside"):
                    write(f"link/{below}", b"x", overwrite=overwrite)
            for transfer in (store.copy, store.move):
                with pytest.raises(InvalidPath, match="outside"):
                    transfer("f", f"link/{below}", overwrite=overwrite)
        with pytest.raises(InvalidPath, match="outside"), store.open_write(f"link/{below}") as stream:
            stream.write(b"x")
        store.write(f"folder/{below}", b"y")
    assert [path.name for path in outside.rglob("*")] == ["secret"]
    assert (root / "f").read_bytes() == b"x"


class NoModes(asyncssh.SFTPServer):
    """Does not tell of what is looked at, nor of entries, what they are."""

    def _less(self, facts: Any) -> asyncssh.SFTPAttrs:
        attrs = asyncssh.SFTPAttrs.from_local(facts)
        attrs.permissions, attrs.type = None, asyncssh.FILEXFER_TYPE_UNKNOWN
        return attrs

    def lstat(self, path: bytes) -> Any:
        return self._less(super().lstat(path))

    async def scandir(self, path: bytes) -> Any:
        for name in os.listdir(self.map_path(path)):
            yield asyncssh.SFTPName(name, "", asyncssh.SFTPAttrs())


class NoLooks(NoModes):
    """Refuses to look at what may be a link."""

    def lstat(self, path: bytes) -> Any:
        raise asyncssh.SFTPOpUnsupported("")


@pytest.mark.spec("SFTP-020", "SFTP-021")
@pytest.mark.parametrize("kind", [NoModes, NoLooks])
def test_links_that_the_server_does_not_tell_from_files(
    serve: Any, root: Path, outside: Path, kind: type[asyncssh.SFTPServer]
) -> None:
    (root / "file").symlink_to(outside / "secret")
    (root / "nowhere").symlink_to(root / "none")
    (root / "folder").symlink_to(outside)
    (root / "a").mkdir()
    (root / "a" / "f").write_bytes(b"x")
    (root / "a" / "up").symlink_to("..")
    with Store(serve(kind)) as store:
        for call in (store.read_bytes, store.open_read, lambda path: store.copy(path, "copied")):
            with pytest.raises((InvalidPath, NotImplementedError)):
                call("file")
        with pytest.raises(InvalidPath, match="outside"):
            store.read_bytes("file")
        assert store.read_bytes("a/f") == b"x"
        assert [str(info.path) for info in store.list_files("", recursive=True)] == ["a/f"]
        assert sorted(str(each.path) for each in store.iter_children("a")) == ["a/f", "a/up"]
        if kind is NoModes:
            assert not store.exists("file")
            with pytest.raises(InvalidPath, match="outside"):
                store.write("file", b"new", overwrite=True)
            store.write("a/f", b"new", overwrite=True)
    assert (outside / "secret").read_bytes() == b"secret"
    assert sorted(path.name for path in root.iterdir()) == ["a", "file", "folder", "nowhere"]


@pytest.mark.spec("SFTP-021")
def test_below_a_linked_folder_where_the_server_does_not_tell(serve: Any, root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "f").write_bytes(b"x")
    (root / "a" / "b" / "loop").symlink_to("..")
    (root / "linked").symlink_to("a")
    with Store(serve(NoModes)) as store:
        for folder in ("a", "linked"):
            found = [str(info.path) for info in store.list_files(folder, recursive=True)]
            assert found == [f"{folder}/b/f"]


@pytest.mark.spec("SFTP-020")
def test_what_a_link_leads_to_is_replaced_where_the_server_does_not_tell(serve: Any, root: Path) -> None:
    (root / "f").write_bytes(b"old")
    (root / "link").symlink_to("f")
    with Store(serve(NoModes)) as store:
        store.write("link", b"new", overwrite=True)
    assert (root / "link").is_symlink()
    assert (root / "f").read_bytes() == b"new"


@pytest.mark.spec("SFTP-020")
@pytest.mark.parametrize("resolves", [False, True])
def test_a_link_into_a_folder_that_is_not_there(serve: Any, make: Make, root: Path, resolves: bool) -> None:
    """OpenSSH does not resolve it, asyncssh does."""
    (root / "link").symlink_to(root / "no" / "such")
    with Store(serve(True) if resolves else make()) as store, pytest.raises(NotFound, match="link into"):
        store.write("link", b"x", overwrite=True)
    assert [path.name for path in root.iterdir()] == ["link"]
