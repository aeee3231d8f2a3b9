"""Nothing outside the root is read, listed, written or deleted, whoever swaps what during a call."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.backends.operations import BELOW_A_FOLDER, FOLDERS, ON_FILES, Operation
from tests.backends.support import DEAD, Repeated, deadline, tree

from remote_store import InvalidPath, RemoteStoreError, Store
from remote_store._runtime import drive
from remote_store.backends import LocalBackend

ROUNDS = 40
"""Calls, and swaps, at least; it goes on until a call was let through and another was refused."""


@pytest.fixture(autouse=True)
def hasty_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


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
