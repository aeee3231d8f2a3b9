"""The watch over blocking calls does its work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from blockbuster import BlockingError

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.backends.local import _read

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_system_call_on_the_loop_is_caught(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    backend = LocalBackend(tmp_path)
    with pytest.raises(BlockingError):
        _read.read_or_open(backend._root, "file", 0, None)
    assert await AsyncStore(backend).read_bytes("file") == b"content"


async def test_code_of_the_test_itself_may_block(tmp_path: Path) -> None:
    time.sleep(0.001)
    (tmp_path / "file").write_bytes(b"content")


async def test_the_blocking_face_may_block(tmp_path: Path) -> None:
    with Store(LocalBackend(tmp_path)) as store:
        store.write("file", b"content")
        assert store.read_bytes("file") == b"content"


async def test_memory_never_waits() -> None:
    async with AsyncStore(MemoryBackend()) as store:
        await store.write("file", b"content")
