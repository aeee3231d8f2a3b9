"""The root: how it is given, what happens when it goes, and what it is called."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.backends.support import local, tree

from remote_store import InvalidPath, NotFound, PermissionDenied, Store
from remote_store.backends import LocalBackend
from remote_store.backends.local import _root

# -- given ----------------------------------------------------------------------------------------


@pytest.mark.spec("LOC-001")
def test_it_is_made_with_its_parents(tmp_path: Path) -> None:
    class Named:
        def __fspath__(self) -> str:
            return str(tmp_path / "x" / "y")

    for given in (str(tmp_path / "a/b/c"), tmp_path / "d" / "e", Named()):
        store = Store(LocalBackend(given))
        store.ping()
        assert Path(given).is_dir()
        store.write("f", b"content")
        assert (Path(given) / "f").read_bytes() == b"content"
        assert Store(LocalBackend(given)).read_bytes("f") == b"content", "an existing root is fine"


@pytest.mark.spec("LOC-001", "LOC-003")
def test_it_is_not_made_if_not_wanted(tmp_path: Path) -> None:
    store = Store(LocalBackend(tmp_path / "a/b", create=False))
    assert os.listdir(tmp_path) == []
    with pytest.raises(NotFound, match="is not there; create it") as caught:
        store.ping()
    assert (caught.value.path, caught.value.backend) == ("", "local")
    assert list(store.list_files()) == list(store.list_files(recursive=True)) == []
    for listing in (store.iter_children(), store.list_folders(), store.walk(), store.glob("**/*")):
        assert list(listing) == []
    assert not store.exists("f")
    assert not store.is_folder("")
    assert not store.is_file("a/f")
    assert store.get_folder_info().file_count == 0
    store.delete("f", missing_ok=True)
    store.delete_folder("d", missing_ok=True)
    for call in (store.read_bytes, store.get_file_info, store.delete, store.delete_folder):
        with pytest.raises(NotFound):
            call("d")
    for operation in (store.move, store.copy):
        with pytest.raises(NotFound):
            operation("f", "g")
    assert os.listdir(tmp_path) == []
    store.write("d/f", b"content")
    store.ping()
    assert (tmp_path / "a/b/d/f").read_bytes() == b"content"


@pytest.mark.spec("LOC-002")
@pytest.mark.parametrize("create", [False, True])
def test_it_is_a_file(tmp_path: Path, create: bool) -> None:
    (tmp_path / "f").write_bytes(b"content")
    os.symlink("f", tmp_path / "link")
    for name in ("f", "link", "f/below") if create else ("f", "link"):
        with pytest.raises(InvalidPath, match="file") as caught:
            LocalBackend(tmp_path / name, create=create)
        assert (caught.value.path, caught.value.backend) == (str(tmp_path / name), "local")
    assert (tmp_path / "f").read_bytes() == b"content"


@pytest.mark.spec("LOC-002")
@pytest.mark.parametrize("given", ["", "a\0b", "\ud800", "x" * 300])
def test_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidPath) as caught:
        LocalBackend(given)
    assert (caught.value.path, caught.value.backend) == (given, "local")
    assert os.listdir(tmp_path) == []


@pytest.mark.spec("LOC-002")
def test_it_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "mkdir", refused)
    with pytest.raises(PermissionDenied):
        LocalBackend(tmp_path / "a")


@pytest.mark.spec("LOC-002")
def test_a_relative_one_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    backend = local(Path("a"), way)
    store = Store(backend)
    store.write("f", b"content")
    monkeypatch.chdir(tmp_path / "other")
    backend._root.close()
    assert store.read_bytes("f") == b"content"
    store.write("b/g", b"more")
    assert tree(tmp_path) == {"a": None, "a/f": b"content", "a/b": None, "a/b/g": b"more", "other": None}
    assert backend.unwrap(Path) == tmp_path / "a"


@pytest.mark.spec("LOC-002", "LOC-005")
def test_it_may_be_reached_by_a_link(tmp_path: Path, way: str) -> None:
    (tmp_path / "real").mkdir()
    os.symlink("real", tmp_path / "link")
    store = Store(local(tmp_path / "link", way))
    store.write("sub/f", b"content")
    os.symlink(tmp_path / "link/sub", tmp_path / "real/inner")
    assert store.read_bytes("inner/f") == b"content"
    (tmp_path / "link").unlink()
    assert store.read_bytes("sub/f") == b"content"


# -- gone -----------------------------------------------------------------------------------------


@pytest.fixture
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the backend look at once whether the root is still the same folder, not after a second."""
    monkeypatch.setattr(_root, "_RECHECK_SECONDS", 0.0)


@pytest.mark.spec("LOC-003")
def test_a_deleted_root_is_made_again(store: Store, root: Path) -> None:
    for how in ("write", "stream", "copy"):
        store.write("a/f", b"content", overwrite=True)
        shutil.rmtree(root)
        if how == "write":
            store.write("b/c/g", b"new")
        elif how == "stream":
            with store.open_write("b/c/g") as writer:
                writer.write(b"new")
        else:
            root.mkdir()
            (root / "f").write_bytes(b"new")
            store.write("first", b"")
            store.copy("f", "b/c/g")
        assert store.read_bytes("b/c/g") == b"new"
        assert not store.exists("a/f")


@pytest.mark.spec("LOC-003")
@pytest.mark.usefixtures("attentive")
def test_a_deleted_root_reads_as_empty(store: Store, root: Path) -> None:
    store.write("a/f", b"content")
    shutil.rmtree(root)
    with pytest.raises(NotFound):
        store.ping()
    assert list(store.list_files(recursive=True)) == []
    assert not store.exists("a")
    with pytest.raises(NotFound):
        store.read_bytes("a/f")
    root.mkdir()
    (root / "g").write_bytes(b"new")
    store.ping()
    assert store.read_bytes("g") == b"new"
    assert [file.name for file in store.list_files()] == ["g"]


@pytest.mark.spec("LOC-003", "LOC-006")
@pytest.mark.usefixtures("attentive")
def test_another_folder_in_its_place(store: Store, root: Path, tmp_path: Path) -> None:
    store.write("f", b"old")
    root.rename(tmp_path / "moved")
    root.mkdir()
    assert not store.exists("f")
    store.write("f", b"new")
    assert (root / "f").read_bytes() == b"new"
    assert (tmp_path / "moved/f").read_bytes() == b"old"
    store.delete("f")
    assert (tmp_path / "moved/f").read_bytes() == b"old"


@pytest.mark.spec("LOC-003", "LOC-002")
@pytest.mark.usefixtures("attentive")
def test_a_file_in_its_place(store: Store, root: Path) -> None:
    store.write("f", b"old")
    shutil.rmtree(root)
    root.write_bytes(b"a file now")
    with pytest.raises(NotFound):
        store.ping()
    assert not store.exists("f")
    with pytest.raises((InvalidPath, NotFound)):
        store.write("f", b"new")
    assert root.read_bytes() == b"a file now"


@pytest.mark.spec("LOC-003")
def test_a_root_swapped_during_a_write(plain: Store, root: Path, tmp_path: Path) -> None:
    with plain.open_write("f") as writer:
        writer.write(b"content")
        root.rename(tmp_path / "moved")
        root.mkdir()
    assert tree(tmp_path) == {"root": None, "moved": None, "moved/f": b"content"}
