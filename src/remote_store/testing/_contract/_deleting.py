"""Deleting files and folders, and nothing else."""

from __future__ import annotations

import pytest

from ..._async import AsyncStore
from ...errors import DirectoryNotEmpty, InvalidPath, NotFound
from .._spec import needs, spec
from ._base import ContractBase, fill, paths_of


class Deleting(ContractBase):
    """``delete`` and ``delete_folder``."""

    @spec("STORE-034")
    @needs("write", "delete")
    async def test_a_file_is_gone(self, store: AsyncStore) -> None:
        await fill(store, "a/file", "a/file2")
        await store.delete("a/file")
        assert not await store.exists("a/file")
        assert await store.exists("a/file2")
        await store.write("a/file", b"again")
        await store.delete("a//file", missing_ok=True)
        assert not await store.exists("a/file")

    @spec("STORE-034", "ERR-012")
    @needs("write", "delete")
    async def test_a_missing_file(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        for path in ("missing", "a/missing", "missing/too", "a/fil"):
            with pytest.raises(NotFound) as caught:
                await store.delete(path)
            assert caught.value.path == path
            await store.delete(path, missing_ok=True)
        assert await store.exists("a/file")

    @spec("ERR-011", "STORE-034", "STORE-035")
    @needs("write", "delete")
    async def test_below_a_file_nothing_is_there(self, store: AsyncStore) -> None:
        await fill(store, "file")
        for path in ("file/below", "file/far/below"):
            with pytest.raises(NotFound):
                await store.delete(path)
            with pytest.raises(NotFound):
                await store.delete_folder(path)
            await store.delete(path, missing_ok=True)
            await store.delete_folder(path, missing_ok=True, recursive=True)
        assert await store.is_file("file")

    @spec("STORE-034", "ERR-010")
    @needs("write", "delete", "read")
    async def test_a_folder_is_no_file_to_delete(self, store: AsyncStore) -> None:
        await fill(store, "a/b/file")
        for path in ("a", "a/b"):
            for missing_ok in (False, True):
                with pytest.raises(InvalidPath):
                    await store.delete(path, missing_ok=missing_ok)
        assert await store.read_bytes("a/b/file") == b"a/b/file"

    @spec("STORE-035", "ERR-010")
    @needs("write", "delete", "read")
    async def test_a_file_is_no_folder_to_delete(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        for recursive in (False, True):
            for missing_ok in (False, True):
                with pytest.raises(InvalidPath):
                    await store.delete_folder("a/file", recursive=recursive, missing_ok=missing_ok)
        assert await store.read_bytes("a/file") == b"a/file"

    @spec("STORE-035")
    @needs("write", "delete", "read")
    async def test_a_folder_with_content(self, store: AsyncStore) -> None:
        await fill(store, "a/b/file", "c/file")
        for path in ("a", "a/b", "c"):
            for missing_ok in (False, True):
                with pytest.raises(DirectoryNotEmpty) as caught:
                    await store.delete_folder(path, missing_ok=missing_ok)
                assert caught.value.path == path
        assert await store.read_bytes("a/b/file") == b"a/b/file"
        await store.delete_folder("a", recursive=True)
        for path in ("a", "a/b", "a/b/file"):
            assert not await store.exists(path)
        assert await store.exists("c/file")

    @spec("STORE-035", "ERR-012")
    @needs("write", "delete")
    async def test_a_missing_folder(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        for path in ("missing", "a/missing", "missing/too", "a/fil"):
            for recursive in (False, True):
                with pytest.raises(NotFound) as caught:
                    await store.delete_folder(path, recursive=recursive)
                assert caught.value.path == path
                await store.delete_folder(path, recursive=recursive, missing_ok=True)
        assert await store.exists("a/file")

    @spec("STORE-035", "STORE-038")
    @needs("write", "delete", "list")
    async def test_a_folder_that_was_emptied(self, store: AsyncStore) -> None:
        """It may stay, as on a disk, or be gone, as in an object store; ``missing_ok`` serves both."""
        await fill(store, "a/b/file")
        await store.delete("a/b/file")
        assert await paths_of(store.list_files("a/b")) == []
        await store.delete_folder("a/b", missing_ok=True)
        assert not await store.exists("a/b")
        with pytest.raises(NotFound):
            await store.delete_folder("a/b")

    @spec("STORE-036")
    @needs("write", "delete", "list", "recursive_list")
    async def test_siblings_whose_names_begin_alike_stay(self, store: AsyncStore) -> None:
        others = [
            "data2/x", "data.txt", "data-old/x", "dat/x", "dat", "Data/x", "data /x", "other/data/x",
            "dXta/x", "%/x", "da/ta/x",
        ]  # fmt: skip
        others.remove("dat")
        await fill(store, "data/x", "data/deep/er/x", "d_ta/x", "d%/x", *others)
        await store.delete_folder("data", recursive=True)
        assert await paths_of(store.list_files(recursive=True)) == sorted([*others, "d_ta/x", "d%/x"])
        await store.delete_folder("d_ta", recursive=True)
        await store.delete_folder("d%", recursive=True)
        assert await paths_of(store.list_files(recursive=True)) == sorted(others)

    @spec("STORE-034", "STORE-036")
    @needs("write", "delete", "list", "recursive_list")
    async def test_deleting_a_file_spares_those_that_begin_alike(self, store: AsyncStore) -> None:
        await fill(store, "file", "file2", "file.txt", "fil", "folder/file")
        await store.delete("file")
        assert await paths_of(store.list_files(recursive=True)) == ["fil", "file.txt", "file2", "folder/file"]

    @spec("STORE-011", "STORE-035")
    @needs("write", "delete")
    async def test_the_root_cannot_be_deleted(self, store: AsyncStore, inner: AsyncStore) -> None:
        await fill(inner, "file")
        for where in (store, inner):
            for root in ("", ".", "/", "./"):
                with pytest.raises(InvalidPath):
                    await where.delete_folder(root, recursive=True, missing_ok=True)
                with pytest.raises(InvalidPath):
                    await where.delete(root, missing_ok=True)
        assert await inner.exists("file")

    @spec("STORE-036", "STORE-001")
    @needs("write", "delete", "list", "recursive_list")
    async def test_deleting_below_a_root_stays_below_it(self, store: AsyncStore, inner: AsyncStore) -> None:
        await fill(store, "outer/in ner/a/x", "outer/in ner2/a/x", "outer/a/x", "a/x")
        await inner.delete_folder("a", recursive=True)
        assert await paths_of(store.list_files(recursive=True)) == ["a/x", "outer/a/x", "outer/in ner2/a/x"]

    @spec("STORE-035")
    @needs("write", "delete", "list", "recursive_list")
    async def test_a_folder_with_many_files(self, store: AsyncStore) -> None:
        await fill(store, *(f"a/{number % 7}/{number}" for number in range(150)), "b")
        await store.delete_folder("a", recursive=True)
        assert await paths_of(store.list_files(recursive=True)) == ["b"]
        assert not await store.exists("a")
