"""Zarr's own tests for stores, on memory, local disk and S3.

Skipped, for each kind: the tests of an optional protocol (five in Zarr 3.1.6) by which it would call a store
without waiting (``get_sync`` and the like), for that would stop Zarr's loop for each request.
Memory alone: one of pickling, for what is in a process's memory does not travel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ext.places import store_of
from zarr.core.buffer import Buffer, cpu
from zarr.core.sync import sync
from zarr.testing.store import StoreTests

from remote_store import Store
from remote_store.ext.zarr import ZarrStore

pytestmark = [pytest.mark.anyio, pytest.mark.spec("ZARR-002")]


@pytest.fixture
def anyio_backend() -> str:
    """Zarr knows no other loop."""
    return "asyncio"


class Suite(StoreTests[ZarrStore, cpu.Buffer]):
    """What the suite has to be told; values are written and looked at by the blocking store."""

    store_cls = ZarrStore
    buffer_cls = cpu.Buffer
    kind: str

    @pytest.fixture
    def beside(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
        with store_of(self.kind, request, tmp_path) as store:
            yield store

    @pytest.fixture
    def store_kwargs(self, beside: Store) -> dict[str, Any]:
        return {"store": beside}

    @pytest.fixture
    def store(self, open_kwargs: dict[str, Any]) -> ZarrStore:
        return sync(self.store_cls.open(**open_kwargs))

    @pytest.fixture
    def store_not_open(self, store_kwargs: dict[str, Any]) -> ZarrStore:
        return self.store_cls(**store_kwargs)

    async def set(self, store: ZarrStore, key: str, value: Buffer) -> None:
        Store._wrap(store.store).write(key, value.to_bytes(), overwrite=True)

    async def get(self, store: ZarrStore, key: str) -> Buffer:
        return self.buffer_cls.from_bytes(Store._wrap(store.store).read_bytes(key))

    def test_store_repr(self, store: ZarrStore) -> None:
        name = store.store._scope.backend.name
        assert repr(store) == f"ZarrStore(AsyncStore(backend={name!r}, root_path=''), read_only=False)"
        assert str(store) == f"remote-store+{name}://"

    def test_store_supports_writes(self, store: ZarrStore) -> None:
        assert store.supports_writes
        assert store.supports_deletes

    def test_store_supports_listing(self, store: ZarrStore) -> None:
        assert store.supports_listing


class TestMemory(Suite):
    kind = "memory"

    @pytest.mark.skip(reason="what is in a process's memory does not travel by pickle")
    async def test_serializable_store(self, store: ZarrStore) -> None: ...


class TestLocal(Suite):
    kind = "local"


class TestS3(Suite):
    kind = "s3"
