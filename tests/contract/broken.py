"""Backends that break one rule each, held to the contract. Run by ``test_broken.py`` only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from remote_store import Backend, Capability, CapabilitySet, FileInfo, RemotePath, WriteOptions, WriteResult
from remote_store.backend import Pages, Reader, Writer
from remote_store.backends import MemoryBackend
from remote_store.errors import InvalidPath, NotFound, RemoteStoreError
from remote_store.models import Entry
from remote_store.testing import BackendContract
from remote_store.testing._contract._base import ContractBase
from remote_store.testing._contract._concurrency import Concurrency
from remote_store.testing._contract._deleting import Deleting
from remote_store.testing._contract._errors import Errors
from remote_store.testing._contract._lifecycle import Lifecycle
from remote_store.testing._contract._listing import Listings
from remote_store.testing._contract._moving import Moving
from remote_store.testing._contract._names import Names
from remote_store.testing._contract._pages import PageRules
from remote_store.testing._contract._questions import Questions
from remote_store.testing._contract._readers import Readers
from remote_store.testing._contract._reading import Reading
from remote_store.testing._contract._streams import Streams
from remote_store.testing._contract._write_streams import WriteStreams
from remote_store.testing._contract._writers import Writers
from remote_store.testing._contract._writing import Writing


class ChecksThenWrites(MemoryBackend):
    """Looks whether the name is free, and takes it a moment later."""

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> Any:
        with self._lock:
            self._check_target(path, overwrite)
        await asyncio.sleep(0.001)
        return await super().write_bytes(path, data, overwrite=True, atomic=atomic, options=options)


class DeletesByPrefix(MemoryBackend):
    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        head, _, name = path.rpartition("/")
        siblings = self._find(head)
        for sibling in list(siblings) if isinstance(siblings, dict) else ():
            if sibling.startswith(name):
                self._remove(f"{head}/{sibling}" if head else sibling)


class HidesFolders(MemoryBackend):
    """Takes ``missing_ok`` for "never mind"."""

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        try:
            await super().delete(path, missing_ok=missing_ok)
        except InvalidPath:
            if not missing_ok:
                raise


class IgnoresLength(MemoryBackend):
    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        return await super().read_bytes(path, start=start)


class ReadsFoldersAsNothing(MemoryBackend):
    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        try:
            return await super().read_bytes(path, start=start, length=length)
        except InvalidPath:
            return b""


class RaisesItsOwnErrors(MemoryBackend):
    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        try:
            return await super().read_bytes(path, start=start, length=length)
        except NotFound:
            raise FileNotFoundError(path) from None


class NamesItsOwnPaths(MemoryBackend):
    """Puts the storage's own name of a file into errors."""

    async def get_file_info(self, path: str) -> FileInfo:
        try:
            return await super().get_file_info(path)
        except RemoteStoreError as error:
            error.path = f"memory:/{path}"
            raise


class ShowsHalfFiles(MemoryBackend):
    """Writes under the name from the first piece on."""

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        return _Showing(
            self, path, await super().open_write(path, overwrite=overwrite, atomic=atomic, options=options)
        )


class _Showing(Writer):
    def __init__(self, backend: MemoryBackend, path: str, inner: Writer) -> None:
        self._backend, self._path, self._inner = backend, path, inner
        self._data = b""

    async def write(self, data: Any) -> None:
        self._data += bytes(data)
        await self._backend.write_bytes(self._path, memoryview(self._data), overwrite=True)

    async def commit(self) -> WriteResult:
        return await self._backend.write_bytes(self._path, memoryview(self._data), overwrite=True)

    async def abort(self) -> None:
        await self._backend.delete(self._path, missing_ok=True)


class CommitsWhatFailed(MemoryBackend):
    """Ends a failed write with what had come so far."""

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        return _Aborting(await super().open_write(path, overwrite=overwrite, atomic=atomic, options=options))


class _Aborting(Writer):
    def __init__(self, inner: Writer) -> None:
        self._inner = inner

    async def write(self, data: Any) -> None:
        await self._inner.write(data)

    async def commit(self) -> WriteResult:
        return await self._inner.commit()

    async def abort(self) -> None:
        try:
            await self._inner.commit()
        except RemoteStoreError:
            pass


class KeepsOldTails(MemoryBackend):
    """Overwrites a file in place and forgets to cut it."""

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> Any:
        old = await self.read_bytes(path) if overwrite and await self.is_file(path) else b""
        whole = memoryview(bytes(data) + old[len(data) :])
        return await super().write_bytes(path, whole, overwrite=overwrite, atomic=atomic, options=options)


class CutsLongFiles(MemoryBackend):
    """Makes one system call for each write, which takes 1 MiB at most."""

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> Any:
        return await super().write_bytes(
            path, data[: 1 << 20], overwrite=overwrite, atomic=atomic, options=options
        )


class MixesVersions(MemoryBackend):
    """Looks the file up again for every chunk."""

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        return _Live(self, path, await self.read_bytes(path, start=start, length=length), start)


class _Live(Reader):
    def __init__(self, backend: MemoryBackend, path: str, data: bytes, start: int) -> None:
        self._backend, self._path, self._start = backend, path, start
        self._position, self._end = 0, len(data)

    async def read(self, n: int) -> bytes:
        count = min(n, 100_000, self._end - self._position)
        data = await self._backend.read_bytes(self._path, start=self._start + self._position, length=count)
        self._position += len(data)
        return data

    async def aclose(self) -> None:
        pass


class SeeksFromTheFilesBeginning(MemoryBackend):
    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        reader = await super().open_read(path, length=None if length is None else start + length)
        await reader.seek(start)
        reader.size = len(await self.read_bytes(path, start=start, length=length))
        return reader


class ListsSomeTwice(MemoryBackend):
    def list_pages(self, path: str, **options: bool) -> Pages:
        return _Edited(super().list_pages(path, **options), lambda page: [*page, *page[:1]])


class ListsOnePage(MemoryBackend):
    def list_pages(self, path: str, **options: bool) -> Pages:
        return _OnePage(super().list_pages(path, **options))


class ListsFilesAsEmptyFolders(MemoryBackend):
    def list_pages(self, path: str, **options: bool) -> Pages:
        return super().list_pages("missing" if self._is_a_file(path) else path, **options)

    def _is_a_file(self, path: str) -> bool:
        node = self._find(path)
        return node is not None and not isinstance(node, dict)


class _Edited(Pages):
    def __init__(self, inner: Pages, edit: Any) -> None:
        self._inner, self._edit = inner, edit

    async def __anext__(self) -> list[Entry]:
        edited: list[Entry] = self._edit(await self._inner.__anext__())
        return edited


class _OnePage(Pages):
    def __init__(self, inner: Pages) -> None:
        self._inner: Pages | None = inner

    async def __anext__(self) -> list[Entry]:
        inner, self._inner = self._inner, None
        if inner is None:
            raise StopAsyncIteration
        return [entry async for page in inner for entry in page]


class StripsNames(MemoryBackend):
    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> Any:
        return await super().write_bytes(
            path.strip(), data, overwrite=overwrite, atomic=atomic, options=options
        )


class MovesIntoFolders(MemoryBackend):
    """As ``mv`` does."""

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        if await self.is_folder(dst):
            dst = f"{dst}/{src.rpartition('/')[2]}"
        return await super().move(src, dst, overwrite=overwrite)


class CopiesInsteadOfMoving(MemoryBackend):
    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        return await super().copy(src, dst, overwrite=overwrite)


class TellsLocalTime(MemoryBackend):
    async def get_file_info(self, path: str) -> FileInfo:
        info = await super().get_file_info(path)
        assert info.modified_at is not None
        return FileInfo(info.path, info.name, info.size, info.modified_at.replace(tzinfo=None))


class CannotBeClosedTwice(MemoryBackend):
    closed = False

    async def aclose(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class ChokesOnNativeNames(MemoryBackend):
    def to_key(self, native: str) -> str:
        return str(RemotePath(native))


class Case(NamedTuple):
    """A broken backend, the part of the contract that has to find it out, and the tests that do."""

    backend: type[MemoryBackend]
    part: type[ContractBase]
    found_by: Iterable[str]


CASES = (
    Case(ChecksThenWrites, Concurrency, ["test_one_of_many_creators_wins"]),
    Case(DeletesByPrefix, Deleting, ["test_siblings_whose_names_begin_alike_stay"]),
    Case(HidesFolders, Deleting, ["test_a_folder_is_no_file_to_delete"]),
    Case(IgnoresLength, Reading, ["test_a_part_of_a_file", "test_a_part_of_a_large_file"]),
    Case(ReadsFoldersAsNothing, Errors, ["test_folders_where_files_are_expected"]),
    Case(RaisesItsOwnErrors, Errors, ["test_missing_files", "test_below_a_file"]),
    Case(NamesItsOwnPaths, Errors, ["test_missing_files"]),
    Case(
        ShowsHalfFiles, WriteStreams, ["test_nothing_shows_before_the_end", "test_a_stream_that_is_dropped"]
    ),
    Case(ShowsHalfFiles, Writers, ["test_nothing_shows_before_the_commit", "test_a_writer_that_is_dropped"]),
    Case(CommitsWhatFailed, Writing, ["test_a_failing_source"]),
    Case(KeepsOldTails, Writing, ["test_overwriting_replaces_all_of_it"]),
    Case(CutsLongFiles, Writing, ["test_it_is_stored"]),
    Case(MixesVersions, Streams, ["test_one_version_or_an_error"]),
    Case(SeeksFromTheFilesBeginning, Readers, ["test_seeking_stays_within_the_part"]),
    Case(ListsSomeTwice, Listings, ["test_children", "test_files_of_a_folder"]),
    Case(ListsOnePage, PageRules, ["test_more_than_a_page"]),
    Case(ListsFilesAsEmptyFolders, Listings, ["test_what_is_no_folder"]),
    Case(StripsNames, Names, ["test_odd_names_of_files"]),
    Case(MovesIntoFolders, Moving, ["test_a_folder_as_target"]),
    Case(CopiesInsteadOfMoving, Moving, ["test_content_and_result"]),
    Case(TellsLocalTime, Questions, ["test_file_info"]),
    Case(CannotBeClosedTwice, Lifecycle, ["test_a_backend_may_be_closed_twice"]),
    Case(ChokesOnNativeNames, Lifecycle, ["test_to_key"]),
)


class _OneWay(ContractBase):
    @pytest.fixture(params=["asyncio"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


def suite_of(case: Case) -> str:
    """Return the name of the test class for a case."""
    return f"Test{case.backend.__name__}{case.part.__name__}"


def _make(case: Case) -> type:
    def make_backend(self: object, tmp_path: Path) -> Backend:
        return case.backend()

    return type(suite_of(case), (_OneWay, case.part), {"make_backend": make_backend})


globals().update({suite_of(case): _make(case) for case in CASES})


class Few(MemoryBackend):
    @property
    def capabilities(self) -> CapabilitySet:
        return CapabilitySet({Capability.READ, Capability.WRITE, Capability.LIST})


class TestFew(_OneWay, BackendContract):
    """Breaks no rule: it just cannot do much, and says so."""

    def make_backend(self, tmp_path: Path) -> Backend:
        return Few()


class TestNothing(_OneWay, Questions):
    """Does not say how to make a backend."""
