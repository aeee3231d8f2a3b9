"""Symbolic links inside the root: what each operation makes of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.support import tree

from remote_store import AlreadyExists, InvalidPath, NotFound, RemoteFolder, Store

KINDS = ("relative", "absolute", "chained")
kinds = pytest.mark.parametrize("kind", KINDS)


def link(root: Path, name: str, target: str, kind: str) -> None:
    """Make ``root/name`` a link that leads to ``root/target``."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "absolute":
        os.symlink(root / target, path)
        return
    relative = os.path.relpath(root / target, path.parent)
    if kind == "chained":
        os.symlink(relative, path.with_name("between"))
        relative = "between"
    os.symlink(relative, path)


def listed(store: Store, path: str = "") -> set[str]:
    return {str(file.path) for file in store.list_files(path, recursive=True)}


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


# -- folders --------------------------------------------------------------------------------------


@pytest.mark.spec("LOC-005", "LOC-007", "LOC-011")
@kinds
def test_a_link_to_a_folder_is_that_folder(store: Store, root: Path, kind: str) -> None:
    store.write("a/sub/f", b"content")
    link(root, "b/link", "a/sub", kind)
    assert store.is_folder("b/link")
    assert not store.is_file("b/link")
    assert store.read_bytes("b/link/f") == b"content"
    assert [file.name for file in store.list_files("b/link")] == ["f"]
    assert [str(path) for path, _, _ in store.walk("b/link")] == ["b/link"]
    assert store.get_folder_info("b/link").file_count == 1
    store.write("b/link/new/g", b"written")
    assert (root / "a/sub/new/g").read_bytes() == b"written"
    store.move("b/link/f", "b/link/h")
    store.copy("b/link/h", "b/link/i")
    assert {str(file.path) for file in store.list_files("b/link")} == {"b/link/h", "b/link/i"}
    store.delete("b/link/h")
    assert sorted(os.listdir(root / "a/sub")) == ["i", "new"]
    store.delete_folder("b/link/new", recursive=True)
    assert os.listdir(root / "a/sub") == ["i"]
    for read in (store.read_bytes, store.get_file_info):
        with pytest.raises(InvalidPath, match="folder"):
            read("b/link")


@pytest.mark.spec("LOC-005", "LOC-007")
@pytest.mark.parametrize("target", [".", "./a/..", "{root}", "{root}/a/.."])
def test_a_link_to_the_root(store: Store, root: Path, target: str) -> None:
    store.write("a/f", b"content")
    os.symlink(target.format(root=root), root / "a" / "top" if target.startswith("{") else root / "top")
    top = "a/top" if target.startswith("{") else "top"
    assert store.read_bytes(f"{top}/a/f") == b"content"
    assert store.read_bytes(f"{top}/{top}/a/f") == b"content"
    assert store.is_folder(top)
    store.write(f"{top}/g", b"written")
    assert (root / "g").read_bytes() == b"written"
    assert listed(store) == {"a/f", "g"}


@pytest.mark.spec("LOC-011", "LOC-007")
@pytest.mark.parametrize("target", ["../..", "..", ".", "../../other"])
def test_listings_do_not_go_into_links(store: Store, root: Path, target: str) -> None:
    store.write("a/b/f", b"1")
    store.write("other/g", b"2")
    os.symlink(target, root / "a/b/link")
    assert listed(store) == {"a/b/f", "other/g"}
    assert {str(file.path) for file in store.glob("**/*")} == {"a/b/f", "other/g"}
    assert list(store.glob("a/b/*/*")) == []
    steps = {str(path): (sorted(names), [file.name for file in files]) for path, names, files in store.walk()}
    assert steps == {
        "": (["a", "other"], []),
        "a": (["b"], []),
        "a/b": (["link"], ["f"]),
        "other": ([], ["g"]),
    }
    assert list(store.list_folders("a/b")) == ["link"]
    links = [entry for entry in store.iter_children("a/b") if isinstance(entry, RemoteFolder)]
    assert [(str(entry.path), entry.is_link) for entry in links] == [("a/b/link", True)]
    assert store.get_folder_info().file_count == 2


# -- nowhere --------------------------------------------------------------------------------------

NOWHERE: dict[str, Callable[[Path], str]] = {
    "dangling": lambda root: "nothing/here",
    "dangling absolute": lambda root: f"{root}/nothing",
    "below a file": lambda root: "f/x",
    "itself": lambda root: "link",
    "itself, absolute": lambda root: f"{root}/link",
    "each other": lambda root: "back",
    "a name too long": lambda root: "x" * 300,
}


@pytest.mark.spec("LOC-005", "LOC-007", "LOC-010")
@pytest.mark.parametrize("kind", NOWHERE)
def test_a_link_to_nowhere(store: Store, root: Path, kind: str) -> None:
    store.write("f", b"content")
    os.symlink("link", root / "back")
    os.symlink(NOWHERE[kind](root), root / "link")
    assert listed(store) == {"f"}
    assert [entry.path.name for entry in store.iter_children()] == ["f"]
    assert [names for _, names, _ in store.walk()] == [[]]
    error = NotFound if kind.startswith(("dangling", "below")) else InvalidPath
    for read in (store.read_bytes, store.get_file_info, store.read):
        with pytest.raises(error) as caught:
            read("link")
        assert caught.value.path == "link"
    if error is NotFound:
        assert not store.exists("link")
    with pytest.raises((NotFound, InvalidPath)):
        store.write("link/g", b"x")
    store.delete("link")
    assert (root / "f").read_bytes() == b"content"


@pytest.mark.spec("LOC-007")
@pytest.mark.parametrize("links", [39, 40, 41])
def test_both_ways_follow_as_many_links(store: Store, root: Path, links: int) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "0").write_bytes(b"content")
    for number in range(links):
        os.symlink(str(number), root / "sub" / str(number + 1))
    if links <= 40:
        assert store.read_bytes(f"sub/{links}") == b"content"
    else:
        with pytest.raises(InvalidPath, match="symbolic link"):
            store.read_bytes(f"sub/{links}")
