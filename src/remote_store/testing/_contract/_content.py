"""What may be written: buffers, files and iterables, blocking and async."""

from __future__ import annotations

import io
import mmap
import threading
from array import array
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from ..._async import AsyncStore
from ...capabilities import Capability
from .._spec import needs, spec
from ._base import LARGE, TEXT, ContractBase, assert_same


class Content(ContractBase):
    """Every kind of content gives the same bytes, and what is no content is refused."""

    @spec("STR-016")
    @needs("write", "read")
    async def test_buffers(self, store: AsyncStore) -> None:
        mapped = mmap.mmap(-1, 4096)
        mapped.write(TEXT)
        buffers: dict[str, Any] = {
            "bytes": TEXT,
            "bytearray": bytearray(TEXT),
            "memoryview": memoryview(TEXT)[10:500],
            "array": array("I", range(1000)),
            "two dimensions": memoryview(TEXT).cast("B", (32, 32)),
            "mmap": mapped,
            "nothing": b"",
            "empty array": array("d"),
            "large": bytearray(LARGE),
        }
        for name, buffer in buffers.items():
            result = await store.write(name, buffer)
            assert_same(await store.read_bytes(name), memoryview(buffer).tobytes(), name)
            assert result.size == memoryview(buffer).nbytes
            if store.supports(Capability.ATOMIC_WRITE):
                await store.write_atomic(name, buffer, overwrite=True)
                assert_same(await store.read_bytes(name), memoryview(buffer).tobytes(), name)
        mapped.close()

    @spec("STR-016")
    @needs("write", "read")
    async def test_a_buffer_is_free_again_when_the_call_returns(self, store: AsyncStore) -> None:
        for size in (5, len(LARGE)):
            buffer = bytearray(LARGE[:size])
            await store.write(f"{size}", buffer)
            buffer[:] = bytes(size)
            buffer.append(0)  # raises BufferError if somebody still looks into it
            assert_same(await store.read_bytes(f"{size}"), LARGE[:size])

    @spec("STR-016", "STR-021")
    @needs("write")
    async def test_a_buffer_with_gaps_is_refused(self, store: AsyncStore) -> None:
        with pytest.raises(TypeError, match="contiguous"):
            await store.write("file", memoryview(TEXT)[::2])
        assert not await store.exists("file")

    @spec("STR-017")
    @needs("write", "read")
    async def test_a_file_is_read_from_where_it_stands(self, store: AsyncStore, tmp_path: Path) -> None:
        path = anyio.Path(tmp_path / "source")
        await path.write_bytes(LARGE)
        buffered, unbuffered = await anyio.open_file(path, "rb"), await anyio.open_file(path, "rb", 0)
        sources: dict[str, Any] = {
            "on disk": buffered.wrapped,
            "unbuffered": unbuffered.wrapped,
            "in memory": io.BytesIO(LARGE),
        }
        for name, source in sources.items():
            source.seek(100_000)
            await store.write(name, source)
            assert not source.closed
            source.close()
            assert_same(await store.read_bytes(name), LARGE[100_000:])

    @spec("STR-017")
    @needs("write", "read")
    async def test_a_file_that_reads_a_little_at_a_time(self, store: AsyncStore) -> None:
        class Slow(io.RawIOBase):
            left = 60

            def readable(self) -> bool:
                return True

            def read(self, n: int = -1) -> bytes:
                self.left -= 1
                return b"abc"[:n] if self.left >= 0 else b""

        await store.write("file", Slow())
        assert_same(await store.read_bytes("file"), b"abc" * 60)

    @spec("STR-018")
    @needs("write", "read")
    async def test_iterables_are_joined(self, store: AsyncStore) -> None:
        pieces: list[Any] = [
            b"",
            b"ab",
            b"",
            bytearray(b"cd"),
            memoryview(b"ef"),
            b"",
            array("B", b"gh"),
            b"",
        ]
        sources: dict[str, Any] = {
            "list": pieces,
            "tuple": tuple(pieces),
            "generator": (piece for piece in pieces),
            "iterator": iter(pieces),
        }
        for name, source in sources.items():
            await store.write(name, source)
            assert_same(await store.read_bytes(name), b"abcdefgh", name)
        await store.write("nothing", [])
        assert_same(await store.read_bytes("nothing"), b"")
        await store.write("empty pieces", iter([b"", b""]))
        assert_same(await store.read_bytes("empty pieces"), b"")

    @spec("STR-018")
    @needs("write", "read")
    async def test_iterables_of_large_and_of_many_pieces(self, store: AsyncStore) -> None:
        await store.write("large", iter([LARGE, b"-", LARGE]))
        assert_same(await store.read_bytes("large"), LARGE + b"-" + LARGE)
        await store.write("many", (bytes([number % 256]) * 10 for number in range(30_000)))
        assert_same(await store.read_bytes("many"), b"".join(bytes([n % 256]) * 10 for n in range(30_000)))

    @spec("STR-018")
    @needs("write", "read")
    async def test_a_piece_may_be_reused_when_the_next_is_asked_for(self, store: AsyncStore) -> None:
        def reusing(size: int) -> Iterator[bytearray]:
            buffer = bytearray(size)
            for value in range(1, 5):
                buffer[:] = bytes([value]) * size
                yield buffer

        for size in (10, 600_000):
            await store.write(f"{size}", reusing(size))
            assert_same(await store.read_bytes(f"{size}"), b"".join(bytes([v]) * size for v in range(1, 5)))

    @spec("STR-019", "STR-020")
    @needs("write", "read")
    async def test_async_content(self, store: AsyncStore, tmp_path: Path) -> None:
        async def pieces() -> AsyncIterator[Any]:
            for piece in (b"", b"ab", bytearray(b"cd"), b"", LARGE, memoryview(b"ef")):
                yield piece

        path = anyio.Path(tmp_path / "source")
        await path.write_bytes(LARGE)
        async with await anyio.open_file(path, "rb") as file:
            sources: dict[str, tuple[Any, bytes]] = {
                "iterable": (pieces(), b"abcd" + LARGE + b"ef"),
                "file": (file, LARGE),
            }
            for name, (source, content) in sources.items():
                if self.blocking:
                    with pytest.raises(TypeError, match="async"):
                        await store.write(name, source)
                    assert not await store.exists(name)
                else:
                    await store.write(name, source)
                    assert_same(await store.read_bytes(name), content, name)

    @spec("STR-019", "STR-017")
    @needs("write", "read")
    async def test_a_stream_of_this_library_is_content(self, store: AsyncStore) -> None:
        await store.write("source", LARGE)
        async with await store.read("source", start=5) as stream:
            await stream.read(5)
            await store.write("copy", self.plain(stream))
            assert not stream.closed
        assert_same(await store.read_bytes("copy"), LARGE[10:])

    @spec("STR-021", "STORE-031")
    @needs("write", "read")
    async def test_what_is_no_content_is_refused(self, store: AsyncStore, tmp_path: Path) -> None:
        path = tmp_path / "text"
        text = await anyio.open_file(path, "w+")
        wrong: dict[str, Any] = {
            "text": "text",
            "no text": "",
            "text file": text.wrapped,
            "text in memory": io.StringIO("text"),
            "pieces of text": ["text"],
            "pieces of text after bytes": [LARGE, "text"],
            "pieces of nothing": [b"a", None],
            "numbers": [1, 2],
            "a number": 5,
            "nothing": None,
            "an object": object(),
            "a class": bytes,
            "a path": path,
        }
        await store.write("old", b"old")
        for name, content in wrong.items():
            for target in ("new/file", "old"):
                with pytest.raises(TypeError):
                    await store.write(target, content, overwrite=True)
                if store.supports(Capability.ATOMIC_WRITE):
                    with pytest.raises(TypeError):
                        await store.write_atomic(target, content, overwrite=True)
            assert not await store.exists("new/file"), name
            assert not await store.exists("new"), name
            assert_same(await store.read_bytes("old"), b"old", name)
        await text.aclose()

    @spec("STR-021")
    @needs("write")
    async def test_write_text_takes_only_text(self, store: AsyncStore) -> None:
        wrong: Any
        for wrong in (b"bytes", None, 5, ["text"]):
            with pytest.raises(TypeError):
                await store.write_text("file", wrong)
        assert not await store.exists("file")

    @spec("STR-022", "STR-006")
    @needs("write", "read")
    async def test_blocking_content_is_used_in_a_worker_thread(self, store: AsyncStore) -> None:
        used: set[int] = set()

        class Watched(io.BytesIO):
            def read(self, n: int | None = -1, /) -> bytes:
                used.add(threading.get_ident())
                return super().read(n)

            def write(self, data: Any, /) -> int:
                used.add(threading.get_ident())
                return super().write(data)

        def pieces() -> Iterator[bytes]:
            used.add(threading.get_ident())
            yield b"piece"

        await store.write("file", Watched(LARGE))
        await store.write("pieces", pieces())
        async with await store.read("file") as stream:
            await stream.copy_to(Watched())
        assert used
        assert threading.get_ident() not in used
