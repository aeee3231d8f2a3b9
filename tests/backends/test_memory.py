"""What MemoryBackend has of its own: folders that come and go, versions, and threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.backends.support import WATCHDOG

from remote_store import AlreadyExists, DirectoryNotEmpty, InvalidPath, NotFound, Store
from remote_store.backends import MemoryBackend


@pytest.fixture
def store() -> Store:
    return Store(MemoryBackend())


def files(store: Store) -> set[str]:
    return {str(file.path) for file in store.list_files(recursive=True)}


def folders(store: Store) -> set[str]:
    return {str(path) for path, _, _ in store.walk()} - {""}


@pytest.mark.spec("MEM-001")
def test_it_begins_empty_and_shares_nothing() -> None:
    first, second = Store(MemoryBackend()), Store(MemoryBackend())
    assert files(first) == set()
    first.write("a/f", b"content")
    assert files(second) == folders(second) == set()
    assert not second.exists("a")
    second.write("a/f", b"other")
    assert first.read_bytes("a/f") == b"content"
    assert repr(MemoryBackend()) == "MemoryBackend()"


GOING: dict[str, Callable[[Store], object]] = {
    "delete": lambda store: store.delete("a/b/c/f"),
    "move": lambda store: store.move("a/b/c/f", "kept/g"),
    "delete_folder": lambda store: store.delete_folder("a/b/c", recursive=True),
    "delete above": lambda store: store.delete_folder("a", recursive=True),
}


@pytest.mark.spec("MEM-002")
@pytest.mark.parametrize("how", GOING)
def test_a_folder_goes_with_its_last_file(store: Store, how: str) -> None:
    store.write("kept/f", b"")
    store.write("a/b/c/f", b"content")
    assert folders(store) == {"kept", "a", "a/b", "a/b/c"}
    assert store.is_folder("a/b")
    GOING[how](store)
    assert folders(store) == {"kept"}
    assert not store.exists("a")
    assert list(store.list_folders()) == ["kept"]
    with pytest.raises(NotFound):
        store.get_folder_info("a/b")
    with pytest.raises(NotFound):
        store.delete_folder("a")
    store.write("a", b"now a file")
    assert store.is_file("a")


@pytest.mark.spec("MEM-002")
def test_a_folder_stays_while_something_is_below_it(store: Store) -> None:
    store.write("a/b/f", b"")
    store.write("a/g", b"")
    store.delete("a/b/f")
    assert folders(store) == {"a"}
    store.move("a/g", "a/h")
    assert files(store) == {"a/h"}
    with pytest.raises(DirectoryNotEmpty):
        store.delete_folder("a")


@pytest.mark.spec("MEM-002")
def test_a_failed_write_makes_no_folder(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.open_write("a/b/f") as writer:
        writer.write(b"content")
        assert not store.exists("a")
        raise ZeroDivisionError
    for transfer in (store.copy, store.move):
        with pytest.raises(NotFound):
            transfer("nothing", "a/b/f")
    with pytest.raises(ZeroDivisionError):
        store.write("a/b/f", (bytes(1 // zero) for zero in [0]))
    assert not store.exists("a")
    assert folders(store) == set()
    store.write("f", b"")
    with pytest.raises(InvalidPath, match="is a file"):
        store.write("f/a/b", b"")
    assert files(store) == {"f"}


@pytest.mark.spec("MEM-002", "MEM-003")
def test_a_very_deep_folder(store: Store) -> None:
    path = "/".join(["d"] * 1200)
    store.write(f"{path}/f", b"content")
    assert store.read_bytes(f"{path}/f") == b"content"
    assert files(store) == {f"{path}/f"}
    store.delete(f"{path}/f")
    assert not store.exists("d")
    store.write(f"{path}/f", b"content")
    store.delete_folder("d", recursive=True)
    assert files(store) == set()


@pytest.mark.spec("MEM-003")
def test_the_root_is_always_there(store: Store) -> None:
    for step in ("empty", "filled", "emptied"):
        assert store.is_folder("")
        assert store.exists("")
        assert not store.is_file("")
        store.ping()
        if step == "empty":
            store.write("f", b"")
        elif step == "filled":
            store.delete("f")
    assert store.get_folder_info().file_count == 0
    assert list(store.walk()) == [*store.walk("")]
    with pytest.raises(InvalidPath):
        store.delete_folder("", recursive=True)


@pytest.mark.spec("MEM-004")
def test_a_reader_keeps_its_version(store: Store) -> None:
    changes: dict[str, Callable[[], object]] = {
        "write": lambda: store.write("f", b"new", overwrite=True),
        "delete": lambda: store.delete("f"),
        "move onto it": lambda: store.move("g", "f", overwrite=True),
        "move away": lambda: store.move("f", "h", overwrite=True),
        "delete_folder": lambda: store.child("").delete("f"),
    }
    for name, change in changes.items():
        store.write("f", b"old content", overwrite=True)
        store.write("g", b"other", overwrite=True)
        with store.open_read("f") as stream:
            assert stream.read(3) == b"old"
            change()
            assert stream.read() == b" content", name
            stream.seek(0)
            assert stream.read() == b"old content", name


@pytest.mark.spec("MEM-004", "MEM-001")
def test_content_is_a_copy(store: Store) -> None:
    data = bytearray(b"content")
    store.write("f", data)
    data[:] = b"changed"
    assert store.read_bytes("f") == b"content"
    with store.open_write("g") as writer:
        writer.write(data)
        writer.flush()
        data[:] = b"......."
    assert store.read_bytes("g") == b"changed"


@pytest.mark.spec("MEM-002", "MEM-004")
def test_many_threads(store: Store) -> None:
    threads, rounds = 6, 150
    odd: list[BaseException] = []

    def work(number: int) -> None:
        mine = f"t{number}"
        try:
            for turn in range(rounds):
                store.write(f"shared/{turn % 3}/f{number}", mine.encode(), overwrite=True)
                store.write(f"{mine}/a/f", b"content")
                store.move(f"{mine}/a/f", f"{mine}/b/f")
                store.copy(f"{mine}/b/f", f"{mine}/c")
                assert {path.split("/")[0] for path in files(store)} >= {mine}
                assert store.get_folder_info(mine).file_count == 2
                store.delete_folder(mine, recursive=True)
                try:
                    store.move(f"shared/{turn % 3}/f{(number + 1) % threads}", "shared/moved", overwrite=True)
                    store.delete_folder(f"shared/{turn % 3}", recursive=True)
                    list(store.walk())
                except (NotFound, AlreadyExists):
                    pass
        except BaseException as error:
            odd.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(WATCHDOG)
        assert not worker.is_alive()
    assert odd == []
    store.delete_folder("shared", recursive=True, missing_ok=True)
    assert files(store) == folders(store) == set()


@pytest.mark.spec("MEM-001")
def test_one_of_many_creators_wins(store: Store) -> None:
    won: list[int] = []
    barrier = threading.Barrier(8, timeout=WATCHDOG)

    def create(number: int) -> None:
        for turn in range(50):
            barrier.wait()
            try:
                store.write(f"f{turn}", str(number).encode())
                won.append(turn)
            except AlreadyExists:
                pass

    workers = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(WATCHDOG)
    assert sorted(won) == list(range(50))
