"""Keys of S3 that other programs wrote: adapters name each by a text of its own, or refuse the text."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.fs
import pytest
from tests.s3_buckets import Buckets
from tests.services import S3Server
from zarr.core.buffer import cpu, default_buffer_prototype

from remote_store import InvalidPath, Store
from remote_store.backends import MemoryBackend, S3Backend
from remote_store.ext.arrow import pyarrow_fs
from remote_store.ext.fsspec import RemoteStoreFileSystem
from remote_store.ext.zarr import ZarrStore
from remote_store.paths import RemotePath

ODD = ["//z", "/z", "a//b", "a/./b", "./a/b", "a/b//c//d", "a/../b"]
PLAIN = ["a/b", "b", "z", "a/b/c/d"]
"""What those keys are without their empty components and dots."""
KEYS = sorted([*ODD, *PLAIN])
TEXTS = ["a//b", "a/./b", "./a/b", "//z", "a//", "a/b/.", "."]
odd = pytest.mark.parametrize("text", TEXTS)


@pytest.fixture(scope="module")
def store(moto: S3Server) -> Iterator[Store]:
    with Store(S3Backend(Buckets(moto).new(), **moto.options)) as store:
        yield store


@pytest.fixture
def filled(store: Store) -> Store:
    """Give a store with all those keys, and nothing else."""
    for info in list(store.list_files(recursive=True)):
        store.delete(info.path)
    for key in KEYS:
        store.write(RemotePath._of(key), key.encode())
    return store


@pytest.fixture
def plain() -> Store:
    """Give a store with the files that those texts would name if they were put into normal form."""
    store = Store(MemoryBackend())
    for key in ("a/b", "z"):
        store.write(key, key.encode())
    return store


def contents(store: Store) -> dict[str, bytes]:
    return {str(info.path): store.read_bytes(info.path) for info in store.list_files(recursive=True)}


ALL = {key: key.encode() for key in KEYS}


@pytest.mark.spec("FSS-029")
@odd
def test_fsspec_refuses_what_names_another_file(plain: Store, text: str, tmp_path: Path) -> None:
    fs = RemoteStoreFileSystem(store=plain)
    (tmp_path / "up").write_bytes(b"new")
    calls: list[Callable[[], Any]] = [
        *(lambda name=name: getattr(fs, name)(text) for name in ("cat_file", "info", "ls", "rm_file", "rm")),
        *(
            lambda name=name: getattr(fs, name)(text)
            for name in ("exists", "isfile", "find", "open", "rmdir")
        ),
        lambda: fs.rm(text, recursive=True),
        lambda: fs.rm(f"remote-store://{text}", recursive=True),
        lambda: fs.pipe_file(text, b"new"),
        lambda: fs.open(text, "wb"),
        lambda: fs.mv(text, "new"),
        lambda: fs.mv("z", text),
        lambda: fs.cp("z", text),
        lambda: fs.cp_file(text, "new"),
        lambda: fs.put_file(str(tmp_path / "up"), text),
        lambda: fs.get_file(text, str(tmp_path / "down")),
        lambda: fs.cat_ranges([text], [0], [1], on_error="raise"),
    ]
    for call in calls:
        with pytest.raises(InvalidPath, match=r"empty component or '\.'"):
            call()
    assert contents(plain) == {"a/b": b"a/b", "z": b"z"}


@pytest.mark.spec("FSS-029")
def test_what_fsspec_lists_is_what_it_names(filled: Store) -> None:
    fs = RemoteStoreFileSystem(store=filled)
    names = {"/" + key if key.startswith("/") else key for key in KEYS}
    assert set(fs.find("")) == names
    assert {name for name in names if _is_refused(fs, name)} == names - set(PLAIN)
    for name in PLAIN:
        assert fs.cat_file(name) == name.encode()
    assert {entry["name"] for entry in fs.ls("a")} == {"a/b", "a/.", "a/..", "a//"}
    calls: list[Callable[[], Any]] = [
        lambda: fs.rm("a", recursive=True, maxdepth=2),
        lambda: fs.mv("a", "new", recursive=True),
        lambda: fs.rm("a//*"),
    ]
    for call in calls:
        with pytest.raises(InvalidPath):
            call()
    assert contents(filled) == ALL


def _is_refused(fs: RemoteStoreFileSystem, name: str) -> bool:
    try:
        fs.cat_file(name)
    except InvalidPath:
        return True
    return False


@pytest.mark.spec("FSS-029", "FSS-016")
def test_walking_ends_and_passes_each_key_once(filled: Store) -> None:
    """Folders without a name at the top are in recursive listings only (S3-011)."""
    fs = RemoteStoreFileSystem(store=filled)
    steps = list(itertools.islice(fs.walk(""), 100))
    found = sorted(f"{folder.rstrip('/')}{'/' * folder.endswith('//')}/{name}".lstrip("/")
                   for folder, _, names in steps for name in names)  # fmt: skip
    assert found == sorted(key for key in KEYS if not key.startswith("/"))
    assert fs.find("", maxdepth=9) == found
    for folder, folders, _ in steps:
        for name in folders:
            assert f"{folder}/{name}".strip("/") in KEYS or name in ("/", ".", "..", "a", "b", "c"), name
            if name == "/":
                with pytest.raises(InvalidPath):
                    fs.rm(f"{folder}/{name}", recursive=True)
    assert contents(filled) == ALL


@pytest.mark.spec("FSS-029")
def test_slashes_around_a_path_are_fsspecs_own() -> None:
    fs = RemoteStoreFileSystem(store=Store(MemoryBackend()))
    fs.pipe_file("/a/b/", b"1")
    for text in ("a/b", "/a/b", "a/b/", "remote-store://a/b", "remote-store:///a/b/"):
        assert fs.cat_file(text) == b"1"
        assert fs._strip_protocol(text) == "a/b"
    for text in ("", "/", "//", "remote-store://", "remote-store:///"):
        assert fs.ls(text, detail=False) == ["a"]
    for text in ("a//", "//a", "remote-store:////a", "a//b"):
        assert fs._strip_protocol(fs._strip_protocol(text)) == fs._strip_protocol(text)
        with pytest.raises(InvalidPath):
            fs.info(text)


@pytest.mark.spec("FSS-029")
def test_over_a_configuration_too(filled: Store) -> None:
    config: dict[str, Any] = {
        "backends": {"m": {"type": "memory", "options": {}}},
        "stores": {"one": {"backend": "m", "root_path": "top"}},
    }
    fs = RemoteStoreFileSystem(config=config)
    fs.pipe_file("one/f", b"1")
    place = fs._places.find("one")
    assert place is not None
    store = Store._wrap(place.store)
    store.write(RemotePath._of("/f"), b"2")
    store.write(RemotePath._of("a//f"), b"3")
    assert fs.find("one", withdirs=True) == ["one", "one//f", "one/a", "one/a//", "one/a//f", "one/f"]
    assert [step[0] for step in itertools.islice(fs.walk("one"), 9)] == ["one", "one/a", "one/a//"]
    assert fs.ls("one", detail=False) == ["one/a", "one/f"]
    for call in (fs.rm_file, fs.cat_file):
        with pytest.raises(InvalidPath):
            call("one//f")
    RemoteStoreFileSystem.clear_instance_cache()


@pytest.mark.spec("ARW-021")
@odd
def test_arrow_refuses_what_names_another_file(plain: Store, text: str) -> None:
    fs = pyarrow_fs(plain)
    calls: list[Callable[[], Any]] = [
        lambda: fs.normalize_path(text),
        lambda: fs.get_file_info(text),
        lambda: fs.get_file_info(pyarrow.fs.FileSelector(text)),
        lambda: fs.create_dir(text),
        lambda: fs.delete_dir(text),
        lambda: fs.delete_dir_contents(text),
        lambda: fs.delete_file(text),
        lambda: fs.move(text, "new"),
        lambda: fs.move("z", text),
        lambda: fs.copy_file(text, "new"),
        lambda: fs.copy_file("z", text),
        lambda: fs.open_input_stream(text),
        lambda: fs.open_input_file(text),
        lambda: fs.open_output_stream(text),
    ]
    for call in calls:
        with pytest.raises(InvalidPath, match=r"empty component or '\.'"):
            call()
    assert contents(plain) == {"a/b": b"a/b", "z": b"z"}


@pytest.mark.spec("ARW-021")
def test_what_arrow_lists_is_what_it_names(filled: Store) -> None:
    fs = pyarrow_fs(filled)
    found = fs.get_file_info(pyarrow.fs.FileSelector("", recursive=True))
    files = {info.path for info in found if info.is_file}
    assert files == {"/" + key if key.startswith("/") else key for key in KEYS}
    for name in files & set(PLAIN):
        with fs.open_input_stream(name) as stream:
            assert stream.read() == name.encode()
    for name in {info.path for info in found} - {"a", "a/b", "a/b/c", *PLAIN}:
        with pytest.raises(InvalidPath):
            fs.get_file_info(name)
    fs.delete_dir_contents("a")
    assert sorted(contents(filled)) == [key for key in KEYS if not key.startswith("a/")]


@pytest.mark.spec("ZARR-008")
@pytest.mark.parametrize("text", [*TEXTS, "/z", "/a/b"])
def test_zarr_refuses_what_names_another_file(plain: Store, text: str) -> None:
    store = ZarrStore(plain)
    value = cpu.Buffer.from_bytes(b"new")

    async def keys(found: Any) -> list[str]:
        return [key async for key in found]

    async def main() -> None:
        for call in (
            lambda: store.get(text, default_buffer_prototype()),
            lambda: store.exists(text),
            lambda: store.getsize(text),
            lambda: store.set(text, value),
            lambda: store.set_if_not_exists(text, value),
            lambda: store.delete(text),
            lambda: store.delete_dir(text),
            lambda: keys(store.list_prefix(f"{text}/")),
            lambda: keys(store.list_dir(text)),
        ):
            with pytest.raises(InvalidPath, match=r"empty component or '\.'"):
                await call()

    asyncio.run(main())
    assert contents(plain) == {"a/b": b"a/b", "z": b"z"}


@pytest.mark.spec("ZARR-006", "ZARR-008")
def test_what_zarr_lists(filled: Store) -> None:
    store = ZarrStore(filled)

    async def main() -> None:
        assert sorted([key async for key in store.list()]) == KEYS
        assert {key async for key in store.list_dir("a")} == {"b"}
        assert {key async for key in store.list_dir("")} == {"a", "b", "z"}
        await store.delete_dir("a")

    asyncio.run(main())
    assert sorted(contents(filled)) == [key for key in KEYS if not key.startswith("a/")]


@pytest.fixture
def both(store: Store) -> Store:
    """Give a store with an object that has the name of a folder, beside others."""
    for info in list(store.list_files(recursive=True)):
        store.delete(info.path)
    for key in ("d/a", "d/a/b", "d/a/c/e", "d/f", "x"):
        store.write(key, key.encode())
    return store


@pytest.mark.spec("FSS-025", "FSS-019")
def test_fsspec_deletes_and_moves_an_object_with_the_folder_of_its_name(both: Store) -> None:
    fs = RemoteStoreFileSystem(store=both)
    assert fs.find("", withdirs=True, detail=True)["d/a"]["size"] == 3
    assert fs.du("d") == sum(map(len, ("d/a", "d/a/b", "d/a/c/e", "d/f")))
    fs.cp("d", "copy", recursive=True)
    fs.mv("d/a", "moved", recursive=True)
    expected = {
        "copy/a": b"d/a", "copy/a/b": b"d/a/b", "copy/a/c/e": b"d/a/c/e", "copy/f": b"d/f", "d/f": b"d/f",
        "moved": b"d/a", "moved/b": b"d/a/b", "moved/c/e": b"d/a/c/e", "x": b"x",
    }  # fmt: skip
    assert contents(both) == expected
    fs.mv("moved", "alone")
    expected["alone"] = expected.pop("moved")
    assert contents(both) == expected
    fs.rm("copy/a", recursive=True)
    assert sorted(contents(both)) == ["alone", "copy/f", "d/f", "moved/b", "moved/c/e", "x"]
    both.write("moved/c", b"1")
    fs.rm("moved", recursive=True, maxdepth=1)
    assert fs.find("moved") == ["moved/c/e"]
    fs.mv("moved", "d", recursive=True)
    assert sorted(contents(both)) == ["alone", "copy/f", "d/f", "d/moved/c/e", "x"]


@pytest.mark.spec("ARW-005")
def test_arrow_leaves_an_object_or_deletes_it_with_the_folder_above(both: Store) -> None:
    fs = pyarrow_fs(both)
    fs.delete_dir("d/a")
    assert sorted(contents(both)) == ["d/a", "d/f", "x"]
    both.write("d/a/b", b"1")
    fs.delete_dir_contents("d")
    assert contents(both) == {"x": b"x"}
