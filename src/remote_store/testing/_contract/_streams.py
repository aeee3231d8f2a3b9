"""The streams that ``read`` and ``open_read`` give."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import anyio
import pytest

from ..._async import AsyncStore
from ...backend import CHUNK_SIZE, Backend
from ...capabilities import Capability
from ...errors import CapabilityNotSupported, RemoteStoreError
from .._spec import needs, spec
from ._base import LARGE, TEXT, ContractBase, all_of, assert_same


class Streams(ContractBase):
    """Reading a file piece by piece."""

    @spec("STR-001")
    @needs("write", "read")
    async def test_exactly_as_many_bytes_as_asked_for(self, store: AsyncStore) -> None:
        await store.write("file", LARGE)
        async with await store.read("file") as stream:
            position = 0
            for n in (0, 1, 2, 1023, 65_536, 65_537, 1, CHUNK_SIZE, CHUNK_SIZE + 1):
                assert_same(await stream.read(n), LARGE[position : position + n])
                position = min(position + n, len(LARGE))
                assert stream.tell() == position
            assert_same(await stream.read(5), b"")
            assert_same(await stream.read(), b"")

    @spec("STR-001")
    @needs("write", "read")
    async def test_the_rest(self, store: AsyncStore) -> None:
        await store.write("file", LARGE)
        for rest in (-1, None):
            async with await store.read("file") as stream:
                assert_same(await stream.read(10), LARGE[:10])
                assert_same(await stream.read(rest), LARGE[10:])
                assert_same(await stream.read(rest), b"")

    @spec("STR-002")
    @needs("write", "read")
    async def test_readinto(self, store: AsyncStore) -> None:
        await store.write("file", LARGE)
        async with await store.read("file") as stream:
            assert await stream.readinto(bytearray()) == 0
            small = bytearray(b"-" * 10)
            assert await stream.readinto(memoryview(small)[2:8]) == 6
            assert_same(small, b"--" + LARGE[:6] + b"--")
            large = bytearray(CHUNK_SIZE + 3)
            assert await stream.readinto(large) == len(large)
            assert_same(large, LARGE[6 : 6 + len(large)])
            rest = bytearray(len(LARGE))
            count = len(LARGE) - 6 - len(large)
            assert await stream.readinto(rest) == count
            assert_same(rest[:count], LARGE[-count:])
            assert_same(rest[count:], bytes(len(LARGE) - count))
            assert await stream.readinto(rest) == 0

    @spec("STR-003", "STR-004", "BE-009")
    @needs("write", "read")
    async def test_seeking_counts_from_where_the_stream_begins(self, store: AsyncStore) -> None:
        await store.write("file", TEXT)
        async with await store.read("file", start=100, length=500) as stream:
            if not stream.seekable():
                error = io.UnsupportedOperation if self.blocking else CapabilityNotSupported
                with pytest.raises(error) as caught:
                    await stream.seek(0)
                assert getattr(caught.value, "capability", "seek") == "seek"
                return
            reference = io.BytesIO(TEXT[100:600])
            random = Random(3)  # noqa: S311 - a repeatable walk through the file
            for _ in range(50):
                whence = random.choice((io.SEEK_SET, io.SEEK_CUR, io.SEEK_END))
                offset = random.randrange(-600, 600)
                base = (0, reference.tell(), 500)[whence]
                if base + offset < 0:
                    with pytest.raises(ValueError, match="negative"):
                        await stream.seek(offset, whence)
                    continue
                assert await stream.seek(offset, whence) == reference.seek(base + offset)
                n = random.randrange(300)
                assert_same(await stream.read(n), reference.read(n))
                assert stream.tell() == reference.tell()

    @spec("STR-003")
    @needs("write", "read")
    async def test_beyond_the_end(self, store: AsyncStore) -> None:
        await store.write("file", TEXT)
        async with await store.open_read("file") as stream:
            assert await stream.seek(5000) == 5000
            assert_same(await stream.read(1), b"")
            assert await stream.readinto(bytearray(1)) == 0
            assert await stream.seek(-1, io.SEEK_END) == len(TEXT) - 1
            assert_same(await stream.read(), TEXT[-1:])
            with pytest.raises(ValueError, match="whence"):
                await stream.seek(0, 9)

    @spec("STR-005")
    @needs("write", "read")
    async def test_iteration(self, store: AsyncStore) -> None:
        for name, content in {"large": LARGE, "small": TEXT, "empty": b""}.items():
            await store.write(name, content)
            async with await store.read(name) as stream:
                chunks = await all_of(stream)
            assert all(type(chunk) is bytes and chunk for chunk in chunks)
            assert_same(b"".join(chunks), content)
        async with await store.read("large", start=5) as stream:
            head = await stream.read(5)
            assert_same(head + b"".join(await all_of(stream)), LARGE[5:])

    @spec("STR-006")
    @needs("write", "read")
    async def test_copy_to_a_file(self, store: AsyncStore, tmp_path: Path) -> None:
        await store.write("file", LARGE)
        async with await store.read("file") as stream:
            await stream.read(7)
            sink = io.BytesIO()
            assert await stream.copy_to(sink) == len(LARGE) - 7
            assert not sink.closed
            assert_same(sink.getvalue(), LARGE[7:])
            assert await stream.copy_to(sink) == 0
        target = anyio.Path(tmp_path / "sink")
        async with await store.read("file") as stream, await anyio.open_file(target, "wb") as file:
            assert await stream.copy_to(file.wrapped if self.blocking else file) == len(LARGE)
            assert not file.wrapped.closed
        assert_same(await target.read_bytes(), LARGE)

    @spec("STR-006")
    @needs("write", "read")
    async def test_copy_to_a_write_stream(self, store: AsyncStore) -> None:
        await store.write("file", LARGE)
        async with await store.read("file") as stream, store.open_write("copy") as sink:
            assert await stream.copy_to(self.plain(sink)) == len(LARGE)
        assert_same(await store.read_bytes("copy"), LARGE)

    @spec("STR-006", "ERR-013")
    @needs("write", "read")
    async def test_what_a_sink_raises_comes_out_unchanged(self, store: AsyncStore) -> None:
        class Full(io.BytesIO):
            def write(self, data: object, /) -> int:
                raise OSError(28, "no room in the sink")

        await store.write("file", TEXT)
        async with await store.read("file") as stream:
            with pytest.raises(OSError, match="no room in the sink") as caught:
                await stream.copy_to(Full())
        assert not isinstance(caught.value, RemoteStoreError)

    @spec("STR-007")
    @needs("write", "read")
    async def test_closing(self, store: AsyncStore) -> None:
        await store.write("file", TEXT)
        for opened in (store.read, store.open_read):
            stream = await opened("file")
            async with stream as entered:
                assert entered is not None
                assert (stream.closed, len(await stream.read(10))) == (False, 10)
            assert stream.closed
            await stream.aclose()
            for use in (stream.read, lambda s=stream: s.readinto(bytearray(1)), lambda s=stream: s.seek(0)):
                with pytest.raises(ValueError, match="closed") as caught:
                    await use()
                assert not isinstance(caught.value, RemoteStoreError)

    @spec("STR-008", "BE-006")
    @needs("write", "read")
    async def test_what_is_dropped_is_released(self, store: AsyncStore, raw: Backend) -> None:
        await store.write("file", LARGE)
        await store.read_bytes("file")
        before = self.count_held(raw)
        for step in ("nothing", "read", "iterate", "seek"):
            stream = await store.open_read("file")
            if step == "read":
                await stream.read(10)
            elif step == "iterate":
                async for _ in stream:
                    break
            elif step == "seek":
                await stream.seek(2 * CHUNK_SIZE)
                await stream.read(1)
            del stream
            await self.released(raw, before)

    @spec("STR-007")
    @needs("write", "read")
    async def test_what_is_closed_is_released(self, store: AsyncStore, raw: Backend) -> None:
        await store.write("file", LARGE)
        await store.read_bytes("file")
        before = self.count_held(raw)
        streams = [await store.read("file") for _ in range(5)]
        for stream in streams:
            await stream.read(1)
            await stream.aclose()
        await self.released(raw, before)

    @spec("STR-011", "BE-010")
    @needs("write", "read")
    async def test_one_version_or_an_error(self, store: AsyncStore) -> None:
        """What is read after the file was replaced or deleted belongs to the old version, or is an error."""
        old, new = LARGE, LARGE[::-1]
        for change in ("replace", "shorten", "delete"):
            if change == "delete" and not store.supports(Capability.DELETE):
                continue
            for path, opened in {f"{change}1": store.read, f"{change}2": store.open_read}.items():
                await store.write(path, old)
                async with await opened(path) as stream:
                    head = await stream.read(10)
                    if change == "delete":
                        await store.delete(path)
                    else:
                        await store.write(path, new if change == "replace" else b"short", overwrite=True)
                    try:
                        got = head + await stream.read()
                    except RemoteStoreError:
                        continue
                assert_same(got, old, path)

    @spec("STR-011", "STORE-025")
    @needs("write", "read")
    async def test_one_version_also_when_seeking(self, store: AsyncStore) -> None:
        await store.write("file", LARGE)
        async with await store.open_read("file") as stream:
            head = await stream.read(10)
            await store.write("file", bytes(len(LARGE)), overwrite=True)
            try:
                await stream.seek(CHUNK_SIZE + 5)
                tail = await stream.read(100)
            except RemoteStoreError:
                return
        assert (head, tail) == (LARGE[:10], LARGE[CHUNK_SIZE + 5 : CHUNK_SIZE + 105])

    @spec("STR-001")
    @needs("write", "read")
    async def test_what_a_stream_tells_of_itself(self, store: AsyncStore) -> None:
        await store.write("a/file", TEXT)
        async with await store.read("a//file", start=24) as stream:
            assert stream.name == "a//file"
            assert stream.readable()
            assert stream.size in (None, len(TEXT) - 24)
            assert stream.tell() == 0
