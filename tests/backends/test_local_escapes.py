"""Links that lead to the outside, and stay where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.backends.operations import BELOW_A_FOLDER, FOLDERS
from tests.backends.support import local, tree

from remote_store import InvalidPath, NotFound, Store

ESCAPES = ("absolute", "relative", "upwards", "by a second link", "by the root's parent")


def escape(kind: str, root: Path, outside: Path) -> None:
    """Make ``root/door`` lead to the folder outside."""
    if kind == "by a second link":
        os.symlink(outside, root / "second")
    (root / "sub").mkdir()
    targets = {
        "absolute": str(outside),
        "relative": "../outside",
        "upwards": f"sub/{'../' * 40}{str(outside).lstrip('/')}",
        "by a second link": "second",
        "by the root's parent": f"{root}/../outside",
    }
    os.symlink(targets[kind], root / "door")


EVERY = BELOW_A_FOLDER | {"exists": lambda store, path: store.exists(path)}


@pytest.mark.spec("LOC-005", "LOC-007")
@pytest.mark.parametrize("kind", ESCAPES)
def test_a_link_to_the_outside(store: Store, root: Path, outside: Path, kind: str) -> None:
    escape(kind, root, outside)
    before = tree(outside)
    for name, operation in EVERY.items():
        with pytest.raises(InvalidPath, match="outside of the store's root") as caught:
            operation(store, "door/f")
        assert str(caught.value.path).startswith("door/f"), name
        assert caught.value.backend == "local"
    for name, operation in FOLDERS.items():
        if name == "delete_folder":
            continue
        with pytest.raises(InvalidPath, match="outside of the store's root"):
            operation(store, "door")
    assert list(store.glob("door/*")) == []
    assert tree(outside) == before


@pytest.mark.spec("LOC-005", "LOC-007")
def test_a_sibling_whose_name_begins_alike_is_outside(tmp_path: Path, store: Store, root: Path) -> None:
    sibling = tmp_path / "root2"
    sibling.mkdir()
    (sibling / "f").write_bytes(b"SECRET")
    os.symlink(sibling, root / "absolute")
    os.symlink("../root2", root / "relative")
    for name in ("absolute", "relative"):
        with pytest.raises(InvalidPath):
            store.read_bytes(f"{name}/f")


@pytest.mark.spec("LOC-005", "LOC-007")
def test_out_and_in_again(tmp_path: Path, way: str, root: Path) -> None:
    (root / "f").write_bytes(b"in")
    os.symlink(f"{root}/../root/f", root / "absolute")
    os.symlink("../root/f", root / "relative")
    store = Store(local(root, way))
    assert store.read_bytes("absolute") == b"in", "it leads to something below the root"
    with pytest.raises(InvalidPath):
        store.read_bytes("relative")
    with pytest.raises(NotFound):
        store.read_bytes("g")
