"""Readers: what a backend's ``open_read`` gives to a store."""

from __future__ import annotations

import pytest

from ..._async import AsyncStore
from ...backend import CHUNK_SIZE, Backend, Reader
from ...errors import InvalidPath, NotFound, RemoteStoreError
from .._spec import needs, spec
from ._base import LARGE, TEXT, ContractBase, assert_same, fill


async def rest_of(reader: Reader, n: int = CHUNK_SIZE) -> bytes:
    """Read to the end in steps, each checked for its size."""
    chunks = []
    while chunk := await reader.read(n):
        assert type(chunk) is bytes
        assert len(chunk) <= n
        chunks.append(chunk)
    assert_same(await reader.read(n), b"")
    return b"".join(chunks)


class Readers(ContractBase):
    """The rules for ``Reader``."""

    @spec("BE-008", "BE-007")
    @needs("write", "read")
    async def test_reading_in_steps(self, store: AsyncStore, backend: Backend) -> None:
        await store.write("file", LARGE)
        for start, length, n in (
            (0, None, CHUNK_SIZE),
            (0, None, 500_000),
            (5, 100, 7),
            (1_000_000, 200_000, 65_536),
        ):
            reader = await backend.open_read("file", start=start, length=length)
            assert_same(await rest_of(reader, n), LARGE[start : None if length is None else start + length])
            await reader.aclose()

    @spec("BE-007", "BE-010")
    @needs("write", "read")
    async def test_a_reader_of_a_part(self, store: AsyncStore, backend: Backend) -> None:
        await store.write("file", TEXT)
        for start, length in ((0, 0), (1024, None), (1024, 5), (5000, None), (5000, 5), (1000, 100), (3, 4)):
            part = TEXT[start:] if length is None else TEXT[start : start + length]
            reader = await backend.open_read("file", start=start, length=length)
            assert reader.size in (None, len(part)), (start, length)
            assert_same(await rest_of(reader), part, (start, length))
            await reader.aclose()
            assert_same(await backend.read_bytes("file", start=start, length=length), part, (start, length))

    @spec("BE-008")
    @needs("write", "read")
    async def test_a_reader_fills_a_buffer(self, store: AsyncStore, backend: Backend) -> None:
        await store.write("file", TEXT)
        reader = await backend.open_read("file", start=24)
        buffer = bytearray(300)
        got = b""
        while count := await reader.readinto(memoryview(buffer)):
            assert count <= 300
            got += buffer[:count]
        assert got == TEXT[24:]
        assert await reader.readinto(memoryview(buffer)) == 0
        await reader.aclose()

    @spec("BE-009")
    @needs("write", "read")
    async def test_seeking_stays_within_the_part(self, store: AsyncStore, backend: Backend) -> None:
        await store.write("file", TEXT)
        reader = await backend.open_read("file", start=100, length=200)
        if reader.seekable:
            for position in (150, 0, 199, 200, 1000, 10):
                await reader.seek(position)
                assert_same(await rest_of(reader), TEXT[100 + position : 300])
        await reader.aclose()

    @spec("BE-010")
    @needs("write", "read")
    async def test_the_version_of_a_reader(self, store: AsyncStore, backend: Backend) -> None:
        await store.write("file", TEXT)
        first, second = await backend.open_read("file"), await backend.open_read("file", start=10, length=5)
        assert first.version == second.version
        await store.write("file", TEXT[::-1] + b"longer", overwrite=True)
        third = await backend.open_read("file")
        assert third.version is None or third.version != first.version
        for reader in (first, second, third):
            await reader.aclose()

    @spec("BE-006")
    @needs("write", "read")
    async def test_a_reader_closed_or_dropped(
        self, store: AsyncStore, backend: Backend, raw: Backend
    ) -> None:
        await store.write("file", LARGE)
        await backend.read_bytes("file")
        before = self.count_held(raw)
        reader = await backend.open_read("file")
        await reader.read(10)
        await reader.aclose()
        await reader.aclose()
        await self.released(raw, before)
        reader = await backend.open_read("file")
        await reader.read(10)
        del reader
        await self.released(raw, before)

    @spec("BE-002", "ERR-011", "ERR-010")
    @needs("write", "read")
    async def test_errors_of_reading(self, store: AsyncStore, backend: Backend) -> None:
        await fill(store, "a/file")
        for key, kind in (("missing", NotFound), ("a/file/below", NotFound), ("a", InvalidPath)):
            for call in (backend.open_read, backend.read_bytes):
                with pytest.raises(RemoteStoreError) as caught:
                    await call(key)
                assert type(caught.value) is kind
                assert (caught.value.path, caught.value.backend) == (key, backend.name)
