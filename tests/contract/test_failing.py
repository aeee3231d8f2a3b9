"""A storage that fails, at each point and in each operation: its error comes out, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_store import (
    AsyncStore,
    Backend,
    BackendUnavailable,
    Capability,
    PermissionDenied,
    RemoteStoreError,
)
from remote_store.backends import MemoryBackend
from remote_store.testing import Fault, FaultyBackend
from remote_store.testing._contract._base import ContractBase, all_of
from remote_store.testing._contract._operations import ASKING, EVERYTHING, LISTING, Operation

POINTS = (
    "is_file", "is_folder", "exists", "get_file_info", "get_folder_info", "open_read", "read_bytes",
    "open_write", "write_bytes", "delete", "delete_folder", "move", "copy", "list_pages", "reader.read",
    "reader.aclose", "writer.write", "writer.commit", "pages.next", "pages.aclose",
)  # fmt: skip


async def outcome(operation: Operation, store: AsyncStore, path: str) -> RemoteStoreError | None:
    try:
        await operation.call(store, path)
    except RemoteStoreError as error:
        return error
    return None


class TestFailing(ContractBase):
    """Every operation on a tree in which it would succeed."""

    def make_backend(self, tmp_path: Path) -> Backend:
        return FaultyBackend(MemoryBackend())

    async def fill(self, store: AsyncStore) -> None:
        for path in ("source", "a/file", "a/b/file", "a/b/c/file"):
            await store.write(path, path.encode())

    @pytest.mark.spec("ERR-007", "ERR-008", "STORE-002")
    @pytest.mark.parametrize("point", POINTS)
    async def test_its_error_comes_out(self, inner: AsyncStore, raw: FaultyBackend, point: str) -> None:
        struck = 0
        for operation in EVERYTHING:
            await self.fill(inner)
            raw.log.clear()
            path = "a//b" if operation in (*LISTING,) or "folder" in operation.name else "a//file"
            raw.script(Fault(point, error=BackendUnavailable))
            error = await outcome(operation, inner, path)
            if error is not None:
                struck += 1
                assert type(error) is BackendUnavailable, (operation.name, error)
                assert (error.backend, error.retryable) == (raw.name, True)
                assert error.path is not None
                assert not error.path.startswith("outer"), (operation.name, error.path)
            raw._script.clear()
            await inner.delete_folder("a", recursive=True, missing_ok=True)
            for path in ("source", "moved", "copied"):
                await inner.delete(path, missing_ok=True)
        if point not in ("reader.aclose", "pages.aclose"):
            assert struck

    @pytest.mark.spec("ERR-008", "STORE-002")
    async def test_errors_of_cleaning_up(self, inner: AsyncStore, raw: FaultyBackend) -> None:
        await self.fill(inner)
        stream, listing, walk = await inner.read("a//file"), inner.list_files("a//b"), inner.walk("a//b")
        await walk.__anext__()
        await listing.__anext__()
        raw.script(Fault("reader.aclose"), Fault("pages.aclose"))
        for opened, path in ((stream, "a//file"), (listing, "a//b")):
            with pytest.raises(BackendUnavailable) as caught:
                await opened.aclose()
            assert caught.value.path == path
            await opened.aclose()
        await walk.aclose()
        for pieces in ([b"new", 5], 5):
            raw.script(Fault("writer.abort"))
            with pytest.raises(TypeError) as failed:
                if pieces == 5:
                    async with inner.open_write("a//new") as writer:
                        await writer.write(pieces)  # type: ignore[arg-type]  # wrong on purpose
                else:
                    await inner.write("a//new", pieces)  # type: ignore[arg-type]  # wrong on purpose
            assert "undoing the write failed too" in failed.value.__notes__[0]

    @pytest.mark.spec("STORE-021", "STORE-019")
    async def test_a_question_without_answer_raises(self, store: AsyncStore, raw: FaultyBackend) -> None:
        await self.fill(store)
        for error in (PermissionDenied, BackendUnavailable):
            for operation in ASKING:
                for path in ("a", "a/file", "missing"):
                    raw.script(Fault("*", error=error))
                    with pytest.raises(error) as caught:
                        await operation.call(store, path)
                    assert caught.value.path == path

    @pytest.mark.spec("ERR-012", "STORE-034", "STORE-035")
    async def test_missing_ok_suppresses_absence_only(self, store: AsyncStore, raw: FaultyBackend) -> None:
        for error in (PermissionDenied, BackendUnavailable):
            raw.script(Fault("delete", error=error), Fault("delete_folder", error=error))
            with pytest.raises(error):
                await store.delete("missing", missing_ok=True)
            with pytest.raises(error):
                await store.delete_folder("missing", missing_ok=True, recursive=True)

    @pytest.mark.spec("ERR-007", "STORE-043")
    async def test_a_glob_does_not_hide_errors(self, store: AsyncStore, raw: FaultyBackend) -> None:
        await self.fill(store)
        for pattern in ("a/*", "**/file", "*/b/*", "a/b/c/file"):
            for point in ("list_pages", "pages.next"):
                raw.script(Fault(point, error=PermissionDenied))
                with pytest.raises(PermissionDenied):
                    await all_of(store.glob(pattern))

    @pytest.mark.spec("STORE-031", "ERR-007")
    async def test_a_writer_that_fails_leaves_the_old_file(
        self, store: AsyncStore, raw: FaultyBackend
    ) -> None:
        assert store.supports(Capability.ATOMIC_WRITE)
        await store.write("file", b"old")
        for point in ("writer.write", "writer.commit"):
            for write in (store.write, store.write_atomic):
                raw.script(Fault(point))
                with pytest.raises(BackendUnavailable):
                    await write("file", [b"new"], overwrite=True)
                raw.script(Fault(point))
                with pytest.raises(BackendUnavailable):
                    await write("new/file", [b"new"])
        assert await store.read_bytes("file") == b"old"
        assert not await store.exists("new")
