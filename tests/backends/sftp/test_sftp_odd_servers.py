"""Servers that are within the protocol, and unlike OpenSSH's: other statuses, and facts left out."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from remote_store import InvalidPath, NotFound, RemoteStoreError, Store


def _realpath(path: bytes) -> bytes:
    return os.path.realpath(path, strict=True)


def statuses(code: int) -> type[asyncssh.SFTPServer]:
    """Return a server that has one status for all that is asked about a path below a file."""

    class Odd(asyncssh.SFTPServer):
        async def _oddly(self, call: Callable[..., Any], *arguments: Any) -> Any:
            try:
                found = call(*arguments)
                return await found if hasattr(found, "__await__") else found
            except NotADirectoryError:
                raise asyncssh.SFTPError(code, "") from None

        async def _scanned(self, path: bytes) -> Any:
            try:
                async for entry in asyncssh.SFTPServer.scandir(self, path):
                    yield entry
            except NotADirectoryError:
                raise asyncssh.SFTPError(code, "") from None

    def method(name: str) -> Callable[..., Any]:
        usual = getattr(asyncssh.SFTPServer, name)
        return lambda self, *arguments: self._oddly(usual, self, *arguments)

    for name in ("open", "stat", "lstat", "mkdir", "rmdir", "remove", "rename", "posix_rename", "link"):
        setattr(Odd, name, method(name))
    Odd.realpath = lambda self, path: self._oddly(_realpath, path)  # type: ignore[attr-defined,method-assign]
    Odd.scandir = Odd._scanned  # type: ignore[method-assign,assignment]
    return Odd


@pytest.mark.spec("SFTP-026")
@pytest.mark.parametrize("extensions", [True, False], ids=["extended", "plain"])
@pytest.mark.parametrize("code", [2, 3, 4, 5, 99])
def test_below_a_file(
    serve: Any, root: Path, code: int, extensions: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is told as on OpenSSH's server, whatever status this one has for it."""
    if not extensions:
        monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "_extensions", [])
    (root / "a").mkdir()
    (root / "a" / "file").write_bytes(b"x")
    with Store(serve(statuses(code))) as store:
        for path in ("a/file/below", "a/file/far/below"):
            for ask in (store.exists, store.is_file, store.is_folder):
                assert not ask(path)
            for call in (store.read_bytes, store.read, store.open_read, store.get_file_info, store.delete):
                with pytest.raises(NotFound):
                    call(path)
            for transfer in (store.copy, store.move):
                with pytest.raises(NotFound):
                    transfer(path, "new")
                for overwrite in (False, True):
                    with pytest.raises(InvalidPath, match="parent"):
                        transfer("a/file", path, overwrite=overwrite)
            for recursive in (False, True):
                assert list(store.list_files(path, recursive=recursive)) == []
                with pytest.raises(NotFound):
                    store.delete_folder(path, recursive=recursive)
            assert list(store.list_folders(path)) == []
            for overwrite in (False, True):
                for write in (store.write, store.write_atomic):
                    with pytest.raises(InvalidPath, match="parent"):
                        write(path, b"y", overwrite=overwrite)
            store.delete(path, missing_ok=True)
            store.delete_folder(path, missing_ok=True)
        with pytest.raises(InvalidPath):
            list(store.list_files("a/file"))
        assert store.read_bytes("a/file") == b"x"
    assert sorted(path.name for path in root.rglob("*")) == ["a", "file"]


class Terse(asyncssh.SFTPServer):
    """Tells nothing about the entries of a folder but their names."""

    async def scandir(self, path: bytes) -> Any:
        async for entry in super().scandir(path):
            yield asyncssh.SFTPName(entry.filename, "", asyncssh.SFTPAttrs())


@pytest.mark.spec("SFTP-021", "SFTP-038")
def test_entries_without_facts(serve: Any, root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "f").write_bytes(b"1234")
    (root / "a" / "b" / "g").write_bytes(b"12")
    (root / "a" / "up").symlink_to("..")
    (root / "a" / "out").symlink_to("/etc")
    os.mkfifo(root / "a" / "pipe")
    with Store(serve(Terse)) as store:
        assert {str(info.path): info.size for info in store.list_files("", recursive=True)} == {
            "a/f": 4,
            "a/b/g": 2,
        }
        assert sorted(str(entry.path) for entry in store.iter_children("a")) == ["a/b", "a/f", "a/up"]
        store.delete_folder("a", recursive=True)
    assert list(root.iterdir()) == []
    assert Path("/etc").is_dir()


def walled(root: Path) -> type[asyncssh.SFTPServer]:
    """Return a server that shows a folder, by its full path, and forbids to look above it."""
    within = os.fsencode(root)

    class Walled(asyncssh.SFTPServer):
        def map_path(self, path: bytes) -> bytes:
            if path != within and not path.startswith(within + b"/"):
                raise asyncssh.SFTPPermissionDenied("")
            return super().map_path(path)

    return Walled


@pytest.mark.spec("SFTP-038")
@pytest.mark.parametrize("base", ["", "not/yet"])
@pytest.mark.parametrize("extensions", [True, False], ids=["extended", "plain"])
def test_nothing_above_the_base_path_is_looked_at(
    serve: Any, root: Path, base: str, extensions: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not extensions:
        monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "_extensions", [])
    with Store(serve(walled(root), base_path=str(root / base))) as store:
        assert list(store.list_files("")) == []
        store.write("a/b/f", b"x")
        store.write("a/b/f", b"y", overwrite=True)
        store.ping()
        store.move("a/b/f", "g")
        store.copy("g", "c/f")
        with pytest.raises(InvalidPath):
            store.write("g/below", b"x")
        with pytest.raises(NotFound):
            store.read_bytes("g/below")
        assert store.read_bytes("c/f") == b"y"
        assert sorted(str(info.path) for info in store.list_files("", recursive=True)) == ["c/f", "g"]
        store.delete_folder("a", recursive=True)
    assert sorted(str(path.relative_to(root / base)) for path in (root / base).rglob("*")) == [
        "c",
        "c/f",
        "g",
    ]


@pytest.mark.spec("SFTP-023")
@pytest.mark.parametrize("odd", ["size", "order"])
def test_a_small_file_that_is_not_what_was_expected(serve: Any, root: Path, odd: str) -> None:
    """It is read and closed in one flight, and opened again where that has not told all of it."""
    (root / "f").write_bytes(b"all of it")
    refused: list[int] = []

    class Odd(asyncssh.SFTPServer):
        def lstat(self, path: bytes) -> Any:
            facts: Any = super().lstat(path)
            attrs = asyncssh.SFTPAttrs.from_local(facts)
            attrs.size = 3 if odd == "size" else attrs.size
            return attrs

        def read(self, file_obj: object, offset: int, size: int) -> Any:
            if odd == "order" and not refused:
                refused.append(offset)
                raise asyncssh.SFTPFailure("closed already")
            return super().read(file_obj, offset, size)

    with Store(serve(Odd)) as store:
        assert store.read_bytes("f") == b"all of it"
    assert len(refused) == (odd == "order")


@pytest.mark.spec("SFTP-023")
@pytest.mark.parametrize("links", ["links", "lost race", "none"])
@pytest.mark.parametrize("call", ["write", "write_atomic"])
def test_an_empty_file_where_nothing_may_be_written_to_it(
    serve: Any, root: Path, call: str, links: str
) -> None:
    """As on ProFTPD's server, which refuses to write no bytes."""
    refused: list[bytes] = []

    class Strict(asyncssh.SFTPServer):
        def write(self, file_obj: object, offset: int, data: bytes) -> Any:
            if not data:
                raise asyncssh.SFTPFailure("Invalid argument")
            return super().write(file_obj, offset, data)

        def link(self, oldpath: bytes, newpath: bytes) -> Any:
            if links == "none" or (links == "lost race" and not refused):
                refused.append(newpath)
                raise asyncssh.SFTPFailure("")
            return super().link(oldpath, newpath)

    (root / "old").write_bytes(b"x")
    with Store(serve(Strict)) as store:
        getattr(store, call)("new", b"")
        getattr(store, call)("old", b"", overwrite=True)
    assert bool(refused) is (links != "links")
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {"new": b"", "old": b""}


@pytest.mark.spec("SFTP-023", "SFTP-043")
def test_sizes_that_are_told_by_the_name_alone(serve: Any, root: Path) -> None:
    """That is enough for small files, which are read to their ends."""

    class Forgetful(asyncssh.SFTPServer):
        def fstat(self, file_obj: object) -> Any:
            return asyncssh.SFTPAttrs()

    (root / "f").write_bytes(b"small")
    (root / "empty").touch()
    (root / "large").write_bytes(b"x" * (1 << 20))
    with Store(serve(Forgetful)) as store:
        assert store.read_bytes("f") == b"small"
        assert store.read_bytes("f", start=1, length=2) == b"ma"
        assert store.read_bytes("empty") == b""
        with pytest.raises(RemoteStoreError, match="how large"):
            store.read_bytes("large")


@pytest.mark.spec("SFTP-042")
@pytest.mark.parametrize("refused", [b"/a", b"/b"])
def test_a_move_where_a_folder_is_not_told(serve: Any, root: Path, refused: bytes) -> None:
    """Whether both names are one is not known then, and nothing is left that nobody waits for."""
    for name in ("a", "b"):
        (root / name).mkdir()
        (root / name / "f").write_bytes(b"x")
        os.utime(root / name / "f", (1, 1))
    moving: list[bytes] = []

    class Refusing(asyncssh.SFTPServer):
        def realpath(self, path: bytes) -> Any:
            if moving:
                moving.append(path[-2:])
            if moving and path.endswith(refused):
                raise asyncssh.SFTPFailure("")
            return super().realpath(path)

    with Store(serve(Refusing)) as store:
        assert store.read_bytes("a/f") == store.read_bytes("b/f") == b"x"  # where they are is known then
        moving.append(b"")
        store.move("a/f", "b/f", overwrite=True)
    gc.collect()
    assert moving == [b"", b"/a", b"/b"]  # in one flight
    assert sorted(path.name for path in root.rglob("*")) == ["a", "b", "f"]


@pytest.mark.spec("SFTP-043")
def test_no_sizes(serve: Any, root: Path) -> None:
    """Nothing is taken for an empty file."""

    class Sizeless(asyncssh.SFTPServer):
        def _less(self, facts: Any) -> asyncssh.SFTPAttrs:
            attrs = asyncssh.SFTPAttrs.from_local(facts)
            attrs.size = None
            return attrs

        def lstat(self, path: bytes) -> Any:
            return self._less(super().lstat(path))

        def stat(self, path: bytes) -> Any:
            return self._less(super().stat(path))

        def fstat(self, file_obj: object) -> Any:
            return self._less(super().fstat(file_obj))

    (root / "f").write_bytes(b"hello world")
    with Store(serve(Sizeless)) as store:
        for call in (store.read_bytes, store.read, lambda path: store.copy(path, "g")):
            with pytest.raises(RemoteStoreError, match="how large"):
                call("f")
        store.write("h", b"x")
        assert store.get_file_info("h").size == 0
    assert sorted(path.name for path in root.iterdir()) == ["f", "h"]
