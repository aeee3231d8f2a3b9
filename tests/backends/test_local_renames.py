"""Moves, and names taken exclusively, with whatever calls the system has for them."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.backends.support import fails, is_temporary, local, tree

from remote_store import AlreadyExists, BackendUnavailable, InvalidPath, NotFound, RemoteStoreError, Store
from remote_store.backends.local import _system

Patch = pytest.MonkeyPatch
CONTENT = bytes(range(256)) * 100
pytestmark = pytest.mark.usefixtures("no_temporaries")


# -- exclusively ----------------------------------------------------------------------------

LINK = os.link
MISSING = sorted(errno.errorcode[number] for number in (errno.ENOSYS, errno.EINVAL, errno.EPERM))
EXCLUSIVE = ["renameat2", *(f"link for {name}" for name in MISSING), "claim"]


@pytest.fixture(params=EXCLUSIVE)
def calls(request: pytest.FixtureRequest, monkeypatch: Patch) -> list[str]:
    """Let only some of the ways to rename exclusively work; give the names of those tried."""
    made: list[str] = []
    if request.param == "renameat2":
        return made
    number = errno.ENOSYS if request.param == "claim" else getattr(errno, request.param.split()[-1])
    monkeypatch.setattr(_system, "rename_noreplace", fails(number, made, "renameat2"))
    if request.param == "claim":
        monkeypatch.setattr(os, "link", fails(errno.EPERM, made, "link"))
        return made

    def link(*args: Any, **options: Any) -> None:
        made.append("link")
        LINK(*args, **options)

    monkeypatch.setattr(os, "link", link)
    return made


@pytest.mark.spec("LOC-014", "LOC-023", "STORE-032")
def test_every_way_writes_and_moves(plain: Store, root: Path, calls: list[str]) -> None:
    plain.write("f", b"content")
    plain.move("f", "sub/g")
    assert tree(root) == {"sub": None, "sub/g": b"content"}
    assert (root / "sub/g").stat().st_nlink == 1
    assert calls in ([], ["renameat2", "link"] * 2)
    (root / "h").write_bytes(b"there")
    with pytest.raises(AlreadyExists):
        plain.write("sub/g", b"no")
    with pytest.raises(AlreadyExists):
        plain.copy("sub/g", "h")
    with pytest.raises(AlreadyExists):
        plain.move("sub/g", "h")
    assert tree(root) == {"sub": None, "sub/g": b"content", "h": b"there"}


@pytest.mark.spec("LOC-014", "LOC-023", "STORE-032")
@pytest.mark.parametrize("how", ["write", "open_write", "copy", "move"])
def test_every_way_is_exclusive(plain: Store, root: Path, calls: list[str], how: str) -> None:
    threads, rounds = 4, 25
    barrier = threading.Barrier(threads, timeout=60)
    won: list[list[int]] = [[] for _ in range(rounds)]
    odd: list[BaseException] = []

    def create(number: int, turn: int) -> None:
        content = str(number).encode()
        if how == "write":
            plain.write(f"f{turn}", content)
        elif how == "open_write":
            with plain.open_write(f"f{turn}") as writer:
                writer.write(content)
        else:
            getattr(plain, how)(f"mine{number}-{turn}", f"f{turn}")

    def work(number: int) -> None:
        for turn in range(rounds):
            plain.write(f"mine{number}-{turn}", str(number).encode())
            barrier.wait()
            try:
                create(number, turn)
                won[turn].append(number)
            except AlreadyExists:
                pass
            except Exception as error:
                odd.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert odd == []
    assert [len(winners) for winners in won] == [1] * rounds
    for turn, (winner,) in enumerate(won):
        assert (root / f"f{turn}").read_bytes() == str(winner).encode()


@pytest.mark.spec("LOC-014", "LOC-019")
def test_a_claim_whose_rename_fails_is_given_up(plain: Store, root: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(_system, "rename_noreplace", fails(errno.ENOSYS))
    monkeypatch.setattr(os, "link", fails(errno.EPERM))
    monkeypatch.setattr(os, "rename", fails(errno.EIO))
    with pytest.raises(BackendUnavailable):
        plain.write("sub/f", b"content")
    assert os.listdir(root) == []


@pytest.mark.spec("LOC-023", "LOC-027")
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_other_errors_are_not_taken_for_a_missing_call(
    plain: Store, root: Path, monkeypatch: Patch, number: int
) -> None:
    (root / "f").write_bytes(b"content")
    monkeypatch.setattr(_system, "rename_noreplace", fails(number))
    with pytest.raises(RemoteStoreError) as caught:
        plain.move("f", "a/g")
    assert caught.value.path == "a/g"
    assert tree(root) == {"f": b"content"}


@pytest.mark.spec("LOC-007")
def test_both_system_calls_can_be_absent(root: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(_system, "_syscall", None)
    monkeypatch.setattr(_system, "_renameat2", None)
    store = Store(local(root))
    store.write("a/f", b"content")
    store.move("a/f", "b/f")
    os.symlink("..", root / "b/up")
    assert store.read_bytes("b/up/b/f") == b"content"
    os.symlink("../..", root / "b/out")
    with pytest.raises(InvalidPath):
        store.is_folder("b/out")


# -- moves ----------------------------------------------------------------------------------------


@pytest.mark.spec("LOC-023")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_move_keeps_the_file_itself(plain: Store, root: Path, overwrite: bool) -> None:
    (root / "f").write_bytes(CONTENT)
    node = (root / "f").stat().st_ino
    assert plain.move("f", "a/b/g", overwrite=overwrite).size == len(CONTENT)
    assert (root / "a/b/g").stat().st_ino == node
    assert not (root / "f").exists()


@pytest.mark.spec("LOC-023")
def test_a_move_onto_another_name_of_the_same_file(store: Store, root: Path) -> None:
    (root / "f").write_bytes(b"content")
    (root / "sub").mkdir()
    os.link(root / "f", root / "sub/g")
    with pytest.raises(AlreadyExists):
        store.move("f", "sub/g")
    assert store.move("f", "sub/g", overwrite=True).size == 7
    assert tree(root) == {"sub": None, "sub/g": b"content"}


@pytest.fixture
def mounts(monkeypatch: Patch) -> None:
    """Make every rename but that of a temporary cross a border between mounts."""
    rename, exclusive = os.rename, _system.rename_noreplace

    def checked(real: Callable[..., None], name: str, *args: Any, **options: Any) -> None:
        if not is_temporary(name):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(*args, **options)

    monkeypatch.setattr(os, "rename", lambda src, dst, **fds: checked(rename, src, src, dst, **fds))
    monkeypatch.setattr(_system, "rename_noreplace", lambda *args: checked(exclusive, args[1], *args))


@pytest.mark.spec("LOC-023", "LOC-020")
@pytest.mark.usefixtures("mounts")
def test_a_move_between_mounts_is_a_copy(store: Store, root: Path) -> None:
    (root / "f").write_bytes(CONTENT)
    (root / "f").chmod(0o751)
    node = (root / "f").stat().st_ino
    assert store.move("f", "a/b/g").size == len(CONTENT)
    assert (root / "a/b/g").read_bytes() == CONTENT
    assert (root / "a/b/g").stat().st_mode & 0o777 == 0o751
    assert (root / "a/b/g").stat().st_ino != node
    assert not (root / "f").exists()
    (root / "h").write_bytes(b"other")
    with pytest.raises(AlreadyExists):
        store.move("h", "a/b/g")
    assert store.move("h", "a/b/g", overwrite=True).size == 5
    assert tree(root) == {"a": None, "a/b": None, "a/b/g": b"other"}


@pytest.mark.spec("LOC-023", "LOC-019")
@pytest.mark.usefixtures("mounts")
def test_between_mounts_the_source_stays_until_the_copy_stands(
    plain: Store, root: Path, monkeypatch: Patch
) -> None:
    (root / "f").write_bytes(CONTENT)
    monkeypatch.setattr(os, "copy_file_range", fails(errno.ENOSPC), raising=False)
    with pytest.raises(RemoteStoreError, match="no space"):
        plain.move("f", "a/g")
    assert tree(root) == {"f": CONTENT}


@pytest.mark.spec("LOC-023", "LOC-005")
@pytest.mark.usefixtures("mounts")
def test_between_mounts_a_link_to_the_source_is_no_target(store: Store, root: Path) -> None:
    (root / "f").write_bytes(CONTENT)
    os.symlink("f", root / "link")
    before = tree(root)
    with pytest.raises(InvalidPath):
        store.move("f", "link", overwrite=True)
    assert tree(root) == before
    store.move("link", "f", overwrite=True)
    assert tree(root) == {"f": CONTENT}


@pytest.mark.spec("LOC-023")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_move_of_nothing_makes_no_folders(store: Store, root: Path, overwrite: bool) -> None:
    with pytest.raises(NotFound):
        store.move("f", "a/b/g", overwrite=overwrite)
    assert os.listdir(root) == []
