"""Processes that are killed between what they do and the note of it, and what the next one makes of that."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from tests.runtime.support import WORLDS, run
from tests.s3_buckets import Buckets
from tests.services import S3Server
from tests.transfer.crash_script import backend
from tests.transfer.processes import Process
from tests.transfer.support import content

from remote_store import (
    Action,
    AlreadyExists,
    AsyncStore,
    Backend,
    Store,
    TransferFailed,
    TransferOptions,
    TransferReport,
    aio,
    apply_plan,
    copy_tree,
    plan_sync,
)
from remote_store.backends import LocalBackend, S3Backend
from remote_store.testing import FaultyBackend

ONE: dict[str, Any] = {"concurrency": 1}
PART = 5 << 20
FILES = {"a": b"1", "b": b"22", "large": os.urandom(2 * (8 << 20) + 100), "z": b"333"}


class Place(NamedTuple):
    """A target, and the arguments for processes that write to it."""

    arguments: dict[str, Any]

    def open(self) -> tuple[LocalBackend, Backend]:
        return LocalBackend(self.arguments["source"][1]["root"]), backend(*self.arguments["target"])

    def go_on(self, **options: Any) -> tuple[TransferReport, FaultyBackend]:
        """Finish the transfer in this process."""
        source, target = self.open()
        watched = FaultyBackend(target)
        with Store(source) as here, Store(watched) as there:
            given = {"options": TransferOptions(**self.arguments["options"]), **options}
            return copy_tree(here, "", there, "copy", journal=self.arguments["journal"], **given), watched


@pytest.fixture
def local(tmp_path: Path) -> Place:
    for name, data in FILES.items():
        (tmp_path / "from").mkdir(exist_ok=True)
        (tmp_path / "from" / name).write_bytes(data)
    return Place(
        {
            "source": ["local", {"root": str(tmp_path / "from")}],
            "target": ["local", {"root": str(tmp_path / "to")}],
            "options": ONE,
            "journal": str(tmp_path / "journal"),
            "log": str(tmp_path / "log"),
        }
    )


@pytest.fixture
def s3(local: Place, seaweedfs: S3Server, buckets: Buckets) -> Iterator[Place]:
    bucket = buckets.new()
    options = {**seaweedfs.options, "bucket": bucket, "part_size": PART, "conditional_writes": True}
    yield Place({**local.arguments, "target": ["s3", options]})
    assert buckets.unfinished(bucket) == []
    buckets.drop(bucket)


def arrived(place: Place) -> dict[str, bytes]:
    return {path.removeprefix("copy/"): data for path, data in content(place.open()[1]).items()}


MOMENTS = [
    ("local", "write_bytes", 2, None),  # the second small file is there
    ("local", "open_parts", 1, 3),  # a temporary is there, and its name is not known
    ("local", "parts.write", 2, 2),  # two parts are there, and one is noted
    ("local", "parts.commit", 1, 0),  # the large file is there
    ("s3", "open_parts", 1, 4),
    ("s3", "parts.commit", 1, 0),
]


@pytest.mark.spec("XFER-029", "XFER-031", "XFER-034")
@pytest.mark.parametrize(
    ("kind", "operation", "at", "parts"), MOMENTS, ids=[f"{m[0]}-{m[1]}" for m in MOMENTS]
)
def test_killed_before_the_note(
    request: pytest.FixtureRequest, kind: str, operation: str, at: int, parts: int | None
) -> None:
    place: Place = request.getfixturevalue(kind)
    Process({**place.arguments, "die": [operation, at]}).was_killed()
    before = arrived(place)
    report, watched = place.go_on()
    assert (report.failed, report.planned) == (0, len(FILES))
    assert arrived(place) == FILES
    calls = [(record.operation, record.path) for record in watched.log]
    assert not [path for name in before for path in (("write_bytes", f"copy/{name}"),) if path in calls]
    written = calls.count(("parts.write", "copy/large"))
    assert parts is None or written == parts
    assert place.go_on()[0].skipped == len(FILES)


@pytest.mark.spec("XFER-034")
def test_what_others_wrote_in_its_place(local: Place) -> None:
    Process({**local.arguments, "die": ["write_bytes", 1]}).was_killed()
    [(name, data)] = arrived(local).items()
    theirs = bytes(len(data))
    with Store(local.open()[1]) as there:
        there.write(f"copy/{name}", theirs, overwrite=True)
    with pytest.raises(TransferFailed) as caught:
        local.go_on()
    assert [type(failure.error) for failure in caught.value.report.failures] == [AlreadyExists]
    assert arrived(local) == {**FILES, name: theirs}


@pytest.mark.spec("XFER-034", "XFER-027")
@pytest.mark.parametrize("operation", ["write_bytes", "delete"])
def test_lines_of_a_plan(local: Place, tmp_path: Path, operation: str) -> None:
    source, target = local.open()
    with Store(source) as here, Store(target) as there:
        for name in ("a", "b", "gone", "gone too"):
            there.write(f"copy/{name}", b"old, and of another size")
        plan = list(plan_sync(here, "", there, "copy", delete=True))
        plan = [line for line in plan if line.path != "large"]
        plan.sort(key=lambda line: line.action is not Action.DELETE)
        last = plan[-1].path
        (tmp_path / "plan").write_text("\n".join(line.to_json() for line in plan))
        arguments = {**local.arguments, "plan": str(tmp_path / "plan"), "die": [operation, 2]}
        Process(arguments).was_killed()
        given: dict[str, Any] = {"options": TransferOptions(**ONE), "journal": arguments["journal"]}
        there.write(f"copy/{last}", b"theirs", overwrite=True)
        with pytest.raises(TransferFailed) as caught:
            apply_plan(plan, here, "", there, "copy", **given)
        expected = {name: data for name, data in FILES.items() if name != "large"}
        report = caught.value.report
        assert [failure.path for failure in report.failures] == [last]
        assert arrived(local) == {**expected, last: b"theirs"}


@pytest.mark.spec("XFER-035")
def test_shards(local: Place, tmp_path: Path) -> None:
    source, target = local.open()
    with Store(source) as here, Store(target) as there:
        for number in range(40):
            here.write(f"d/{number:02}", b"%d" % number)
        plan = list(plan_sync(here, "", there, "copy"))
    running = []
    for shard in range(2):
        (tmp_path / f"plan {shard}").write_text("\n".join(line.to_json() for line in plan[shard::2]))
        given = {"plan": str(tmp_path / f"plan {shard}"), "journal": str(tmp_path / f"journal {shard}")}
        arguments = {**local.arguments, **given, "log": str(tmp_path / f"log {shard}")}
        Process({**arguments, "die": ["write_bytes", 5 + shard]}).was_killed()
        running.append(Process(arguments))
    reports = [process.report() for process in running]
    assert [report["failed"] for report in reports] == [0, 0]
    assert sum(report["planned"] for report in reports) == len(plan) == 44
    assert all(report["skipped"] >= 3 for report in reports)
    assert arrived(local) == content(source)


@pytest.mark.spec("XFER-029", "XFER-030")
def test_one_large_file_from_s3(s3: Place, tmp_path: Path) -> None:
    """Down from a bucket, killed in its midst, and up again to another name."""
    data = FILES["large"]
    bucket = s3.arguments["target"]
    with Store(S3Backend(**bucket[1])) as store:
        store.write("large", data)
    down = {
        **s3.arguments, "source": bucket, "target": ["local", {"root": str(tmp_path / "down")}],
        "die": ["parts.write", 2],
    }  # fmt: skip
    Process(down).was_killed()
    del down["die"]
    report = Process(down).report()
    assert (report["done"], report["skipped"]) == (1, 0)
    assert report["moved_bytes"] <= len(data) - (8 << 20)
    assert (tmp_path / "down" / "copy" / "large").read_bytes() == data


@pytest.mark.spec("XFER-016", "XFER-029", "XFER-031")
@pytest.mark.parametrize("loop", WORLDS)
def test_cancelled_again_and_again(s3: Place, loop: str) -> None:
    dice = random.Random(loop)

    async def main() -> None:
        tries = 0
        while True:
            source, target = s3.open()
            async with AsyncStore(source) as here, AsyncStore(target) as there:
                with anyio.move_on_after(dice.uniform(0, 0.1) * 1.3**tries) as scope:
                    await aio.copy_tree(here, "", there, "copy", journal=s3.arguments["journal"])
            tries += 1
            if not scope.cancelled_caught:
                return

    run(loop, main)
    assert arrived(s3) == FILES
    assert s3.go_on()[0].skipped == len(FILES)
