"""Every error of the system comes out as one of this library, with the path and a word on what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.support import fails

from remote_store import (
    AlreadyExists,
    BackendUnavailable,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.backends.local import _errors, _root, _system

TABLE: dict[str, tuple[type[RemoteStoreError], bool, str]] = {
    "ENOENT": (NotFound, False, "no such file or folder"),
    "ENOTDIR": (NotFound, False, "a parent of it is a file"),
    "EEXIST": (AlreadyExists, False, "overwrite=True"),
    "EISDIR": (InvalidPath, False, "a folder, not a file"),
    "ENOTEMPTY": (DirectoryNotEmpty, False, "recursive=True"),
    "ENAMETOOLONG": (InvalidPath, False, "shorten it"),
    "ELOOP": (InvalidPath, False, "symbolic link"),
    "EINVAL": (InvalidPath, False, "refuses the name"),
    "EILSEQ": (InvalidPath, False, "characters"),
    "ENXIO": (InvalidPath, False, "socket, a pipe or a device"),
    "EACCES": (PermissionDenied, False, "permission denied"),
    "EPERM": (PermissionDenied, False, "not permitted"),
    "EROFS": (PermissionDenied, False, "read-only"),
    "ENOSPC": (RemoteStoreError, False, "no space"),
    "EDQUOT": (RemoteStoreError, False, "quota"),
    "EFBIG": (RemoteStoreError, False, "too large"),
    "EMFILE": (RemoteStoreError, True, "ulimit -n"),
    "ENFILE": (RemoteStoreError, True, "on this machine"),
    "EIO": (BackendUnavailable, True, "I/O error"),
    "ESTALE": (BackendUnavailable, True, "network file system"),
    "ETIMEDOUT": (BackendUnavailable, True, "does not answer"),
    "EHOSTDOWN": (BackendUnavailable, True, "server is down"),
    "ENOTCONN": (BackendUnavailable, True, "mount it again"),
    "EAGAIN": (RemoteStoreError, True, "Resource temporarily unavailable"),
    "EBUSY": (RemoteStoreError, True, "busy"),
    "ENODEV": (RemoteStoreError, False, "No such device"),
}
rows = pytest.mark.parametrize("name", TABLE)


def check(error: RemoteStoreError, name: str, path: str) -> None:
    kind, retryable, text = TABLE[name]
    assert type(error) is kind
    assert text in error.message
    assert (error.path, error.backend, error.retryable) == (path, "local", retryable)
    cause = error.__cause__
    assert isinstance(cause, OSError)
    assert cause.errno == getattr(errno, name)


@pytest.mark.spec("LOC-027")
def test_the_table_is_whole() -> None:
    assert {errno.errorcode[number] for number in _errors._TABLE} <= set(TABLE)


@pytest.mark.spec("LOC-027", "ERR-003")
@rows
def test_every_row(name: str) -> None:
    number = getattr(errno, name)
    with pytest.raises(RemoteStoreError) as caught:
        _errors.raise_ours(OSError(number, os.strerror(number)), "a/b")
    check(caught.value, name, "a/b")


@pytest.mark.spec("LOC-027", "ERR-003")
def test_an_error_without_a_number() -> None:
    error = _errors.translate(OSError("odd"), "f")
    assert type(error) is RemoteStoreError
    assert "odd" in error.message
    assert not error.retryable


@pytest.mark.spec("LOC-027", "ERR-003")
def test_ours_are_left_alone_but_for_what_is_missing() -> None:
    for given, path in ((None, "key"), ("its own", "its own"), ("", "")):
        mine = NotFound("text", path=given)
        with pytest.raises(NotFound) as caught:
            _errors.raise_ours(mine, "key")
        assert caught.value is mine
        assert (mine.path, mine.backend) == (path, "local")
    with pytest.raises(DirectoryNotEmpty, match="text") as inner, _errors.about("other"):
        raise DirectoryNotEmpty("text", path="mine")
    assert inner.value.path == "mine"


# -- where each may come up -----------------------------------------------------------------------

Call = Callable[[Store], object]
PLACES: dict[str, tuple[str, str, Call]] = {
    "read_bytes": ("read", "sub/f", lambda store: store.read_bytes("sub/f")),
    "stream": ("preadv", "sub/f", lambda store: store.read("sub/f").read(1)),
    "fstat": ("fstat", "sub/f", lambda store: store.get_file_info("sub/f")),
    "write": ("write", "new/g", lambda store: store.write("new/g", b"x")),
    "write a stream": ("write", "new/g", lambda store: store.write("new/g", iter([b"x"]))),
    "rename": ("rename", "new/g", lambda store: store.write("new/g", b"x", overwrite=True)),
    "mkdir": ("mkdir", "new/g", lambda store: store.write("new/g", b"x")),
    "copy": ("copy_file_range", "new/g", lambda store: store.copy("sub/f", "new/g")),
    "move": ("rename", "new/g", lambda store: store.move("sub/f", "new/g", overwrite=True)),
    "delete": ("unlink", "sub/f", lambda store: store.delete("sub/f")),
    "delete_folder": ("rmdir", "empty", lambda store: store.delete_folder("empty")),
    "list": ("scandir", "sub", lambda store: list(store.list_files("sub"))),
}


@pytest.mark.spec("LOC-027", "LOC-019", "ERR-003")
@pytest.mark.parametrize("name", ["EIO", "EACCES", "ENOSPC", "ESTALE", "ENODEV"])
@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_comes_up(
    plain: Store, root: Path, monkeypatch: pytest.MonkeyPatch, place: str, name: str
) -> None:
    function, path, call = PLACES[place]
    (root / "sub").mkdir()
    (root / "empty").mkdir()
    (root / "sub/f").write_bytes(b"content")
    plain.exists("sub/f")
    with monkeypatch.context() as patch:
        patch.setattr(os, function, fails(getattr(errno, name)), raising=False)
        with pytest.raises(RemoteStoreError) as caught:
            call(plain)
    check(caught.value, name, path)
    assert (root / "sub/f").read_bytes() == b"content"
    assert sorted(os.listdir(root)) == ["empty", "sub"]


@pytest.mark.spec("LOC-007", "LOC-027")
@pytest.mark.parametrize("name", ["EIO", "EACCES", "EMFILE", "ESTALE"])
def test_openat2_is_believed(plain: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    plain.write("sub/f", b"content")
    monkeypatch.setattr(_system, "open_beneath", fails(getattr(errno, name)))
    for call in (plain.read_bytes, plain.get_file_info, plain.is_file, plain.exists):
        with pytest.raises(RemoteStoreError) as caught:
            call("sub/f")
        check(caught.value, name, "sub/f")


@pytest.mark.spec("LOC-007")
@pytest.mark.parametrize("number", sorted(_root._UNDECIDED), ids=lambda number: errno.errorcode[number])
def test_or_the_walk_decides(plain: Store, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    plain.write("a/f", b"content")
    calls: list[str] = []
    monkeypatch.setattr(_system, "open_beneath", fails(number, calls, "openat2"))
    assert plain.read_bytes("a/f") == b"content"
    assert [str(file.path) for file in plain.list_files(recursive=True)] == ["a/f"]
    plain.write("b/g", b"more")
    plain.move("b/g", "a/g")
    plain.delete_folder("b")
    assert calls
