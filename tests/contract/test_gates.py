"""What a backend cannot do is refused by the store, before the backend is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote_store import AsyncStore, Backend, Capability, CapabilityNotSupported, CapabilitySet
from remote_store.backends import MemoryBackend
from remote_store.testing._contract._base import ContractBase, all_of
from remote_store.testing._contract._operations import ASKING, EVERYTHING


class Called(Exception):
    """The backend was called."""


class Untouchable(MemoryBackend):
    """Raises as soon as it is called, and has whatever capabilities it is told to have."""

    able = CapabilitySet(Capability)

    @property
    def capabilities(self) -> CapabilitySet:
        return self.able

    def list_pages(self, *args: Any, **options: Any) -> Any:
        raise Called

    def __getattribute__(self, name: str) -> Any:
        if name in CALLS:
            raise Called
        return super().__getattribute__(name)


CALLS = frozenset(
    ("is_file", "is_folder", "exists", "get_file_info", "get_folder_info", "ping", "open_read", "read_bytes",
     "open_write", "write_bytes", "delete", "delete_folder", "move", "copy", "list_pages")
)  # fmt: skip


class TestGates(ContractBase):
    def make_backend(self, tmp_path: Path) -> Backend:
        return Untouchable()

    @pytest.mark.spec("STORE-012", "STORE-013", "STORE-014", "CAP-003")
    @pytest.mark.parametrize("missing", Capability, ids=lambda capability: capability.value)
    async def test_one_capability_is_missing(self, raw: Untouchable, missing: Capability) -> None:
        raw.able = CapabilitySet(set(Capability) - {missing})
        store = self.open(raw)
        for operation in EVERYTHING:
            if missing in operation.needs:
                with pytest.raises(CapabilityNotSupported) as caught:
                    await operation.call(store, "path")
                assert caught.value.capability == missing.value, operation.name
                assert caught.value.backend == "memory"
            else:
                with pytest.raises(Called):
                    await operation.call(store, "path")

    @pytest.mark.spec("STORE-012", "STORE-014", "STORE-037")
    async def test_glob(self, raw: Untouchable) -> None:
        raw.able = CapabilitySet({Capability.GLOB})
        with pytest.raises(Called):
            await all_of(self.open(raw).glob("*"))
        raw.able = CapabilitySet(set(Capability) - {Capability.GLOB})
        with pytest.raises(CapabilityNotSupported) as caught:
            self.open(raw).glob("*")
        assert caught.value.capability == "glob"

    @pytest.mark.spec("STORE-012", "STORE-013", "STORE-014")
    async def test_nothing_is_supported(self, raw: Untouchable) -> None:
        raw.able = CapabilitySet(())
        store = self.open(raw)
        for operation in EVERYTHING:
            with pytest.raises(Called if operation in ASKING else CapabilityNotSupported):
                await operation.call(store, "path")
        with pytest.raises(Called):
            await store.ping()

    @pytest.mark.spec("STORE-006", "STORE-012", "STORE-015")
    async def test_a_closed_store_does_not_call(self, store: AsyncStore, raw: Untouchable) -> None:
        await store.aclose()
        for operation in EVERYTHING:
            with pytest.raises(ConnectionError):
                await operation.call(store, "path")
        assert store.supports(Capability.READ)
        assert store.to_key("a") == "a"
