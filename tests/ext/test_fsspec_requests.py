"""How often the storage is asked, and how long files of it are held."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from remote_store import NotFound, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.ext.fsspec import RemoteStoreFileSystem
from remote_store.testing import FaultyBackend


@pytest.fixture
def backend() -> FaultyBackend:
    return FaultyBackend(MemoryBackend())


@pytest.fixture
def fs(backend: FaultyBackend) -> RemoteStoreFileSystem:
    fs = RemoteStoreFileSystem(store=Store(backend))
    fs.pipe({"a/0": b"0", "a/1": b"1", "a/s/2": b"2", "b": b"3"})
    backend.log.clear()
    return fs


def asked(backend: FaultyBackend) -> list[tuple[str, str | None]]:
    """Return the calls, without the pages of a listing."""
    return [(record.operation, record.path) for record in backend.log if "." not in record.operation]


@pytest.mark.spec("FSS-016")
def test_a_pattern_takes_a_listing_for_each_folder(fs: RemoteStoreFileSystem, backend: FaultyBackend) -> None:
    assert fs.glob("a/*") == ["a/0", "a/1", "a/s"]
    assert asked(backend) == [("list_pages", "a")]
    backend.log.clear()
    assert fs.glob("*/*/*") == ["a/s/2"]
    assert asked(backend) == [("list_pages", path) for path in ("", "a", "a/s")]
    backend.log.clear()
    assert fs.find("a", maxdepth=1, withdirs=True) == ["a", "a/0", "a/1", "a/s"]
    assert asked(backend) == [("list_pages", "a")]
    assert fs.find("a", maxdepth=1) == ["a/0", "a/1"]
    assert fs.find("b", maxdepth=1) == fs.find("b", maxdepth=1, withdirs=True) == ["b"]
    assert fs.glob("none/*") == fs.find("none", maxdepth=1, withdirs=True) == []


@pytest.mark.spec("FSS-019")
def test_files_that_match_are_deleted_as_files(fs: RemoteStoreFileSystem, backend: FaultyBackend) -> None:
    fs.rm("a/?", recursive=True)
    calls = sorted(asked(backend))
    assert [call for call in calls if call[0] == "delete"] == [("delete", "a/0"), ("delete", "a/1")]
    assert [path for name, path in calls if name == "delete_folder"] == ["a/s"]
    with pytest.raises(NotFound, match="nothing matches"):
        fs.rm(["a/?", "x*"], recursive=True)
    fs.pipe({"c/d/e": b"", "f": b""})
    fs.rm(["none*", "b*", "c", "f"], recursive=True)
    assert fs.find("") == []


@pytest.mark.spec("FSS-008")
@pytest.mark.parametrize("cache", ["readahead", "none", "bytes", "blockcache", "all", "first"])
def test_a_dropped_file_is_released_at_once(tmp_path: Path, cache: str) -> None:
    fs = RemoteStoreFileSystem(store=Store(LocalBackend(tmp_path)))
    fs.pipe_file("f", b"0123456789")

    def held() -> int:
        return len(os.listdir("/proc/self/fd"))

    assert fs.open("f", cache_type=cache).read() == b"0123456789"
    gc.collect()
    gc.disable()
    try:
        before = held()
        for _ in range(20):
            assert fs.open("f", cache_type=cache).read(4) == b"0123"
        assert held() == before
    finally:
        gc.enable()
