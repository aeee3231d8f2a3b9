"""Temporary files: their names, their locks, and what becomes of those whose writer died."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.backends.support import DEAD, is_temporary, script, shared_folder, tree

from remote_store import DirectoryNotEmpty, Store
from remote_store._runtime import drive
from remote_store.backends import LocalBackend


def sweep(root: Path) -> int:
    return drive(LocalBackend(root).sweep_temporaries())


def dead(folder: Path, number: int = 0) -> Path:
    """Make a temporary that nobody locks."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".~remote-store-{number:016x}.tmp"
    path.write_bytes(b"dead")
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the living writer of a temporary."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# -- while a writer is at work --------------------------------------------------------------------


@pytest.mark.spec("LOC-014", "LOC-015", "LOC-016", "LOC-010")
@pytest.mark.parametrize("atomic", [False, True])
def test_a_write_goes_to_a_temporary_beside_its_target(store: Store, root: Path, atomic: bool) -> None:
    store.write("sub/f", b"old")
    with store.read("sub/f") as reading, store.open_write("sub/f", overwrite=True, atomic=atomic) as writing:
        writing.write(b"new content")
        writing.flush()
        (name,) = set(os.listdir(root / "sub")) - {"f"}
        assert re.fullmatch(r"\.~remote-store-[0-9a-f]{16}\.tmp", name)
        assert (root / "sub/f").read_bytes() == b"old"
        assert [file.name for file in store.list_files(recursive=True)] == ["f"]
        assert [file.name for file in store.glob("**/*")] == ["f"]
        with (root / "sub" / name).open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert sweep(root) == 0
        writing.write(b"!")
        writing.flush()
        assert reading.read(1) == b"o"
        held = reading
        store.write("sub/other", b"")
    assert held.closed
    assert (root / "sub/f").read_bytes() == b"new content!"
    assert sorted(os.listdir(root / "sub")) == ["f", "other"]


@pytest.mark.spec("LOC-014")
def test_a_reader_keeps_the_version_it_opened(store: Store) -> None:
    for how in ("write", "write_atomic", "move", "delete"):
        store.write("f", b"old", overwrite=True)
        store.write("g", b"new!", overwrite=True)
        with store.open_read("f") as reading:
            assert reading.read(1) == b"o"
            if how == "delete":
                store.delete("f")
            elif how == "move":
                store.move("g", "f", overwrite=True)
            else:
                getattr(store, how)("f", b"new!", overwrite=True)
            assert reading.read() == b"ld", how
            reading.seek(0)
            assert reading.read() == b"old", how


@pytest.mark.spec("LOC-015")
def test_the_temporary_of_a_long_name(store: Store, root: Path) -> None:
    name = "x" * 255
    store.write(name, b"content")
    assert os.listdir(root) == [name]


@pytest.mark.spec("LOC-018", "LOC-019")
def test_a_dropped_writer_leaves_nothing(root: Path) -> None:
    store = Store(LocalBackend(root))
    writer = store.open_write("a/b/f")
    writer.__enter__()
    writer.write(b"content")
    assert (root / "a/b").is_dir()
    with pytest.raises(KeyboardInterrupt):
        with store.open_write("a/c/f") as other:
            other.write(b"content")
            raise KeyboardInterrupt
    assert not (root / "a/c").exists()
    writer.__exit__(ValueError, ValueError(), None)
    assert os.listdir(root) == []


# -- dead ones ------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from remote_store import Store
from remote_store.backends import LocalBackend

store = Store(LocalBackend(sys.argv[1]))
with store.open_write(sys.argv[2], overwrite=True) as writer:
    writer.write(bytes(1 << 20))
    writer.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.spec("LOC-017", "LOC-016", "LOC-010")
def test_a_killed_writer_leaves_the_old_file_and_what_is_swept(store: Store, root: Path) -> None:
    store.write("sub/f", b"old")
    for key in ("sub/f", "new/f"):
        done = subprocess.run([sys.executable, "-c", KILLED, root, key], timeout=60, check=False)
        assert done.returncode == -signal.SIGKILL
    assert [str(file.path) for file in store.list_files(recursive=True)] == ["sub/f"]
    assert store.read_bytes("sub/f") == b"old"
    assert sum(is_temporary(Path(name).name) for name in tree(root)) == 2
    store.delete_folder("new")
    assert sweep(root) == 1
    assert tree(root) == {"sub": None, "sub/f": b"old"}


@pytest.mark.spec("LOC-016")
def test_dead_ones_are_swept_and_live_ones_stay(root: Path) -> None:
    (root / "f").write_bytes(b"content")
    for number, folder in enumerate((root, root / "a", root / "a/b/c")):
        dead(folder, number)
    alive = dead(root / "a", 9)
    with locked(alive):
        assert sweep(root) == 3
        assert sorted(tree(root)) == ["a", f"a/{alive.name}", "a/b", "a/b/c", "f"]
        assert sweep(root) == 0
    assert sweep(root) == 1
    assert sweep(root / "nothing") == 0


@pytest.mark.spec("LOC-016", "LOC-020")
@pytest.mark.parametrize("bits", [0o444, 0o400, 0o200, 0o600])
def test_the_mode_of_a_dead_one_does_not_matter(bits: int) -> None:
    with shared_folder() as folder:
        dead(folder).chmod(bits)
        dead(folder / "sub").chmod(bits)
        printed = script(
            """
            import os, sys
            from remote_store import Store
            from remote_store._runtime import drive
            from remote_store.backends import LocalBackend
            folder = sys.argv[1]
            if os.geteuid() == 0:
                for top, folders, files in os.walk(folder):
                    for name in (*folders, *files):
                        os.chown(os.path.join(top, name), 65534, 65534)
                os.chown(folder, 65534, 65534)
                os.setuid(65534)
            backend = LocalBackend(folder)
            Store(backend).delete_folder("sub")
            print(drive(backend.sweep_temporaries()), os.listdir(folder))
            """,
            folder,
        )
        assert printed == "1 []\n"


@pytest.mark.spec("LOC-016", "LOC-012")
def test_delete_folder_does_not_count_dead_ones(store: Store, root: Path) -> None:
    dead(root / "a", 1)
    dead(root / "a", 2)
    store.delete_folder("a")
    assert os.listdir(root) == []
    alive = dead(root / "b", 3)
    with locked(alive):
        with pytest.raises(DirectoryNotEmpty, match="recursive=True"):
            store.delete_folder("b")
        assert alive.exists()
    dead(root / "b/sub", 4)
    with pytest.raises(DirectoryNotEmpty):
        store.delete_folder("b")
    store.delete_folder("b", recursive=True)
    assert os.listdir(root) == []


STRANGE: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: (path / "sub").mkdir(parents=True),
    "empty folder": lambda path: path.mkdir(),
    "link": lambda path: os.symlink("../f", path),
    "dangling link": lambda path: os.symlink("nowhere", path),
    "pipe": lambda path: os.mkfifo(path),
    "socket": lambda path: _socket(path),
}


def _socket(path: Path) -> None:
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(before)


@pytest.mark.timeout(30)
@pytest.mark.spec("LOC-016", "LOC-010", "LOC-015")
@pytest.mark.parametrize("kind", STRANGE)
def test_what_only_has_the_name_of_one(store: Store, root: Path, kind: str) -> None:
    store.write("f", b"content")
    (root / "sub").mkdir()
    STRANGE[kind](root / "sub" / DEAD)
    dead(root / "sub", 1)
    before = (root / "sub" / DEAD).lstat().st_ino
    assert sweep(root) == 1
    assert (root / "sub" / DEAD).lstat().st_ino == before
    assert list(store.iter_children("sub")) == []
    with pytest.raises(DirectoryNotEmpty):
        store.delete_folder("sub")
    assert (root / "sub" / DEAD).lstat().st_ino == before
    store.delete_folder("sub", recursive=True)
    assert tree(root) == {"f": b"content"}
