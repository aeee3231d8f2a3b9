"""Thousands of files between storages that fail, stall, tear and change what passes.

Every number of this run comes from its seed. ``FAULT_RUN_FILES`` sets how many files there are.
"""

from __future__ import annotations

import os
import random
import zlib
from collections import Counter
from typing import Any

import pytest
from tests.transfer.support import call, content, memory

from remote_store import Backend, EventKind, PermissionDenied, TransferEvent, TransferFailed, TransferOptions
from remote_store.backend import Reader, Writer
from remote_store.backends import MemoryBackend
from remote_store.models import WriteResult
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import _retry
from remote_store.wrapper import BackendWrapper, ReaderWrapper, WriterWrapper

COUNT = int(os.environ.get("FAULT_RUN_FILES", "2000"))
SEED = 20261125
THRESHOLD = 1500
"""Bytes from which files are streamed: about half of them."""
LOST = "lost/**"
"""Files that cannot be read at all."""


class Keeping(BackendWrapper):
    """Tells a CRC-32 of what it has stored, as S3 does, and knows how often that was something else."""

    def __init__(self, tree: dict[str, bytes]) -> None:
        super().__init__(MemoryBackend())
        self.tree, self.wrong = tree, Counter[str]()

    def stored(self, result: WriteResult, data: bytes) -> WriteResult:
        self.wrong[str(result.path)] += data != self.tree[str(result.path)]
        return WriteResult(result.path, result.size, checksum=f"crc32:{zlib.crc32(data):08x}")

    async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
        return self.stored(await super().write_bytes(path, data, **given), bytes(data))

    async def open_write(self, path: str, **given: Any) -> Any:
        return KeepingWriter(await super().open_write(path, **given), self)


class KeepingWriter(WriterWrapper):
    def __init__(self, inner: Writer, backend: Keeping) -> None:
        super().__init__(inner)
        self.data, self.backend = b"", backend

    async def write(self, data: Any) -> None:
        self.data += data
        await super().write(data)

    async def commit(self) -> WriteResult:
        return self.backend.stored(await super().commit(), self.data)


class Showing(BackendWrapper):
    """Passes on what is read, and knows how often that was something else than it should be."""

    def __init__(self, inner: Backend, tree: dict[str, bytes]) -> None:
        super().__init__(inner)
        self.tree, self.wrong = tree, Counter[str]()

    async def open_read(self, path: str, **given: Any) -> Any:
        return ShowingReader(await super().open_read(path, **given), self, path)


class ShowingReader(ReaderWrapper):
    def __init__(self, inner: Reader, backend: Showing, path: str) -> None:
        super().__init__(inner)
        self.backend, self.path = backend, path

    async def read(self, n: int) -> bytes:
        data = await super().read(n)
        self.backend.wrong[self.path] += data not in (
            b"",
            self.backend.tree[self.path],
        )  # it comes in one piece
        return data

    async def readinto(self, buffer: memoryview) -> int:
        data = await self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def files() -> dict[str, bytes]:
    dice = random.Random(SEED)
    found = {
        f"{number % 50:02}/{number:05}": dice.randbytes(dice.randrange(1, 3000)) for number in range(COUNT)
    }
    return found | {f"lost/{number:02}": b"never read" for number in range(20)}


def source(tree: dict[str, bytes]) -> FaultyBackend:
    return FaultyBackend(
        memory(tree),
        [
            Fault("read_bytes", path=LOST, times=None, error=PermissionDenied),
            Fault("read_bytes", times=None, probability=0.01),
            Fault("open_read", times=None, probability=0.01),
            Fault("reader.read", "short_read", times=None, probability=0.05),
            Fault("*", "truncate", times=None, probability=0.005),
            Fault("reader.read", "stall", times=None, probability=0.002, seconds=0.01),
            Fault("read_bytes", at=300, times=20),  # throttled: for a while it takes nothing
        ],
        seed=SEED,
    )


def target(inner: Any, *more: Fault) -> FaultyBackend:
    return FaultyBackend(
        inner,
        [
            Fault("write_bytes", "flip", times=None, probability=0.01),
            Fault("writer.write", "flip", times=None, probability=0.01),
            Fault("write_bytes", times=None, probability=0.01),
            Fault("writer.commit", times=None, probability=0.01),
            Fault("open_write", "delay", times=None, probability=0.005, seconds=0.005),
            Fault("write_bytes", "stall", times=None, probability=0.002, seconds=0.01),
            Fault("write_bytes", at=500, times=20),  # throttled
            *more,
        ],
        seed=SEED + 1,
    )


READ_BACK = Fault("reader.read", "flip", times=None, probability=0.005)
"""What was stored well and is read back badly is written again, as it should."""


@pytest.mark.spec("XFER-015", "XFER-014", "XFER-012", "XFER-011")
@pytest.mark.timeout(600)  # for 10,000 files on a busy machine
@pytest.mark.parametrize(("way", "verify"), [("uvloop", "storage"), ("trio", "full"), ("blocking", "full")])
def test_everything_arrives_or_is_told(way: str, verify: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "FIRST_PAUSE", 0.0005)
    monkeypatch.setattr(_retry, "LONGEST_PAUSE", 0.05)
    tree = files()
    left, kept, plain = source(tree), Keeping(tree), memory()
    faulty = target(kept) if verify == "storage" else target(plain, READ_BACK)
    shown = Showing(faulty, tree)
    options = TransferOptions(verify=verify, retries=30, large_file_threshold=THRESHOLD, concurrency=32)
    ways, detected = Counter[str](), Counter[str]()

    def note(event: TransferEvent) -> None:
        ways[event.detail] += event.kind is EventKind.DONE
        if event.error is not None and "holds other bytes" in event.error.message:
            detected[event.path] += 1

    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", left, "", shown, options=options, on_event=note)

    report = caught.value.report
    assert {each.path for each in report.failures} == {name for name in tree if name.startswith("lost/")}
    assert all(isinstance(each.error, PermissionDenied) for each in report.failures)
    arrived = {name: data for name, data in tree.items() if not name.startswith("lost/")}
    assert content(kept if verify == "storage" else plain) == arrived
    assert (report.done, report.failed, sum(ways.values())) == (COUNT, 20, COUNT)
    how = "verified by the storage" if verify == "storage" else "verified by reading back"
    assert set(+ways) == {f"whole, {how}", f"streamed, {how}"}
    # Each corruption is detected once, and nothing else is taken for one.
    assert detected == +(kept.wrong if verify == "storage" else shown.wrong)
    assert len(detected) >= COUNT // 200
    struck = Counter(record.fault.kind for side in (left, faulty) for record in side.log if record.fault)
    assert struck.keys() == {"error", "short_read", "truncate", "stall", "delay", "flip"}
    assert report.retries > COUNT // 50
