"""What others write while a transfer is under way: it is neither overwritten nor deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.transfer.support import WAYS, call, content, memory

import remote_store
from remote_store import (
    Backend,
    BackendUnavailable,
    Capability,
    CapabilitySet,
    EventKind,
    FileInfo,
    PreconditionFailed,
    Store,
    TransferFailed,
    TransferOptions,
)
from remote_store.backends import MemoryBackend
from remote_store.models import WriteResult
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import Version
from remote_store.wrapper import BackendWrapper

FULL = TransferOptions(verify="full", retries=2)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def plan(left: Backend, right: Backend, **options: Any) -> list[Any]:
    return list(remote_store.plan_sync(Store(left), "", Store(right), **options))


def failure(way: str, name: str, *arguments: Any, **options: Any) -> BaseException:
    """Return why the only file of a transfer failed."""
    with pytest.raises(TransferFailed) as caught:
        call(way, name, *arguments, **options)
    (failed,) = caught.value.report.failures
    return failed.error


@pytest.mark.spec("XFER-027", "XFER-012")
@pytest.mark.parametrize("told", [True, False])
def test_what_somebody_writes_between_two_attempts(way: str, told: bool) -> None:
    """Whether the storage tells ETags or not, an update and a deletion are as guarded as at first."""
    left, inner = memory({"f": b"ours"}), memory({"f": b"old", "gone": b"old"})
    right = inner if told else Untold(inner)
    lines = plan(left, right, delete=True)

    def intrude(event: Any) -> None:
        if event.kind is EventKind.RETRIED:
            Store(inner).write(event.path, b"theirs", overwrite=True)

    for line, source, target in (
        (lines[0], FaultyBackend(left, [Fault("read_bytes")]), right),
        (lines[1], left, FaultyBackend(right, [Fault("delete")])),
    ):
        error = failure(way, "apply_plan", [line], source, "", target, on_event=intrude)
        assert isinstance(error, PreconditionFailed)
    assert content(inner) == {"f": b"theirs", "gone": b"theirs"}


class Untold(BackendWrapper):
    """A storage without ETags and conditions."""

    @property
    def capabilities(self) -> CapabilitySet:
        return CapabilitySet(set(super().capabilities) - {Capability.CONDITIONAL_WRITE})

    async def get_file_info(self, path: str) -> FileInfo:
        info = await super().get_file_info(path)
        return FileInfo(info.path, info.name, info.size, info.modified_at)

    async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
        result = await super().write_bytes(path, data, **given)
        return WriteResult(result.path, result.size)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        result = await super().copy(src, dst, overwrite=overwrite)
        return WriteResult(result.path, result.size)


@pytest.mark.spec("XFER-027", "XFER-013")
@pytest.mark.parametrize("operation", ["write_bytes", "delete"])
def test_an_answer_that_is_lost_is_no_change_by_others(way: str, operation: str) -> None:
    class Loses(BackendWrapper):
        lost = False

        async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
            result = await super().write_bytes(path, data, **given)
            self.lose()
            return result

        async def delete(self, path: str, *, missing_ok: bool = False) -> None:
            await super().delete(path, missing_ok=missing_ok)
            self.lose()

        def lose(self) -> None:
            if not self.lost:
                self.lost = True
                raise BackendUnavailable("the answer was lost", retryable=True)

    left, right = memory({"f": b"ours"}), memory({"f": b"old", "gone": b"old"})
    lines = plan(left, right, delete=True)
    line = lines[0] if operation == "write_bytes" else lines[1]
    report = call(way, "apply_plan", [line], left, "", Loses(right))
    assert (report.done, report.retries) == (1, 1)
    assert content(right) == ({"f": b"ours", "gone": b"old"} if line is lines[0] else {"f": b"old"})


@pytest.mark.spec("XFER-013")
def test_a_copy_by_the_storage_whose_answer_was_lost(way: str) -> None:
    class Loses(MemoryBackend):
        lost = False

        async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
            result = await super().copy(src, dst, overwrite=overwrite)
            if not self.lost:
                self.lost = True
                raise BackendUnavailable("the answer was lost", retryable=True)
            return result

    backend = Loses()
    Store(backend).write("a/f", b"x")
    report = call(way, "copy_tree", backend, "a", backend, "b")
    assert (report.done, report.retries) == (1, 1)


@pytest.mark.spec("XFER-027", "XFER-009")
def test_within_one_backend_a_condition_is_kept(way: str) -> None:
    class Late(MemoryBackend):
        """Somebody writes between the look and the write."""

        armed = False

        async def get_file_info(self, path: str) -> FileInfo:
            info = await super().get_file_info(path)
            if self.armed and path == "copy/f":
                await super().write_bytes(path, memoryview(b"theirs"), overwrite=True)
            return info

    backend = Late()
    store = Store(backend)
    store.write("copy/f", b"old")
    store.write("data/f", b"ours and longer")
    lines = list(remote_store.plan_sync(store, "data", store, "copy"))
    backend.armed = True
    error = failure(way, "apply_plan", lines, backend, "data", backend, "copy")
    assert isinstance(error, PreconditionFailed)
    assert store.read_bytes("copy/f") == b"theirs"
    backend.armed = False
    assert call(way, "sync", backend, "data", backend, "copy").done == 1
    assert store.read_bytes("copy/f") == b"ours and longer"


class Overtaken(BackendWrapper):
    """Somebody else replaces each file right after it was written."""

    async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
        result = await super().write_bytes(path, data, **given)
        await self.inner.write_bytes(path, memoryview(b"theirs"), overwrite=True)
        return result

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        result = await super().copy(src, dst, overwrite=overwrite)
        await self.inner.write_bytes(dst, memoryview(b"theirs"), overwrite=True)
        return result


@pytest.mark.spec("XFER-015")
@pytest.mark.parametrize(("told", "size"), [(True, 4), (True, 6), (False, 4)])
def test_checking_deletes_nothing_of_others(way: str, told: bool, size: int) -> None:
    left, right = memory({"f": bytes(size)}), memory()
    target = Overtaken(right if told else Untold(right))
    error = failure(way, "copy_tree", left, "", target, options=FULL)
    assert isinstance(error, PreconditionFailed)
    assert content(right) == {"f": b"theirs"}


@pytest.mark.spec("XFER-015")
def test_checking_copies_of_the_storage_deletes_nothing_of_others(way: str) -> None:
    inner = memory({"a/f": b"ours"})
    backend = Overtaken(inner)
    assert isinstance(failure(way, "copy_tree", backend, "a", backend, "b", options=FULL), PreconditionFailed)
    assert content(inner, "b") == {"b/f": b"theirs"}


@pytest.mark.spec("XFER-015", "XFER-027")
@pytest.mark.parametrize("told", [True, False])
def test_an_update_that_arrived_broken_is_made_again(way: str, told: bool) -> None:
    left, inner = memory({"f": b"ours"}), memory({"f": b"old"})
    right = FaultyBackend(inner if told else Untold(inner), [Fault("write_bytes", "flip")])
    report = call(way, "sync", left, "", right, options=FULL)
    assert (report.done, report.retries) == (1, 1)
    assert content(inner) == {"f": b"ours"}


@pytest.mark.spec("XFER-037")
@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ((1, 5.25, "a"), (1, 9.0, "a"), True),
        ((1, 5.25, "a"), (1, 5.25, "b"), False),
        ((1, 5.25, "a"), (2, 5.25, "a"), False),
        ((1, 5.123, None), (1, 5.0, None), True),
        ((1, 5.123, None), (1, 6.0, None), False),
        ((1, 5.123456, "a"), (1, 5.123, None), True),
        ((1, 5.123456, None), (1, 5.123457, None), False),
        ((1, 5.123, None), (1, 5.124, None), False),
        ((1, None, None), (1, 5.0, None), True),
    ],
)
def test_the_same_version(ours: Any, theirs: Any, same: bool) -> None:
    left, right = (
        Version(size, None if time is None else datetime.fromtimestamp(time, UTC), etag)
        for size, time, etag in (ours, theirs)
    )
    assert left.is_same(right) is right.is_same(left) is same


@pytest.mark.spec("XFER-037", "XFER-027")
def test_a_look_that_tells_times_less_exactly_than_the_listing(way: str) -> None:
    class Seconds(Untold):
        async def get_file_info(self, path: str) -> FileInfo:
            info = await super().get_file_info(path)
            assert info.modified_at is not None
            return FileInfo(info.path, info.name, info.size, info.modified_at.replace(microsecond=0))

    left, right = Seconds(memory({"f": b"1"})), Seconds(memory({"f": b"old", "gone": b"2"}))
    assert call(way, "sync", left, "", right, delete=True).done == 2
    assert content(right) == {"f": b"1"}
