"""Listings: files, folders, children and walks."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from ..._async import AsyncStore
from ...backend import Backend
from ...capabilities import Capability
from ...errors import InvalidPath
from ...models import FileInfo, RemoteFolder
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import ContractBase, all_of, fill, paths_of
from ._operations import LISTING

TREE = ("one", "two", "a/one", "a/b/one", "a/b/two", "a/b/c/one", "a2/one", "d/e/f/one")


class Listings(ContractBase):
    """``list_files``, ``list_folders``, ``iter_children`` and ``walk``."""

    @spec("STORE-039")
    @needs("write", "list")
    async def test_files_of_a_folder(self, store: AsyncStore) -> None:
        await fill(store, *TREE)
        for folder in ("", "a", "a/b", "a//b/", "d", "d/e/f"):
            expected = [path for path in TREE if PurePosixPath(path).parent == PurePosixPath(folder)]
            assert await paths_of(store.list_files(folder)) == expected, folder

    @spec("STORE-039")
    @needs("write", "list", "recursive_list")
    async def test_files_at_any_depth(self, store: AsyncStore) -> None:
        await fill(store, *TREE)
        for folder in ("", "a", "a/b", "a2", "d", "d/e/f"):
            expected = sorted(path for path in TREE if PurePosixPath(path).is_relative_to(folder))
            assert await paths_of(store.list_files(folder, recursive=True)) == expected, folder

    @spec("STORE-040")
    @needs("write", "list")
    async def test_folders_of_a_folder(self, store: AsyncStore) -> None:
        await fill(store, *TREE)
        expected = {"": ["a", "a2", "d"], "a": ["b"], "a/b": ["c"], "a/b/c": [], "a2": [], "d": ["e"]}
        for folder, names in expected.items():
            assert sorted(await all_of(store.list_folders(folder))) == names, folder

    @spec("STORE-040", "MOD-009")
    @needs("write", "list")
    async def test_children(self, store: AsyncStore) -> None:
        await fill(store, *TREE)
        found = {str(entry.path): entry for entry in await all_of(store.iter_children("a/b"))}
        assert sorted(found) == ["a/b/c", "a/b/one", "a/b/two"]
        assert {path: type(entry) for path, entry in found.items()} == {
            "a/b/c": RemoteFolder,
            "a/b/one": FileInfo,
            "a/b/two": FileInfo,
        }
        assert len(await all_of(store.iter_children("a/b"))) == 3
        assert sorted(entry.name for entry in found.values()) == ["c", "one", "two"]

    @spec("STORE-039", "BE-001")
    @needs("write", "list", "metadata")
    async def test_a_listing_says_what_the_file_says(self, store: AsyncStore) -> None:
        await fill(store, "a/one", "a/another")
        for info in await all_of(store.list_files("a")):
            asked = await store.get_file_info(info.path)
            assert (info.path, info.name, info.size) == (asked.path, asked.name, asked.size)
            assert info.size == len(str(info.path))
            assert info.modified_at is None or info.modified_at.utcoffset() is not None

    @spec("STORE-041")
    @needs("write", "list")
    async def test_a_walk(self, store: AsyncStore) -> None:
        await fill(store, *TREE)
        steps = await all_of(store.walk())
        seen = [folder for folder, _, _ in steps]
        found = {
            str(folder): (sorted(folders), sorted(info.name for info in files))
            for folder, folders, files in steps
        }
        assert found == {
            "": (["a", "a2", "d"], ["one", "two"]),
            "a": (["b"], ["one"]),
            "a/b": (["c"], ["one", "two"]),
            "a/b/c": ([], ["one"]),
            "a2": ([], ["one"]),
            "d": (["e"], []),
            "d/e": (["f"], []),
            "d/e/f": ([], ["one"]),
        }
        assert len(seen) == len(set(seen))
        assert seen[0] == RemotePath.ROOT
        for folder in seen[1:]:
            parent = folder.parent or RemotePath.ROOT
            assert seen.index(parent) < seen.index(folder)
        assert all(info.path == folder / info.name for folder, _, files in steps for info in files)

    @spec("STORE-041", "STORE-038")
    @needs("write", "list")
    async def test_a_walk_from_a_folder(self, store: AsyncStore) -> None:
        await fill(store, *TREE)
        assert [str(folder) for folder, _, _ in await all_of(store.walk("a//b"))] == ["a/b", "a/b/c"]
        assert await all_of(store.walk("missing")) == []

    @spec("STORE-002", "STORE-003", "STORE-041")
    @needs("write", "list", "recursive_list", "read")
    async def test_paths_below_a_root(self, store: AsyncStore, inner: AsyncStore) -> None:
        await fill(inner, "a/one", "b")
        await fill(store, "outer/in ner2/no", "outer/no", "no")
        assert await paths_of(inner.list_files(recursive=True)) == ["a/one", "b"]
        assert await paths_of(inner.list_files("a")) == ["a/one"]
        assert await all_of(inner.list_folders()) == ["a"]
        assert sorted(str(entry.path) for entry in await all_of(inner.iter_children())) == ["a", "b"]
        assert [str(folder) for folder, _, _ in await all_of(inner.walk())] == ["", "a"]
        for info in await all_of(inner.list_files(recursive=True)):
            assert await inner.read_bytes(info.path) == str(info.path).encode()

    @spec("STORE-011", "STORE-038")
    @needs("write", "list")
    async def test_spellings_of_the_root(self, store: AsyncStore, inner: AsyncStore) -> None:
        await fill(store, "one", "a/two")
        for root in ("", ".", "/", "./", RemotePath.ROOT):
            assert await paths_of(store.list_files(root)) == ["one"]
            assert await all_of(store.list_folders(root)) == ["a"]
            assert len(await all_of(store.iter_children(root))) == 2
            assert len(await all_of(store.walk(root))) == 2
            assert await all_of(inner.list_files(root)) == []

    @spec("STORE-038", "ERR-010")
    @needs("write", "list")
    async def test_what_is_no_folder(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        for operation in LISTING:
            if not operation.supported(store):
                continue
            for path in ("missing", "a/missing", "missing/too", "a/fil", "a/file/below"):
                assert await operation.call(store, path) == [], (operation.name, path)
            with pytest.raises(InvalidPath) as caught:
                await operation.call(store, "a/file")
            assert caught.value.path == "a/file", operation.name

    @spec("STORE-038")
    @needs("list")
    async def test_an_empty_storage(self, store: AsyncStore, inner: AsyncStore) -> None:
        for where in (store, inner):
            assert await all_of(where.list_files()) == []
            assert await all_of(where.list_folders()) == []
            assert await all_of(where.iter_children()) == []
        steps = await all_of(store.walk())
        assert steps == [(RemotePath.ROOT, [], [])]

    @spec("STORE-037", "PATH-003")
    @needs("list")
    async def test_arguments_are_checked_at_the_call(self, store: AsyncStore) -> None:
        for call in (store.list_files, store.list_folders, store.iter_children, store.walk):
            with pytest.raises(InvalidPath):
                call("../up")
            with pytest.raises(TypeError):
                call(5)  # type: ignore[arg-type]
        await store.aclose()
        for call in (store.list_files, store.list_folders, store.iter_children, store.walk):
            with pytest.raises(ConnectionError):
                call("")

    @spec("STORE-042", "BE-006")
    @needs("write", "list")
    async def test_a_listing_left_early_is_released(self, store: AsyncStore, raw: Backend) -> None:
        await fill(store, *(f"a{number}/file" for number in range(20)))
        await paths_of(store.list_files("a1"))
        before = self.count_held(raw)
        for drop in (False, True):
            for listing in (store.iter_children(), store.list_folders(), store.walk()):
                await listing.__anext__()
                if not drop:
                    await listing.aclose()
                    with pytest.raises(StopAsyncIteration):
                        await listing.__anext__()
            del listing
            await self.released(raw, before)

    @spec("BE-018")
    @needs("write", "list", "delete")
    async def test_a_folder_that_changes_meanwhile(self, store: AsyncStore) -> None:
        """What is there all the time is reported once; nothing fails."""
        stay = sorted(f"a/stay{number}" for number in range(60))
        await fill(store, *stay, *(f"a/go{number}" for number in range(60)))
        seen: list[str] = []
        async for info in store.list_files("a"):
            if not seen:
                for number in range(60):
                    await store.delete(f"a/go{number}")
                    await store.write(f"a/come{number}", b"")
            seen.append(str(info.path))
        assert sorted(path for path in seen if "stay" in path) == stay
        assert len(seen) == len(set(seen))

    @spec("BE-018", "STORE-041")
    @needs("write", "list", "delete")
    async def test_a_folder_that_vanishes_meanwhile(self, store: AsyncStore) -> None:
        await fill(store, "a/b/file", "a/c/file", "a/file", "z/file")
        seen: list[str] = []
        async for folder, _, _ in store.walk():
            seen.append(str(folder))
            if not folder.parts:
                await store.delete_folder("a", recursive=True)
        assert "z" in seen
        assert "" in seen
        if store.supports(Capability.RECURSIVE_LIST):
            assert await paths_of(store.list_files(recursive=True)) == ["z/file"]
