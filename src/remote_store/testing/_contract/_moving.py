"""Moving and copying files."""

from __future__ import annotations

import pytest

from ..._async import AsyncStore
from ...capabilities import Capability
from ...errors import AlreadyExists, InvalidPath, NotFound
from ...models import WriteResult
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import LARGE, TEXT, ContractBase, all_of, assert_same, fill, paths_of

both = pytest.mark.parametrize("verb", ["move", "copy"])


class Moving(ContractBase):
    """``move`` and ``copy``; what holds for one holds for the other."""

    async def transfer(
        self,
        store: AsyncStore,
        verb: str,
        src: str | RemotePath,
        dst: str | RemotePath,
        *,
        overwrite: bool = False,
    ) -> WriteResult:
        """Move or copy; skip the test if the backend cannot."""
        if Capability(verb) not in store.capabilities:
            pytest.skip(f"the backend has no {verb.upper()} capability")
        call = store.move if verb == "move" else store.copy
        return await call(src, dst, overwrite=overwrite)

    @spec("STORE-046", "STORE-002")
    @needs("write", "read")
    @both
    async def test_content_and_result(self, store: AsyncStore, inner: AsyncStore, verb: str) -> None:
        for where in (store, inner):
            for size in (0, 1000, len(LARGE)):
                src, dst = f"a/{size}", f"new/folder/{size}"
                await where.write(src, LARGE[:size])
                result = await self.transfer(where, verb, src, f"new//folder/./{size}")
                assert type(result) is WriteResult
                assert (result.path, result.size) == (RemotePath(dst), size)
                assert_same(await where.read_bytes(dst), LARGE[:size])
                assert await where.exists(src) is (verb == "copy")

    @spec("STORE-046")
    @needs("write", "read", "copy")
    async def test_a_copy_is_a_file_of_its_own(self, store: AsyncStore) -> None:
        await store.write("file", TEXT)
        await store.copy("file", "copy")
        await store.write("file", b"changed", overwrite=True)
        assert_same(await store.read_bytes("copy"), TEXT)
        await store.write("copy", b"changed, too", overwrite=True)
        assert_same(await store.read_bytes("file"), b"changed")

    @spec("STORE-047")
    @needs("write", "read")
    @both
    async def test_an_existing_target(self, store: AsyncStore, verb: str) -> None:
        await fill(store, "src", "dst")
        with pytest.raises(AlreadyExists) as caught:
            await self.transfer(store, verb, "src", "dst")
        assert caught.value.path == "dst"
        assert_same(await store.read_bytes("src"), b"src")
        assert_same(await store.read_bytes("dst"), b"dst")
        await self.transfer(store, verb, "src", "dst", overwrite=True)
        assert_same(await store.read_bytes("dst"), b"src")
        assert await store.exists("src") is (verb == "copy")

    @spec("STORE-047")
    @needs("write", "read")
    @both
    async def test_a_longer_target_is_replaced_whole(self, store: AsyncStore, verb: str) -> None:
        await store.write("dst", LARGE)
        await store.write("src", b"short")
        await self.transfer(store, verb, "src", "dst", overwrite=True)
        assert_same(await store.read_bytes("dst"), b"short")

    @spec("STORE-047", "STORE-031")
    @needs("write", "list")
    @both
    async def test_a_missing_source(self, store: AsyncStore, verb: str) -> None:
        await fill(store, "a/file")
        for src in ("missing", "a/missing", "missing/too", "a/file/below", "a/fil"):
            for overwrite in (False, True):
                with pytest.raises(NotFound) as caught:
                    await self.transfer(store, verb, src, "new/folder/dst", overwrite=overwrite)
                assert caught.value.path == src
        assert await all_of(store.list_folders()) == ["a"]
        with pytest.raises(NotFound):
            await self.transfer(store, verb, "missing", "a/file", overwrite=True)
        assert await store.is_file("a/file")

    @spec("STORE-047", "ERR-010")
    @needs("write", "read", "list")
    @both
    async def test_a_folder_as_source(self, store: AsyncStore, verb: str) -> None:
        await fill(store, "a/b/file", "c")
        for src in ("a", "a/b"):
            for dst in ("d/new", "c"):
                with pytest.raises(InvalidPath):
                    await self.transfer(store, verb, src, dst, overwrite=True)
        assert_same(await store.read_bytes("a/b/file"), b"a/b/file")
        assert_same(await store.read_bytes("c"), b"c")
        assert await all_of(store.list_folders()) == ["a"]

    @spec("STORE-047", "ERR-010")
    @needs("write", "read", "list", "recursive_list")
    @both
    async def test_a_folder_as_target(self, store: AsyncStore, verb: str) -> None:
        """The file must not slip into the folder, as ``mv`` would do."""
        self.skip_unless_it_looks()
        await fill(store, "a/b/file", "src")
        for dst in ("a", "a/b"):
            for overwrite in (False, True):
                with pytest.raises(InvalidPath):
                    await self.transfer(store, verb, "src", dst, overwrite=overwrite)
        assert await paths_of(store.list_files(recursive=True)) == ["a/b/file", "src"]
        assert_same(await store.read_bytes("src"), b"src")

    @spec("ERR-011", "STORE-047")
    @needs("write", "read", "list", "recursive_list")
    @both
    async def test_a_target_below_a_file(self, store: AsyncStore, verb: str) -> None:
        self.skip_unless_it_looks()
        await fill(store, "src", "file")
        for dst in ("file/below", "file/far/below", "src/below"):
            with pytest.raises(InvalidPath):
                await self.transfer(store, verb, "src", dst)
        assert await paths_of(store.list_files(recursive=True)) == ["file", "src"]
        assert_same(await store.read_bytes("src"), b"src")

    @spec("STORE-047", "STORE-011")
    @needs("write", "read")
    @both
    async def test_the_root_is_neither_source_nor_target(self, store: AsyncStore, verb: str) -> None:
        await fill(store, "file")
        for root in ("", ".", "/", RemotePath.ROOT):
            with pytest.raises(InvalidPath):
                await self.transfer(store, verb, root, "new")
            with pytest.raises(InvalidPath):
                await self.transfer(store, verb, "file", root, overwrite=True)
        assert_same(await store.read_bytes("file"), b"file")

    @spec("STORE-048")
    @needs("write", "read", "list")
    @both
    async def test_onto_itself(self, store: AsyncStore, inner: AsyncStore, verb: str) -> None:
        await inner.write("a/file", TEXT)
        for overwrite in (False, True):
            for src, dst in (
                ("a/file", "a/file"),
                ("a//file", "./a/file"),
                (RemotePath("a/file"), "/a/file"),
            ):
                result = await self.transfer(inner, verb, src, dst, overwrite=overwrite)
                assert (result.path, result.size) == (RemotePath("a/file"), len(TEXT))
                assert_same(await inner.read_bytes("a/file"), TEXT)
        assert await paths_of(inner.list_files("a")) == ["a/file"]

    @spec("STORE-048")
    @needs("write")
    @both
    async def test_onto_itself_where_no_file_is(self, store: AsyncStore, verb: str) -> None:
        await fill(store, "a/file")
        for overwrite in (False, True):
            with pytest.raises(NotFound):
                await self.transfer(store, verb, "missing", "./missing", overwrite=overwrite)
            with pytest.raises(NotFound):
                await self.transfer(store, verb, "a/file/x", "a/file/x", overwrite=overwrite)
            with pytest.raises(InvalidPath):
                await self.transfer(store, verb, "a", "a/", overwrite=overwrite)
        assert await store.is_file("a/file")

    @spec("STORE-046")
    @needs("write", "read")
    @both
    async def test_to_names_that_begin_alike(self, store: AsyncStore, verb: str) -> None:
        await fill(store, "data", "data2/x")
        await self.transfer(store, verb, "data", "data2/data")
        await self.transfer(store, verb, "data2/data", "data3")
        assert_same(await store.read_bytes("data3"), b"data")
        assert_same(await store.read_bytes("data2/x"), b"data2/x")
        assert await store.exists("data") is (verb == "copy")
