"""Every function that moves many files, cancelled after one, two, ... turns of the loop, and by Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.runtime.support import assert_nothing_left, descriptors, pause, run, temporaries
from tests.s3_buckets import Buckets
from tests.services import S3Server, SFTPServer
from tests.transfer.support import content, memory

import remote_store
from remote_store import (
    AsyncStore,
    Backend,
    EventKind,
    PlanItem,
    Store,
    TransferEvent,
    TransferOptions,
    aio,
)
from remote_store.backends import LocalBackend, S3Backend, SFTPBackend
from remote_store.testing import Fault, FaultyBackend

FILES = {f"d{number % 3}/{number:02}": os.urandom(700 * number) for number in range(9)}
TREE = {**FILES, "large": os.urandom(300_000)}
OPTIONS = TransferOptions(large_file_threshold=100_000, concurrency=4)
AGAIN = TransferOptions(large_file_threshold=100_000, skip_existing=True)
Call = Callable[..., Awaitable[object]]


async def taken(results: Any, into: list[Any]) -> None:
    async with results:
        async for result in results:
            into.append(result)


class Case:
    """Two stores on folders, and a function between them.

    Attributes:
        left: has the tree.
        right: has nothing, or what the function is to change.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.here, self.there = name, folder / "here", folder / "there"
        self.told: list[TransferEvent] = []
        self.results: list[Any] = []
        for path, data in TREE.items():
            (self.here / path).parent.mkdir(parents=True, exist_ok=True)
            (self.here / path).write_bytes(data)
        self.there.mkdir(parents=True)
        self.left, self.right = AsyncStore(LocalBackend(self.here)), AsyncStore(LocalBackend(self.there))

    async def call(self, options: TransferOptions = OPTIONS) -> None:
        given: dict[str, Any] = {"options": options, "on_event": self.told.append}
        left, right = self.left, self.right
        match self.name:
            case "copy_tree" | "sync":
                await getattr(aio, self.name)(left, "", right, **given)
            case "journal":
                await aio.copy_tree(left, "", right, journal=self.here.parent / "journal", **given)
            case "upload":
                await aio.upload(self.here, right, **given)
            case "download":
                await aio.download(left, "", self.there, **given)
            case "delete_tree":
                await aio.delete_tree(left, "", **given)
            case "plan_sync":
                await taken(aio.plan_sync(left, "", right), self.results)
            case "apply_plan":
                plan: list[PlanItem] = []
                await taken(aio.plan_sync(left, "", right), plan)
                await aio.apply_plan(plan, left, "", right, **given)
            case "read_many":
                await taken(aio.read_many(left, list(TREE), options=options), self.results)
            case "write_many":
                await taken(aio.write_many(right, TREE.items(), options=options), self.results)

    async def aclose(self) -> None:
        await self.left.aclose()
        await self.right.aclose()

    def check(self) -> None:
        """Whatever was done is whole, and was told; nothing half done is there."""
        there, here = content(LocalBackend(self.there)), content(LocalBackend(self.here))
        assert all(TREE[name] == data for name, data in {**here, **there}.items())
        done = {event.path for event in self.told if event.kind is EventKind.DONE}
        if self.name == "delete_tree":
            assert done.isdisjoint(here)
        else:
            assert here == TREE
            assert done <= there.keys()
        for number, result in enumerate(self.results):
            if self.name == "read_many":
                assert result == list(TREE.items())[number]
            elif self.name == "write_many":
                assert str(result.path) in there
        if self.name != "journal":  # it keeps what has come of a file, to go on with
            assert temporaries(self.here) == temporaries(self.there) == []

    def check_all(self) -> None:
        """All of it is done."""
        assert temporaries(self.here) == temporaries(self.there) == []
        if self.name == "delete_tree":
            assert content(LocalBackend(self.here)) == {}
        elif self.name not in ("plan_sync", "read_many"):
            assert content(LocalBackend(self.there)) == TREE


FUNCTIONS = [
    "copy_tree", "upload", "download", "delete_tree", "sync", "plan_sync", "apply_plan", "read_many",
    "write_many",
]  # fmt: skip


GO_ON = ("copy_tree", "upload", "download")
"""What can be gone on with by leaving alone what is there; with a journal every transfer can."""


async def cancelled_after(turns: int, call: Call) -> bool:
    """Call, and cancel that after some turns of the loop; return True if it was done before."""
    if trio.lowlevel.in_trio_task():
        done = False

        async def work() -> None:
            nonlocal done
            await call()
            done = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            for _ in range(turns):
                await pause()
            nursery.cancel_scope.cancel()
        return done
    task = asyncio.ensure_future(call())
    for _ in range(turns):
        await pause()
    task.cancel()
    await asyncio.wait([task])
    return not task.cancelled() and task.result() is None


def others() -> int:
    """Count the tasks of this loop but for the running one."""
    if trio.lowlevel.in_trio_task():
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks()) - 1


@asynccontextmanager
async def nothing_goes_on(folder: Path) -> AsyncIterator[None]:
    """Fail if the block leaves a task, a thread at work, or an open file."""
    before, tasks = descriptors(), others()
    yield
    assert others() == tasks, "a task was left behind"
    await pause()
    if descriptors(folder):
        gc.collect()  # what was dropped half-way may hang on a traceback
    assert not descriptors(folder)
    assert_nothing_left(before + descriptors(), folder)  # the background loop may have begun meanwhile


@pytest.mark.spec("XFER-016", "XFER-010", "XFER-023")
@pytest.mark.parametrize(
    ("name", "world"),
    [
        *((name, world) for name in [*FUNCTIONS, "journal"] for world in ("asyncio", "trio")),
        ("copy_tree", "uvloop"),
    ],
)
def test_cancelled_after_so_many_turns(name: str, world: str, tmp_path: Path) -> None:
    async def main() -> None:
        turns, number, done = 0, 0, False
        while not done:
            case = Case(name, tmp_path / str(number))
            async with nothing_goes_on(tmp_path):
                done = await cancelled_after(turns, case.call)
                case.check()
                if done:
                    case.check_all()
                elif name == "journal" or (number % 4 == 0 and name in GO_ON):
                    await case.call(AGAIN if name in GO_ON else OPTIONS)
                    case.check_all()
                await case.aclose()
            turns, number = turns + 1 + turns // 2, number + 1
        # A plan is made by tasks of the background loop, so on trio it takes its caller few turns.
        assert number > (1 if name == "plan_sync" else 3)

    run(world, main)


@pytest.fixture
def bucket(buckets: Buckets) -> Any:
    """Give a bucket, and see that no upload is left unfinished in it."""
    name = buckets.new()
    yield name
    assert buckets.unfinished(name) == []
    buckets.drop(name)


@pytest.mark.spec("XFER-016", "XFER-010")
@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_cancelled_on_the_way_to_s3(world: str, seaweedfs: S3Server, bucket: str) -> None:
    files = {**FILES, "large": bytes(11 << 20)}

    async def main() -> None:
        turns, done = 0, False
        while not done:
            store = AsyncStore(S3Backend(bucket, part_size=5 << 20, **seaweedfs.options), str(turns))
            tasks = others()
            done = await cancelled_after(
                turns,
                lambda: aio_copy(AsyncStore(memory(files)), store),  # noqa: B023 - awaited before the next
            )
            assert others() <= tasks + background_of(world)
            there = {str(info.path): await store.read_bytes(info.path) async for info in files_of(store)}
            assert all(files[name] == data for name, data in there.items())
            assert not done or there == files
            await store.aclose()
            turns += 1 + turns // (2 if world != "trio" else 1)

    run(world, main)


@pytest.mark.spec("XFER-016", "XFER-010")
@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_cancelled_on_the_way_over_sftp(world: str, sshd: SFTPServer, tmp_path: Path) -> None:
    async def main() -> None:
        turns, done = 0, False
        while not done:
            root = tmp_path / str(turns)
            root.mkdir()
            store = AsyncStore(SFTPBackend(**{**sshd.options, "base_path": str(root)}))
            done = await cancelled_after(
                turns,
                lambda: aio_copy(AsyncStore(memory(TREE)), store),  # noqa: B023 - awaited before the next
            )
            there = content(LocalBackend(root))
            assert all(TREE[name] == data for name, data in there.items())
            assert not done or there == TREE
            await store.aclose()
            assert temporaries(root) == []
            turns += 1 + turns // (2 if world != "trio" else 1)

    run(world, main)


async def aio_copy(left: AsyncStore, right: AsyncStore) -> None:
    await aio.copy_tree(left, "", right, options=OPTIONS)


def files_of(store: AsyncStore) -> Any:
    return store.list_files(recursive=True)


def background_of(world: str) -> int:
    """Return how many tasks a client may keep while its store is open."""
    return 8 if world == "asyncio" else 0


STALLS = {
    "copy_tree": "write_bytes", "upload": "write_bytes", "download": "read_bytes", "delete_tree": "delete",
    "sync": "write_bytes", "plan_sync": "list_pages", "apply_plan": "write_bytes", "read_many": "read_bytes",
    "write_many": "write_bytes",
}  # fmt: skip


@pytest.mark.spec("XFER-016")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_interrupted(name: str, tmp_path: Path) -> None:
    """Ctrl-C ends a blocking call that stands still, and nothing goes on."""
    stall = [Fault(STALLS[name], "stall", times=None, seconds=60)]
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "f").write_bytes(b"x")
    sides: dict[str, Backend] = {"left": memory(FILES), "right": memory()}
    slow = "left" if name in ("download", "delete_tree", "read_many", "plan_sync") else "right"
    faulty = FaultyBackend(sides[slow], stall)
    left, right = (Store(faulty if side == slow else sides[side]) for side in ("left", "right"))
    plan = list(remote_store.plan_sync(left, "", right)) if name == "apply_plan" else []
    calls: dict[str, Callable[[], object]] = {
        "copy_tree": lambda: remote_store.copy_tree(left, "", right),
        "upload": lambda: remote_store.upload(tmp_path / "here", right),
        "download": lambda: remote_store.download(left, "", tmp_path / "there"),
        "delete_tree": lambda: remote_store.delete_tree(left, ""),
        "sync": lambda: remote_store.sync(left, "", right),
        "plan_sync": lambda: list(remote_store.plan_sync(left, "", right)),
        "apply_plan": lambda: remote_store.apply_plan(plan, left, "", right),
        "read_many": lambda: list(remote_store.read_many(left, list(FILES))),
        "write_many": lambda: list(remote_store.write_many(right, FILES.items())),
    }

    def interrupt() -> None:
        while not any(record.fault for record in faulty.log):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        calls[name]()
    thread.join()
    logged = len(faulty.log)
    time.sleep(0.02)
    assert len(faulty.log) == logged
    assert content(faulty.inner) == (FILES if slow == "left" else {})
