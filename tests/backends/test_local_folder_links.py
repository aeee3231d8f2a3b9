"""Symbolic links to folders, to the root, and to nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.support import kinds, link

from remote_store import InvalidPath, NotFound, RemoteFolder, Store


def listed(store: Store, path: str = "") -> set[str]:
    return {str(file.path) for file in store.list_files(path, recursive=True)}


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
