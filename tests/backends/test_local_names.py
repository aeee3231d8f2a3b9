"""Names as the file system has them: odd bytes, backslashes, and those that it cannot hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.support import tree

from remote_store import InvalidPath, RemoteStoreError, Store

ODD = [
    rb"back\slash",
    rb"\\",
    b"bytes-\xff\xfe",
    b"cut-\xe2\x82",
    "ünïcödé-\N{SNOWMAN}".encode(),
    "combining-e\N{COMBINING ACUTE ACCENT}".encode(),
    b"  blanks  ",
    b"new\nline\r",
    b"*?[a]{b}",
    b"...",
    b"~",
    b"-rf",
    b".hidden",
    b"%2e%2e%2f",
    b"x" * 255,
]


@pytest.mark.spec("LOC-013", "LOC-007")
@pytest.mark.parametrize("name", ODD, ids=repr)
def test_a_listed_name_can_be_used(store: Store, root: Path, name: bytes) -> None:
    os.mkdir(os.path.join(os.fsencode(root), name))
    Path(os.fsdecode(os.path.join(os.fsencode(root), name, name))).write_bytes(b"content")
    (folder,) = store.iter_children()
    assert os.fsencode(folder.name) == name
    assert store.is_folder(folder.path)
    (file,) = store.list_files(folder.path)
    assert [found.path for found in store.list_files(recursive=True)] == [file.path]
    assert [found.path for found in store.glob("*/*")] == [file.path]
    assert [path for path, _, _ in store.walk(folder.path)] == [folder.path]
    assert os.fsencode(file.name) == name
    assert os.fsencode(str(file.path)) == name + b"/" + name
    assert store.read_bytes(file.path) == b"content"
    with store.read(file.path) as stream:
        assert stream.read() == b"content"
    assert store.get_file_info(file.path) == file
    store.write(file.path, b"new", overwrite=True)
    copied = store.copy(file.path, "copied")
    assert store.read_bytes(copied.path) == b"new"
    moved = store.move("copied", folder.path / "moved")
    assert store.read_bytes(moved.path) == b"new"
    assert store.child(folder.path).read_bytes("moved") == b"new"
    store.delete(file.path)
    store.delete_folder(folder.path, recursive=True)
    assert os.listdir(root) == []


@pytest.mark.spec("LOC-013", "PATH-004")
def test_a_backslash_in_text_is_refused_as_ever(store: Store, root: Path) -> None:
    (root / "a\\b").write_bytes(b"content")
    with pytest.raises(InvalidPath, match="backslash"):
        store.read_bytes("a\\b")
    (file,) = store.list_files()
    assert store.read_bytes(file.path) == b"content"


@pytest.mark.spec("LOC-013")
def test_names_of_odd_bytes_as_text(store: Store, root: Path) -> None:
    store.write("caf\udce9", b"content")
    assert os.listdir(os.fsencode(root)) == [b"caf\xe9"]
    assert store.read_bytes("caf\udce9") == b"content"


# -- names that cannot be -------------------------------------------------------------------------

Call = Callable[[Store, str], object]
CALLS: dict[str, Call] = {
    "read": lambda store, path: store.read(path),
    "read_bytes": lambda store, path: store.read_bytes(path),
    "get_file_info": lambda store, path: store.get_file_info(path),
    "write": lambda store, path: store.write(path, b"x"),
    "write anew": lambda store, path: store.write(path, b"x", overwrite=True),
    "write a stream": lambda store, path: store.write(path, iter([b"x"])),
    "delete": lambda store, path: store.delete(path, missing_ok=False),
    "delete_folder": lambda store, path: store.delete_folder(path, recursive=True),
    "move from": lambda store, path: store.move(path, "to"),
    "move to": lambda store, path: store.move("f", path),
    "copy from": lambda store, path: store.copy(path, "to"),
    "copy to": lambda store, path: store.copy("f", path),
    "list_files": lambda store, path: list(store.list_files(path)),
    "walk": lambda store, path: list(store.walk(path)),
    "exists": lambda store, path: store.exists(path),
    "is_file": lambda store, path: store.is_file(path),
    "is_folder": lambda store, path: store.is_folder(path),
}
IMPOSSIBLE = {
    "a lone surrogate": ("\ud800", "characters"),
    "one in a folder": ("a/\udfffx/b", "characters"),
    "one below": ("sub/\ud83d", "characters"),
    "a long name": ("x" * 256, "too long"),
    "a long name in bytes": ("\N{SNOWMAN}" * 90, "too long"),
    "a long folder": (f"{'x' * 256}/b", "too long"),
    "a long name below": (f"sub/{'x' * 256}", "too long"),
}


@pytest.mark.spec("LOC-013", "LOC-027", "LOC-007", "ERR-003")
@pytest.mark.parametrize("name", IMPOSSIBLE)
@pytest.mark.parametrize("call", CALLS)
def test_an_impossible_name(store: Store, root: Path, call: str, name: str) -> None:
    path, text = IMPOSSIBLE[name]
    store.write("f", b"content")
    store.write("sub/g", b"content")
    before = tree(root)
    with pytest.raises(InvalidPath, match=text) as caught:
        CALLS[call](store, path)
    assert type(caught.value) is InvalidPath
    assert (caught.value.path, caught.value.backend) == (path, "local")
    assert caught.value.__cause__ is None or not isinstance(caught.value.__cause__, RemoteStoreError)
    assert tree(root) == before


@pytest.mark.spec("LOC-007", "LOC-013")
def test_a_path_longer_than_the_system_takes_at_once(store: Store, root: Path) -> None:
    parts = ["x" * 200] * 25
    path = "/".join([*parts, "f"])
    assert len(path) > 4096
    store.write(path, b"content")
    assert store.read_bytes(path) == b"content"
    assert [str(file.path) for file in store.list_files(recursive=True)] == [path]
    assert [str(file.path) for file in store.glob("**/f")] == [path]
    assert store.move(path, "f").size == 7
    assert store.copy("f", path).size == 7
    store.delete(path)
    store.delete_folder(parts[0], recursive=True)
    assert os.listdir(root) == ["f"]
