"""Reading: whole files, ranges, text, and streams that can seek."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import pytest

from ..._async import AsyncStore
from ...backend import CHUNK_SIZE
from ...errors import InvalidPath, NotFound
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import LARGE, TEXT, ContractBase, assert_same, fill

SIZES = (0, 1, 1023, 1 << 16, (1 << 16) + 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, len(LARGE))
END = len(TEXT)
RANGES = (
    (0, None), (0, 0), (0, 1), (0, END), (0, END + 1), (1, None), (1, 1), (5, 100), (END - 1, None),
    (END - 1, 5), (END, None), (END, 5), (END + 1, None), (END + 1, 0), (END + 100_000, 5), (100, 0),
)  # fmt: skip


class Reading(ContractBase):
    """What comes out is what was put in, or the part of it that was asked for."""

    @spec("STORE-026", "STORE-024", "STR-001", "BE-015")
    @needs("write", "read")
    @pytest.mark.parametrize("size", SIZES)
    async def test_a_whole_file(self, store: AsyncStore, size: int) -> None:
        content = LARGE[:size]
        await store.write("file", content)
        assert_same(await store.read_bytes("file"), content)
        async with await store.read("file") as stream:
            assert_same(await stream.read(), content)
            assert_same(await stream.read(), b"")
        async with await store.open_read("file") as stream:
            assert_same(await stream.read(), content)

    @spec("STORE-024", "STORE-026", "BE-007")
    @needs("write", "read")
    async def test_a_part_of_a_file(self, store: AsyncStore) -> None:
        await store.write("file", TEXT)
        for start, length in RANGES:
            part = TEXT[start:] if length is None else TEXT[start : start + length]
            assert_same(await store.read_bytes("file", start=start, length=length), part, (start, length))
            async with await store.read("file", start=start, length=length) as stream:
                assert_same(await stream.read(), part, (start, length))

    @spec("STORE-024", "STORE-026", "BE-007")
    @needs("write", "read")
    async def test_a_part_of_a_large_file(self, store: AsyncStore) -> None:
        await store.write("file", LARGE)
        for start, length in ((0, CHUNK_SIZE), (1, CHUNK_SIZE + 1), (CHUNK_SIZE, 5), (1_234_567, None)):
            part = LARGE[start:] if length is None else LARGE[start : start + length]
            assert_same(await store.read_bytes("file", start=start, length=length), part, (start, length))
            async with await store.read("file", start=start, length=length) as stream:
                assert_same(await stream.read(), part, (start, length))

    @spec("STORE-024", "STORE-026")
    @needs("write", "read")
    async def test_a_part_of_an_empty_file(self, store: AsyncStore) -> None:
        await store.write("empty", b"")
        for start, length in ((0, None), (0, 0), (0, 5), (5, None), (5, 5)):
            assert_same(await store.read_bytes("empty", start=start, length=length), b"")
            async with await store.read("empty", start=start, length=length) as stream:
                assert_same(await stream.read(), b"")

    @spec("ERR-015")
    @needs("read")
    async def test_a_range_is_checked_before_the_storage_is_asked(self, store: AsyncStore) -> None:
        wrong: Any
        for wrong in ({"start": -1}, {"length": -1}, {"start": -1, "length": -1}):
            with pytest.raises(ValueError, match="must be 0 or more") as caught:
                await store.read_bytes("missing", **wrong)
            assert not isinstance(caught.value, InvalidPath)
            with pytest.raises(ValueError, match="must be 0 or more"):
                await store.read("missing", **wrong)
        for wrong in ({"start": "1"}, {"start": 1.0}, {"start": None}, {"length": "1"}, {"length": 1.5}):
            with pytest.raises(TypeError, match="must be int"):
                await store.read_bytes("missing", **wrong)
            with pytest.raises(TypeError, match="must be int"):
                await store.read("missing", **wrong)

    @spec("STORE-024", "ERR-011", "ERR-010")
    @needs("write", "read")
    async def test_where_no_file_is(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        for call in (store.read, store.open_read, store.read_bytes, store.read_text):
            for path in ("missing", "a/missing", "missing/too", "a/file/below", "a/fil", "a/file2"):
                with pytest.raises(NotFound):
                    await call(path)
            with pytest.raises(InvalidPath):
                await call("a")

    @spec("STORE-024", "PATH-002")
    @needs("write", "read")
    async def test_any_spelling_of_a_path(self, store: AsyncStore) -> None:
        await store.write("/a//./b.txt", b"content")
        for path in ("a/b.txt", "./a/b.txt/", "//a/./b.txt", RemotePath("a//b.txt")):
            assert_same(await store.read_bytes(path), b"content")

    @spec("STORE-025", "STR-003")
    @needs("write", "read")
    async def test_open_read_can_seek_on_every_backend(self, store: AsyncStore) -> None:
        await store.write("file", LARGE)
        reference = io.BytesIO(LARGE)
        random = Random(7)  # noqa: S311 - a repeatable walk through the file
        async with await store.open_read("file") as stream:
            assert stream.seekable()
            for _ in range(30):
                offset, n = random.randrange(len(LARGE) + 10), random.choice((0, 1, 100, 70_000, CHUNK_SIZE))
                assert await stream.seek(offset) == reference.seek(offset)
                assert stream.tell() == offset
                assert_same(await stream.read(n), reference.read(n))
                assert stream.tell() == reference.tell()

    @spec("STORE-025", "STR-003")
    @needs("write", "read")
    async def test_open_read_of_an_empty_file(self, store: AsyncStore) -> None:
        await store.write("empty", b"")
        async with await store.open_read("empty") as stream:
            assert await stream.seek(0, io.SEEK_END) == 0
            assert_same(await stream.read(), b"")

    @spec("STORE-027")
    @needs("write", "read")
    async def test_text_is_kept_as_it_is(self, store: AsyncStore) -> None:
        for number, text in enumerate(("", "a\nb\r\nc\rd\x85\u2028", "\ufeffmark", "caf\u00e9 \U0001f600")):
            await store.write_text(f"{number}", text)
            assert await store.read_text(f"{number}") == text
            assert_same(await store.read_bytes(f"{number}"), text.encode("utf-8"))

    @spec("STORE-027")
    @needs("write", "read")
    async def test_text_in_other_encodings(self, store: AsyncStore) -> None:
        await store.write_text("file", "é\r\n", encoding="utf-16")
        assert_same(await store.read_bytes("file"), "é\r\n".encode("utf-16"))
        assert await store.read_text("file", encoding="utf-16") == "é\r\n"
        await store.write_text("file", "aé", encoding="ascii", errors="replace", overwrite=True)
        assert_same(await store.read_bytes("file"), b"a?")
        await store.write("file", b"a\xffb", overwrite=True)
        assert await store.read_text("file", errors="replace") == "a\ufffdb"

    @spec("STORE-027")
    @needs("write", "read")
    async def test_text_that_cannot_be_coded(self, store: AsyncStore) -> None:
        await store.write("file", b"\xff\xfe\xfd")
        with pytest.raises(UnicodeDecodeError):
            await store.read_text("file")
        with pytest.raises(UnicodeEncodeError):
            await store.write_text("file", "é", encoding="ascii", overwrite=True)
        assert_same(await store.read_bytes("file"), b"\xff\xfe\xfd")
