"""Files in parts that are begun again: what is counted, and what becomes of what was begun."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.support import WAYS, call, content, memory

from remote_store import (
    Backend,
    BackendUnavailable,
    EventKind,
    FileInfo,
    Store,
    TransferEvent,
    TransferOptions,
    TransferReport,
)
from remote_store._types import Buffer
from remote_store.backend import Part, PartWriter, Reader
from remote_store.backends import LocalBackend
from remote_store.backends._temporaries import is_temporary
from remote_store.backends.local import _parts
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import _retry
from remote_store.wrapper import BackendWrapper, PartWriterWrapper, ReaderWrapper

PART = 1 << 20
LARGE = os.urandom(PART) * 3 + b"and a bit"
OTHER = LARGE[::-1]
WHOLE = TransferOptions(part_size=5 << 20)
"""With these a file of that size moves whole."""


class Stop(Exception):
    """Ends a transfer in its midst, as a kill would."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files written in parts that are quick to make, and tried again at once."""
    monkeypatch.setattr(_parts, "PART_SIZE", PART)
    monkeypatch.setattr(_retry, "FIRST_PAUSE", 0.001)


@pytest.fixture
def target(tmp_path: Path) -> LocalBackend:
    return LocalBackend(tmp_path / "target")


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if is_temporary(path.name)]


def on(kind: EventKind, act: Callable[[], object]) -> Callable[[TransferEvent], None]:
    """Return a function that does something at the first event of a kind."""
    left = [act]

    def look(event: TransferEvent) -> None:
        if event.kind is kind and left:
            left.pop()()

    return look


def stop() -> None:
    raise Stop


@pytest.mark.spec("XFER-040")
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("why", ["options", "size"])
def test_a_file_that_moves_whole_the_next_time(
    way: str, target: LocalBackend, tmp_path: Path, why: str, overwrite: bool
) -> None:
    source, journal = memory({"f": LARGE}), tmp_path / "journal"
    copying = ("copy_tree", source, "", target)
    begun = TransferOptions(overwrite=overwrite)
    with pytest.raises(Stop):
        call(way, *copying, journal=journal, options=begun, on_event=on(EventKind.BYTES, stop))
    assert len(left_over(tmp_path)) == 1
    if why == "size":
        Store(source).write("f", b"small", overwrite=True)
    options = begun if why == "size" else TransferOptions(overwrite=overwrite, part_size=5 << 20)
    report = call(way, *copying, journal=journal, options=options)
    assert (report.done, report.moved_bytes) == (1, 5 if why == "size" else len(LARGE))
    assert content(target) == content(source)
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-040", "XFER-034")
def test_killed_before_it_is_noted_that_it_moved_whole(
    way: str, target: LocalBackend, tmp_path: Path
) -> None:
    copying = ("copy_tree", memory({"f": LARGE}), "", target)
    for options in (TransferOptions(), WHOLE):
        with pytest.raises(Stop):
            call(
                way, *copying, journal=tmp_path / "journal", options=options,
                on_event=on(EventKind.BYTES, stop),
            )  # fmt: skip
    report = call(way, *copying, journal=tmp_path / "journal", options=WHOLE)
    assert (report.done, report.moved_bytes) == (1, 0)
    assert content(target) == {"f": LARGE}


@pytest.mark.spec("XFER-040")
def test_a_target_that_cannot_be_asked_to_forget(target: LocalBackend, tmp_path: Path) -> None:
    source = memory({"f": LARGE})
    copying = ("copy_tree", source, "")
    with pytest.raises(Stop):
        call("trio", *copying, target, journal=tmp_path / "journal", on_event=on(EventKind.BYTES, stop))
    Store(source).write("f", b"small", overwrite=True)
    faulty = FaultyBackend(target, [Fault("parts.abort", error=BackendUnavailable)])
    assert call("trio", *copying, faulty, journal=tmp_path / "journal").retries == 1
    assert left_over(tmp_path) == []


def counted(way: str, *arguments: Any, act: Callable[[], object] | None = None, **options: Any) -> Any:
    """Copy, do something before the second attempt, and return the report; its events add up to it."""
    seen: list[TransferEvent] = []
    at_retry = on(EventKind.RETRIED, act or (lambda: None))

    def look(event: TransferEvent) -> None:
        seen.append(event)
        at_retry(event)

    report = call(way, "copy_tree", *arguments, on_event=look, **options)
    moved = sum(event.size for event in seen if event.kind is EventKind.BYTES)
    undone = sum(event.size for event in seen if event.kind is EventKind.RETRIED)
    assert (report.moved_bytes, report.done_bytes) == (moved, moved - undone)
    again = TransferReport()
    for event in seen:
        again.add(event)
    again.seconds = report.seconds
    assert again == report
    return report, undone


@pytest.mark.spec("XFER-017", "XFER-030")
def test_parts_that_stay_are_not_taken_back(way: str, target: LocalBackend, tmp_path: Path) -> None:
    faulty = FaultyBackend(target, [Fault("parts.write", at=3), Fault("parts.commit")])
    report, undone = counted(way, memory({"f": LARGE}), "", faulty, journal=tmp_path / "journal")
    assert (report.retries, report.moved_bytes, undone) == (2, len(LARGE), 0)


@pytest.mark.spec("XFER-017", "XFER-030")
@pytest.mark.parametrize("size", ["same", "longer", "small"])
def test_parts_of_another_version_are_taken_back(target: LocalBackend, tmp_path: Path, size: str) -> None:
    source = memory({"f": LARGE})
    new = {"same": OTHER, "longer": OTHER + b"!", "small": b"small"}[size]

    def change() -> None:
        Store(source).write("f", new, overwrite=True)

    faulty = FaultyBackend(target, [Fault("parts.write", at=4)])
    report, undone = counted("trio", source, "", faulty, journal=tmp_path / "journal", act=change)
    assert undone >= 2 * PART  # of those that were under way, some may have arrived
    assert report.moved_bytes == undone + len(new)
    assert content(target) == {"f": new}
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-017", "XFER-030")
@pytest.mark.parametrize("way", ["trio", "blocking"], indirect=True)
def test_parts_that_are_lost_are_taken_back(way: str, target: LocalBackend, tmp_path: Path) -> None:
    faulty = FaultyBackend(target, [Fault("parts.write", at=4)])
    report, undone = counted(
        way, memory({"f": LARGE}), "", faulty, journal=tmp_path / "journal",
        act=lambda: left_over(tmp_path)[0].unlink(),
    )  # fmt: skip
    assert undone > 0
    assert report.moved_bytes == undone + len(LARGE)


class Loses(PartWriterWrapper):
    """The last part fails once, and the second is not there any more when it is looked for."""

    def __init__(self, inner: PartWriter, backend: LosesPart) -> None:
        super().__init__(inner)
        self._backend = backend

    async def write(self, number: int, data: Buffer, crc32: int) -> Part:
        self._backend.writes.append(number)
        if number == 4 and self._backend.writes.count(4) == 1:
            raise BackendUnavailable("the way is broken", retryable=True)
        return await super().write(number, data, crc32)

    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        found = await super().confirmed(parts)
        return [part for part in found if part.number != 2 or self._backend.writes.count(2) > 1]


class LosesPart(BackendWrapper):
    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.writes: list[int] = []

    async def open_parts(self, path: str, **given: Any) -> PartWriter:
        return Loses(await super().open_parts(path, **given), self)

    def within_memory(self, memory: int, *, part_size: int | None = None) -> Backend:
        return self


@pytest.mark.spec("XFER-017", "XFER-030", "XFER-012")
def test_one_part_that_is_lost(way: str, target: LocalBackend, tmp_path: Path) -> None:
    losing, once = LosesPart(target), TransferOptions(retries=1)
    report, undone = counted(
        way, memory({"f": LARGE}), "", losing, journal=tmp_path / "journal", options=once
    )
    assert sorted(losing.writes) == [1, 2, 2, 3, 4, 4]
    assert (report.done, undone) == (1, PART)
    assert content(target) == {"f": LARGE}


@pytest.mark.spec("XFER-012", "XFER-017", "XFER-040")
@pytest.mark.parametrize("size", ["same", "longer", "small"])
def test_the_last_attempt_takes_back_what_is_of_no_use(
    way: str, target: LocalBackend, tmp_path: Path, size: str
) -> None:
    source = memory({"f": LARGE})
    new = {"same": OTHER, "longer": OTHER + b"!", "small": b"small"}[size]

    def change() -> None:
        Store(source).write("f", new, overwrite=True)

    faulty = FaultyBackend(target, [Fault("parts.write", at=4)])
    report, undone = counted(
        way, source, "", faulty, journal=tmp_path / "journal", act=change, options=TransferOptions(retries=1)
    )
    assert (report.done, report.moved_bytes) == (1, undone + len(new))
    assert undone >= 2 * PART
    assert content(target) == {"f": new}
    assert left_over(tmp_path) == []


class Unversioned(BackendWrapper):
    """Its readers do not tell which version they read, as those of SFTP."""

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        reader = ReaderWrapper(await super().open_read(path, start=start, length=length))
        reader.version = None
        return reader


@pytest.mark.spec("XFER-017", "XFER-014")
def test_a_source_that_changes_meanwhile(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source = memory({"f": LARGE})
    seen: list[TransferEvent] = []
    change = on(EventKind.BYTES, lambda: Store(source).write("f", OTHER, overwrite=True))

    def look(event: TransferEvent) -> None:
        seen.append(event)
        change(event)

    call(way, "copy_tree", Unversioned(source), "", target, journal=tmp_path / "journal", on_event=look)
    assert sum(event.size for event in seen if event.kind is EventKind.RETRIED) == len(LARGE)
    assert content(target) == {"f": OTHER}


@pytest.mark.spec("XFER-017", "XFER-015")
def test_what_arrives_damaged_is_taken_back(way: str, target: LocalBackend, tmp_path: Path) -> None:
    faulty = FaultyBackend(target, [Fault("parts.write", "flip", at=2)])
    full = TransferOptions(verify="full")
    report, undone = counted(
        way, memory({"f": LARGE}), "", faulty, options=full, journal=tmp_path / "journal"
    )
    assert (report.retries, undone) == (1, len(LARGE))


class Replaced(BackendWrapper):
    """Its file is replaced by a larger one when it is first read."""

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        await self.inner.write_bytes(path, memoryview(LARGE), overwrite=True)
        return await super().read_bytes(path, start=start, length=length)


@pytest.mark.spec("XFER-014", "XFER-030")
def test_a_file_that_is_large_when_it_is_looked_at_anew(
    way: str, target: LocalBackend, tmp_path: Path
) -> None:
    watched, source = FaultyBackend(target), FaultyBackend(Replaced(memory({"f": b"small"})))
    report = call(way, "copy_tree", source, "", watched, journal=tmp_path / "journal")
    assert (report.done, report.retries) == (1, 1)
    assert [each.operation for each in watched.log].count("parts.write") == 4
    assert [each.operation for each in source.log].count("read_bytes") == 1
    assert content(target) == {"f": LARGE}


class Looked(Unversioned):
    """Tells times in whole seconds, if it is asked to."""

    def __init__(self, inner: Backend, whole: bool) -> None:
        super().__init__(inner)
        self.whole = whole

    async def get_file_info(self, path: str) -> FileInfo:
        info = await super().get_file_info(path)
        assert info.modified_at is not None
        time = info.modified_at.replace(microsecond=0 if self.whole else 250_000)
        return FileInfo(info.path, info.name, info.size, time)


@pytest.mark.spec("XFER-037", "XFER-030")
def test_times_that_are_told_less_exactly(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, journal = memory({"f": LARGE}), tmp_path / "journal"
    for whole in (False, True):
        with pytest.raises(Stop):
            call(
                way, "copy_tree", Looked(source, whole), "", target, journal=journal,
                on_event=on(EventKind.BYTES, stop),
            )  # fmt: skip
    assert call(way, "copy_tree", Looked(source, False), "", target, journal=journal).moved_bytes <= 2 * PART
    assert content(target) == {"f": LARGE}
