"""Symbolic links to files: what each operation makes of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.backends.support import kinds, link, tree

from remote_store import AlreadyExists, InvalidPath, Store

# -- files ----------------------------------------------------------------------------------------


@pytest.mark.spec("LOC-005", "LOC-007", "LOC-010")
@kinds
def test_a_link_to_a_file_is_that_file(store: Store, root: Path, kind: str) -> None:
    store.write("a/f", b"content")
    link(root, "b/link", "a/f", kind)
    assert store.read_bytes("b/link") == b"content"
    assert store.read_bytes("b/link", start=3, length=2) == b"te"
    with store.open_read("b/link") as stream:
        assert stream.read() == b"content"
    assert store.is_file("b/link")
    assert store.exists("b/link")
    assert not store.is_folder("b/link")
    info = store.get_file_info("b/link")
    assert (str(info.path), info.name, info.size) == ("b/link", "link", 7)
    assert {(str(file.path), file.size) for file in store.list_files("b")} >= {("b/link", 7)}
    assert store.copy("b/link", "copy").size == 7
    assert (root / "copy").read_bytes() == b"content"
    assert not (root / "copy").is_symlink()


@pytest.mark.spec("LOC-005", "LOC-007")
@kinds
@pytest.mark.parametrize("how", ["write", "write_atomic", "open_write", "copy"])
def test_a_write_goes_through_a_link(store: Store, root: Path, kind: str, how: str) -> None:
    store.write("a/f", b"old")
    store.write("new", b"new content")
    link(root, "b/link", "a/f", kind)
    before = os.readlink(root / "b/link")
    with pytest.raises(AlreadyExists):
        store.write("b/link", b"no")
    if how == "copy":
        store.copy("new", "b/link", overwrite=True)
    elif how == "open_write":
        with store.open_write("b/link", overwrite=True) as stream:
            stream.write(b"new content")
    else:
        getattr(store, how)("b/link", b"new content", overwrite=True)
    assert os.readlink(root / "b/link") == before
    assert not (root / "a/f").is_symlink()
    assert (root / "a/f").read_bytes() == store.read_bytes("b/link") == b"new content"


@pytest.mark.spec("LOC-005", "LOC-007")
@kinds
def test_a_write_through_a_dangling_link_makes_its_target(store: Store, root: Path, kind: str) -> None:
    (root / "a").mkdir()
    link(root, "b/link", "a/f", kind)
    store.write("b/link", b"content")
    assert (root / "a/f").read_bytes() == b"content"
    assert (root / "b/link").is_symlink()
    with pytest.raises(AlreadyExists):
        store.write("b/link", b"no")


@pytest.mark.spec("LOC-008", "LOC-007")
@kinds
def test_delete_takes_the_link(store: Store, root: Path, kind: str) -> None:
    store.write("a/f", b"content")
    link(root, "b/link", "a/f", kind)
    store.delete("b/link")
    assert not os.path.lexists(root / "b/link")
    assert store.read_bytes("a/f") == b"content"


@pytest.mark.spec("LOC-008", "LOC-007")
@pytest.mark.parametrize("target", ["a", "../outside", "../outside/f", "nowhere", "link", "/"])
def test_delete_takes_any_link(store: Store, root: Path, outside: Path, target: str) -> None:
    (root / "a").mkdir()
    before = tree(outside)
    os.symlink(target, root / "link")
    store.delete("link")
    assert not os.path.lexists(root / "link")
    assert (root / "a").is_dir()
    assert tree(outside) == before


@pytest.mark.spec("LOC-008", "LOC-007")
@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("target", ["a", "empty", "../outside", "nowhere", "."])
def test_delete_folder_refuses_a_link(
    store: Store, root: Path, outside: Path, target: str, recursive: bool
) -> None:
    store.write("a/f", b"content")
    (root / "empty").mkdir()
    os.symlink(target, root / "link")
    before = tree(root), tree(outside)
    with pytest.raises(InvalidPath, match="symbolic link") as caught:
        store.delete_folder("link", recursive=recursive, missing_ok=True)
    assert caught.value.path == "link"
    assert (tree(root), tree(outside)) == before


@pytest.mark.spec("LOC-008", "LOC-011")
def test_delete_folder_takes_links_in_it_and_not_their_targets(
    store: Store, root: Path, outside: Path
) -> None:
    store.write("kept/f", b"content")
    store.write("gone/sub/f", b"content")
    before = tree(outside)
    for name, target in (("in", "../kept"), ("out", str(outside)), ("file", "../kept/f"), ("none", "x")):
        os.symlink(target, root / "gone" / name)
    store.delete_folder("gone", recursive=True)
    assert not (root / "gone").exists()
    assert store.read_bytes("kept/f") == b"content"
    assert tree(outside) == before


# -- moves ----------------------------------------------------------------------------------------


@pytest.mark.spec("LOC-005", "LOC-023")
def test_a_moved_link_leads_where_it_did(store: Store, root: Path) -> None:
    store.write("a/f", b"content")
    os.symlink("a/f", root / "link")
    assert store.move("link", "other").size == 7
    assert store.read_bytes("other") == store.read_bytes("a/f") == b"content"
    assert not os.path.lexists(root / "link")


@pytest.mark.spec("LOC-005", "LOC-023")
@kinds
def test_a_move_of_a_link_onto_its_own_target_loses_nothing(store: Store, root: Path, kind: str) -> None:
    store.write("a/f", b"content")
    link(root, "b/link", "a/f", kind)
    with pytest.raises(AlreadyExists):
        store.move("b/link", "a/f")
    store.move("b/link", "a/f", overwrite=True)
    assert store.read_bytes("a/f") == b"content"
    assert not os.path.lexists(root / "b/link")


@pytest.mark.spec("LOC-005", "LOC-023")
@kinds
def test_a_move_of_a_file_onto_a_link_to_it_loses_nothing(store: Store, root: Path, kind: str) -> None:
    store.write("a/f", b"content")
    link(root, "b/link", "a/f", kind)
    store.move("a/f", "b/link", overwrite=True)
    assert store.read_bytes("b/link") == b"content"


@pytest.mark.spec("LOC-005", "LOC-031")
@pytest.mark.parametrize("linked", [False, True], ids=["one name", "two names"])
def test_a_move_through_a_link_to_the_same_folder_loses_nothing(
    store: Store, root: Path, linked: bool
) -> None:
    store.write("x/f", b"content")
    os.symlink("x", root / "y")
    if linked:
        os.link(root / "x" / "f", root / "another")
    store.move("x/f", "y/f", overwrite=True)
    assert store.read_bytes("x/f") == b"content"
    with pytest.raises(AlreadyExists):
        store.move("x/f", "y/f")
    assert store.read_bytes("x/f") == b"content"


@pytest.mark.spec("LOC-005", "STORE-047")
@kinds
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("how", ["move", "copy", "write"])
def test_a_link_to_a_folder_is_no_target(
    store: Store, root: Path, kind: str, how: str, overwrite: bool
) -> None:
    store.write("a/f", b"content")
    store.write("g", b"other")
    link(root, "b/link", "a", kind)
    before = tree(root)
    with pytest.raises(InvalidPath if overwrite else (InvalidPath, AlreadyExists)):
        if how == "write":
            store.write("b/link", b"x", overwrite=overwrite)
        else:
            getattr(store, how)("g", "b/link", overwrite=overwrite)
    assert tree(root) == before
