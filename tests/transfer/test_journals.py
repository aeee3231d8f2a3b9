"""Transfers with a journal: what is done is not done again, and nothing is mixed or left."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.runtime.support import run
from tests.transfer.support import WAYS, call, content, memory

import remote_store
from remote_store import (
    AlreadyExists,
    AsyncStore,
    Backend,
    BackendUnavailable,
    EventKind,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PlanItem,
    RemoteStoreError,
    Store,
    TransferEvent,
    TransferFailed,
    TransferOptions,
    WriteResult,
    aio,
)
from remote_store.backend import Part, PartWriter, Reader
from remote_store.backends import LocalBackend
from remote_store.backends._temporaries import is_temporary
from remote_store.backends.local import _parts
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import _journal
from remote_store.transfer._journal import Journal
from remote_store.transfer._ledger import Broken, Ledger
from remote_store.wrapper import BackendWrapper, PartWriterWrapper, ReaderWrapper

PART = 1 << 20
LARGE = os.urandom(PART) * 3 + b"and a bit"
FILES = {"a": b"1", "b/c": b"22", "b/d/e": b"333", "large": LARGE}


class Stop(Exception):
    """Ends a transfer in its midst, as a kill would."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files written in parts that are quick to make."""
    monkeypatch.setattr(_parts, "PART_SIZE", PART)


@pytest.fixture
def target(tmp_path: Path) -> LocalBackend:
    return LocalBackend(tmp_path / "target")


def stop_after(count: int) -> Callable[[TransferEvent], None]:
    """Return a function that ends a transfer once so many portions have arrived."""
    left = [count]

    def look(event: TransferEvent) -> None:
        if event.kind is EventKind.BYTES:
            left[0] -= 1
            if not left[0]:
                raise Stop

    return look


def left_over(folder: Path) -> list[str]:
    """Return the temporary files below a folder."""
    return [str(path) for path in folder.rglob("*") if is_temporary(path.name)]


def written(backend: FaultyBackend) -> list[tuple[str, str | None]]:
    """Return what was written since the last time, in order, and forget it."""
    found = [
        (each.operation, each.path)
        for each in backend.log
        if each.operation in ("write_bytes", "open_write", "parts.write", "parts.commit", "delete")
    ]
    backend.log.clear()
    return sorted(found, key=str)


@pytest.mark.spec("XFER-029", "XFER-033")
def test_what_is_done_is_not_done_again(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, watched = memory(FILES), FaultyBackend(target)
    copying = ("copy_tree", source, "", watched, "t")
    for _ in range(2):
        call(way, *copying, journal=tmp_path / "journal")
    seen: list[TransferEvent] = []
    report = call(way, *copying, journal=tmp_path / "journal", on_event=seen.append)
    assert len(written(watched)) == 3 + 4 + 1
    assert (report.planned, report.skipped, report.done, report.moved_bytes) == (4, 4, 0, 0)
    assert {event.detail for event in seen if event.detail} == {"it was done before, as the journal says"}
    assert content(target) == {f"t/{name}": data for name, data in FILES.items()}
    assert os.listdir(tmp_path) == ["target", "journal"] or sorted(os.listdir(tmp_path)) == [
        "journal",
        "target",
    ]


@pytest.mark.spec("XFER-030")
@pytest.mark.parametrize("parts", [1, 2])
def test_a_large_file_goes_on(way: str, target: LocalBackend, tmp_path: Path, parts: int) -> None:
    source, watched = memory({"large": LARGE}), FaultyBackend(target)
    copying = ("copy_tree", source, "", watched)
    with pytest.raises(Stop):
        call(way, *copying, journal=tmp_path / "journal", on_event=stop_after(parts))
    assert content(target) == {}
    before = len(written(watched))
    assert parts <= before < 4
    seen: list[TransferEvent] = []
    report = call(way, *copying, journal=tmp_path / "journal", on_event=seen.append)
    assert written(watched) == [("parts.commit", "large"), *[("parts.write", "large")] * (4 - before)]
    assert content(target) == {"large": LARGE}
    assert (report.done, report.done_bytes) == (1, len(LARGE))
    assert report.moved_bytes == len(LARGE) - before * PART
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-030", "XFER-014")
@pytest.mark.parametrize("kind", ["memory", "local"])
def test_two_versions_are_not_mixed(way: str, target: LocalBackend, tmp_path: Path, kind: str) -> None:
    source = memory() if kind == "memory" else LocalBackend(tmp_path / "source")
    Store(source).write("large", LARGE)
    copying = ("copy_tree", source, "", target)
    with pytest.raises(Stop):
        call(way, *copying, journal=tmp_path / "journal", on_event=stop_after(2))
    other = os.urandom(len(LARGE))
    Store(source).write("large", other, overwrite=True)
    report = call(way, *copying, journal=tmp_path / "journal")
    assert report.moved_bytes == len(other)
    assert content(target) == {"large": other}
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-030")
def test_parts_that_the_target_has_lost(target: LocalBackend, tmp_path: Path) -> None:
    source = memory({"large": LARGE})
    copying = ("copy_tree", source, "", target)
    for keep in (0, PART):
        with pytest.raises(Stop):
            call("asyncio", *copying, journal=tmp_path / "journal", on_event=stop_after(2))
        path = Path(left_over(tmp_path)[0])
        if keep:
            path.write_bytes(path.read_bytes()[:keep] + bytes(2 * PART))
        else:
            path.unlink()
    assert call("asyncio", *copying, journal=tmp_path / "journal").moved_bytes == len(LARGE) - PART
    assert content(target) == {"large": LARGE}


@pytest.mark.spec("XFER-033")
def test_what_has_changed_since(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source = memory({"kept": b"1", "gone": b"2", "other": b"3", "newer": b"4"})
    there = Store(target)
    for options in (TransferOptions(), TransferOptions(overwrite=True)):
        journal = tmp_path / f"journal {options.overwrite}"
        call(way, "copy_tree", source, "", target, options=options, journal=journal)
        there.delete("gone")
        there.write("other", b"theirs", overwrite=True)
        Store(source).write("newer", b"44", overwrite=True)
        if not options.overwrite:
            with pytest.raises(TransferFailed) as caught:
                call(way, "copy_tree", source, "", target, options=options, journal=journal)
            report = caught.value.report
            assert {each.path: type(each.error) for each in report.failures} == {
                "other": AlreadyExists, "newer": AlreadyExists,
            }  # fmt: skip
            assert content(target) == {"kept": b"1", "gone": b"2", "other": b"theirs", "newer": b"4"}
        else:
            report = call(way, "copy_tree", source, "", target, options=options, journal=journal)
            assert report.done == 3
            assert content(target) == {"kept": b"1", "gone": b"2", "other": b"3", "newer": b"44"}
        assert report.skipped == 1
        for name in list(content(target)):
            there.delete(name)


@pytest.mark.spec("XFER-031")
def test_what_fails_for_good_leaves_nothing(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source = memory(FILES)
    faulty = FaultyBackend(target, [Fault("parts.write", at=3, error=PermissionDenied)])
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", source, "", faulty, journal=tmp_path / "journal")
    assert [each.path for each in caught.value.report.failures] == ["large"]
    assert left_over(tmp_path) == []
    assert call(way, "copy_tree", source, "", faulty, journal=tmp_path / "journal").done == 1
    assert content(target) == FILES


@pytest.mark.spec("XFER-012", "XFER-030")
def test_a_retry_goes_on_too(way: str, target: LocalBackend, tmp_path: Path) -> None:
    faults = [Fault("parts.write", at=3), Fault("parts.commit")]
    faulty = FaultyBackend(target, faults)
    report = call(way, "copy_tree", memory({"large": LARGE}), "", faulty, journal=tmp_path / "journal")
    assert (report.retries, report.moved_bytes) == (2, len(LARGE))
    assert content(target) == {"large": LARGE}


@pytest.mark.spec("XFER-015", "XFER-030")
def test_a_part_that_arrives_damaged(way: str, target: LocalBackend, tmp_path: Path) -> None:
    faulty = FaultyBackend(target, [Fault("parts.write", "flip", at=2)])
    options = TransferOptions(verify="full")
    report = call(
        way, "copy_tree", memory({"large": LARGE}), "", faulty, options=options, journal=tmp_path / "journal"
    )
    assert report.retries == 1
    assert content(target) == {"large": LARGE}


@pytest.mark.spec("XFER-031")
def test_what_is_not_asked_for_any_more(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source = memory({"large": LARGE, "a": b""})
    with pytest.raises(Stop):
        call(way, "copy_tree", source, "", target, journal=tmp_path / "journal", on_event=stop_after(2))
    assert len(left_over(tmp_path)) == 1
    Store(source).delete("large")
    call(way, "copy_tree", source, "", target, journal=tmp_path / "journal")
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-031")
def test_a_transfer_that_is_given_up(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, journal = memory({"large": LARGE}), tmp_path / "journal"
    with pytest.raises(Stop):
        call(way, "copy_tree", source, "", target, "d", journal=journal, on_event=stop_after(2))
    with pytest.raises(RemoteStoreError, match="a transfer into 'file://"):
        call(way, "discard_journal", journal, LocalBackend(tmp_path / "other"))
    faulty = FaultyBackend(target, [Fault("parts.abort", at=1, error=BackendUnavailable)])
    assert call(way, "discard_journal", journal, target) == 1
    assert left_over(tmp_path) == []
    assert not journal.exists()
    with pytest.raises(NotFound, match="no such journal"):
        call(way, "discard_journal", journal, faulty)


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("its source_path is '', not 'd'", {"source_path": "d"}),
    ("its target_path is '', not 'x'", {"target_path": "x"}),
    ("its overwrite is False, not True", {"options": TransferOptions(overwrite=True)}),
    ("its skip_existing is False, not True", {"options": TransferOptions(skip_existing=True)}),
    ("its target is", {"elsewhere": True}),
    ("its call is 'copy_tree', not 'sync'", {"name": "sync"}),
]


@pytest.mark.spec("XFER-032")
@pytest.mark.parametrize(("said", "changed"), OTHERS, ids=[next(iter(each)) for _, each in OTHERS])
def test_a_journal_of_another_transfer(
    target: LocalBackend, tmp_path: Path, said: str, changed: dict[str, Any]
) -> None:
    source, journal = memory({"d/f": b"1"}), tmp_path / "journal"
    call("blocking", "copy_tree", source, "", target, journal=journal)
    before = content(target)
    given = {"name": "copy_tree", "source_path": "", "target_path": "", "options": None, **changed}
    other = LocalBackend(tmp_path / "elsewhere") if "elsewhere" in given else target
    with pytest.raises(
        RemoteStoreError, match=f"belongs to another transfer: .*{said}.*discard_journal"
    ) as caught:
        call(
            "blocking", given["name"], source, given["source_path"], other, given["target_path"],
            options=given["options"], journal=journal,
        )  # fmt: skip
    assert caught.value.path == str(journal)
    assert content(target) == before
    assert call("blocking", "copy_tree", source, "", target, journal=journal).skipped == 1


@pytest.mark.spec("XFER-032")
def test_what_is_no_journal(way: str, target: LocalBackend, tmp_path: Path) -> None:
    text, database = tmp_path / "text", tmp_path / "database"
    text.write_text("not a database, but long enough to be read as one, as its first sixteen bytes show" * 20)
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = {path: path.read_bytes() for path in (text, database)}
    for path, said in (
        (text, "no journal"), (database, "no journal"),
        (tmp_path / "missing" / "journal", "cannot be written"), (tmp_path, "cannot be written"),
    ):  # fmt: skip
        with pytest.raises(RemoteStoreError, match=said):
            call(way, "copy_tree", memory({"f": b"1"}), "", target, journal=path)
    assert content(target) == {}
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(TypeError, match="journal must be"):
        call(way, "copy_tree", memory({"f": b"1"}), "", target, journal=b"bytes")


@pytest.mark.spec("XFER-032")
def test_a_journal_in_use(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, journal = memory({"f": b"1"}), tmp_path / "journal"
    errors: list[RemoteStoreError] = []

    def meanwhile(event: TransferEvent) -> None:
        if event.kind is EventKind.BYTES:
            with pytest.raises(BackendUnavailable, match="in use") as caught:
                remote_store.copy_tree(Store(source), "", Store(target), "", journal=journal)
            errors.append(caught.value)

    call(way, "copy_tree", source, "", target, journal=journal, on_event=meanwhile)
    assert [error.retryable for error in errors] == [False]
    assert call(way, "copy_tree", source, "", target, journal=journal).skipped == 1


@pytest.mark.spec("XFER-032")
@pytest.mark.parametrize("name", ["copy_tree", "sync"])
def test_a_journal_within_the_folders(way: str, name: str, target: LocalBackend, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "f").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    source, root = LocalBackend(tmp_path / "data"), tmp_path / "target"
    for journal in (tmp_path / "data" / "journal", tmp_path / "link" / "d" / "journal"):
        with pytest.raises(InvalidPath, match="journal lies within"):
            call(way, name, source, "", target, "", journal=journal)
    with pytest.raises(InvalidPath, match="journal lies within"):
        call(way, "sync", source, "", target, "", delete=True, journal=root / "journal")
    assert content(target) == {}
    assert content(source) == {"f": b"1"}
    assert call(way, name, source, "", target, "", journal=root / "journal").done == 1
    assert content(target)["f"] == b"1"


@pytest.mark.spec("XFER-041")
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_file_of_the_name_of_the_journal(way: str, tmp_path: Path, suffix: str) -> None:
    name, root = f"j{suffix}", tmp_path / "target"
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    source = memory({name: b"theirs", f"d/{name}": b"1", "f": b"2"})
    options = TransferOptions(overwrite=True)
    # The second time it is whole, and knows what was done.
    for journal, counts in ((root / "j", (2, 0)), (tmp_path / "link" / "j", (0, 2))):
        with pytest.raises(TransferFailed) as caught:
            call(way, "download", source, "", root, journal=journal, options=options)
        report = caught.value.report
        assert [(each.path, type(each.error)) for each in report.failures] == [(name, InvalidPath)]
        assert "the journal of this transfer has this name" in report.failures[0].error.message
        assert (report.done, report.skipped) == counts
        assert (root / f"d/{name}").read_bytes() == b"1"
    with pytest.raises(TransferFailed, match="the journal of this transfer"):
        call(way, "download", source, name, tmp_path / f"k{suffix}", journal=tmp_path / "k")


@pytest.mark.spec("XFER-041")
def test_a_journal_under_two_names(way: str, tmp_path: Path) -> None:
    root = tmp_path / "target"
    root.mkdir()
    (tmp_path / "link").symlink_to(root / "j")
    source = memory({"j": b"theirs"})
    for name in ("copy_tree", "sync"):
        with pytest.raises(TransferFailed):
            call(way, name, source, "", LocalBackend(root), journal=tmp_path / "link")
        assert call(way, "discard_journal", tmp_path / "link", LocalBackend(root)) == 0
        (tmp_path / "link").unlink(missing_ok=True)
        (root / "j").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(root / "j")


@pytest.mark.spec("XFER-041")
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_link_to_the_journal_under_another_name(way: str, tmp_path: Path, suffix: str) -> None:
    for name in ("s", "d", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "s" / "x").write_bytes(b"precious")
    (tmp_path / "s" / "f").write_bytes(b"1")
    (tmp_path / "d" / "x").symlink_to(f"../state/j{suffix}")
    store, options = LocalBackend(tmp_path), TransferOptions(overwrite=True)
    for counts in ((1, 0), (0, 1)):
        with pytest.raises(TransferFailed, match="journal of this transfer") as caught:
            call(way, "copy_tree", store, "s", store, "d", journal=tmp_path / "state" / "j", options=options)
        report = caught.value.report
        assert [(each.path, type(each.error)) for each in report.failures] == [("s/x", InvalidPath)]
        assert (report.done, report.skipped) == counts
    assert (tmp_path / "d" / "x").is_symlink()


@pytest.mark.spec("XFER-041")
@pytest.mark.parametrize("name", ["copy_tree", "sync"])
def test_a_journal_that_is_given_by_a_link_in_the_target(way: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "d").mkdir()
    link = tmp_path / "d" / "x"
    link.symlink_to("../real")
    source, target = memory({"x": b"precious", "f": b"1"}), LocalBackend(tmp_path)
    options = TransferOptions(overwrite=True) if name == "copy_tree" else None
    for _ in range(2):
        with pytest.raises(TransferFailed, match="journal of this transfer") as caught:
            call(way, name, source, "", target, "d", journal=link, options=options)
        assert [each.path for each in caught.value.report.failures] == ["x"]
    assert link.is_symlink()
    assert call(way, "discard_journal", link, target) == 0


@pytest.mark.spec("XFER-041", "XFER-043")
def test_a_name_that_no_path_has_is_told_as_such(way: str, target: LocalBackend, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a\\b").write_bytes(b"1")
    with pytest.raises(TransferFailed, match="no path as text can have this name"):
        call(way, "copy_tree", LocalBackend(tmp_path / "source"), "", target, journal=tmp_path / "j")


@pytest.mark.spec("XFER-032")
def test_a_mirror_leaves_no_journal_to_be_deleted(way: str, tmp_path: Path) -> None:
    for side in ("source", "target"):
        (tmp_path / side).mkdir()
    (tmp_path / "source" / "f").write_bytes(b"1")
    source, target = LocalBackend(tmp_path / "source"), LocalBackend(tmp_path / "target")
    for side in ("source", "target"):
        journal = tmp_path / side / "journal"
        for delete in (False, True):
            if side == "target" and not delete:
                continue
            with pytest.raises(InvalidPath, match="journal lies within"):
                call(way, "sync", source, "", target, delete=delete, journal=journal)
            assert not journal.exists()
    assert content(target) == {}


@pytest.mark.spec("XFER-032")
def test_a_plan_that_is_shorter_or_differs_late(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, journal = memory({f"{number:03}": b"1" for number in range(250)}), tmp_path / "journal"
    plan = sorted(plan_of(source, target), key=lambda line: line.path)
    refusing = FaultyBackend(source, [Fault("*", path="*", error=PermissionDenied, times=None)])
    with pytest.raises(TransferFailed):
        call(way, "apply_plan", plan, refusing, "", target, journal=journal)
    for other in ([], plan[:3]):
        with pytest.raises(RemoteStoreError, match="another plan, of 250 lines at least"):
            call(way, "apply_plan", other, refusing, "", target, journal=journal)
    with pytest.raises(RemoteStoreError, match="another plan, from line 221 on"):
        call(way, "apply_plan", [*plan[:220], *plan[221:]], source, "", target, journal=journal)
    there = set(content(target))
    assert there <= {line.path for line in plan[:200]}  # what the lines before say was begun
    call(way, "apply_plan", plan, source, "", target, journal=journal)
    assert len(content(target)) == 250


@pytest.mark.spec("XFER-006")
def test_a_dry_run_makes_no_journal(way: str, target: LocalBackend, tmp_path: Path) -> None:
    dry = TransferOptions(dry_run=True)
    call(way, "copy_tree", memory({"f": b"1"}), "", target, journal=tmp_path / "journal", options=dry)
    assert not (tmp_path / "journal").exists()


@pytest.mark.spec("XFER-029", "XFER-002")
def test_upload_and_download(way: str, tmp_path: Path) -> None:
    (tmp_path / "here" / "d").mkdir(parents=True)
    (tmp_path / "here" / "d" / "f").write_bytes(b"1")
    (tmp_path / "here" / os.fsdecode(b"no text \xff")).write_bytes(b"2")
    there = LocalBackend(tmp_path / "there")
    for number, name, *arguments in (
        (2, "upload", tmp_path / "here", there, "u"),
        (2, "download", there, "u", tmp_path / "back"),
        (1, "download", there, "u/d/f", tmp_path / "one"),
    ):
        journal = tmp_path / f"journal of {number} {name}"
        assert call(way, name, *arguments, journal=journal).done == number
        assert call(way, name, *arguments, journal=journal).skipped == number
    assert (tmp_path / "back" / "d" / "f").read_bytes() == (tmp_path / "one").read_bytes() == b"1"


def plan_of(*sides: Any, **options: Any) -> list[PlanItem]:
    return list(remote_store.plan_sync(Store(sides[0]), "", Store(sides[1]), "", **options))


@pytest.mark.spec("XFER-029", "XFER-032", "XFER-027")
def test_a_plan(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, journal = memory(FILES), tmp_path / "journal"
    Store(target).write("b/c", b"old")
    Store(target).write("extra", b"old")
    plan = plan_of(source, target, delete=True, compare="size")
    assert len(plan) == 5
    one = TransferOptions(concurrency=1)
    applying = ("apply_plan", plan, source, "", target)
    with pytest.raises(Stop):
        call(way, *applying, journal=journal, options=one, on_event=stop_after(3))
    report = call(way, *applying, journal=journal, options=one)
    assert (report.planned, report.failed) == (5, 0)
    assert 0 < report.done < 5
    assert content(target) == FILES
    assert call(way, *applying, journal=journal).skipped == 5
    with pytest.raises(RemoteStoreError, match="another plan, from line 2 on"):
        call(way, "apply_plan", [plan[0], *plan[2:]], source, "", target, journal=journal)


@pytest.mark.spec("XFER-029", "XFER-028")
def test_sync(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, journal = memory(FILES), tmp_path / "journal"
    Store(target).write("extra", b"old")
    mirror = ("sync", source, "", target)
    with pytest.raises(Stop):
        call(way, *mirror, delete=True, journal=journal, on_event=stop_after(4))
    report = call(way, *mirror, delete=True, journal=journal)
    assert report.failed == 0
    assert content(target) == FILES
    assert call(way, *mirror, delete=True, journal=journal).planned == 0
    Store(source).write("a", b"new", overwrite=True)
    assert call(way, *mirror, delete=True, journal=journal).done == 1
    assert content(target) == {**FILES, "a": b"new"}


@pytest.mark.spec("XFER-029", "XFER-009")
def test_copies_by_the_server(way: str, target: LocalBackend, tmp_path: Path) -> None:
    for name in ("f", "g"):
        Store(target).write(f"from/{name}", name.encode())
    copying = ("copy_tree", target, "from", target, "to")
    one = TransferOptions(concurrency=1)
    with pytest.raises(Stop):
        call(way, *copying, journal=tmp_path / "journal", options=one, on_event=stop_after(1))
    report = call(way, *copying, journal=tmp_path / "journal", options=one)
    assert (report.planned, report.failed) == (2, 0)
    assert content(target, "to") == {"to/f": b"f", "to/g": b"g"}


@pytest.mark.spec("XFER-016", "XFER-029")
@pytest.mark.parametrize("loop", [way for way in WAYS if way != "blocking"])
def test_cancelled_and_gone_on_with(loop: str, target: LocalBackend, tmp_path: Path) -> None:
    source = memory({**{f"{number:03}": b"x" for number in range(50)}, "large": LARGE})
    faulty = FaultyBackend(target, [Fault("parts.write", "stall", at=2)])

    async def main() -> None:
        with anyio.CancelScope() as scope:

            def look(event: TransferEvent) -> None:
                if event.path == "large" and event.kind is EventKind.BYTES:
                    scope.cancel()

            await aio.copy_tree(
                AsyncStore(source), "", AsyncStore(faulty), journal=tmp_path / "journal", on_event=look
            )
        assert scope.cancelled_caught

    run(loop, main)
    report = call(loop, "copy_tree", source, "", target, journal=tmp_path / "journal")
    assert report.failed == 0
    assert report.moved_bytes <= len(LARGE) - PART + 50
    assert content(target) == content(source)
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-036")
def test_a_journal_that_cannot_be_written(way: str, target: LocalBackend, tmp_path: Path) -> None:
    def spoil(event: TransferEvent) -> None:
        if event.kind is EventKind.STARTED:
            for each in gc.get_objects():
                if isinstance(each, Journal):
                    each._file.close()

    options = TransferOptions(overwrite=True, concurrency=1)
    with pytest.raises(RemoteStoreError, match="the journal failed"):
        call(
            way, "copy_tree", memory(FILES), "", target, journal=tmp_path / "journal", on_event=spoil,
            options=options,
        )  # fmt: skip
    assert len(content(target)) <= 1
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-029", "XFER-036")
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_many_notes_at_the_same_time(loop: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with Ledger(str(tmp_path / "journal"), {"call": "test"}) as ledger:
            async with anyio.create_task_group() as group:
                for number in range(300):
                    group.start_soon(ledger.note, *_journal.done(f"f/{number}", "v", number, None))
        async with Ledger(str(tmp_path / "journal"), {"call": "test"}) as ledger:
            entries = [await ledger.entry(f"f/{number}") for number in range(300)]
            assert [entry.size for entry in entries if entry is not None and entry.done] == list(range(300))
            ledger._journal._file.close()  # what comes now cannot be written
            for _ in range(2):
                with pytest.raises(Broken, match="the journal failed"):
                    await ledger.note(_journal.begun("f", "v"))

    run(loop, main)


class LosesAnswers(BackendWrapper):
    """Does what it is asked, and says that it failed, once for each operation that is named."""

    def __init__(self, inner: Backend, *operations: str) -> None:
        super().__init__(inner)
        self.lost = set(operations)

    def answer(self, operation: str) -> None:
        if operation in self.lost:
            self.lost.remove(operation)
            raise BackendUnavailable("the connection broke", backend=self.name)

    async def open_parts(self, path: str, **options: Any) -> PartWriter:
        return LosingParts(await super().open_parts(path, **options), self)


class LosingParts(PartWriterWrapper):
    def __init__(self, inner: PartWriter, backend: LosesAnswers) -> None:
        super().__init__(inner)
        self._backend = backend

    async def write(self, number: int, data: Any, crc32: int) -> Part:
        part = await super().write(number, data, crc32)
        self._backend.answer(f"write {number}")
        return part

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        result = await super().commit(parts)
        self._backend.answer("commit")
        return result


@pytest.mark.spec("XFER-012", "XFER-013", "XFER-030")
@pytest.mark.parametrize("overwrite", [False, True])
def test_answers_that_are_lost(way: str, target: LocalBackend, tmp_path: Path, overwrite: bool) -> None:
    if overwrite:
        Store(target).write("large", bytes(len(LARGE)))
    losing = LosesAnswers(target, "write 2", "commit")
    options = TransferOptions(overwrite=overwrite)
    report = call(
        way, "copy_tree", memory({"large": LARGE}), "", losing, options=options, journal=tmp_path / "journal"
    )
    assert (report.retries, report.moved_bytes, losing.lost) == (2, len(LARGE), set())
    assert content(target) == {"large": LARGE}
    assert left_over(tmp_path) == []


def once(act: Callable[[], object]) -> Callable[[TransferEvent], None]:
    """Return a function that does something when the first bytes have arrived."""
    left = [act]

    def look(event: TransferEvent) -> None:
        if event.kind is EventKind.BYTES and left:
            left.pop()()

    return look


class Unversioned(BackendWrapper):
    """Its readers do not tell which version they read, as those of SFTP."""

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        reader = ReaderWrapper(await super().open_read(path, start=start, length=length))
        reader.version = None
        return reader


@pytest.mark.spec("XFER-014", "XFER-030")
def test_a_source_that_changes_meanwhile(way: str, target: LocalBackend, tmp_path: Path) -> None:
    source, other = Unversioned(memory({"large": LARGE})), os.urandom(len(LARGE))
    change = once(lambda: Store(source).write("large", other, overwrite=True))
    report = call(way, "copy_tree", source, "", target, journal=tmp_path / "journal", on_event=change)
    assert (report.retries, report.moved_bytes) == (1, 2 * len(LARGE))
    assert content(target) == {"large": other}
    longer = once(lambda: Store(source).write("large", other + b"!", overwrite=True))
    again = TransferOptions(overwrite=True)
    Store(source).write("large", LARGE, overwrite=True)
    call(way, "copy_tree", source, "", target, options=again, journal=tmp_path / "j", on_event=longer)
    assert content(target) == {"large": other + b"!"}
    assert left_over(tmp_path) == []


@pytest.mark.spec("XFER-030")
@pytest.mark.parametrize("way", ["trio", "blocking"], indirect=True)
def test_parts_that_are_lost_meanwhile(way: str, target: LocalBackend, tmp_path: Path) -> None:
    sweep = once(lambda: Path(left_over(tmp_path)[0]).unlink())
    report = call(
        way, "copy_tree", memory({"large": LARGE}), "", target, journal=tmp_path / "journal", on_event=sweep
    )
    assert (report.retries, report.moved_bytes) == (1, 2 * len(LARGE))
    assert content(target) == {"large": LARGE}


@pytest.mark.spec("XFER-030", "XFER-034")
def test_elsewhere_the_file_is_the_unit(way: str, tmp_path: Path) -> None:
    source, watched = memory(FILES), FaultyBackend(memory())
    copying = ("copy_tree", source, "", watched)
    one = TransferOptions(concurrency=1)
    with pytest.raises(Stop):
        call(way, *copying, journal=tmp_path / "journal", options=one, on_event=stop_after(3))
    done = set(content(watched.inner))
    written(watched)
    report = call(way, *copying, journal=tmp_path / "journal", options=one)
    assert content(watched.inner) == FILES
    assert {path for _, path in written(watched)} <= set(FILES) - done
    assert report.planned == len(FILES)
