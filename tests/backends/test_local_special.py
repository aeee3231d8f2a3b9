"""Pipes, sockets and devices are no files, and never hang a call."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.backends.support import as_root

from remote_store import AlreadyExists, InvalidPath, Store

pytestmark = pytest.mark.timeout(30)  # a pipe without a writer would hang for ever


@pytest.fixture(params=["pipe", "socket", pytest.param("device", marks=as_root)])
def special(request: pytest.FixtureRequest, root: Path) -> Iterator[Path]:
    """Give a special file in a folder of the root."""
    path = root / "sub" / request.param
    path.parent.mkdir()
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    if request.param != "socket":
        yield path
        return
    with socket.socket(socket.AF_UNIX) as listening:
        before = os.getcwd()
        os.chdir(path.parent)  # the path of a socket must be short
        try:
            listening.bind(path.name)
        finally:
            os.chdir(before)
        yield path


READS: dict[str, Callable[[Store, str], object]] = {
    "read": lambda store, path: store.read(path),
    "open_read": lambda store, path: store.open_read(path),
    "read_bytes": lambda store, path: store.read_bytes(path),
    "part": lambda store, path: store.read_bytes(path, start=1, length=1),
    "get_file_info": lambda store, path: store.get_file_info(path),
    "copy": lambda store, path: store.copy(path, "copied"),
    "move": lambda store, path: store.move(path, "moved"),
}


@pytest.mark.spec("LOC-009", "LOC-007")
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("through", ["name", "link", "in the root"])
def test_it_is_not_read(store: Store, root: Path, special: Path, read: str, through: str) -> None:
    key = f"sub/{special.name}"
    if through == "link":
        os.symlink(special.name, root / "sub/link")
        key = "sub/link"
    elif through == "in the root":
        special.rename(root / "it")
        key = "it"
    with pytest.raises(InvalidPath, match="socket, a pipe or a device") as caught:
        READS[read](store, key)
    assert caught.value.path == key
    assert caught.value.backend == "local"
    assert os.path.lexists(root / key)
    assert not (root / "copied").exists()
    assert not (root / "moved").exists()


@pytest.mark.spec("LOC-009", "LOC-010", "LOC-007")
def test_it_is_no_file_and_not_listed(store: Store, root: Path, special: Path) -> None:
    os.symlink(special.name, root / "sub/link")
    store.write("sub/f", b"content")
    for name in (special.name, "link"):
        assert not store.is_file(f"sub/{name}")
        assert not store.is_folder(f"sub/{name}")
        assert not store.exists(f"sub/{name}")
    assert [str(file.path) for file in store.list_files("sub")] == ["sub/f"]
    assert [str(file.path) for file in store.list_files(recursive=True)] == ["sub/f"]
    assert [entry.name for entry in store.iter_children("sub")] == ["f"]
    assert list(store.list_folders("sub")) == []
    assert [(names, [file.name for file in files]) for _, names, files in store.walk("sub")] == [([], ["f"])]
    assert [str(file.path) for file in store.glob("**/*")] == ["sub/f"]
    assert store.get_folder_info().file_count == 1


@pytest.mark.spec("LOC-009", "LOC-014")
def test_a_write_takes_its_name_and_does_not_write_into_it(store: Store, special: Path) -> None:
    key = f"sub/{special.name}"
    with pytest.raises(AlreadyExists):
        store.write(key, b"content")
    assert not stat.S_ISREG(special.lstat().st_mode)
    store.write(key, b"content", overwrite=True)
    assert stat.S_ISREG(special.lstat().st_mode)
    assert special.read_bytes() == b"content"


@pytest.mark.spec("LOC-009", "STORE-034")
def test_it_can_be_deleted(store: Store, root: Path, special: Path) -> None:
    with pytest.raises(InvalidPath):
        store.delete_folder(f"sub/{special.name}", recursive=True)
    store.delete(f"sub/{special.name}")
    assert os.listdir(root / "sub") == []


@pytest.mark.spec("LOC-009")
def test_it_goes_with_its_folder(store: Store, root: Path, special: Path) -> None:
    store.delete_folder("sub", recursive=True)
    assert os.listdir(root) == []


@pytest.mark.spec("LOC-009", "ERR-004")
@pytest.mark.parametrize("call", ["list_files", "iter_children", "walk"])
def test_it_is_no_folder(store: Store, special: Path, call: str) -> None:
    with pytest.raises(InvalidPath):
        list(getattr(store, call)(f"sub/{special.name}"))
