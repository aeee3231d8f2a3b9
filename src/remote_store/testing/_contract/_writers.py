"""Writers: what a backend's ``open_write`` gives to a store."""

from __future__ import annotations

import anyio
import pytest

from ..._async import AsyncStore
from ...backend import Backend, Writer
from ...capabilities import Capability
from ...errors import AlreadyExists, InvalidPath, RemoteStoreError
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import LARGE, TEXT, ContractBase, all_of, assert_same, fill, paths_of


class Writers(ContractBase):
    """The rules for ``Writer``."""

    async def begin(
        self, backend: Backend, key: str, *, overwrite: bool = False, atomic: bool = False
    ) -> Writer:
        """Open a writer and write to it."""
        writer = await backend.open_write(key, overwrite=overwrite, atomic=atomic)
        await writer.write(LARGE)
        await writer.write(b"end")
        return writer

    def atomics(self, backend: Backend) -> list[bool]:
        """Return the values of ``atomic`` that the backend takes."""
        return [False, True] if Capability.ATOMIC_WRITE in backend.capabilities else [False]

    @spec("BE-011", "BE-015")
    @needs("write", "read", "list", "recursive_list")
    async def test_nothing_shows_before_the_commit(self, store: AsyncStore, backend: Backend) -> None:
        for atomic in self.atomics(backend):
            key = f"{atomic}/file"
            writer = await self.begin(backend, key, atomic=atomic)
            assert not await backend.is_file(key)
            assert not await backend.exists(key)
            assert key not in await paths_of(store.list_files(recursive=True))
            assert await paths_of(store.list_files(f"{atomic}")) == []
            result = await writer.commit()
            assert (result.path, result.size) == (RemotePath(key), len(LARGE) + 3)
            assert_same(await backend.read_bytes(key), LARGE + b"end")
            await writer.abort()
            assert_same(await backend.read_bytes(key), LARGE + b"end")

    @spec("BE-011", "BE-013")
    @needs("write", "read")
    async def test_the_old_file_stays_until_the_commit(self, store: AsyncStore, backend: Backend) -> None:
        for atomic in self.atomics(backend):
            await store.write("file", TEXT, overwrite=True)
            writer = await self.begin(backend, "file", overwrite=True, atomic=atomic)
            assert_same(await backend.read_bytes("file"), TEXT)
            await writer.abort()
            assert_same(await backend.read_bytes("file"), TEXT)
            writer = await self.begin(backend, "file", overwrite=True, atomic=atomic)
            await writer.commit()
            assert_same(await backend.read_bytes("file"), LARGE + b"end")

    @spec("BE-012", "BE-002")
    @needs("write", "read")
    async def test_a_file_that_came_meanwhile_is_kept(self, store: AsyncStore, backend: Backend) -> None:
        for atomic in self.atomics(backend):
            key = f"a/{atomic}"
            writer = await self.begin(backend, key, atomic=atomic)
            await store.write(key, b"theirs")
            with pytest.raises(AlreadyExists) as caught:
                await writer.commit()
            assert (caught.value.path, caught.value.backend) == (key, backend.name)
            await writer.abort()
            assert_same(await backend.read_bytes(key), b"theirs")

    @spec("BE-013")
    @needs("write", "list", "recursive_list")
    async def test_abort_leaves_nothing(self, store: AsyncStore, backend: Backend) -> None:
        for atomic in self.atomics(backend):
            writer = await self.begin(backend, "new/folder/file", atomic=atomic)
            await writer.abort()
            await writer.abort()
            assert await paths_of(store.list_files(recursive=True)) == []
            assert not await backend.exists("new")

    @spec("BE-013")
    @needs("write", "list", "recursive_list")
    async def test_abort_in_a_cancelled_task(self, store: AsyncStore, backend: Backend, raw: Backend) -> None:
        await fill(store, "other/file")
        before = self.count_held(raw)
        writer = await self.begin(backend, "new/folder/file")
        with anyio.CancelScope() as scope:
            if not self.blocking:  # a thread that is not there to be waited for proves nothing
                scope.cancel()
            await writer.abort()
        await self.released(raw, before)
        assert await paths_of(store.list_files(recursive=True)) == ["other/file"]
        assert await all_of(store.list_folders()) == ["other"]

    @spec("BE-014")
    @needs("write", "read", "list", "recursive_list")
    async def test_a_writer_that_is_dropped(self, store: AsyncStore, backend: Backend, raw: Backend) -> None:
        await store.write("old", TEXT)
        before = self.count_held(raw)
        for key in ("old", "a/new"):
            writer = await self.begin(backend, key, overwrite=True)
            del writer
            await self.released(raw, before)
        assert await paths_of(store.list_files(recursive=True)) == ["old"]
        assert_same(await backend.read_bytes("old"), TEXT)

    @spec("BE-015")
    @needs("write", "read")
    async def test_write_bytes_has_the_same_outcome(self, store: AsyncStore, backend: Backend) -> None:
        for atomic in self.atomics(backend):
            for size in (0, 10, len(LARGE)):
                key = f"{atomic}/{size}"
                content = LARGE[:size]
                whole = await backend.write_bytes(key, memoryview(content), atomic=atomic)
                writer = await backend.open_write(f"{key}w", atomic=atomic)
                await writer.write(content)
                pieces = await writer.commit()
                assert (whole.path, whole.size) == (RemotePath(key), size)
                assert (pieces.path, pieces.size) == (RemotePath(f"{key}w"), size)
                assert_same(await backend.read_bytes(f"{key}w"), content)
                assert_same(await backend.read_bytes(key), content)

    @spec("BE-015", "BE-002", "ERR-010", "ERR-011")
    @needs("write", "read")
    async def test_both_refuse_alike(self, store: AsyncStore, backend: Backend) -> None:
        await fill(store, "a/file")
        cases: list[tuple[str, bool, type[RemoteStoreError]]] = [("a/file", False, AlreadyExists)]
        if self.looks_before_writing:
            cases += [
                (key, overwrite, InvalidPath) for key in ("a", "a/file/below") for overwrite in (False, True)
            ]
        for atomic in self.atomics(backend):
            for key, overwrite, kind in cases:
                with pytest.raises(RemoteStoreError) as opening:
                    await backend.open_write(key, overwrite=overwrite, atomic=atomic)
                with pytest.raises(RemoteStoreError) as writing:
                    await backend.write_bytes(key, memoryview(b"new"), overwrite=overwrite, atomic=atomic)
                for error in (opening.value, writing.value):
                    assert type(error) is kind, key
                    assert (error.path, error.backend) == (key, backend.name)
        assert_same(await backend.read_bytes("a/file"), b"a/file")

    @spec("BE-015")
    @needs("write", "read")
    async def test_a_writer_does_not_keep_the_callers_buffer(self, backend: Backend) -> None:
        buffer = bytearray(b"first")
        writer = await backend.open_write("file")
        await writer.write(buffer)
        buffer[:] = b"later"
        buffer.append(0)
        await writer.write(memoryview(b" second"))
        await writer.commit()
        assert_same(await backend.read_bytes("file"), b"first second")

    @spec("STORE-032", "BE-012")
    @needs("write", "read")
    async def test_the_first_commit_wins(self, store: AsyncStore, backend: Backend) -> None:
        writers = []
        for number in range(3):
            writer = await backend.open_write("a/file")
            await writer.write(f"{number}".encode())
            writers.append(writer)
        await writers[1].commit()
        for loser in (writers[0], writers[2]):
            with pytest.raises(AlreadyExists):
                await loser.commit()
            await loser.abort()
        assert_same(await store.read_bytes("a/file"), b"1")
