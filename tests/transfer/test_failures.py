"""What goes wrong, what is tried again, and what is left then."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.runtime.support import WORLDS, run
from tests.transfer.support import WAYS, call, content, memory

import remote_store
from remote_store import (
    AsyncStore,
    BackendUnavailable,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
    TransferFailed,
    TransferOptions,
    aio,
)
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.models import WriteResult
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import _retry

FILES = {f"d/{number:03}": b"%d" % number for number in range(60)}
LARGE = os.urandom(3 << 20)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "FIRST_PAUSE", 0.001)


def options(**more: Any) -> TransferOptions:
    return TransferOptions(large_file_threshold=1 << 20, **more)


@pytest.mark.spec("XFER-011")
def test_the_others_arrive(way: str) -> None:
    left = FaultyBackend(
        memory(FILES),
        [
            Fault("read_bytes", path="d/007", error=PermissionDenied),
            Fault("read_bytes", path="d/042", error=NotFound),
        ],
    )
    right = memory()
    with pytest.raises(TransferFailed, match="2 of 60 files failed") as caught:
        call(way, "copy_tree", left, "d", right, "d")
    report = caught.value.report
    assert (report.done, report.failed) == (58, 2)
    assert {each.path: type(each.error) for each in report.failures} == {
        "d/007": PermissionDenied, "d/042": NotFound,
    }  # fmt: skip
    assert caught.value.__cause__ in [each.error for each in report.failures]
    assert content(right).keys() == FILES.keys() - {"d/007", "d/042"}


@pytest.mark.spec("XFER-011")
def test_the_first_failure_ends_it(way: str) -> None:
    left = FaultyBackend(memory(FILES), [Fault("read_bytes", path="d/007", error=PermissionDenied)])
    slow = FaultyBackend(memory(), [Fault("write_bytes", "stall", times=None)])
    with pytest.raises(PermissionDenied) as caught:
        call(way, "copy_tree", left, "d", slow, "d", options=options(on_error="fail_fast", concurrency=16))
    assert caught.value.path == "d/007"
    assert content(slow) == {}


@pytest.mark.spec("XFER-011")
def test_a_listing_that_fails_ends_it(way: str) -> None:
    left = FaultyBackend(memory(FILES), [Fault("list_pages", error=PermissionDenied)])
    with pytest.raises(PermissionDenied):
        call(way, "copy_tree", left, "d", memory())


@pytest.mark.spec("XFER-012")
@pytest.mark.parametrize(
    "operation", ["read_bytes", "write_bytes", "open_read", "reader.read", "writer.write"]
)
def test_errors_that_pass(way: str, operation: str) -> None:
    left = FaultyBackend(memory({"small": b"x", "large": LARGE}), [Fault(operation, times=2)])
    right = FaultyBackend(memory(), [Fault(operation, times=2)])
    report = call(way, "copy_tree", left, "", right, options=options(concurrency=1))
    assert report.retries == 2
    assert content(right.inner) == {"small": b"x", "large": LARGE}


@pytest.mark.spec("XFER-012")
def test_no_more_often_than_allowed(way: str) -> None:
    left = FaultyBackend(memory({"f": b"x"}), [Fault("read_bytes", times=None)])
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", left, "", memory(), options=options(retries=2))
    assert isinstance(caught.value.report.failures[0].error, BackendUnavailable)
    assert caught.value.report.retries == 2
    assert len([each for each in left.log if each.operation == "read_bytes"]) == 3


@pytest.mark.spec("XFER-012")
def test_errors_that_do_not_pass(way: str) -> None:
    left = FaultyBackend(memory({"f": b"x"}), [Fault("read_bytes", times=None, error=PermissionDenied)])
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", left, "", memory())
    assert caught.value.report.retries == 0


class AnswersLate(MemoryBackend):
    """Stores a file, and loses the answer."""

    def __init__(self, instead: bytes | None = None) -> None:
        super().__init__()
        self.instead, self.calls = instead, 0

    async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
        self.calls += 1
        if self.calls == 1:
            await super().write_bytes(path, memoryview(self.instead or bytes(data)), **given)
            raise BackendUnavailable("the answer was lost", path=path)
        return await super().write_bytes(path, data, **given)


@pytest.mark.spec("XFER-013")
def test_a_write_whose_answer_was_lost(way: str) -> None:
    right = AnswersLate()
    report = call(way, "copy_tree", memory({"f": b"x"}), "", right)
    assert (report.done, report.retries) == (1, 1)
    with pytest.raises(TransferFailed):  # somebody else's file is not taken for ours
        call(way, "copy_tree", memory({"f": b"x"}), "", other := AnswersLate(b"y"))
    assert content(other) == {"f": b"y"}


@pytest.mark.spec("XFER-014")
@pytest.mark.parametrize("size", [10, 3 << 20])
def test_a_source_that_ends_short(way: str, size: int) -> None:
    for times, retries, done in ((None, 2, False), (1, 2, True)):
        left = FaultyBackend(
            memory({"f": bytes(size)}),
            [Fault(name, "truncate", times=times, size=5) for name in ("read_bytes", "reader.read")],
        )
        right = memory()
        if done:
            assert call(way, "copy_tree", left, "", right, options=options(retries=retries)).retries == 1
            assert content(right) == {"f": bytes(size)}
        else:
            with pytest.raises(TransferFailed) as caught:
                call(way, "copy_tree", left, "", right, options=options(retries=retries))
            assert "5 bytes" in str(caught.value.report.failures[0].error)
            assert content(right) == {}


@pytest.mark.spec("XFER-014")
def test_a_source_that_grows_after_it_was_listed(way: str) -> None:
    class Growing(MemoryBackend):
        async def read_bytes(self, path: str, **given: Any) -> bytes:
            await super().write_bytes(path, memoryview(b"longer"), overwrite=True)
            return await super().read_bytes(path, **given)

    left, right = Growing(), memory()
    Store(left).write("f", b"x")
    assert call(way, "copy_tree", left, "", right).retries == 1
    assert content(right) == {"f": b"longer"}


@pytest.mark.spec("XFER-015")
@pytest.mark.parametrize("size", [10, 3 << 20])
def test_flipped_bits_on_the_way_to_the_target(way: str, size: int) -> None:
    data = os.urandom(size)
    faults = [Fault("write_bytes", "flip"), Fault("writer.write", "flip")]
    right = FaultyBackend(memory(), faults)
    report = call(way, "copy_tree", memory({"f": data}), "", right, options=options(verify="full"))
    assert (report.done, report.retries) == (1, 1)
    assert content(right) == {"f": data}
    right = FaultyBackend(memory(), [Fault(each.operation, "flip", times=None) for each in faults])
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", memory({"f": data}), "", right, options=options(verify="full"))
    assert "other bytes" in str(caught.value.report.failures[0].error)
    assert content(right) == {}


class States(MemoryBackend):
    """Says a checksum of what it stores."""

    def __init__(self, checksum: str) -> None:
        super().__init__()
        self.checksum = checksum

    async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
        result = await super().write_bytes(path, data, **given)
        return WriteResult(result.path, result.size, checksum=self.checksum)


@pytest.mark.spec("XFER-015")
def test_what_the_storage_says(way: str) -> None:
    seen: list[Any] = []
    right = States("crc32:8CDC1683")
    call(way, "copy_tree", memory({"f": b"x"}), "", right, on_event=seen.append)
    assert seen[-1].detail == "whole, verified by the storage"
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", memory({"f": b"x"}), "", wrong := States("crc32:00000000"))
    assert caught.value.report.retries == 3
    assert content(wrong) == {}
    for checksum, verify in (("md5:00", "storage"), ("crc32:00000000", "none")):
        options = TransferOptions(verify=verify)  # type: ignore[arg-type]
        assert call(way, "copy_tree", memory({"f": b"x"}), "", States(checksum), options=options).done == 1


@pytest.mark.spec("XFER-016", "XFER-010")
@pytest.mark.parametrize("world", WORLDS)
def test_cancelled_at_any_moment(world: str, tmp_path: Path) -> None:
    files = {**{f"{number}": os.urandom(2000) for number in range(30)}, "large": LARGE}
    left = memory(files)

    async def main(number: int) -> None:
        root = tmp_path / str(number)
        backend = LocalBackend(root)
        with anyio.move_on_after(number * 0.002):
            await aio.copy_tree(AsyncStore(left), "", AsyncStore(backend), options=options(concurrency=8))
        there = {path.name: path.read_bytes() for path in root.iterdir()}
        assert all(files[name] == data for name, data in there.items())

    for number in range(25):
        run(world, main, number)


@pytest.mark.spec("XFER-016")
def test_interrupted() -> None:
    right = FaultyBackend(memory(), [Fault("write_bytes", "stall", times=None, seconds=30)])
    began = threading.Event()

    def interrupt() -> None:
        began.wait(10)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        remote_store.copy_tree(Store(memory(FILES)), "", Store(right), on_event=lambda _: began.set())
    thread.join()
    assert content(right) == {}


@pytest.mark.spec("XFER-011")
def test_an_error_that_is_none_of_ours(way: str) -> None:
    left = FaultyBackend(memory(FILES), [Fault("read_bytes", path="d/007", error=ZeroDivisionError)])
    with pytest.raises(ZeroDivisionError):
        call(way, "copy_tree", left, "d", memory())
    assert not issubclass(ZeroDivisionError, RemoteStoreError)
