"""Folders: empty ones, deep ones, those that a failed write made, and those somebody else fills."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.backends.support import Repeated, deadline, fails, is_temporary, script, tree

from remote_store import AlreadyExists, DirectoryNotEmpty, InvalidPath, NotFound, RemoteStoreError, Store
from remote_store.backends import LocalBackend

pytestmark = pytest.mark.usefixtures("no_temporaries")


class SourceError(Exception):
    """What goes wrong in a content's source."""


# -- empty ----------------------------------------------------------------------------------------


@pytest.mark.spec("LOC-012")
def test_empty_folders_persist(store: Store, root: Path) -> None:
    store.write("a/b/f", b"content")
    store.delete("a/b/f")
    assert store.is_folder("a/b")
    assert list(store.list_folders("a")) == ["b"]
    assert [str(path) for path, _, _ in store.walk()] == ["", "a", "a/b"]
    assert store.get_folder_info("a").file_count == 0
    with pytest.raises(DirectoryNotEmpty):
        store.delete_folder("a")
    store.delete_folder("a/b")
    assert list(store.list_folders("a")) == []
    store.delete_folder("a")
    assert os.listdir(root) == []
    with pytest.raises(NotFound):
        store.delete_folder("a")


@pytest.mark.spec("LOC-012", "LOC-023")
def test_a_move_leaves_the_folder_it_empties(store: Store, root: Path) -> None:
    store.write("a/f", b"content")
    store.move("a/f", "b/f")
    assert tree(root) == {"a": None, "b": None, "b/f": b"content"}


# -- deep -----------------------------------------------------------------------------------------

DEEP = """
import os, resource, sys
from remote_store import Store
from remote_store.backends import LocalBackend

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # what most systems give
root, way, levels = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.chdir(root)
for _ in range(levels):
    os.mkdir("d")
    os.chdir("d")
    open("f", "w").close()
os.chdir("/")
backend = LocalBackend(root)
backend._root._openat2 = way == "kernel"
store = Store(backend)
deepest = "/".join(["d"] * levels)
print(sum(1 for _ in store.list_files(recursive=True)), sum(1 for _ in store.walk()))
print(store.is_file(f"{deepest}/f"), store.get_folder_info("d").file_count)
store.write(f"{deepest}/g", b"content")
print(store.move(f"{deepest}/g", "g").size)
store.delete_folder("d", recursive=True)
print(os.listdir(root))
"""


@pytest.mark.spec("LOC-012", "LOC-007", "STORE-035")
def test_a_deep_tree(root: Path, way: str) -> None:
    levels = 600 if way == "kernel" else 200  # a walk takes a step for each level, each time
    printed = script(DEEP, root, way, levels)
    assert printed.splitlines() == [f"{levels} {levels + 1}", f"True {levels}", "7", "['g']"]


# -- made by a failed write -----------------------------------------------------------------------


def failing() -> Iterator[bytes]:
    yield b"first"
    raise SourceError


def fail_in_block(store: Store, path: str) -> None:
    with store.open_write(path) as writer:
        writer.write(b"first")
        raise SourceError


def fail_at_the_end(store: Store, path: str) -> None:
    with store.open_write(path) as writer:
        writer.write(b"first")
        Path(store.unwrap(Path), path).write_bytes(b"theirs")


FAILURES: dict[str, tuple[type[Exception], Callable[[Store, str], object]]] = {
    "source": (SourceError, lambda store, path: store.write(path, failing())),
    "source, atomic": (SourceError, lambda store, path: store.write_atomic(path, failing(), overwrite=True)),
    "block": (SourceError, fail_in_block),
    "no content": (TypeError, lambda store, path: store.write(path, iter(["text"]))),  # type: ignore[arg-type]
    "copy of nothing": (NotFound, lambda store, path: store.copy("nothing", path)),
    "move of nothing": (NotFound, lambda store, path: store.move("nothing", path)),
    "copy of a folder": (InvalidPath, lambda store, path: store.copy("there", path)),
}


@pytest.mark.spec("LOC-019", "LOC-014")
@pytest.mark.parametrize("failure", FAILURES)
def test_it_takes_back_the_folders_it_made(store: Store, root: Path, failure: str) -> None:
    (root / "there").mkdir()
    error, call = FAILURES[failure]
    for path in ("there/a/b/f", "x/y/f", "there/f", "f"):
        with pytest.raises(error):
            call(store, path)
        assert tree(root) == {"there": None}


@pytest.mark.spec("LOC-019")
def test_but_none_that_somebody_else_filled(store: Store, root: Path) -> None:
    with pytest.raises(SourceError), store.open_write("a/b/c/f") as writer:
        writer.write(b"first")
        (root / "a/theirs").write_bytes(b"content")
        raise SourceError
    assert tree(root) == {"a": None, "a/theirs": b"content"}
    with pytest.raises(SourceError), store.open_write("a/d/f") as writer:
        store.write("a/d/g", b"content")
        raise SourceError
    assert tree(root) == {"a": None, "a/theirs": b"content", "a/d": None, "a/d/g": b"content"}
    with pytest.raises(AlreadyExists):
        fail_at_the_end(store, "e/f")
    assert (root / "e/f").read_bytes() == b"theirs"


@pytest.mark.spec("LOC-019", "LOC-027")
@pytest.mark.parametrize("function", ["write", "open"])
def test_nor_those_of_a_call_that_the_system_fails(
    plain: Store, root: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    real = getattr(os, function)

    def full(first: Any, *args: Any, **options: Any) -> Any:
        if function == "open" and not is_temporary(str(first)):
            return real(first, *args, **options)
        return fails(28)()

    monkeypatch.setattr(os, function, full)
    with pytest.raises(RemoteStoreError, match="no space"):
        plain.write("a/b/f", b"content")
    monkeypatch.undo()
    assert os.listdir(root) == []


@pytest.mark.spec("LOC-019")
def test_a_write_below_a_file_makes_nothing(store: Store, root: Path) -> None:
    store.write("f", b"content")
    with pytest.raises(InvalidPath, match="parent"):
        store.write("f/a/g", b"x")
    for transfer in (store.copy, store.move):
        with pytest.raises(InvalidPath, match="parent"):
            transfer("f", "f/a/g")
    assert tree(root) == {"f": b"content"}


# -- filled meanwhile -----------------------------------------------------------------------------


@pytest.mark.spec("LOC-012", "STORE-035")
def test_delete_folder_while_files_come_in(root: Path) -> None:
    store, other = Store(LocalBackend(root)), Store(LocalBackend(root))
    (root / "kept").write_bytes(b"kept")
    numbers = iter(range(1 << 30))

    def add() -> None:
        with suppress(NotFound):  # its temporary went with the folder
            other.write(f"d/{next(numbers) % 7}/{next(numbers)}", b"content")

    with Repeated(add) as adding:
        check, deleted = deadline(), 0
        while deleted < 10 or adding.rounds < 50:
            check()
            try:
                store.delete_folder("d", recursive=True)
                deleted += 1
            except (DirectoryNotEmpty, NotFound):
                pass  # all the tries were in vain, or there was nothing yet
    store.delete_folder("d", recursive=True, missing_ok=True)
    assert tree(root) == {"kept": b"kept"}


@pytest.mark.spec("LOC-019", "LOC-014")
def test_failed_writes_do_not_disturb_others_in_the_same_new_folder(store: Store, root: Path) -> None:
    rounds = 60
    barrier = threading.Barrier(2, timeout=60)
    errors: list[BaseException] = []

    def lose() -> None:
        for turn in range(rounds):
            barrier.wait()
            try:
                store.write(f"d{turn}/sub/lost", failing())
            except SourceError:
                pass
            except BaseException as error:
                errors.append(error)

    loser = threading.Thread(target=lose)
    loser.start()
    try:
        for turn in range(rounds):
            barrier.wait()
            store.write(f"d{turn}/sub/f", b"content")
    finally:
        loser.join(60)
    assert errors == []
    assert {name for name, content in tree(root).items() if content is not None} == {
        f"d{turn}/sub/f" for turn in range(rounds)
    }
