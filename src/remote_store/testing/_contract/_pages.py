"""Pages: what a backend's ``list_pages`` gives to a store."""

from __future__ import annotations

import pytest

from ..._async import AsyncStore
from ...backend import Backend, Pages
from ...errors import InvalidPath
from ...models import Entry, FileInfo, RemoteFolder
from .._spec import needs, spec
from ._base import ContractBase, fill, paths_of

TREE = ("one", "a/one", "a/b/two", "a/b/c/three", "d/e/four")
FOLDERS = ("a", "a/b", "a/b/c", "d", "d/e")


async def entries_of(pages: Pages) -> list[Entry]:
    """Return everything on the pages."""
    return [entry async for page in pages for entry in page]


def keys_of(entries: list[Entry]) -> list[str]:
    """Return the keys of entries, sorted."""
    return sorted(str(entry.path) for entry in entries)


class PageRules(ContractBase):
    """The rules for ``Pages``."""

    @spec("BE-017", "BE-016")
    @needs("write", "list", "recursive_list")
    async def test_what_is_asked_for_is_listed_once(self, store: AsyncStore, backend: Backend) -> None:
        await fill(store, *TREE)
        for folder in ("", "a", "a/b", "d"):
            prefix = f"{folder}/" if folder else ""
            for recursive in (False, True):

                def inside(path: str, prefix: str = prefix, recursive: bool = recursive) -> bool:
                    rest = path.removeprefix(prefix)
                    return path.startswith(prefix) and (recursive or "/" not in rest)

                for files, folders in ((True, True), (True, False), (False, True), (False, False)):
                    expected = [path for path in TREE if files and inside(path)]
                    expected += [path for path in FOLDERS if folders and inside(path)]
                    pages = backend.list_pages(folder, recursive=recursive, files=files, folders=folders)
                    entries = await entries_of(pages)
                    assert keys_of(entries) == sorted(expected), (folder, recursive, files, folders)
                    for entry in entries:
                        assert isinstance(entry, FileInfo if str(entry.path) in TREE else RemoteFolder)
                        assert entry.name == entry.path.name

    @spec("BE-016", "STORE-039", "STORE-042")
    @needs("write", "list", "recursive_list")
    async def test_more_than_a_page(self, store: AsyncStore, backend: Backend, raw: Backend) -> None:
        """One test, because so many files take their time: all are listed, page by page, and let go early."""
        names = sorted(f"many/{number:05}" for number in range(self.more_than_a_page))
        await fill(store, *names)
        before = self.count_held(raw)
        for folder, recursive in (("many", False), ("", True)):
            pages = [page async for page in backend.list_pages(folder, recursive=recursive, folders=False)]
            assert max(len(page) for page in pages) < len(names)
            assert keys_of([entry for page in pages for entry in page]) == names
            assert await paths_of(store.list_files(folder, recursive=recursive)) == names
            closed = store.list_files(folder, recursive=recursive)
            await closed.__anext__()
            await closed.aclose()
            await closed.aclose()
            await self.released(raw, before)
            dropped = store.list_files(folder, recursive=recursive)
            async for _ in dropped:
                break
            del dropped
            await self.released(raw, before)

    @spec("STORE-038", "BE-002", "ERR-010")
    @needs("write", "list")
    async def test_missing_is_empty_and_a_file_is_refused(self, store: AsyncStore, backend: Backend) -> None:
        await fill(store, "a/file")
        for key in ("missing", "a/missing", "missing/too", "a/file2"):
            assert await entries_of(backend.list_pages(key)) == []
        for options in ({}, {"files": False}, {"folders": False}, {"recursive": True}):
            pages = backend.list_pages("a/file", **options)
            with pytest.raises(InvalidPath) as caught:
                await pages.__anext__()
            assert (caught.value.path, caught.value.backend) == ("a/file", backend.name)
            await pages.aclose()

    @spec("BE-006")
    @needs("write", "list")
    async def test_pages_closed_or_dropped(self, store: AsyncStore, backend: Backend, raw: Backend) -> None:
        await fill(store, *(f"a{number}/b/file" for number in range(30)))
        await entries_of(backend.list_pages("a1"))
        before = self.count_held(raw)
        unused = backend.list_pages("", recursive=True)
        await unused.aclose()
        await unused.aclose()
        closed = backend.list_pages("", recursive=True)
        await closed.__anext__()
        await closed.aclose()
        await closed.aclose()
        await self.released(raw, before)
        dropped = backend.list_pages("", recursive=True)
        await dropped.__anext__()
        del dropped
        await self.released(raw, before)

    @spec("BE-018")
    @needs("write", "list", "recursive_list", "delete")
    async def test_a_tree_that_changes_meanwhile(self, store: AsyncStore, backend: Backend) -> None:
        stay = [f"a{number}/stay" for number in range(20)]
        go = [f"b{number}/go" for number in range(20)]
        await fill(store, *stay, *go)
        pages = backend.list_pages("", recursive=True, folders=False)
        entries = await pages.__anext__()
        for path in go:
            await store.delete(path)
        for number in range(20):
            await store.write(f"c{number}/come", b"")
        entries += await entries_of(pages)
        keys = keys_of(entries)
        assert [key for key in keys if key.endswith("/stay")] == sorted(stay)
        assert len(keys) == len(set(keys))

    @spec("BE-001")
    @needs("write", "list", "recursive_list", "read")
    async def test_what_is_listed_can_be_used(self, store: AsyncStore, backend: Backend) -> None:
        for name in self.odd_names:
            await store.write(f"{name}/{name}", name.encode())
        entries = await entries_of(backend.list_pages("", recursive=True))
        assert len(entries) == 2 * len(self.odd_names)
        for entry in entries:
            key = str(entry.path)
            if isinstance(entry, FileInfo):
                assert await backend.read_bytes(key) == entry.name.encode()
            else:
                assert await backend.is_folder(key)
