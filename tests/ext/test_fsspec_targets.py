"""Where ``cp``, ``mv``, ``get`` and ``put`` go: lists of targets, and roots of stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zarr
from zarr.storage import FsspecStore

from remote_store import InvalidPath, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.ext.fsspec import RemoteStoreFileSystem

FILES = {"ab": b"ab", "a": b"a", "b": b"b"}


@pytest.fixture
def fs() -> RemoteStoreFileSystem:
    fs = RemoteStoreFileSystem(store=Store(MemoryBackend()))
    fs.pipe(FILES)
    return fs


def contents(fs: RemoteStoreFileSystem) -> dict[str, bytes]:
    return {name: fs.cat_file(name) for name in fs.find("")}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.mark.spec("FSS-031")
@pytest.mark.parametrize("source", ["ab", ["ab"], ["ab", "a", "b"], ("ab",)])
@pytest.mark.parametrize("call", ["cp", "mv", "get", "put"])
def test_a_list_of_targets_needs_as_many_sources(
    fs: RemoteStoreFileSystem, here: Path, call: str, source: Any
) -> None:
    targets = [str(here / "x"), str(here / "y")] if call == "get" else ["x", "y"]
    if call == "put":
        source = str(here / "ab") if source == "ab" else [str(here / name) for name in source]
    with pytest.raises(ValueError, match="a list of targets needs a list of as many sources"):
        getattr(fs, call)(source, targets)
    assert contents(fs) == FILES
    assert sorted(path.name for path in here.iterdir()) == sorted(FILES)


@pytest.mark.spec("FSS-031")
@pytest.mark.parametrize("kind", [list, tuple])
def test_one_source_and_a_list_of_one_target_are_a_pair(
    fs: RemoteStoreFileSystem, here: Path, kind: Callable[[list[str]], Any]
) -> None:
    fs.cp("ab", kind(["copy"]))
    fs.mv("ab", kind(["moved"]))
    fs.get("a", kind([str(here / "got")]))
    fs.put(str(here / "b"), kind(["put"]))
    fs.put(here / "b", kind(["put2"]))
    assert (here / "got").read_bytes() == b"a"
    assert contents(fs) == {"a": b"a", "b": b"b", "copy": b"ab", "moved": b"ab", "put": b"b", "put2": b"b"}


@pytest.mark.spec("FSS-031")
@pytest.mark.parametrize("call", ["cp", "mv", "get", "put"])
def test_what_is_no_target(fs: RemoteStoreFileSystem, here: Path, call: str) -> None:
    with pytest.raises(TypeError, match="text, a path or a list"):
        getattr(fs, call)(str(here / "ab") if call == "put" else "ab", {"x"})
    assert contents(fs) == FILES


@pytest.mark.spec("FSS-031")
@pytest.mark.parametrize("target", ["new", "new/", "/new"])
def test_a_root_where_nothing_is_yet_is_a_folder(tmp_path: Path, target: str) -> None:
    disk = {"type": "local", "options": {"root": str(tmp_path / "root")}}
    stores = {name: {"backend": "disk", "root_path": name} for name in ("new", "old")}
    fs = RemoteStoreFileSystem(config={"backends": {"disk": disk}, "stores": stores})
    folder = tmp_path / "D"
    folder.mkdir()
    (folder / "f").write_bytes(b"1")
    fs.put(str(folder / "f"), target)
    assert fs.find("new") == ["new/f"]
    fs.rm("new/f")
    for _ in range(2):
        fs.put(str(folder), target, recursive=True)
        assert fs.find("new") == ["new/D/f"]
    fs.mv("new/D", "old", recursive=True)
    fs.cp("old/D/f", target)
    fs.mv("old/D/f", "old")
    assert (fs.find("new"), fs.find("old")) == (["new/f"], ["old/f"])
    RemoteStoreFileSystem.clear_instance_cache()


@pytest.mark.spec("FSS-031")
def test_the_root_of_one_store_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "D"
    folder.mkdir()
    (folder / "f").write_bytes(b"1")
    for store in (Store(MemoryBackend(), "sub"), Store(LocalBackend(tmp_path / "root"), "sub")):
        fs = RemoteStoreFileSystem(store=store)
        for _ in range(2):
            fs.put(str(folder), "", recursive=True)
            fs.put(str(folder / "f"), "/")
            assert contents(fs) == {"D/f": b"1", "f": b"1"}


@pytest.mark.spec("FSS-019")
@pytest.mark.parametrize("path", ["", "/", "remote-store://"])
@pytest.mark.parametrize("by_mapper", [False, True])
@pytest.mark.parametrize("kind", ["memory", "local"])
def test_a_root_is_emptied(tmp_path: Path, path: str, by_mapper: bool, kind: str) -> None:
    store = Store(MemoryBackend() if kind == "memory" else LocalBackend(tmp_path), "root")
    fs = RemoteStoreFileSystem(store=store)
    fs.rm(path, recursive=True)  # nothing is there yet
    fs.pipe({"a/b/f": b"1", "a/g": b"2", "h": b"3"})
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "f").write_bytes(b"1")
    if kind == "local":
        (tmp_path / "root" / "link").symlink_to(tmp_path / "beside")
    if by_mapper:
        fs.get_mapper(path).clear()
    else:
        fs.rm(path, recursive=True)
    assert fs.ls("") == []
    assert (tmp_path / "beside" / "f").read_bytes() == b"1"


@pytest.mark.spec("FSS-019")
def test_the_folder_of_all_stores_is_not_emptied() -> None:
    stores = {name: {"backend": "m", "root_path": name} for name in ("one", "two")}
    fs = RemoteStoreFileSystem(config={"backends": {"m": {"type": "memory"}}, "stores": stores})
    fs.pipe({"one/a/f": b"1", "two/g": b"2"})
    for everything in ("", "/", ["one", ""]):
        with pytest.raises(InvalidPath, match="names no store"):
            fs.rm(everything, recursive=True)
    assert fs.find("") == ["one/a/f", "two/g"]
    fs.rm("one", recursive=True)
    assert fs.find("") == ["two/g"]
    RemoteStoreFileSystem.clear_instance_cache()


@pytest.mark.spec("FSS-019")
def test_zarr_makes_a_group_anew_in_the_root() -> None:
    fs = RemoteStoreFileSystem(store=Store(MemoryBackend()), asynchronous=True)
    store = FsspecStore(fs, path="")
    for name in ("old", "new"):
        zarr.open_group(store, mode="w").create_array(name, shape=(2,), dtype="i4")
    assert list(zarr.open_group(store, mode="r").array_keys()) == ["new"]


@pytest.mark.spec("FSS-005")
def test_file_systems_over_stores_that_come_and_go_are_not_equal() -> None:
    def token() -> str:
        return RemoteStoreFileSystem(store=Store(MemoryBackend()))._fs_token

    assert len({token() for _ in range(50)}) == 50
    backend = MemoryBackend()
    one, same = (RemoteStoreFileSystem(store=Store(backend, "a")) for _ in range(2))
    assert one == same
    assert one != RemoteStoreFileSystem(store=Store(backend, "b"))
