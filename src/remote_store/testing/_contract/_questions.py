"""Questions: is it there, what is it, how large."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from ..._async import AsyncStore
from ...errors import InvalidPath, NotFound
from ...models import FileInfo, FolderInfo
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import ContractBase, fill

ROOTS = ("", ".", "/", "./", "//.//", RemotePath.ROOT)


class Questions(ContractBase):
    """The answers of a store about what is in it."""

    @spec("STORE-019", "STORE-020")
    @needs("write")
    @pytest.mark.parametrize(
        ("path", "is_file", "is_folder"),
        [
            ("a/b/file", True, False),
            ("a//b/./file", True, False),
            ("a/b", False, True),
            ("/a/", False, True),
            ("", False, True),
            ("missing", False, False),
            ("a/missing", False, False),
            ("a/b/file/below", False, False),
            ("a/b/file/far/below", False, False),
            ("missing/far/below", False, False),
            ("a/b/fil", False, False),
            ("a/b/file2", False, False),
        ],
    )
    async def test_what_is_there(self, store: AsyncStore, path: str, is_file: bool, is_folder: bool) -> None:
        await fill(store, "a/b/file")
        assert await store.is_file(path) is is_file
        assert await store.is_folder(path) is is_folder
        assert await store.exists(path) is (is_file or is_folder)

    @spec("STORE-011", "STORE-019")
    async def test_the_root_of_an_empty_storage_is_a_folder(self, store: AsyncStore) -> None:
        for root in ROOTS:
            assert await store.exists(root) is True, root
            assert await store.is_folder(root) is True, root
            assert await store.is_file(root) is False, root

    @spec("STORE-018")
    async def test_ping_of_a_storage_that_is_there(self, store: AsyncStore) -> None:
        await store.ping()

    @spec("STORE-022", "STORE-002", "MOD-005")
    @needs("write", "metadata")
    async def test_file_info(self, store: AsyncStore, inner: AsyncStore) -> None:
        for where in (store, inner):
            await where.write("a b/ü.txt", b"12345")
            info = await where.get_file_info("a b/ü.txt")
            assert type(info) is FileInfo
            assert (info.path, info.name, info.size) == (RemotePath("a b/ü.txt"), "ü.txt", 5)
            if info.modified_at is not None:
                assert info.modified_at.utcoffset() == timedelta(0)
                assert abs(info.modified_at - datetime.now(UTC)) < timedelta(days=1)

    @spec("STORE-022")
    @needs("write", "metadata")
    async def test_file_info_of_an_empty_file(self, store: AsyncStore) -> None:
        await store.write("empty", b"")
        assert (await store.get_file_info("empty")).size == 0

    @spec("STORE-022")
    @needs("write", "metadata")
    async def test_file_info_follows_the_file(self, store: AsyncStore) -> None:
        await store.write("file", b"1")
        old = await store.get_file_info("file")
        await store.write("file", b"22", overwrite=True)
        new = await store.get_file_info("file")
        assert new.size == 2
        assert new != old
        if old.modified_at is not None and new.modified_at is not None:
            assert new.modified_at >= old.modified_at

    @spec("MOD-006")
    @needs("write", "metadata")
    async def test_a_checksum_is_that_of_the_content(self, store: AsyncStore) -> None:
        await store.write("file", b"12345")
        checksum = (await store.get_file_info("file")).checksum
        if checksum is not None:
            algorithm, _, digest = checksum.partition(":")
            assert digest
            if algorithm in hashlib.algorithms_guaranteed and not algorithm.startswith("shake"):
                assert digest == hashlib.new(algorithm, b"12345").hexdigest()

    @spec("STORE-022")
    @needs("write", "metadata")
    async def test_file_info_where_no_file_is(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        for path in ("missing", "a/missing", "missing/too", "a/file/below"):
            with pytest.raises(NotFound):
                await store.get_file_info(path)
        with pytest.raises(InvalidPath):
            await store.get_file_info("a")
        for root in ROOTS:
            with pytest.raises(InvalidPath):
                await store.get_file_info(root)

    @spec("STORE-023", "MOD-007")
    @needs("write", "metadata")
    async def test_folder_info_adds_up_all_below(self, store: AsyncStore) -> None:
        for path, size in {
            "f/1": 1,
            "f/2": 20,
            "f/a/3": 300,
            "f/a/b/4": 4000,
            "f2/x": 5,
            "f": 0,
            "e/x": 7,
        }.items():
            if path != "f":
                await store.write(path, b"x" * size)
        info = await store.get_folder_info("f")
        assert type(info) is FolderInfo
        assert (info.path, info.file_count, info.total_size) == (RemotePath("f"), 4, 4321)
        times = [(await store.get_file_info(path)).modified_at for path in ("f/1", "f/2", "f/a/3", "f/a/b/4")]
        known = [time for time in times if time is not None]
        assert info.modified_at == max(known, default=None)

    @spec("STORE-023", "STORE-011")
    @needs("write", "metadata")
    async def test_folder_info_of_the_root(self, store: AsyncStore) -> None:
        nothing = await store.get_folder_info()
        assert (nothing.path, nothing.file_count, nothing.total_size) == (RemotePath.ROOT, 0, 0)
        assert nothing.modified_at is None
        await fill(store, "one", "a/three")
        for root in ROOTS:
            info = await store.get_folder_info(root)
            assert (info.path, info.file_count, info.total_size) == (RemotePath.ROOT, 2, 10)

    @spec("STORE-023", "STORE-002")
    @needs("write", "metadata")
    async def test_folder_info_below_a_root(self, store: AsyncStore, inner: AsyncStore) -> None:
        await fill(store, "outer/in ner/a/b/1", "outer/in ner2/2", "outer/3")
        assert (await inner.get_folder_info("a")).path == RemotePath("a")
        assert (await inner.get_folder_info()).file_count == 1
        assert (await inner.get_folder_info()).path == RemotePath.ROOT

    @spec("STORE-023")
    @needs("write", "metadata")
    async def test_folder_info_where_no_folder_is(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        for path in ("missing", "a/missing", "a/fil", "missing/too"):
            with pytest.raises(NotFound):
                await store.get_folder_info(path)
        with pytest.raises(InvalidPath):
            await store.get_folder_info("a/file")
