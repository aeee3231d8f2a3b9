"""What ``write`` accepts, and how it is brought to chunks. STR-016 to STR-022, below any backend."""

from __future__ import annotations

import array
import codecs
import collections
import ctypes
import gc
import io
import mmap
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from pickle import PickleBuffer
from typing import Any, Literal

import aiofiles
import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.support import run_in, worlds

from remote_store import AsyncStore, RemoteStoreError, Store, _runtime
from remote_store._async._content import as_buffer, chunks_of
from remote_store._runtime import drive
from remote_store.backend import CHUNK_SIZE
from remote_store.backends import MemoryBackend
from remote_store.sessions import room_for

pytestmark = pytest.mark.anyio

DATA = bytes(range(256)) * 5000  # 1.22 MiB: more than one chunk
PIECES = [b"", b"one", bytearray(b"two"), b"", memoryview(b"three"), array.array("H", [1, 2]), b""]
JOINED = b"onetwothree\x01\x00\x02\x00"


async def collected(content: object) -> list[bytes]:
    return [bytes(chunk) async for chunk in chunks_of(content)]


# -- buffers -------------------------------------------------------------------------


class Record(ctypes.Structure):
    _fields_ = [("a", ctypes.c_uint16), ("b", ctypes.c_uint16)]


def flat_buffers() -> Iterator[tuple[str, Any, bytes]]:
    floats = array.array("d", [1.5, -2.0])
    grid = np.arange(6, dtype=">i2").reshape(2, 3)
    yield "bytes", b"abc", b"abc"
    yield "empty", b"", b""
    yield "bytearray", bytearray(b"abc"), b"abc"
    yield "memoryview", memoryview(b"xabcx")[1:4], b"abc"
    yield "array", floats, floats.tobytes()
    yield "view of an array", memoryview(floats), floats.tobytes()
    yield "two dimensions", memoryview(bytes(range(6))).cast("B", (2, 3)), bytes(range(6))
    yield "PickleBuffer", PickleBuffer(b"abc"), b"abc"
    yield "ctypes", (ctypes.c_uint16 * 2)(1, 2), b"\x01\x00\x02\x00"
    yield "structure", Record(1, 2), b"\x01\x00\x02\x00"
    yield "numpy", grid, grid.tobytes()
    yield "numpy row", grid[1], grid[1].tobytes()
    yield "numpy scalar", np.array(7, dtype="<u4"), b"\x07\x00\x00\x00"
    yield "numpy empty", np.empty((0, 3)), b""
    yield "numpy bool", np.array([True, False]), b"\x01\x00"
    yield "numpy record", np.zeros(1, dtype=[("a", "u1"), ("b", "u2")]), b"\0\0\0"
    yield "read-only", memoryview(bytearray(b"abc")).toreadonly(), b"abc"
    yield "getbuffer", io.BytesIO(b"abc").getbuffer(), b"abc"


@pytest.mark.spec("STR-016")
@pytest.mark.parametrize(("content", "stored"), [pytest.param(*row[1:], id=row[0]) for row in flat_buffers()])
def test_any_flat_buffer_is_stored_byte_for_byte(content: Any, stored: bytes) -> None:
    view = as_buffer(content)
    assert view is not None
    assert (view.format, view.ndim, view.itemsize, view.nbytes) == ("B", 1, 1, len(stored))
    assert bytes(view) == stored
    store = Store(MemoryBackend())
    assert store.write("f", content).size == len(stored)
    assert store.read_bytes("f") == stored


@pytest.mark.spec("STR-016")
def test_a_mapped_file_is_a_buffer(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    store = Store(MemoryBackend())
    with open(tmp_path / "f", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        mapped.seek(10)
        store.write("f", mapped)
    assert store.read_bytes("f") == DATA, "all of it, wherever its file position is"


@pytest.mark.spec("STR-016")
@pytest.mark.parametrize("item", ["B", "i"])
def test_a_view_of_a_buffer_in_a_garbage_cycle(item: Literal["B", "i"]) -> None:
    """The collector may clear the caller's view first; ours must not stand on it."""
    for _ in range(20):
        given = memoryview(bytearray(64)).cast(item)
        cycle: list[object] = [given, as_buffer(given)]
        cycle.append(cycle)
        del given, cycle
        gc.collect(0)  # the young ones: a whole collection takes long among many tests


@pytest.mark.spec("STR-016", "STR-021")
@pytest.mark.parametrize(
    "content",
    [
        memoryview(bytes(10))[::2],
        memoryview(bytes(10))[::-1],
        np.arange(6).reshape(2, 3).T,
        np.arange(6).reshape(2, 3)[:, 1],
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        PickleBuffer(memoryview(bytes(10))[::2]),
    ],
    ids=["step", "backwards", "transposed", "column", "fortran", "PickleBuffer"],
)
def test_a_buffer_with_gaps_is_a_type_error(content: Any) -> None:
    with pytest.raises(TypeError, match=r"contiguous buffer; copy it with bytes\(content\) first"):
        as_buffer(content)
    store = Store(MemoryBackend())
    for source in (content, [b"a", content]):
        with pytest.raises(TypeError, match="contiguous"):
            store.write("f", source)
    assert not store.exists("f")


@pytest.mark.spec("STR-016")
@worlds
def test_the_caller_may_change_and_resize_the_buffer_at_once(world: str) -> None:
    async def main() -> None:
        store = AsyncStore(MemoryBackend())
        data = bytearray(b"abc")
        await store.write("f", data)
        data += b"d"  # BufferError if anything still held a view of it
        with pytest.raises(FileExistsError):
            await store.write("f", data)
        data += b"e"
        async with store.open_write("g") as stream:
            await stream.write(data)
            data[:] = b"changed!"
            await stream.write(data)
            data.clear()
        assert await store.read_bytes("f") == b"abc"
        assert await store.read_bytes("g") == b"abcdechanged!"

    run_in(world, main)


@pytest.mark.spec("STR-016")
@given(st.binary(max_size=64))
def test_arbitrary_bytes(data: bytes) -> None:
    assert bytes(as_buffer(data) or b"") == data


# -- blocking files and iterables ------------------------------------------------------


class Odd:
    """A file in little more than name: it reads, in portions of its own choice."""

    def __init__(self, portions: list[bytes]) -> None:
        self.portions = portions

    def read(self, n: int, /) -> bytes:
        return self.portions.pop(0) if self.portions else b""


@pytest.mark.spec("STR-017")
@worlds
def test_a_file_is_read_from_where_it_stands_and_left_open(world: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"skipped" + DATA)

    async def main() -> None:
        with open(tmp_path / "f", "rb") as file, open(tmp_path / "f", "rb", buffering=0) as raw:
            with io.BytesIO(b"skipped" + DATA) as memory, tempfile.SpooledTemporaryFile() as spooled:
                spooled.write(b"skipped" + DATA)
                for source in (file, raw, memory, spooled):
                    source.seek(7)
                    assert b"".join(await collected(source)) == DATA
                    assert not source.closed
                    assert source.tell() == 7 + len(DATA)

    run_in(world, main)


@pytest.mark.spec("STR-017")
@worlds
def test_short_reads_do_not_end_a_file(world: str) -> None:
    async def main() -> None:
        assert await collected(Odd([b"a", b"bc", b"d"])) == [b"a", b"bc", b"d"]
        here, there = socket.socketpair()
        with here, there, here.makefile("rb") as file:
            there.sendall(b"abc")
            there.close()
            assert b"".join(await collected(file)) == b"abc"

    run_in(world, main)


@pytest.mark.spec("STR-017")
def test_pipes_and_wrapped_files() -> None:
    store = Store(MemoryBackend())
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as sink:
        sink.write(b"abc")
        sink.close()
        store.write("pipe", source)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"abc")
        file.seek(0)
        store.write("named", file)
    assert store.read_bytes("pipe") == store.read_bytes("named") == b"abc"


@pytest.mark.spec("STR-018")
@pytest.mark.parametrize(
    "make", [list, tuple, iter, collections.deque, lambda given: (piece for piece in given)]
)
@worlds
def test_an_iterable_of_buffers_is_stored_joined(world: str, make: Callable[[Any], Any]) -> None:
    async def main() -> None:
        assert b"".join(await collected(make(PIECES))) == JOINED
        assert await collected(make([])) == []
        assert b"".join(await collected(make([b""] * 3))) == b""

    run_in(world, main)


@pytest.mark.spec("STR-018")
@worlds
def test_pieces_are_gathered_and_cut_to_a_useful_size(world: str) -> None:
    async def main() -> None:
        small = await collected(b"x" * 100 for _ in range(100_000))
        assert b"".join(small) == b"x" * 10_000_000
        assert len(small) < 2000
        large = await collected([b"y" * (3 * CHUNK_SIZE + 1)])
        assert b"".join(large) == b"y" * (3 * CHUNK_SIZE + 1)
        assert max(map(len, large)) <= CHUNK_SIZE

    run_in(world, main)


def refilled(size: int) -> Iterator[bytearray]:
    """Yield the same buffer, filled anew each time, as a loop over readinto does."""
    buffer = bytearray(size)
    for value in range(5):
        buffer[:] = bytes([value]) * size
        yield buffer


def emptied(size: int) -> Iterator[bytearray]:
    """Yield a buffer that is emptied when the consumer has had it, as an encoder does."""
    buffer = bytearray()
    for value in range(5):
        buffer += bytes([value]) * size
        yield buffer
        buffer.clear()


async def awaited(pieces: Iterator[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        await _runtime.checkpoint()
        yield piece


@pytest.mark.spec("STR-018", "STR-019")
@pytest.mark.parametrize("size", [10, 1 << 13, 1 << 18, 1 << 21])
@pytest.mark.parametrize("pieces", [refilled, emptied])
@worlds
def test_a_piece_that_its_source_reuses_is_stored_as_it_was(
    world: str, pieces: Callable[[int], Iterator[bytearray]], size: int
) -> None:
    async def main() -> None:
        store = AsyncStore(MemoryBackend())
        await store.write("f", pieces(size))
        wanted = b"".join(bytes([value]) * size for value in range(5))
        assert await store.read_bytes("f") == wanted
        await store.write("v", (memoryview(piece).toreadonly() for piece in refilled(size)))
        assert await store.read_bytes("v") == wanted
        if world != "blocking":
            await store.write("g", awaited(pieces(size)))
            assert await store.read_bytes("g") == wanted

    run_in(world, main)


@pytest.mark.spec("STR-018")
@worlds
def test_an_endless_slow_source_is_written_as_it_comes(world: str) -> None:
    """What is there is handed on; a source that takes its time does not pile up in memory."""
    taken: list[int] = []

    def slow() -> Iterator[bytes]:
        for number in range(4):
            taken.append(number)
            threading.Event().wait(0.02)
            yield b"%d" % number

    async def main() -> None:
        chunks = chunks_of(slow())
        assert bytes(await anext(chunks)).startswith(b"0")
        assert taken != [0, 1, 2, 3], "the first piece did not wait for the last"
        await chunks.aclose()

    run_in(world, main)


# -- async content -----------------------------------------------------------------------


class AsyncOdd:
    def __init__(self, portions: list[bytes]) -> None:
        self.portions = portions

    async def read(self, n: int, /) -> bytes:
        await _runtime.checkpoint()
        return self.portions.pop(0) if self.portions else b""


@pytest.mark.spec("STR-019")
async def test_async_iterables_and_files() -> None:
    assert b"".join(await collected(awaited(iter(PIECES)))) == JOINED
    assert await collected(awaited(iter([]))) == []
    assert b"".join(await collected(AsyncOdd([b"a", b"bc"]))) == b"abc"


@pytest.mark.spec("STR-019")
async def test_files_of_anyio_and_streams_of_this_library(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"skipped" + DATA)
    store = AsyncStore(MemoryBackend())
    async with await anyio.open_file(tmp_path / "f", "rb") as file:
        await file.seek(7)
        await store.write("anyio", file)
        assert not file.wrapped.closed
    async with await store.read("anyio") as stream:
        await store.write("stream", stream)
        assert not stream.closed
    async with await store.read("stream", start=1) as stream:
        await stream.read(1)
        await store.write("rest", stream)
    assert await store.read_bytes("anyio") == await store.read_bytes("stream") == DATA
    assert await store.read_bytes("rest") == DATA[2:]


@pytest.mark.spec("STR-019")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_files_of_aiofiles(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"skipped" + DATA)
    store = AsyncStore(MemoryBackend())
    async with aiofiles.open(tmp_path / "f", "rb") as file:
        await file.seek(7)
        await store.write("buffered", file)
        assert not file.closed
    async with aiofiles.open(tmp_path / "f", "rb", buffering=0) as raw:
        await raw.seek(7)
        await store.write("raw", raw)
    async with aiofiles.tempfile.TemporaryFile() as file:
        await file.write(DATA)
        await file.seek(0)
        await store.write("temporary", file)
    for name in ("buffered", "raw", "temporary"):
        assert await store.read_bytes(name) == DATA


@pytest.mark.spec("STR-019")
async def test_an_async_generator_is_closed_when_the_write_fails() -> None:
    ended: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * CHUNK_SIZE
        finally:
            ended.append("closed")

    chunks = chunks_of(pieces())
    await anext(chunks)
    await chunks.aclose()
    assert ended == ["closed"]


@pytest.mark.spec("STR-020")
@pytest.mark.parametrize(
    "make",
    [lambda: awaited(iter([b"a"])), lambda: AsyncOdd([b"a"]), lambda: drive(_stream())],
    ids=["iterable", "file", "stream"],
)
def test_async_content_is_refused_by_the_blocking_face(make: Callable[[], Any]) -> None:
    store = Store(MemoryBackend())
    for write in (store.write, store.write_atomic):
        with pytest.raises(TypeError, match="async content needs the async store"):
            write("f", make())
    assert not store.exists("f")


async def _stream() -> Any:
    store = AsyncStore(MemoryBackend())
    await store.write("f", b"abc")
    return await store.read("f")


# -- what is no content --------------------------------------------------------------------

NO_CONTENT: list[tuple[str, Callable[[], Any], str]] = [
    ("str", lambda: "text", r"must be bytes, not str; encode it, or use write_text\(\)"),
    ("empty str", lambda: "", r"must be bytes, not str"),
    ("None", lambda: None, "not NoneType"),
    ("int", lambda: 5, "not int"),
    ("float", lambda: 5.0, "not float"),
    ("object", object, "not object"),
    ("path", lambda: Path("f"), "not PosixPath"),
    ("function", lambda: print, "not builtin_function_or_method"),
    ("StringIO", lambda: io.StringIO("x"), "file in text mode; open it in binary mode"),
    (
        "TextIOWrapper",
        lambda: io.TextIOWrapper(io.BytesIO(b"x")),
        "file in text mode; open it in binary mode",
    ),
    ("codecs", lambda: codecs.getreader("utf-8")(io.BytesIO(b"x")), r"gave text \(str\)"),
    ("list of str", lambda: ["a"], r"gave text \(str\) where bytes are needed"),
    ("str later", lambda: [b"a" * (1 << 20), "b"], r"gave text \(str\)"),
    ("list of int", lambda: [1, 2], "gave int where bytes are needed"),
    ("range", lambda: range(3), "gave int"),
    ("list of None", lambda: [None], "gave NoneType"),
    ("None later", lambda: [b"a", None], "gave NoneType"),
    ("lists in a list", lambda: [[b"a"]], "gave list"),
    ("dict of str", lambda: {"a": b"a"}, r"gave text \(str\)"),
    ("file that gives str", lambda: Odd(["text"]), r"gave text \(str\)"),  # type: ignore[list-item]
    ("file that gives None", lambda: Odd([None]), "gave NoneType"),  # type: ignore[list-item]
    ("a class", lambda: bytes, ""),
]
no_content = pytest.mark.parametrize(
    ("make", "text"), [pytest.param(*row[1:], id=row[0]) for row in NO_CONTENT]
)


@pytest.mark.spec("STR-021")
@no_content
@worlds
def test_what_is_no_content_is_a_type_error_and_nothing_is_written(
    world: str, make: Callable[[], Any], text: str
) -> None:
    async def main() -> None:
        store = AsyncStore(MemoryBackend())
        await store.write("old", b"old")
        for write in (store.write, store.write_atomic):
            with pytest.raises(TypeError, match=text or None):
                await write("new/f", make())
            with pytest.raises(TypeError, match=text or None):
                await write("old", make(), overwrite=True)
        assert not await store.exists("new")
        assert await store.read_bytes("old") == b"old"

    run_in(world, main)


@pytest.mark.spec("STR-021")
async def test_async_sources_of_text_are_refused_too(tmp_path: Path) -> None:
    store = AsyncStore(MemoryBackend())
    (tmp_path / "f").write_text("text")
    async with await anyio.open_file(tmp_path / "f", "r") as file:
        with pytest.raises(TypeError, match=r"gave text \(str\)"):
            await store.write("f", file)  # type: ignore[arg-type]  # the point of the test
    for pieces in (["a"], [b"a", "b"], [1], [None]):
        with pytest.raises(TypeError, match="where bytes are needed"):
            await store.write("f", awaited(iter(pieces)))
    assert not await store.exists("f")


# -- where it is read ------------------------------------------------------------------------


@pytest.mark.spec("STR-022")
@worlds
def test_where_blocking_content_is_read(world: str) -> None:
    threads: set[int] = set()

    class Source:
        left = 3

        def read(self, n: int, /) -> bytes:
            threads.add(threading.get_ident())
            self.left -= 1
            return b"x" if self.left else b""

    def pieces() -> Iterator[bytes]:
        threads.add(threading.get_ident())
        yield b"x"

    async def main() -> int:
        await collected(Source())
        await collected(pieces())
        return threading.get_ident()

    here = run_in(world, main)
    assert (here in threads) is (world == "blocking")


@pytest.mark.spec("STR-022")
@worlds
def test_blocking_content_may_use_blocking_stores_and_loops(world: str) -> None:
    """A source is the caller's own code, and finds itself in its own world."""
    inner = Store(MemoryBackend())
    inner.write("f", b"abc")

    async def doubled() -> bytes:
        await _runtime.checkpoint()
        return inner.read_bytes("f") * 2

    def pieces() -> Iterator[bytes]:
        yield inner.read_bytes("f")
        if world != "blocking":  # the blocking caller of this test may have no loop, the worker has none
            yield anyio.run(doubled)
        with inner.read("f") as stream:
            yield stream.read()

    async def main() -> bytes:
        return b"".join(await collected(pieces()))

    middle = b"" if world == "blocking" else b"abcabc"
    assert run_in(world, main) == b"abc" + middle + b"abc"


@pytest.mark.spec("STORE-026")
@pytest.mark.parametrize("size", [1 << 62, 1 << 63])
def test_a_size_for_which_there_is_no_memory(size: int) -> None:
    with pytest.raises(RemoteStoreError, match="no memory; read it as a stream"):
        room_for(size)
