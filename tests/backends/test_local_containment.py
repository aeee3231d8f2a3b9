"""Nothing outside the root is read, listed, written or deleted, whoever swaps what during a call."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.backends.support import DEAD, Repeated, deadline, local, tree

from remote_store import InvalidPath, NotFound, RemoteStoreError, Store
from remote_store._runtime import drive
from remote_store.backends import LocalBackend

ROUNDS = 40
"""Calls, and swaps, at least; it goes on until a call was let through and another was refused."""

Operation = Callable[[Store, str], object]


@pytest.fixture(autouse=True)
def hasty_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


def read_stream(store: Store, path: str) -> bytes:
    with store.read(path) as stream:
        return stream.read()


def write_stream(store: Store, path: str) -> None:
    with store.open_write(path, overwrite=True) as stream:
        stream.write(b"NEW")
        stream.write(b"!")


def info(store: Store, path: str) -> int:
    size = store.get_file_info(path).size
    assert size != len(b"SECRET"), "told about a file outside"
    return size


def copy_in(store: Store, path: str) -> bytes:
    store.copy(path, "copied", overwrite=True)
    return store.read_bytes("copied")


def copy_out(store: Store, path: str) -> None:
    store.write("mine", b"NEW!", overwrite=True)
    store.copy("mine", path, overwrite=True)


def move_out(store: Store, path: str) -> None:
    store.write("mine", b"NEW!", overwrite=True)
    store.move("mine", path, overwrite=True)


def move_in(store: Store, path: str) -> bytes:
    store.move(path, "moved", overwrite=True)
    return store.read_bytes("moved")


def glob(store: Store, path: str) -> object:
    return list(store.glob(f"{path}/**")) or store.is_file(
        f"{path}/f"
    )  # where all others refuse, it finds nothing


ON_FILES: dict[str, Operation] = {
    "read_bytes": lambda store, path: store.read_bytes(path),
    "read": read_stream,
    "get_file_info": info,
    "is_file": lambda store, path: store.is_file(path),
    "write": lambda store, path: store.write(path, b"NEW!", overwrite=True),
    "write_atomic": lambda store, path: store.write_atomic(path, b"NEW!", overwrite=True),
    "open_write": write_stream,
    "copy from": copy_in,
    "copy to": copy_out,
    "move to": move_out,
}
BELOW_A_FOLDER: dict[str, Operation] = ON_FILES | {
    "move from": move_in,
    "delete": lambda store, path: store.delete(path, missing_ok=True),
    "write anew": lambda store, path: store.write(f"{path}.{os.urandom(1).hex()}", b"NEW!"),
    "make folders": lambda store, path: store.write(f"{path}.d/{os.urandom(1).hex()}/f", b"NEW!"),
}
FOLDERS: dict[str, Operation] = {
    "list_files": lambda store, path: list(store.list_files(path)),
    "list below": lambda store, path: list(store.list_files(f"{path}/sub")),
    "list_folders": lambda store, path: list(store.list_folders(path)),
    "iter_children": lambda store, path: list(store.iter_children(path)),
    "recursive": lambda store, path: list(store.list_files(path, recursive=True)),
    "glob": glob,
    "walk": lambda store, path: list(store.walk(path)),
    "get_folder_info": lambda store, path: store.get_folder_info(path),
    "is_folder": lambda store, path: store.is_folder(path),
    "delete_folder": lambda store, path: store.delete_folder(path, recursive=True, missing_ok=True),
    "delete below": lambda store, path: store.delete_folder(f"{path}/sub", recursive=True, missing_ok=True),
}


class Door:
    """A folder of the root that is a real one now, and a link to the outside then."""

    def __init__(self, root: Path, outside: Path) -> None:
        self.path, self._spare, self._outside = root / "door", root / "spare", outside

    def swap(self) -> None:
        try:
            if self.path.is_symlink():
                self.path.unlink()
            (self.path / "sub").mkdir(parents=True, exist_ok=True)
            for file in (self.path / "f", self.path / "sub" / "f"):
                file.write_bytes(b"in")
            os.rename(self.path, self._spare)
            os.symlink(self._outside, self.path)
            os.unlink(self.path)
            os.rename(self._spare, self.path)
        except OSError:  # an operation made or deleted the folder meanwhile
            shutil.rmtree(self._spare, ignore_errors=True)


class Leaf:
    """A file of the root that is a real one now, and a link to a file outside then."""

    def __init__(self, root: Path, outside: Path) -> None:
        self.path, self._spare, self._target = root / "leaf", root / ".spare", outside / "f"

    def swap(self) -> None:
        os.symlink(self._target, self._spare)
        os.replace(self._spare, self.path)
        self._spare.write_bytes(b"in")
        os.replace(self._spare, self.path)


def besiege(store: Store, outside: Path, swapper: Repeated, operation: Operation, path: str) -> None:
    before = tree(outside)
    check, calls, results, refused = deadline(), 0, 0, 0
    with swapper:
        while min(calls, swapper.rounds) < ROUNDS or not (results and refused):
            check()
            calls += 1
            try:
                result = operation(store, path)
            except InvalidPath:
                refused += 1
            except RemoteStoreError:
                pass  # the file is not there just now
            else:
                results += 1
                assert b"SECRET" not in (result if isinstance(result, bytes) else b"")
                assert "secret" not in repr(result), "listed what is outside"
            if not calls % 50:
                assert tree(outside) == before
    assert tree(outside) == before


@pytest.mark.spec("LOC-005", "LOC-006", "LOC-007")
@pytest.mark.parametrize("name", BELOW_A_FOLDER)
def test_a_swapped_parent(store: Store, root: Path, outside: Path, name: str) -> None:
    door = Door(root, outside)
    if name in ("is_file", "delete", "read_bytes"):  # and a folder further up
        besiege(store, outside, Repeated(door.swap), BELOW_A_FOLDER[name], "door/sub/f")
    besiege(store, outside, Repeated(door.swap), BELOW_A_FOLDER[name], "door/f")


@pytest.mark.spec("LOC-005", "LOC-006", "LOC-007")
@pytest.mark.parametrize("name", [name for name in ON_FILES if name != "move to"])
def test_a_swapped_file(store: Store, root: Path, outside: Path, name: str) -> None:
    besiege(store, outside, Repeated(Leaf(root, outside).swap), ON_FILES[name], "leaf")


@pytest.mark.spec("LOC-006", "LOC-007", "LOC-008", "LOC-010")
@pytest.mark.parametrize("name", FOLDERS)
def test_a_swapped_folder(store: Store, root: Path, outside: Path, name: str) -> None:
    operation = FOLDERS[name]
    besiege(store, outside, Repeated(Door(root, outside).swap), operation, "door")


@pytest.mark.spec("LOC-006", "LOC-010", "LOC-011", "LOC-016")
def test_a_folder_swapped_below_the_top(backend: LocalBackend, root: Path, outside: Path) -> None:
    (outside / DEAD).write_bytes(b"dead")
    before = tree(outside)
    store, door = Store(backend), Door(root, outside)
    calls: tuple[Callable[[], object], ...] = (
        lambda: list(store.list_files(recursive=True)),
        lambda: list(store.walk()),
        lambda: list(store.glob("**/*")),
        lambda: drive(backend.sweep_temporaries()),
    )
    with Repeated(door.swap) as swapper:
        check, rounds = deadline(), 0
        while min(rounds, swapper.rounds) < ROUNDS:
            check()
            rounds += 1
            for call in calls:
                try:
                    assert "secret" not in repr(call())
                except RemoteStoreError:
                    pass  # a folder became a link while its parent was read
    assert tree(outside) == before


# -- standing still -------------------------------------------------------------------------------

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
