"""Names and content that only our own backends, or only one loop, can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiofiles
import pytest

from remote_store import AsyncStore, Backend, InvalidPath, RemotePath
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.testing._contract._base import LARGE, ContractBase


class StoredBackslashes(ContractBase):
    """A stored name may hold a backslash, though no caller can write one as text."""

    @pytest.mark.spec("STORE-003", "BE-001")
    async def test_what_is_listed_can_be_opened(self, store: AsyncStore, backend: Backend) -> None:
        await backend.write_bytes("fol\\der/na\\me", memoryview(b"content"))
        with pytest.raises(InvalidPath):
            await store.read_bytes("fol\\der/na\\me")
        (info,) = [info async for info in store.list_files(recursive=True)]
        assert info.path.parts == ("fol\\der", "na\\me")
        assert await store.read_bytes(info.path) == b"content"
        assert (await store.get_file_info(info.path)).path == info.path
        (folder,) = [entry async for entry in store.iter_children()]
        assert [info.name async for info in store.list_files(folder.path)] == ["na\\me"]
        assert [info.path async for info in store.child(folder.path).list_files()] == [
            RemotePath._of("na\\me")
        ]
        assert [str(top) async for top, _, _ in store.walk()] == ["", "fol\\der"]
        assert [info.path async for info in store.glob("*/na?me")] == [info.path]
        await store.move(info.path, "plain")
        assert await store.read_bytes("plain") == b"content"


class TestMemoryBackslashes(StoredBackslashes):
    def make_backend(self, tmp_path: Path) -> Backend:
        return MemoryBackend()


class TestLocalBackslashes(StoredBackslashes):
    def make_backend(self, tmp_path: Path) -> Backend:
        return LocalBackend(tmp_path)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.spec("STR-006", "STR-019")
async def test_files_of_aiofiles_are_content_and_sink(tmp_path: Path, anyio_backend: str) -> None:
    store = AsyncStore(MemoryBackend())
    async with aiofiles.open(tmp_path / "source", "wb+") as file:
        await file.write(LARGE)
        await file.seek(10)
        await store.write("file", file)
        assert not file.closed
    assert await store.read_bytes("file") == LARGE[10:]
    sink: Any
    async with aiofiles.open(tmp_path / "sink", "wb") as sink, await store.read("file") as stream:
        assert await stream.copy_to(sink) == len(LARGE) - 10
        assert not sink.closed
    assert (tmp_path / "sink").read_bytes() == LARGE[10:]
