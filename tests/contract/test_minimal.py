"""A stranger's backend that implements only the abstract methods."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from tests.contract.minimal import MinimalBackend, OneWayReader

from remote_store import AsyncStore, Backend, NotFound, RemotePath
from remote_store.testing import BackendContract


class TestMinimal(BackendContract):
    """Of the ways one that suspends and one that does not will do."""

    @pytest.fixture(params=["trio", "blocking"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def make_backend(self, tmp_path: Path) -> Backend:
        return MinimalBackend()

    @pytest.mark.spec("BE-003")
    async def test_only_abstract_methods_are_implemented(self, store: AsyncStore) -> None:
        concrete = {
            "exists",
            "get_folder_info",
            "ping",
            "read_bytes",
            "write_bytes",
            "to_key",
            "unwrap",
            "aclose",
        }
        assert concrete.isdisjoint(vars(MinimalBackend))
        assert vars(MinimalBackend).keys() >= Backend.__abstractmethods__
        assert {
            name for name, _ in inspect.getmembers(OneWayReader) if name in vars(OneWayReader)
        }.isdisjoint({"readinto", "seek", "seekable", "size"})

    @pytest.mark.spec("BE-003", "STORE-018")
    async def test_the_defaults(self, store: AsyncStore) -> None:
        await store.ping()
        await store.write("a/file", b"12345")
        assert await store.exists("a")
        assert await store.exists("a/file")
        assert await store.read_bytes("a/file", start=1, length=2) == b"23"
        info = await store.get_folder_info("a")
        assert (info.path, info.file_count, info.total_size) == (RemotePath("a"), 1, 5)
        assert info.modified_at == (await store.get_file_info("a/file")).modified_at

    @pytest.mark.spec("STR-004", "STORE-025")
    async def test_read_is_one_way_and_open_read_is_not(self, store: AsyncStore) -> None:
        await store.write("file", b"0123456789")
        async with await store.read("file") as stream:
            assert not stream.seekable()
            assert stream.size is None
        async with await store.open_read("file") as stream:
            assert stream.seekable()
            assert await stream.seek(-3, 2) == 7
            assert await stream.read() == b"789"
            assert await stream.seek(2) == 2
            assert await stream.read(2) == b"23"
            assert await stream.seek(2, 1) == 6
            assert await stream.read(1) == b"6"


class Absent(MinimalBackend):
    """A storage whose root is not there."""

    async def is_folder(self, path: str) -> bool:
        return False


@pytest.mark.anyio
@pytest.mark.spec("BE-003", "STORE-018")
async def test_the_default_ping_of_a_missing_root(anyio_backend: object) -> None:
    with pytest.raises(NotFound, match="root"):
        await AsyncStore(Absent()).ping()
