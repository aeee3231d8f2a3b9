"""What Zarr's own tests do not look at, and arrays that many write at once."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
import zarr.api.asynchronous
from tests.ext.places import store_of
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import cpu, default_buffer_prototype
from zarr.core.sync import sync

from remote_store import (
    AsyncStore,
    BackendUnavailable,
    InvalidPath,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.ext.zarr import ZarrStore
from remote_store.wrapper import BackendWrapper

PROTOTYPE = default_buffer_prototype()
SIZE, CHUNK = 64, 8


def buffer(data: bytes) -> cpu.Buffer:
    return cpu.Buffer.from_bytes(data)


async def read(store: ZarrStore, key: str, part: ByteRequest | None = None) -> bytes | None:
    found = await store.get(key, PROTOTYPE, part)
    return None if found is None else found.to_bytes()


async def collected(keys: Any) -> list[str]:
    return sorted([key async for key in keys])


@pytest.fixture(params=["memory", "local", "s3"])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with store_of(request.param, request, tmp_path) as store:
        yield store


@pytest.mark.spec("ZARR-003", "ZARR-008")
def test_parts(plain: Store) -> None:
    store = ZarrStore(plain)
    plain.write("a/b", b"0123456789")
    plain.write("empty", b"")

    async def main() -> None:
        assert await read(store, "a/b", RangeByteRequest(2, 5)) == b"234"
        assert await read(store, "a/b", RangeByteRequest(8, 50)) == b"89"
        assert await read(store, "a/b", RangeByteRequest(50, 60)) == b""
        assert await read(store, "a/b", OffsetByteRequest(7)) == b"789"
        assert await read(store, "a/b", SuffixByteRequest(3)) == b"789"
        assert await read(store, "a/b", SuffixByteRequest(30)) == b"0123456789"
        assert await read(store, "empty", SuffixByteRequest(3)) == b""
        for part in (None, RangeByteRequest(0, 1), OffsetByteRequest(1), SuffixByteRequest(1)):
            for key in ("a", "none", "a/b/c"):
                assert await read(store, key, part) is None
        parts = [
            ("a/b", RangeByteRequest(0, 1)),
            ("none", None),
            ("a/b", SuffixByteRequest(1)),
            ("empty", None),
        ]
        found = await store.get_partial_values(PROTOTYPE, parts)
        assert [each if each is None else each.to_bytes() for each in found] == [b"0", None, b"9", b""]
        with pytest.raises(InvalidPath):
            await store.get("../a", PROTOTYPE)
        with pytest.raises(TypeError):
            await store.set("k", b"bytes")  # type: ignore[arg-type]

    sync(main())


@pytest.mark.spec("ZARR-006", "ZARR-007")
def test_prefixes(plain: Store) -> None:
    store = ZarrStore(plain)
    for key in ("a/b/c", "a/bc", "ab", "x"):
        plain.write(key, b"..")

    async def main() -> None:
        assert await collected(store.list()) == ["a/b/c", "a/bc", "ab", "x"]
        assert await collected(store.list_prefix("a")) == ["a/b/c", "a/bc", "ab"]
        assert await collected(store.list_prefix("a/b")) == ["a/b/c", "a/bc"]
        assert await collected(store.list_prefix("a/b/")) == ["a/b/c"]
        for nothing in ("none/", "x/", "x/y", "ab/"):
            assert await collected(store.list_prefix(nothing)) == []
            assert await collected(store.list_dir(nothing)) == []
            await store.delete_dir(nothing)
        assert await collected(store.list_dir("a")) == ["b", "bc"]
        assert await store.getsize_prefix("a/b") == 2
        assert await store.getsize_prefix("") == 8
        for nothing in ("none", "a", "a/b", "ab/below"):
            await store.delete(nothing)
        assert await collected(store.list()) == ["a/b/c", "a/bc", "ab", "x"]
        await store.delete_dir("a/b")
        assert await collected(store.list()) == ["a/bc", "ab", "x"]
        await store.delete_dir("")
        assert await store.is_empty("")
        with pytest.raises(InvalidPath):
            await collected(store.list_prefix("../a/"))

    sync(main())


@pytest.mark.spec("ZARR-007")
def test_a_link_to_a_folder_is_deleted_by_itself(tmp_path: Path) -> None:
    plain = Store(LocalBackend(tmp_path))
    store = ZarrStore(plain)
    plain.write("real/c/0", b"old")
    for name in ("link", "inner/link"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(tmp_path / "real")
        sync(store.delete_dir(name))
        assert not (tmp_path / name).is_symlink()
        assert sync(read(store, "real/c/0")) == b"old"
    array = zarr.create_array(store, name="link", shape=(4,), chunks=(2,), dtype="i4")
    array[:] = 7
    (tmp_path / "link").rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to("moved")
    array = zarr.create_array(store, name="link", shape=(4,), chunks=(2,), dtype="i4", overwrite=True)
    assert array[:].tolist() == [0, 0, 0, 0]  # type: ignore[union-attr]
    (tmp_path / "top").symlink_to("moved")
    sync(store.clear())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spec("ZARR-008")
def test_a_slash_is_not_the_root() -> None:
    store = ZarrStore(Store(MemoryBackend()))
    sync(store.set("k", buffer(b"1")))
    for call in (store.delete_dir, store.delete, store.exists):
        with pytest.raises(InvalidPath, match="the root is the empty text"):
            sync(call("/"))
    assert sync(read(store, "k")) == b"1"


class Changing(BackendWrapper):
    """Replaces a file as soon as it has been looked at, a number of times."""

    def __init__(self, times: int) -> None:
        super().__init__(MemoryBackend())
        self.left = times

    async def get_file_info(self, path: str) -> Any:
        info = await super().get_file_info(path)
        if self.left:
            self.left -= 1
            await self.inner.write_bytes(path, memoryview(b"%d" % self.left * 100), overwrite=True)
        return info


@pytest.mark.spec("ZARR-003")
def test_the_end_of_a_value_that_is_being_replaced() -> None:
    backend = Changing(6)
    store = ZarrStore(AsyncStore(backend))
    sync(store.set("k", buffer(b"old")))
    assert sync(read(store, "k", SuffixByteRequest(3))) == b"000"
    backend.left = 100
    with pytest.raises(RemoteStoreError, match="changed"):
        sync(read(store, "k", SuffixByteRequest(3)))


@pytest.mark.spec("ZARR-005")
def test_one_of_many_creates(plain: Store) -> None:
    store = ZarrStore(plain)

    async def main() -> None:
        await asyncio.gather(*(store.set_if_not_exists("k", buffer(b"%d" % n * 100)) for n in range(20)))
        first = await read(store, "k")
        assert first in [b"%d" % n * 100 for n in range(20)]
        await store.set_if_not_exists("k", buffer(b"late"))
        assert await read(store, "k") == first
        await store.set("k", buffer(b"new"))
        assert await read(store, "k") == b"new"

    sync(main())


class Endless(BackendWrapper):
    """Never gives one file, and refuses another."""

    def __init__(self) -> None:
        super().__init__(MemoryBackend())
        self.stopped = False

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        if path == "bad":
            raise PermissionDenied("no", path=path)
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped = True
        raise AssertionError


@pytest.mark.spec("ZARR-004", "ZARR-008")
def test_a_part_that_fails() -> None:
    backend = Endless()
    store = ZarrStore(AsyncStore(backend))

    async def main() -> None:
        with pytest.raises(PermissionDenied):
            await store.get_partial_values(PROTOTYPE, [("slow", None), ("bad", None)])
        assert backend.stopped

    asyncio.run(main())


@pytest.mark.spec("ZARR-001", "ZARR-009", "ZARR-010")
def test_identity(tmp_path: Path) -> None:
    inner = Store(LocalBackend(tmp_path), "sub")
    store = ZarrStore(inner)
    reader = store.with_read_only(read_only=True)
    assert store == ZarrStore(AsyncStore(LocalBackend(tmp_path), "sub"))
    assert store != reader
    assert reader == ZarrStore(inner, read_only=True)
    assert reader.with_read_only() == store
    assert store != ZarrStore(Store(LocalBackend(tmp_path)))
    assert store != inner
    assert pickle.loads(pickle.dumps(reader)) == reader
    assert len({store, reader, ZarrStore(inner)}) == 2
    changes = [
        reader.set("k", buffer(b"x")),
        reader.set_if_not_exists("k", buffer(b"x")),
        reader.delete("k"),
        reader.delete_dir("k"),
        reader.clear(),
    ]
    for change in changes:
        with pytest.raises(ValueError, match="read-only"):
            sync(change)
    with pytest.raises(NotImplementedError):
        sync(store.set_partial_values([]))
    with pytest.raises(TypeError, match="Store or an AsyncStore"):
        ZarrStore(tmp_path)  # type: ignore[arg-type]
    store.close()
    inner.write("still", b"open")
    inner.close()
    with pytest.raises(BackendUnavailable):
        sync(store.exists("still"))


def values() -> Any:
    return np.arange(SIZE * SIZE, dtype="i4").reshape(SIZE, SIZE)


@pytest.fixture(params=["s3", "sftp"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with store_of(request.param, request, tmp_path) as store:
        yield store


@pytest.mark.spec("ZARR-011")
def test_an_array_written_by_eight_tasks(far: Store) -> None:
    """Each task writes rows of chunks, on a loop of ours; Zarr's own loop reads them."""

    async def main() -> None:
        array = await zarr.api.asynchronous.create(
            store=ZarrStore(far), path="group/array", shape=(SIZE, SIZE), chunks=(CHUNK, CHUNK), dtype="i4"
        )

        async def task(n: int) -> None:
            rows = slice(n * CHUNK, (n + 1) * CHUNK)
            await array.setitem((rows, slice(None)), values()[rows])

        await asyncio.gather(*(task(n) for n in range(8)))

    asyncio.run(main())
    assert len(list(far.list_files("group/array/c", recursive=True))) == (SIZE // CHUNK) ** 2
    array = zarr.open_array(ZarrStore(far, read_only=True), path="group/array", mode="r")
    assert (array[:] == values()).all()


@pytest.mark.spec("ZARR-011")
def test_an_array_written_by_eight_threads(far: Store) -> None:
    """With shards, so that parts of files are read back."""
    group = zarr.create_group(ZarrStore(far))
    group.attrs["made by"] = "threads"
    array = group.create_array(
        "array", shape=(SIZE, SIZE), chunks=(CHUNK // 2, CHUNK // 2), shards=(CHUNK, SIZE), dtype="i4"
    )
    together = threading.Barrier(8)

    def work(n: int) -> None:
        together.wait(60)
        rows = slice(n * CHUNK, (n + 1) * CHUNK)
        array[rows] = values()[rows]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    again = zarr.open_group(ZarrStore(far), mode="r")
    assert again.attrs["made by"] == "threads"
    assert (again["array"][5:60:7, 3] == values()[5:60:7, 3]).all()  # type: ignore[index]
    assert (again["array"][:] == values()).all()  # type: ignore[index]
