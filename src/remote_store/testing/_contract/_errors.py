"""Errors: which one, and what it says, for every operation."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from ..._async import AsyncStore
from ...backend import Backend
from ...capabilities import Capability
from ...errors import CapabilityNotSupported, InvalidPath, NotFound, RemoteStoreError
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import ContractBase, fill
from ._operations import (
    DELETING,
    DELETING_FOLDERS,
    EVERYTHING,
    LISTING,
    ON_FILES,
    READING,
    SUMMING,
    WRITING,
    Operation,
)


class Errors(ContractBase):
    """The same mistake is answered alike by every operation."""

    async def failure(
        self, store: AsyncStore, operation: Operation, path: Any, kind: type[RemoteStoreError]
    ) -> RemoteStoreError:
        """Return the error of an operation, checked for what every error has to say."""
        with pytest.raises(kind) as caught:
            await operation.call(store, path)
        error = caught.value
        assert type(error) is kind, (operation.name, path)
        assert error.path == str(path), (operation.name, path)
        assert error.message, (operation.name, path)
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in the same line
        assert (type(copy), copy.path, copy.backend, str(copy)) == (
            kind,
            error.path,
            error.backend,
            str(error),
        )
        return error

    @spec("PATH-003", "PATH-004", "PATH-005", "ERR-015")
    async def test_malformed_paths(self, store: AsyncStore, inner: AsyncStore) -> None:
        for operation in EVERYTHING:
            if not operation.supported(store):
                continue
            for where in (store, inner):
                for path in (
                    "..",
                    "../up",
                    "a/../../up",
                    "a/..",
                    "/..",
                    "a\\b",
                    "\\",
                    "a\0b",
                    "\0",
                    "//x/.././",
                ):
                    await self.failure(where, operation, path, InvalidPath)

    @spec("PATH-001", "ERR-015")
    async def test_what_is_no_path(self, store: AsyncStore) -> None:
        for operation in EVERYTHING:
            if operation.supported(store):
                for path in (5, None, b"bytes", ["a"]):
                    with pytest.raises(TypeError):
                        await operation.call(store, path)

    @spec("STORE-011")
    @needs("write", "read")
    async def test_the_root_is_no_file(self, store: AsyncStore, inner: AsyncStore) -> None:
        await fill(store, "source")
        await fill(inner, "source")
        for operation in (*ON_FILES, DELETING_FOLDERS):
            if operation.supported(store):
                for where in (store, inner):
                    for path in ("", ".", "/", "./"):
                        await self.failure(where, operation, path, InvalidPath)
                    with pytest.raises(InvalidPath):
                        await operation.call(where, RemotePath.ROOT)
        assert await inner.read_bytes("source") == b"source"

    @spec("STORE-002", "ERR-008", "BE-002", "ERR-006")
    @needs("write")
    async def test_missing_files(self, store: AsyncStore, inner: AsyncStore, raw: Backend) -> None:
        for operation in (*READING, DELETING, DELETING_FOLDERS, SUMMING):
            if operation.supported(store):
                for where in (store, inner):
                    for path in ("missing", "a//missing", "./missing/", RemotePath("no/such")):
                        error = await self.failure(where, operation, path, NotFound)
                        assert error.backend == raw.name
                        assert error.retryable is False

    @spec("STORE-002", "ERR-008", "ERR-010", "STORE-029", "STORE-034")
    @needs("write")
    async def test_folders_where_files_are_expected(
        self, store: AsyncStore, inner: AsyncStore, raw: Backend
    ) -> None:
        for where in (store, inner):
            await fill(where, "source", "a/b/file")
        for operation in ON_FILES if self.looks_before_writing else (*READING, DELETING):
            if operation.supported(store):
                for where in (store, inner):
                    for path in ("a/b", "a//b/"):
                        error = await self.failure(where, operation, path, InvalidPath)
                        assert error.backend == raw.name
        assert await inner.is_file("a/b/file")
        assert await store.is_file("source")

    @spec("STORE-002", "ERR-008", "ERR-010", "STORE-035", "STORE-038")
    @needs("write")
    async def test_files_where_folders_are_expected(
        self, store: AsyncStore, inner: AsyncStore, raw: Backend
    ) -> None:
        for where in (store, inner):
            await fill(where, "a/file")
        for operation in (*LISTING, SUMMING, DELETING_FOLDERS):
            if operation.supported(store):
                for where in (store, inner):
                    for path in ("a/file", "a//file/"):
                        error = await self.failure(where, operation, path, InvalidPath)
                        assert error.backend == raw.name
        assert await inner.is_file("a/file")

    @spec("ERR-011", "STORE-002", "ERR-008")
    @needs("write")
    async def test_below_a_file(self, store: AsyncStore, inner: AsyncStore, raw: Backend) -> None:
        for where in (store, inner):
            await fill(where, "source", "file")
        for operations, kind in (
            ((*READING, DELETING, DELETING_FOLDERS, SUMMING), NotFound),
            (WRITING if self.looks_before_writing else (), InvalidPath),
        ):
            for operation in operations:
                if operation.supported(store):
                    for where in (store, inner):
                        for path in ("file/below", "file//far/below"):
                            error = await self.failure(where, operation, path, kind)
                            assert error.backend == raw.name
        assert await inner.is_file("file")
        assert await inner.is_file("source")

    @spec("ERR-002", "ERR-004")
    @needs("write", "read")
    async def test_the_builtins_catch_them(self, store: AsyncStore) -> None:
        await fill(store, "a/file")
        with pytest.raises(FileNotFoundError):
            await store.read_bytes("missing")
        with pytest.raises(FileExistsError):
            await store.write("a/file", b"")
        with pytest.raises(ValueError, match="folder"):
            await store.read_bytes("a")

    @spec("STORE-012", "STORE-013", "STORE-014", "CAP-003")
    async def test_what_the_backend_cannot_do_is_refused(self, store: AsyncStore, raw: Backend) -> None:
        """Nothing to see on a backend that can do everything."""
        for operation in EVERYTHING:
            if not operation.supported(store):
                with pytest.raises(CapabilityNotSupported) as caught:
                    await operation.call(store, "path")
                missing = {
                    capability.value for capability in operation.needs if not store.supports(capability)
                }
                assert caught.value.capability in missing, operation.name
                assert caught.value.backend == raw.name
        if not store.supports(Capability.GLOB):
            with pytest.raises(CapabilityNotSupported):
                store.glob("*")
