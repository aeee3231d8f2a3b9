"""MemoryBackend and the contract, and what it promises on its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_store import AsyncStore, Backend
from remote_store.backends import MemoryBackend
from remote_store.testing import BackendContract


class TestMemory(BackendContract):
    def make_backend(self, tmp_path: Path) -> Backend:
        return MemoryBackend()

    @pytest.mark.spec("MEM-001")
    async def test_two_share_nothing(self, store: AsyncStore) -> None:
        await store.write("file", b"mine")
        assert not await self.open(MemoryBackend()).exists("file")

    @pytest.mark.spec("MEM-002")
    async def test_folders_come_and_go_with_their_files(self, store: AsyncStore) -> None:
        await store.write("a/b/c/one", b"")
        await store.write("a/b/two", b"")
        assert await store.is_folder("a/b/c")
        await store.delete("a/b/c/one")
        assert not await store.exists("a/b/c")
        assert await store.is_folder("a/b")
        await store.move("a/b/two", "d/two")
        assert not await store.exists("a")
        assert [name async for name in store.list_folders()] == ["d"]
        await store.delete_folder("d", recursive=True)
        assert [entry async for entry in store.iter_children()] == []

    @pytest.mark.spec("MEM-002")
    async def test_a_failed_write_makes_no_folder(self, store: AsyncStore) -> None:
        await store.write("a/file", b"")
        with pytest.raises(ZeroDivisionError):
            await store.write("b/c/file", (bytes(1 // 0) for _ in range(1)))
        assert [name async for name in store.list_folders()] == ["a"]

    @pytest.mark.spec("MEM-003")
    async def test_the_root_is_always_there(self, store: AsyncStore) -> None:
        for _ in range(2):
            assert await store.is_folder("")
            await store.ping()
            await store.write("a/file", b"")
            await store.delete("a/file")

    @pytest.mark.spec("MEM-004")
    async def test_a_reader_keeps_its_version(self, store: AsyncStore) -> None:
        for change in ("overwrite", "delete", "move"):
            await store.write("file", b"old" * 100_000, overwrite=True)
            async with await store.read("file") as stream:
                head = await stream.read(1)
                if change == "overwrite":
                    await store.write("file", b"new", overwrite=True)
                elif change == "delete":
                    await store.delete("file")
                else:
                    await store.move("file", "elsewhere", overwrite=True)
                assert head + await stream.read() == b"old" * 100_000
