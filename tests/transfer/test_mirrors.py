"""Plans, and what comes of them."""

from __future__ import annotations

import json
import os
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.runtime.support import run
from tests.transfer.support import WAYS, call, content, memory

import remote_store
from remote_store import (
    Action,
    AsyncStore,
    BackendUnavailable,
    EventKind,
    InvalidPath,
    NotFound,
    PlanItem,
    PreconditionFailed,
    Store,
    TransferFailed,
    TransferOptions,
    aio,
)
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import Version

A = Action
SOURCE = {"same": b"1", "new/x": b"2", "longer": b"333", "d/e/f": b"4", "newer": b"5"}
TARGET = {"same": b"1", "longer": b"3", "gone/y": b"6", "gone/z/y": b"7", "newer": b"0", "d/old": b"8"}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def sides(tmp_path: Path) -> tuple[LocalBackend, LocalBackend]:
    """Give two folders that differ in each way."""
    for side, files in (("source", SOURCE), ("target", TARGET)):
        for name, data in files.items():
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, (1000, 1000))
    os.utime(tmp_path / "source" / "newer", (2000, 2000))
    return LocalBackend(tmp_path / "source"), LocalBackend(tmp_path / "target")


def plan_of(way: str, *sides: Any, **options: Any) -> list[PlanItem]:
    """Return a plan."""
    if way == "blocking":
        return list(remote_store.plan_sync(Store(sides[0]), "", Store(sides[1]), **options))

    async def main() -> list[PlanItem]:
        return [
            line async for line in aio.plan_sync(AsyncStore(sides[0]), "", AsyncStore(sides[1]), **options)
        ]

    return run(way, main)


def actions(plan: list[PlanItem]) -> dict[str, Action]:
    return {line.path: line.action for line in plan}


UPDATES = {"same": A.UNCHANGED, "new/x": A.CREATE, "longer": A.UPDATE, "d/e/f": A.CREATE, "newer": A.UPDATE}
DELETES = {"gone/y": A.DELETE, "gone/z/y": A.DELETE, "d/old": A.DELETE}


@pytest.mark.spec("XFER-024", "XFER-025")
def test_plans(way: str, sides: tuple[LocalBackend, LocalBackend]) -> None:
    before = content(sides[1])
    plan = plan_of(way, *sides)
    assert actions(plan) == UPDATES
    assert actions(plan_of(way, *sides, delete=True)) == {**UPDATES, **DELETES}
    assert content(sides[1]) == before
    reasons = {line.path: line.reason for line in plan}
    assert reasons["longer"] == "3 bytes instead of 1"
    assert reasons["newer"] == "the source is newer"
    assert {line.path: line.size for line in plan}["longer"] == 3
    assert {line.path: line.size for line in plan}["same"] == 0
    assert actions(plan_of(way, *sides, compare="size"))["newer"] is A.UNCHANGED
    assert actions(plan_of(way, *sides, compare="etag"))["same"] is A.UPDATE
    assert (
        "no checksum" in {line.path: line.reason for line in plan_of(way, *sides, compare="checksum")}["same"]
    )


@pytest.mark.spec("XFER-025")
def test_checksums_that_both_tell() -> None:
    left, right = memory({"a": b"1", "b": b"2"}), memory({"a": b"1", "b": b"3"})
    found = actions(plan_of("blocking", left, right, compare="checksum"))
    known = Store(left).get_file_info("a").checksum is not None
    assert found == ({"a": A.UNCHANGED, "b": A.UPDATE} if known else {"a": A.UPDATE, "b": A.UPDATE})


@pytest.mark.spec("XFER-025")
def test_an_older_source_of_the_same_size_is_noticed_by_other_means_than_time() -> None:
    left, right = memory({"f": b"1"}), memory({"f": b"2"})  # the target is the newer one
    for compare, action in ("time", A.UNCHANGED), ("size", A.UNCHANGED), ("checksum", A.UPDATE):
        assert actions(plan_of("blocking", left, right, compare=compare)) == {"f": action}


def listed(backend: FaultyBackend) -> int:
    """Return how many folders of a backend have been begun to be listed."""
    return len({record.path for record in backend.log if record.operation == "list_pages"})


@pytest.mark.spec("XFER-024")
def test_folder_by_folder(way: str) -> None:
    left = FaultyBackend(memory({f"{number:02}/f": b"" for number in range(50)}))
    if way == "blocking":
        plan = remote_store.plan_sync(Store(left), "", Store(memory()))
        assert left.log == []
        lines = iter(plan)
        assert next(lines).path.endswith("/f")
        assert 2 <= listed(left) <= 18
        assert len(list(lines)) == 49
        return

    async def main() -> None:
        async with aio.plan_sync(AsyncStore(left), "", AsyncStore(memory())) as plan:
            assert left.log == []
            assert (await anext(plan)).path.endswith("/f")
            assert 2 <= listed(left) <= 18

    run(way, main)
    assert listed(left) <= 18


@pytest.mark.spec("XFER-024")
def test_a_folder_that_cannot_be_listed_is_not_left_out(way: str) -> None:
    files = {f"{number:02}/f": b"" for number in range(30)}
    left = FaultyBackend(memory(files), [Fault("list_pages", path="07")])
    if way == "blocking":
        with pytest.raises(BackendUnavailable):
            list(remote_store.plan_sync(Store(left), "", Store(memory())))
        return

    async def main() -> list[str]:
        found: list[str] = []
        failures = 0
        async with aio.plan_sync(AsyncStore(left), "", AsyncStore(memory())) as plan:
            while True:
                try:
                    found.append((await anext(plan)).path)
                except BackendUnavailable:
                    failures += 1
                except StopAsyncIteration:
                    assert failures == 1
                    return found

    assert sorted(run(way, main)) == sorted(files)


@pytest.mark.spec("XFER-026", "XFER-027")
def test_a_plan_that_is_saved_and_split(way: str, sides: tuple[LocalBackend, LocalBackend]) -> None:
    plan = plan_of(way, *sides, delete=True)
    lines = [line.to_json() for line in plan]
    assert [PlanItem.from_json(line) for line in lines] == plan
    assert not [line for line in lines if "\n" in line]
    for part in (lines[::2], lines[1::2]):
        loaded = [PlanItem.from_json(line) for line in part]
        call(way, "apply_plan", loaded, sides[0], "", sides[1])
    assert content(sides[1]) == SOURCE


TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
VERSIONS = st.builds(Version, st.integers(0), TIMES, st.none() | st.text(max_size=5))
PATHS = st.text(st.sampled_from("a\\/.. \n\u2028ü\ud800\U0001f600"), min_size=1, max_size=9)


@pytest.mark.spec("XFER-026")
@settings(max_examples=50)
@given(PATHS, st.text(max_size=5), VERSIONS, VERSIONS, st.booleans())
@example("a\\b", "", Version(1), Version(1), False)
@example("../a//b\n/", "", Version(1), Version(1), False)
@example(os.fsdecode(b"\xff"), "", Version(1), Version(1), True)
def test_every_line_can_be_saved(path: str, reason: str, new: Version, old: Version, linked: bool) -> None:
    for action, source, target in (A.CREATE, new, None), (A.UPDATE, new, old), (A.DELETE, None, old):
        line = PlanItem(action, path, reason, source, target, linked)
        saved = line.to_json()
        assert PlanItem.from_json(saved) == line
        assert len(saved.splitlines()) == 1


@pytest.mark.spec("XFER-026")
def test_listed_names_that_no_text_can_name(tmp_path: Path) -> None:
    (tmp_path / "a\\b").write_bytes(b"1")
    (plan,) = remote_store.plan_sync(Store(LocalBackend(tmp_path)), "", Store(memory()))
    assert PlanItem.from_json(plan.to_json()) == plan
    assert plan.path == "a\\b"


def line_of(action: str, size: str) -> str:
    """Return a line that tells of the source only."""
    source = f'{{"size": {size}, "modified_at": null, "etag": null}}'
    return f'{{"action": "{action}", "path": "x", "reason": "", "source": {source}, "target": null}}'


@pytest.mark.spec("XFER-026")
@pytest.mark.parametrize(
    "line",
    ["", "{}", "[]", '"x"', '{"action": "burn", "path": "x", "reason": "", "source": null, "target": null}',
     '{"action": "create", "path": 3, "reason": "", "source": null, "target": null}',
     '{"action": "create", "path": "x", "reason": "", "source": null, "target": null}',
     '{"action": "delete", "path": "x", "reason": "", "source": null, "target": null}',
     "[" * 100_000, line_of("create", "1").replace('"x"', '""'), line_of("create", "1").replace('"x"', "3"),
     line_of("create", "1").replace('"x"', '"a\\u0000b"'), line_of("create", "1").replace('""', "1"),
     line_of("create", "1").replace("{", '{"linked": "yes", ', 1),
     line_of("create", "1").replace('"target": null', '"target": {}'),
     line_of("update", "1"), line_of("create", '"1"'), line_of("create", "true"), line_of("create", "-1")],
)  # fmt: skip
def test_what_is_no_line_of_a_plan(line: str) -> None:
    with pytest.raises(ValueError, match="no line of a plan"):
        PlanItem.from_json(line)


@pytest.mark.spec("XFER-026")
@pytest.mark.parametrize("time", ["0", "false", '""', "[]", "{}", "1.5", '"yesterday"'])
def test_a_time_that_is_none_is_not_taken_for_unknown(time: str) -> None:
    line = line_of("create", "1")
    assert PlanItem.from_json(line).source == Version(1)
    with pytest.raises(ValueError, match="no line of a plan"):
        PlanItem.from_json(line.replace('"modified_at": null', f'"modified_at": {time}'))
    with pytest.raises(ValueError, match=r"modified_at|isoformat"):
        Version.from_dict({"size": 1, "modified_at": json.loads(time), "etag": None})


@pytest.mark.spec("XFER-026")
def test_lines_that_guard_nothing_cannot_be_made() -> None:
    for action in (A.DELETE, A.UPDATE, A.UNCHANGED):
        with pytest.raises(ValueError, match="what the target is like"):
            PlanItem(action, "f", "", Version(1))
    for action in (A.CREATE, A.UPDATE, A.UNCHANGED):
        with pytest.raises(ValueError, match="what the source is like"):
            PlanItem(action, "f", "", target=Version(1))


@pytest.mark.spec("XFER-027")
def test_what_has_changed_since(way: str, sides: tuple[LocalBackend, LocalBackend], tmp_path: Path) -> None:
    plan = plan_of(way, *sides, delete=True)
    (tmp_path / "source" / "new" / "x").write_bytes(b"changed")
    (tmp_path / "source" / "d" / "e" / "f").unlink()
    (tmp_path / "target" / "longer").write_bytes(b"changed")
    (tmp_path / "target" / "d" / "old").write_bytes(b"changed")
    (tmp_path / "target" / "gone" / "y").unlink()
    with pytest.raises(TransferFailed) as caught:
        call(way, "apply_plan", plan, sides[0], "", sides[1])
    failed = {each.path: type(each.error) for each in caught.value.report.failures}
    assert failed == dict.fromkeys(("new/x", "d/e/f", "longer", "d/old", "gone/y"), PreconditionFailed)
    assert content(sides[1]) == {
        "same": b"1", "longer": b"changed", "newer": b"5", "d/old": b"changed",
    }  # fmt: skip


@pytest.mark.spec("XFER-027")
def test_what_somebody_created_since(way: str) -> None:
    left, right = memory({"f": b"ours"}), memory()
    plan = plan_of(way, left, right)
    Store(right).write("f", b"theirs")
    with pytest.raises(TransferFailed):
        call(way, "apply_plan", plan, left, "", right, options=TransferOptions(overwrite=True))
    assert content(right) == {"f": b"theirs"}


@pytest.mark.spec("XFER-027")
def test_what_changes_at_the_last_moment(way: str) -> None:
    class Late(MemoryBackend):
        """Somebody writes between the look and the write."""

        async def get_file_info(self, path: str) -> Any:
            info = await super().get_file_info(path)
            await super().write_bytes(path, memoryview(b"theirs"), overwrite=True)
            return info

    left, right = memory({"f": b"ours and longer"}), Late()
    Store(right).write("f", b"old")
    plan = plan_of(way, left, right)
    assert remote_store.Capability.CONDITIONAL_WRITE in right.capabilities
    with pytest.raises(TransferFailed) as caught:
        call(way, "apply_plan", plan, left, "", right)
    assert isinstance(caught.value.report.failures[0].error, PreconditionFailed)
    assert Store(right).read_bytes("f") == b"theirs"


@pytest.mark.spec("XFER-028")
def test_sync(way: str, sides: tuple[LocalBackend, LocalBackend]) -> None:
    seen: list[Any] = []
    report = call(way, "sync", sides[0], "", sides[1], on_event=seen.append)
    assert (report.done, report.failed) == (4, 0)
    assert content(sides[1]) == {**TARGET, **SOURCE}
    assert call(way, "sync", sides[0], "", sides[1]).planned == 0
    assert call(way, "sync", sides[0], "", sides[1], delete=True).done == 3
    assert content(sides[1]) == SOURCE
    assert call(way, "sync", sides[0], "d", sides[1], "copied/d").done == 1
    dry = TransferOptions(dry_run=True)
    assert call(way, "sync", sides[0], "", sides[1], delete=True, options=dry).skipped == 1


@pytest.mark.spec("XFER-006")
def test_a_dry_mirror_tells_what_would_be_done(way: str) -> None:
    seen: list[Any] = []
    left, right = memory({"new": b"1", "longer": b"22"}), memory({"longer": b"2", "more": b"3"})
    dry = TransferOptions(dry_run=True)
    call(way, "sync", left, "", right, delete=True, options=dry, on_event=seen.append)
    assert {event.path: event.detail for event in seen if event.kind is EventKind.SKIPPED} == {
        "new": "dry run: would be copied, the target has no such file",
        "longer": "dry run: would be replaced, 2 bytes instead of 1",
        "more": "dry run: would be deleted, the source has no such file",
    }


@pytest.mark.spec("XFER-024", "XFER-011")
@pytest.mark.parametrize("delete", [False, True])
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_a_file_on_one_side_and_a_folder_on_the_other(
    way: str, kind: str, delete: bool, tmp_path: Path
) -> None:
    files = ({"n": b"file", "f/x": b"1", "f/y": b"2", "ok": b"3"}, {"n/z": b"4", "f": b"file", "extra": b"5"})
    left, right = (
        memory() if kind == "memory" else LocalBackend(tmp_path / side) for side in ("left", "right")
    )
    for backend, side in zip((left, right), files, strict=True):
        for path, data in side.items():
            Store(backend).write(path, data)
    serial = TransferOptions(concurrency=1)
    with pytest.raises(TransferFailed) as caught:
        call(way, "sync", left, "", right, delete=delete, options=serial)
    failures = caught.value.report.failures
    assert {type(each.error) for each in failures} == {InvalidPath}
    if delete:  # the file is out of the way by then
        assert [each.path for each in failures] == ["n"]
        assert content(right) == {"f/x": b"1", "f/y": b"2", "ok": b"3"}
    else:
        assert {each.path for each in failures} == {"n", "f/x", "f/y"}
        assert content(right) == {**files[1], "ok": b"3"}


@pytest.mark.spec("XFER-024")
def test_a_folder_that_is_a_file_all_along_is_refused(way: str) -> None:
    for source, target in (("same", ""), ("", "same")):
        with pytest.raises(InvalidPath):
            plan = aio.plan_sync(AsyncStore(memory(SOURCE)), source, AsyncStore(memory(SOURCE)), target)
            run("asyncio" if way == "blocking" else way, plan.__anext__)


@pytest.mark.spec("XFER-028", "XFER-003", "XFER-020")
def test_what_cannot_be_mirrored(way: str) -> None:
    backend, other = memory(SOURCE), memory(TARGET)
    for name in ("missing", "same"):
        with pytest.raises(NotFound, match="mirror"):
            call(way, "sync", backend, name, other, delete=True)
    assert content(other) == TARGET
    for here, there in (("", "d"), ("d", ""), ("d", "d"), ("d/e", "d")):
        with pytest.raises(InvalidPath):
            call(way, "sync", backend, here, backend, there, delete=True)
    with pytest.raises(ValueError, match="compare must be one of"):
        call(way, "sync", backend, "", other, compare="feeling")
    with pytest.raises(TypeError, match="PlanItem"):
        call(way, "apply_plan", ["create"], backend, "", other)
    assert content(backend) == SOURCE
