"""What is flushed to the disk, and when."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.backends.support import local

from remote_store import RemoteStoreError, Store
from remote_store.backends import LocalBackend


class Disk:
    """Records every fsync: which file or folder, and whether the target was under its name already."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.synced: list[str] = []
        self._real = os.fsync
        monkeypatch.setattr(os, "fsync", self._fsync)

    def _fsync(self, descriptor: int) -> None:
        self._real(descriptor)
        facts = os.fstat(descriptor)
        self.synced.append(next((name for name, node in self._nodes() if os.path.samestat(node, facts)), "?"))

    def _nodes(self) -> Iterator[tuple[str, os.stat_result]]:
        yield ".", self.root.stat()
        for top, folders, files in os.walk(self.root):
            for name in (*folders, *files):
                path = Path(top, name)
                shown = "temporary" if name.startswith(".~") else str(path.relative_to(self.root))
                yield shown, path.lstat()


@pytest.fixture
def disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(root, monkeypatch)


@pytest.fixture
def durable(root: Path, way: str) -> Store:
    return Store(local(root, way, durable=True))


def stream(store: Store, path: str) -> None:
    with store.open_write(path, overwrite=True) as writer:
        writer.write(b"content")


WRITES: dict[str, Callable[[Store, str], object]] = {
    "write": lambda store, path: store.write(path, b"content", overwrite=True),
    "write_atomic": lambda store, path: store.write_atomic(path, b"content", overwrite=True),
    "exclusively": lambda store, path: store.write(path, b"content"),
    "large": lambda store, path: store.write(path, bytes(9 << 20), overwrite=True),
    "iterable": lambda store, path: store.write(path, iter([b"content"])),
    "open_write": stream,
}
writes = pytest.mark.parametrize("write", WRITES)


@pytest.mark.spec("LOC-021")
@writes
def test_the_file_first_and_then_its_folder(durable: Store, root: Path, disk: Disk, write: str) -> None:
    (root / "sub").mkdir()
    WRITES[write](durable, "sub/f")
    assert disk.synced == ["temporary", "sub"]


@pytest.mark.spec("LOC-021")
@writes
def test_in_the_root(durable: Store, disk: Disk, write: str) -> None:
    WRITES[write](durable, "f")
    assert disk.synced == ["temporary", "."]


@pytest.mark.spec("LOC-021")
@writes
def test_folders_that_were_made(durable: Store, root: Path, disk: Disk, write: str) -> None:
    (root / "a").mkdir()
    WRITES[write](durable, "a/b/c/f")
    assert disk.synced[:2] == ["temporary", "a/b/c"]
    assert sorted(disk.synced[2:]) == ["a", "a/b"]


@pytest.mark.spec("LOC-021", "LOC-005")
def test_through_a_link_it_is_the_folder_of_the_target(durable: Store, root: Path, disk: Disk) -> None:
    (root / "a").mkdir()
    (root / "b").mkdir()
    (root / "a/f").write_bytes(b"old")
    os.symlink("../a/f", root / "b/link")
    durable.write("b/link", b"content", overwrite=True)
    assert disk.synced[0] == "temporary"
    assert "a" in disk.synced[1:]


@pytest.mark.spec("LOC-021", "LOC-024")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_copy(durable: Store, root: Path, disk: Disk, overwrite: bool) -> None:
    (root / "f").write_bytes(b"content")
    durable.copy("f", "a/b/g", overwrite=overwrite)
    assert disk.synced[:2] == ["temporary", "a/b"]
    assert sorted(disk.synced[2:]) == [".", "a"]


@pytest.mark.spec("LOC-021", "LOC-023")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_move(durable: Store, root: Path, disk: Disk, overwrite: bool) -> None:
    (root / "from").mkdir()
    (root / "to").mkdir()
    (root / "from/f").write_bytes(b"content")
    durable.move("from/f", "to/f", overwrite=overwrite)
    assert sorted(disk.synced[-2:]) == ["from", "to"]
    assert disk.synced[:-2] == ["from/f"], "the content, before it takes the place of another"


@pytest.mark.spec("LOC-021", "LOC-023")
@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_that_a_move_made(durable: Store, root: Path, disk: Disk, overwrite: bool) -> None:
    (root / "f").write_bytes(b"content")
    durable.move("f", "a/b/f", overwrite=overwrite)
    assert set(disk.synced) == {"f", ".", "a", "a/b"}


@pytest.mark.spec("LOC-021", "LOC-023")
def test_a_move_between_mounts(
    durable: Store, root: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_mount(*args: object, **options: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    (root / "from").mkdir()
    (root / "from/f").write_bytes(b"content")
    monkeypatch.setattr("remote_store.backends.local._system.rename_noreplace", other_mount)
    rename = os.rename
    monkeypatch.setattr(
        os,
        "rename",
        lambda src, dst, **options: rename(src, dst, **options) if src.startswith(".~") else other_mount(),
    )
    durable.move("from/f", "to/f", overwrite=True)
    assert "temporary" in disk.synced
    assert {"to", "from", "."} <= set(disk.synced[disk.synced.index("temporary") :])


@pytest.mark.spec("LOC-021")
@pytest.mark.parametrize("write", [*WRITES, "copy", "move"])
def test_nothing_by_default(root: Path, disk: Disk, write: str) -> None:
    store = Store(LocalBackend(root))
    (root / "f").write_bytes(b"content")
    if write in WRITES:
        WRITES[write](store, "a/b/g")
    else:
        getattr(store, write)("f", "a/b/g")
    assert disk.synced == []


@pytest.mark.spec("LOC-021", "LOC-019", "LOC-027")
@writes
def test_a_failed_flush_is_a_failed_write(
    durable: Store, root: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(RemoteStoreError, match="no space is left"):
        WRITES[write](durable, "a/b/f")
    assert os.listdir(root) == []
