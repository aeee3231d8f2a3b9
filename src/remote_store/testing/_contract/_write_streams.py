"""The stream that ``open_write`` gives."""

from __future__ import annotations

from typing import Any

import pytest

from ..._async import AsyncStore
from ...backend import CHUNK_SIZE, Backend
from ...capabilities import Capability
from ...errors import AlreadyExists, RemoteStoreError
from ...models import WriteResult
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import LARGE, ContractBase, all_of, assert_same


class WriteStreams(ContractBase):
    """Writing a file piece by piece."""

    @spec("STR-012", "STORE-033")
    @needs("write", "read")
    async def test_pieces_of_all_sizes_are_joined(self, store: AsyncStore) -> None:
        sizes = (0, 1, 5, 100_000, 0, 262_143, 262_144, 3, CHUNK_SIZE + 7, 9)
        position = 0
        async with store.open_write("file") as stream:
            for size in sizes:
                assert await stream.write(LARGE[position : position + size]) == size
                position += size
                assert stream.tell() == position
        assert_same(await store.read_bytes("file"), LARGE[:position])

    @spec("STR-012")
    @needs("write", "read")
    async def test_a_buffer_may_be_reused_at_once(self, store: AsyncStore) -> None:
        for size in (3, 300_000, CHUNK_SIZE + 1):
            buffer = bytearray(size)
            async with store.open_write(f"{size}") as stream:
                for value in (1, 2, 3):
                    buffer[:] = bytes([value]) * size
                    await stream.write(buffer)
                    buffer[:] = bytes(size)
            assert_same(
                await store.read_bytes(f"{size}"), b"".join(bytes([value]) * size for value in (1, 2, 3))
            )

    @spec("STR-012")
    @needs("write", "read")
    async def test_a_length_is_counted_in_bytes(self, store: AsyncStore) -> None:
        async with store.open_write("file") as stream:
            assert await stream.write(memoryview(b"12345678").cast("I")) == 8
        assert_same(await store.read_bytes("file"), b"12345678")

    @spec("STR-012")
    @needs("write")
    async def test_text_is_refused(self, store: AsyncStore) -> None:
        wrong: Any
        for wrong in ("text", None, 5, [b"pieces"]):
            with pytest.raises(TypeError):
                async with store.open_write("file") as stream:
                    await stream.write(wrong)
            assert not await store.exists("file")

    @spec("STR-013", "BE-011")
    @needs("write", "read", "list", "recursive_list")
    async def test_nothing_shows_before_the_end(self, store: AsyncStore) -> None:
        async with store.open_write("a/file") as stream:
            await stream.write(LARGE)
            assert not await store.exists("a/file")
            assert await all_of(store.list_files(recursive=True)) == []
        assert_same(await store.read_bytes("a/file"), LARGE)

    @spec("STR-013", "STORE-030")
    @needs("write", "read")
    async def test_the_old_file_shows_until_the_end(self, store: AsyncStore) -> None:
        await store.write("file", b"old")
        async with store.open_write("file", overwrite=True) as stream:
            await stream.write(LARGE)
            assert_same(await store.read_bytes("file"), b"old")
        assert_same(await store.read_bytes("file"), LARGE)

    @spec("STORE-033", "STORE-029")
    @needs("write")
    async def test_a_taken_name_is_refused_on_entry(self, store: AsyncStore) -> None:
        await store.write("file", b"old")
        stream = store.open_write("file")
        with pytest.raises(AlreadyExists):
            await stream.__aenter__()

    @spec("STORE-032", "STORE-033", "BE-012")
    @needs("write", "read")
    async def test_a_name_taken_meanwhile_is_refused_at_the_end(self, store: AsyncStore) -> None:
        for atomic in (False, True):
            if atomic and not store.supports(Capability.ATOMIC_WRITE):
                continue
            path = f"a/{atomic}"
            stream = store.open_write(path, atomic=atomic)
            await stream.__aenter__()
            await stream.write(b"mine")
            await store.write(path, b"theirs")
            with pytest.raises(AlreadyExists) as caught:
                await stream.__aexit__(None, None, None)
            assert caught.value.path == path
            assert stream.result is None
            assert_same(await store.read_bytes(path), b"theirs")

    @spec("STR-014")
    @needs("write", "read")
    async def test_closing_inside_the_block(self, store: AsyncStore) -> None:
        async with store.open_write("file") as stream:
            assert (stream.closed, await stream.write(b"all")) == (False, 3)
            await stream.aclose()
            await stream.aclose()
            assert stream.closed
            assert not await store.exists("file")
            with pytest.raises(ValueError, match="closed") as caught:
                await stream.write(b"more")
            assert not isinstance(caught.value, RemoteStoreError)
        assert_same(await store.read_bytes("file"), b"all")

    @spec("STR-014", "STR-013")
    @needs("write")
    async def test_an_error_after_closing_still_undoes_it(self, store: AsyncStore) -> None:
        stream = store.open_write("a/file")
        await stream.__aenter__()
        await stream.write(b"all")
        await stream.aclose()
        await stream.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
        assert not await store.exists("a/file")
        assert not await store.exists("a")

    @spec("STR-015", "STORE-002")
    @needs("write")
    async def test_the_result(self, store: AsyncStore, inner: AsyncStore) -> None:
        for where in (store, inner):
            stream = where.open_write("a//file")
            early = [stream.result]
            async with stream:
                await stream.write(b"12345")
                early.append(stream.result)
                assert stream.name == "a//file"
                assert stream.writable()
            assert early == [None, None]
            assert type(stream.result) is WriteResult
            assert (stream.result.path, stream.result.size) == (RemotePath("a/file"), 5)

    @spec("STORE-033", "STR-015")
    @needs("write", "read")
    async def test_a_file_without_content(self, store: AsyncStore) -> None:
        async with store.open_write("a/empty") as stream:
            pass
        assert stream.result is not None
        assert_same(await store.read_bytes("a/empty"), b"")

    @spec("STORE-033")
    @needs("write")
    async def test_only_inside_the_block(self, store: AsyncStore) -> None:
        stream = store.open_write("file")
        with pytest.raises(ValueError, match="enter"):
            await stream.write(b"early")
        assert not await store.exists("file")
        async with stream:
            pass
        with pytest.raises(ValueError, match="closed"):
            await stream.write(b"late")
        with pytest.raises(ValueError, match="once"):
            await stream.__aenter__()

    @spec("BE-014", "STR-013")
    @needs("write", "list")
    async def test_a_stream_that_is_dropped(self, store: AsyncStore, raw: Backend) -> None:
        await store.write("file", b"")
        before = self.count_held(raw)
        stream = store.open_write("a/file")
        await stream.__aenter__()
        await stream.write(LARGE)
        del stream
        await self.released(raw, before)
        assert not await store.exists("a/file")
        assert [info async for info in store.list_files("a")] == []
