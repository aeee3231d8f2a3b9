"""The operations of the file system, on all kinds of storage."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyarrow.fs import FileSelector, FileType, PyFileSystem, copy_files

from remote_store import AsyncStore, Capability, InvalidPath, NotFound, PermissionDenied, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.ext.arrow import StoreHandler, pyarrow_fs
from remote_store.testing import Fault, FaultyBackend

KINDS = {FileType.File: "file", FileType.Directory: "folder", FileType.NotFound: None}


def fill(store: Store, *paths: str) -> None:
    for path in paths:
        store.write(path, path.encode())


def selected(fs: PyFileSystem, folder: str, **how: bool) -> dict[str, str | None]:
    return {info.path: KINDS[info.type] for info in fs.get_file_info(FileSelector(folder, **how))}


@pytest.mark.spec("ARW-002", "ARW-003", "ARW-004")
def test_looking(store: Store, fs: PyFileSystem) -> None:
    fill(store, "a/b/c", "a/b/d/e", "a/f", "a-b")
    asked = ["a/f", "none", "a", "", "a/b/c/below", "a/b", "a-b"]
    infos = fs.get_file_info(asked)
    assert [info.path for info in infos] == asked
    kinds = ["file", None, "folder", "folder", None, "folder", "file"]
    assert [KINDS[info.type] for info in infos] == kinds
    assert infos[0].size == 3
    assert infos[0].mtime == store.get_file_info("a/f").modified_at
    assert infos[2].size is None

    assert selected(fs, "a") == {"a/b": "folder", "a/f": "file"}
    below = {"a/b": "folder", "a/f": "file", "a/b/c": "file", "a/b/d": "folder", "a/b/d/e": "file"}
    assert selected(fs, "a", recursive=True) == below
    assert selected(fs, "", recursive=True) == {"a": "folder", "a-b": "file", **below}
    assert selected(fs, "none", allow_not_found=True) == {}
    with pytest.raises(NotFound):
        selected(fs, "none")
    with pytest.raises(NotADirectoryError) as caught:
        selected(fs, "a/f")
    assert isinstance(caught.value, InvalidPath)
    assert (caught.value.path, caught.value.backend) == ("a/f", _name(store))

    fs.create_dir("new/folder")
    store.write("new/folder/f", b"")
    assert selected(fs, "new", recursive=True) == {"new/folder": "folder", "new/folder/f": "file"}
    with pytest.raises(InvalidPath):
        fs.create_dir("../out")


@pytest.mark.spec("ARW-005", "ARW-006", "ARW-007")
def test_changing(store: Store, fs: PyFileSystem) -> None:
    fill(store, "a/b/c", "a/d", "a/e", "a-b", "x/y", "x/z")
    fs.copy_file("a/d", "a/e")
    assert store.read_bytes("a/e") == b"a/d"
    fs.move("a/e", "a-b")
    assert (store.read_bytes("a-b"), store.exists("a/e")) == (b"a/d", False)
    for call in (fs.copy_file, fs.move):
        with pytest.raises(NotFound) as caught:
            call("none", "a/d")
        assert (caught.value.path, caught.value.backend) == ("none", _name(store))
        with pytest.raises(InvalidPath):
            call("a/b", "new")
    fs.delete_file("a/d")
    assert not store.exists("a/d")
    with pytest.raises(NotFound):
        fs.delete_file("a/d")

    fs.delete_dir_contents("x")
    assert list(store.iter_children("x")) == []
    with pytest.raises(NotFound):
        fs.delete_dir_contents("none")
    fs.delete_dir_contents("none", missing_dir_ok=True)
    with pytest.raises((InvalidPath, ValueError)):
        fs.delete_dir_contents("")
    fs.delete_dir("a/b")
    assert not store.exists("a/b")
    with pytest.raises(NotFound):
        fs.delete_dir("a/b")
    assert store.exists("a-b")
    fs.delete_dir_contents("", accept_root_dir=True)
    assert list(store.list_files(recursive=True)) == []


@pytest.mark.spec("ARW-005")
def test_links_to_folders_are_deleted_by_themselves(tmp_path: Path) -> None:
    store = Store(LocalBackend(tmp_path))
    fs = pyarrow_fs(store)
    fill(store, "real/x", "t/f")
    for link in ("t/link", "top", "further"):
        (tmp_path / link).symlink_to(tmp_path / "real")
    fs.delete_dir_contents("t")
    assert list((tmp_path / "t").iterdir()) == []
    fs.delete_dir("top")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["further", "real", "t"]
    with pytest.raises(InvalidPath):
        fs.delete_dir("real/x")
    assert store.read_bytes("real/x") == b"real/x"
    fs.delete_dir_contents("further")
    assert (list((tmp_path / "real").iterdir()), (tmp_path / "further").is_symlink()) == ([], True)


def _name(store: Store) -> str:
    name: str = store._inner._scope.backend.name
    return name


@pytest.mark.spec("ARW-010", "ARW-011", "ARW-014", "ARW-019")
def test_reading_and_writing(store: Store, fs: PyFileSystem) -> None:
    data = bytes(range(256)) * 3000
    with fs.open_output_stream("f") as out:
        out.write(data[:1000])
        out.write(data[1000:])
        assert not store.exists("f")
        assert out.tell() == len(data)
    assert store.read_bytes("f") == data
    with fs.open_output_stream("f") as out:
        out.write(b"new")
        assert store.read_bytes("f") == data
    assert store.read_bytes("f") == b"new"
    store.write("f", data, overwrite=True)

    with fs.open_input_stream("f") as stream:
        assert stream.read(10) == data[:10]
        assert stream.read() == data[10:]
        assert stream.read(1) == b""
    with fs.open_input_file("f") as file:
        assert file.size() == len(data)
        assert file.read_at(10, 700_000) == data[700_000:700_010]
        assert file.read_at(400_000, 5) == data[5:400_005]
        file.seek(-4, 2)
        assert file.read() == data[-4:]
        assert file.read(9) == b""
        file.seek(3)
        assert file.read() == data[3:]
        for position, whence in ((-1, 0), (-1_000_000, 1), (-1_000_000, 2)):
            with pytest.raises(ValueError, match="a position must be 0 or more"):
                file.seek(position, whence)
        with pytest.raises(ValueError, match="a position must be 0 or more"):
            file.read_at(1, -1)
        assert file.read_at(1, 0) == data[:1]
    store.write("empty", b"")
    with fs.open_input_file("empty") as file:
        assert (file.size(), file.read()) == (0, b"")
    for call in (fs.open_input_stream, fs.open_input_file):
        with pytest.raises(NotFound):
            call("none")
    with pytest.raises(NotImplementedError, match="written whole"):
        fs.open_append_stream("f")


@pytest.mark.spec("ARW-018")
def test_metadata(store: Store, fs: PyFileSystem) -> None:
    metadata = {"Content-Type": "text/x-y", "cache-control": "no-store", "owner": "me"}
    with fs.open_output_stream("f", metadata=metadata) as out:
        out.write(b"x")
    info = store.get_file_info("f")
    if store.supports(Capability.WRITE_OPTIONS):
        assert info.content_type == "text/x-y"
        assert (info.extra["metadata"], info.extra["cache_control"]) == ({"owner": "me"}, "no-store")
    assert info.size == 1


@pytest.mark.spec("ARW-010")
def test_compressed_streams(store: Store, fs: PyFileSystem) -> None:
    with fs.open_output_stream("f.gz") as out:
        out.write(b"text" * 1000)
    assert store.get_file_info("f.gz").size < 1000
    with fs.open_input_stream("f.gz") as stream:
        assert stream.read() == b"text" * 1000


@pytest.mark.spec("ARW-001", "ARW-008")
def test_identity(tmp_path: Path) -> None:
    store = Store(LocalBackend(tmp_path), "sub")
    fs = pyarrow_fs(store)
    assert isinstance(fs, PyFileSystem)
    assert fs.type_name == "py::remote-store+local"
    assert fs.normalize_path("/a/b/") == "a/b"
    assert fs == pyarrow_fs(store) == pyarrow_fs(Store(LocalBackend(tmp_path), "sub"))
    assert fs != pyarrow_fs(Store(LocalBackend(tmp_path)))
    assert pyarrow_fs(Store(MemoryBackend())) != pyarrow_fs(Store(MemoryBackend()))
    assert len({StoreHandler(store), StoreHandler(store)}) == 1
    again = pickle.loads(pickle.dumps(fs))
    assert again == fs
    store.write("f", b"x")
    assert again.get_file_info("f").size == 1
    from_async = pyarrow_fs(AsyncStore(LocalBackend(tmp_path), "sub"))
    assert from_async == fs
    assert from_async.get_file_info("f").size == 1
    with pytest.raises(TypeError, match="Store or an AsyncStore"):
        pyarrow_fs(LocalBackend(tmp_path))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="read_ahead"):
        pyarrow_fs(store, read_ahead=-1)


@pytest.mark.spec("ARW-007")
def test_errors_of_the_storage() -> None:
    fs = pyarrow_fs(Store(FaultyBackend(MemoryBackend(), [Fault("get_file_info", error=PermissionDenied)])))
    with pytest.raises(PermissionDenied):
        fs.get_file_info("f")


@pytest.mark.spec("ARW-009")
def test_many_threads(store: Store, fs: PyFileSystem) -> None:
    def work(n: int) -> bytes:
        with fs.open_output_stream(f"d/{n}") as out:
            out.write(b"%d" % n * 1000)
        with fs.open_input_file(f"d/{n}") as file:
            read: bytes = file.read()
            return read

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(24))) == [b"%d" % n * 1000 for n in range(24)]
    copy_files("d", "e", source_filesystem=fs, destination_filesystem=fs)
    assert {info.name for info in store.list_files("e")} == {str(n) for n in range(24)}
