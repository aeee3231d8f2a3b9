"""Roots, children, ownership, closing, and what a store tells of itself."""

from __future__ import annotations

import anyio
import pytest
from anyio import to_thread

from ..._async import AsyncStore
from ..._sync import Store
from ...backend import Backend
from ...capabilities import Capability
from ...errors import BackendUnavailable, CapabilityNotSupported, InvalidPath
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import TEXT, ContractBase, fill, paths_of
from ._operations import EVERYTHING


class Unknown:
    """A type that no backend has an object of."""


class Lifecycle(ContractBase):
    """From making a store to closing it."""

    @spec("STORE-001")
    @needs("write", "read", "list", "recursive_list")
    async def test_a_store_sees_only_what_is_below_its_root(self, store: AsyncStore, raw: Backend) -> None:
        await fill(store, "a/b/file", "a/file", "a/b2/file")
        for root in ("a/b", "/a//b/", "./a/b", RemotePath("a/b")):
            below = self.open(raw, root)
            assert await paths_of(below.list_files(recursive=True)) == ["file"]
            assert await below.read_bytes("file") == b"a/b/file"
            assert not await below.exists("a")
        for root in ("..", "a/../b", "a\\b"):
            with pytest.raises(InvalidPath):
                self.open(raw, root)

    @spec("STORE-005", "STORE-002")
    @needs("write", "read", "list")
    async def test_a_child(self, store: AsyncStore) -> None:
        child = store.child("a//b").child("c")
        assert not await child.exists("")
        assert await paths_of(child.list_files()) == []
        await child.write("d/file", TEXT)
        assert await store.read_bytes("a/b/c/d/file") == TEXT
        assert await paths_of(child.list_files("d")) == ["d/file"]
        for bad in ("..", "a/..", "\\"):
            with pytest.raises(InvalidPath):
                store.child(bad)

    @spec("STORE-005", "STORE-011")
    @needs("write")
    async def test_a_child_of_the_root_is_the_same_place(self, store: AsyncStore) -> None:
        await fill(store, "file")
        for root in ("", ".", "/", "./", RemotePath.ROOT):
            assert await store.child(root).is_file("file")
            assert store.child(root) == store

    @spec("STORE-008")
    async def test_equality(self, store: AsyncStore, raw: Backend) -> None:
        same = self.open(raw)
        assert store == same
        assert hash(store) == hash(same)
        below = store.child("a/b")
        assert below == self.open(raw, "a//b/")
        assert hash(below) == hash(store.child("a").child("b"))
        assert store != below
        assert store.child("a") != store.child("b")
        assert (store == raw) is False

    @spec("STORE-009")
    async def test_repr(self, inner: AsyncStore, raw: Backend) -> None:
        shown = repr(inner)
        assert repr(raw.name) in shown
        assert repr("outer/in ner") in shown
        assert shown.startswith("Store(" if self.blocking else "AsyncStore(")

    @spec("STORE-015")
    async def test_capabilities(self, store: AsyncStore, raw: Backend) -> None:
        assert set(store.capabilities) == set(raw.capabilities)
        for capability in Capability:
            assert store.supports(capability) is (capability in raw.capabilities)
        await store.aclose()
        assert set(store.capabilities) == set(raw.capabilities)

    @spec("STORE-016", "BE-005")
    async def test_to_key(self, store: AsyncStore, raw: Backend) -> None:
        assert store.to_key("a/b") == "a/b"
        assert store.child("a").to_key("a/b/c") == "b/c"
        assert store.child("a").to_key("a") == ""
        for outside in ("b", "ab", "a2/b", ""):
            with pytest.raises(InvalidPath):
                store.child("a").to_key(outside)
        for text in (
            "",
            "no native name",
            "a\\b",
            "a\0b",
            "../x",
            "\n",
            "x" * 5000,
            "\ud800",
            "s://[bad",
            "%",
        ):
            assert raw.to_key(text) == text
            assert raw.to_key(text) == raw.to_key(text)

    @spec("STORE-017")
    async def test_unwrap_of_an_unknown_type(self, store: AsyncStore, raw: Backend) -> None:
        with pytest.raises(CapabilityNotSupported) as caught:
            store.unwrap(Unknown)
        assert caught.value.capability == "unwrap"
        assert caught.value.backend == raw.name

    @spec("STORE-006", "STORE-007")
    async def test_a_closed_store_refuses_everything(self, store: AsyncStore, raw: Backend) -> None:
        child = store.child("a")
        grandchild = child.child("b")
        async with store as entered:
            assert entered == store
        await store.aclose()
        for closed in (store, child, grandchild):
            for operation in EVERYTHING:
                if operation.supported(store):
                    with pytest.raises(BackendUnavailable, match="closed") as caught:
                        await operation.call(closed, "path")
                    assert caught.value.retryable is False, operation.name
                    assert caught.value.backend == raw.name, operation.name
            with pytest.raises(BackendUnavailable, match="closed"):
                await closed.ping()
            with pytest.raises(BackendUnavailable, match="closed"):
                await closed.__aenter__()

    @spec("STORE-006")
    @needs("write", "read", "list")
    async def test_closing_ends_what_is_open(self, store: AsyncStore) -> None:
        await fill(store, *(f"a{number}/file" for number in range(5)))
        stream, listing, walk = await store.read("a1/file"), store.list_files("a1"), store.walk()
        writing = store.open_write("new")
        await writing.__aenter__()
        await walk.__anext__()
        await store.aclose()
        for use in (stream.read, listing.__anext__, walk.__anext__, lambda: writing.write(b"x")):
            with pytest.raises(BackendUnavailable, match="closed"):
                await use()
        await stream.aclose()
        await listing.aclose()
        await walk.aclose()
        await writing.__aexit__(ValueError, ValueError(), None)

    @spec("STORE-004", "STORE-007")
    @needs("write", "read")
    async def test_a_child_does_not_close_its_parent(self, store: AsyncStore) -> None:
        child = store.child("a")
        async with child:
            await child.write("file", TEXT)
        await child.aclose()
        assert await child.read_bytes("file") == TEXT
        assert await store.read_bytes("a/file") == TEXT

    @spec("BE-006")
    @needs("write")
    async def test_a_backend_may_be_closed_twice(self, store: AsyncStore, backend: Backend) -> None:
        await fill(store, "file")
        await store.aclose()
        await backend.aclose()
        await backend.aclose()

    @spec("STORE-010", "BE-004")
    @needs("write", "read")
    async def test_one_event_loop_after_another(self, raw: Backend) -> None:
        """The same store, used on two loops that do not live at the same time, in another thread."""
        store = AsyncStore(raw, "loops")

        async def use(number: int) -> bytes:
            await store.write(f"{number}", TEXT)
            return await store.read_bytes("0")

        def both() -> list[bytes]:
            return [anyio.run(use, number) for number in range(2)]

        assert await to_thread.run_sync(both) == [TEXT, TEXT]

    @spec("STORE-010", "BE-004")
    @needs("write", "read")
    async def test_many_threads_beside_a_loop(self, raw: Backend, store: AsyncStore) -> None:
        blocking = Store(raw, "threads")

        def use(number: int) -> None:
            for again in range(5):
                blocking.write(f"{number}/{again}", TEXT)
                assert blocking.read_bytes(f"{number}/{again}") == TEXT

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(to_thread.run_sync, use, number)
        for number in range(8):
            assert await store.read_bytes(f"threads/{number}/4") == TEXT
