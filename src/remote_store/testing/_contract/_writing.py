"""Writing: what is stored, what is refused, and what is left of a write that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from ..._async import AsyncStore
from ...backend import CHUNK_SIZE
from ...capabilities import Capability
from ...errors import AlreadyExists, InvalidPath
from ...models import WriteResult
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import HOW, LARGE, TEXT, ContractBase, all_of, assert_same, fill

in_every_way = pytest.mark.parametrize("how", HOW)


class SourceFailed(Exception):
    """What a failing source raises; nothing of the library's own."""


class Interrupted(BaseException):
    """Like KeyboardInterrupt, but nobody else's."""


class Writing(ContractBase):
    """``write``, ``write_atomic`` and both kinds of ``open_write``."""

    @spec("STORE-028", "STORE-033", "STORE-030")
    @needs("write", "read")
    @in_every_way
    async def test_it_is_stored(self, store: AsyncStore, how: str) -> None:
        for size in (0, 1, CHUNK_SIZE, CHUNK_SIZE + 1, len(LARGE)):
            await self.put(store, how, f"new/folder/{size}", LARGE[:size])
            assert_same(await store.read_bytes(f"new/folder/{size}"), LARGE[:size])
            assert await store.is_file(f"new/folder/{size}")

    @spec("STORE-028", "MOD-008", "STORE-002")
    @needs("write", "read")
    async def test_what_it_returns(self, store: AsyncStore, inner: AsyncStore) -> None:
        for where in (store, inner):
            for path, content in (("a//b", TEXT), ("a/large", LARGE), ("a/pieces", [b"12", b"", b"345"])):
                result = await where.write(path, content)
                assert type(result) is WriteResult
                assert result.path == RemotePath(path)
                assert result.size == len(await where.read_bytes(path))
            text = await where.write_text("text", "é")
            assert (text.path, text.size) == (RemotePath("text"), 2)
            if where.supports(Capability.ATOMIC_WRITE):
                atomic = await where.write_atomic("atomic", b"123")
                assert (atomic.path, atomic.size) == (RemotePath("atomic"), 3)

    @spec("STORE-029")
    @needs("write", "read")
    @in_every_way
    async def test_an_existing_file_is_kept(self, store: AsyncStore, how: str) -> None:
        await store.write("a/file", b"old")
        for content in (b"new", b"", LARGE):
            with pytest.raises(AlreadyExists) as caught:
                await self.put(store, how, "a/file", content)
            assert caught.value.path == "a/file"
            assert_same(await store.read_bytes("a/file"), b"old")

    @spec("STORE-029")
    @needs("write", "read")
    async def test_an_existing_file_is_kept_from_pieces(self, store: AsyncStore) -> None:
        await store.write("file", b"old")
        with pytest.raises(AlreadyExists):
            await store.write("file", [b"new"])
        assert_same(await store.read_bytes("file"), b"old")

    @spec("STORE-029")
    @needs("write", "read")
    @in_every_way
    async def test_overwriting_replaces_all_of_it(self, store: AsyncStore, how: str) -> None:
        for content in (LARGE, b"short", b"", TEXT):
            await self.put(store, how, "file", content, overwrite=True)
            assert_same(await store.read_bytes("file"), content)

    @spec("STORE-029", "ERR-010")
    @needs("write", "read")
    @in_every_way
    async def test_a_folder_is_no_target(self, store: AsyncStore, how: str) -> None:
        self.skip_unless_it_looks()
        await fill(store, "a/b/file")
        for overwrite in (False, True):
            for path in ("a", "a/b"):
                with pytest.raises(InvalidPath):
                    await self.put(store, how, path, b"new", overwrite=overwrite)
        assert_same(await store.read_bytes("a/b/file"), b"a/b/file")

    @spec("ERR-011")
    @needs("write", "read", "list", "recursive_list")
    @in_every_way
    async def test_nothing_is_written_below_a_file(self, store: AsyncStore, how: str) -> None:
        self.skip_unless_it_looks()
        await store.write("file", b"old")
        for overwrite in (False, True):
            for path in ("file/below", "file/far/below"):
                with pytest.raises(InvalidPath):
                    await self.put(store, how, path, b"new", overwrite=overwrite)
        assert [str(info.path) for info in await all_of(store.list_files(recursive=True))] == ["file"]

    @spec("STORE-031", "ERR-013", "STR-013", "LOC-019")
    @needs("write", "read", "list")
    @pytest.mark.parametrize("error", [SourceFailed, Interrupted], ids=["error", "interrupt"])
    @in_every_way
    async def test_a_failing_source(self, store: AsyncStore, how: str, error: type[BaseException]) -> None:
        raised = error("on purpose")

        def source() -> Iterator[bytes]:
            yield LARGE
            raise raised

        await self.put(store, how, "old/file", b"old")
        for path in ("old/file", "old/new", "new/folder/new"):
            with pytest.raises(error) as caught:
                await self.write_pieces(store, how, path, source())
            assert caught.value is raised
            assert caught.value.__cause__ is None
        assert await all_of(store.list_folders()) == ["old"]
        assert [info.name async for info in store.list_files("old")] == ["file"]
        assert_same(await store.read_bytes("old/file"), b"old")

    @spec("STORE-031", "ERR-014", "STR-013")
    @needs("write", "read", "list")
    @in_every_way
    async def test_a_cancelled_write(self, store: AsyncStore, how: str) -> None:
        """The source waits for ever and the task is cancelled; blocking code has interrupts, see above."""
        if self.blocking:
            return
        await self.put(store, how, "old/file", b"old")
        for path in ("old/file", "old/new", "new/folder/new"):
            with anyio.CancelScope() as scope:

                async def source(scope: anyio.CancelScope = scope) -> AsyncIterator[bytes]:
                    yield LARGE
                    scope.cancel()
                    await anyio.sleep_forever()

                await self.write_pieces(store, how, path, source())
            assert scope.cancelled_caught
        assert await all_of(store.list_folders()) == ["old"]
        assert [info.name async for info in store.list_files("old")] == ["file"]
        assert_same(await store.read_bytes("old/file"), b"old")

    async def write_pieces(self, store: AsyncStore, how: str, path: str, source: Any) -> None:
        """Overwrite a file from a source of pieces, in one of the ways of ``HOW``."""
        if how == "write":
            await store.write(path, source, overwrite=True)
        elif how == "write_atomic":
            await store.write_atomic(path, source, overwrite=True)
        else:
            async with store.open_write(path, overwrite=True, atomic=how.endswith("atomic")) as stream:
                if hasattr(source, "__aiter__"):
                    async for piece in source:
                        await stream.write(piece)
                else:
                    for piece in source:
                        await stream.write(piece)

    @spec("STORE-031", "STORE-029")
    @needs("write", "read")
    async def test_a_source_that_is_refused_is_not_read(self, store: AsyncStore) -> None:
        """Where the target is taken, that is said before the source is touched."""
        taken: list[int] = []

        def source() -> Iterator[bytes]:
            taken.append(1)
            yield b"new"

        await store.write("file", b"old")
        with pytest.raises(AlreadyExists):
            await store.write("file", source())
        assert not taken
