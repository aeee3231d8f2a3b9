"""Each operation of a store on a server, cancelled sooner and later: nothing is left, nothing half there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import trio
from tests.backends.s3.support import nothing_unfinished
from tests.runtime import operations
from tests.runtime.operations import OPERATIONS, Operation, check, small_steps
from tests.runtime.support import pause, run, temporaries, until, wait_for
from tests.s3_buckets import Buckets

from remote_store import AsyncStore, Backend, NotFound
from remote_store.backends import S3Backend, S3PyArrowBackend, SFTPBackend
from remote_store.backends.s3._listing import HIDDEN

PART = 5 << 20
BY_ARROW = bytes(range(250)) * (PART // 250 + 1000)
"""Content that takes two parts: Arrow is only asked to write such."""
ARROW_HAS: Final = (
    "read_and_iterate",
    "copy_to_a_write_stream",
    "write_an_async_iterable",
    "open_write_and_fail",
)
"""What comes and goes through Arrow; the rest is the S3 backend's own."""
ON_TRIO: Final = (
    "copy_to_a_write_stream",
    "write_an_async_iterable",
    "delete_folder",
    "move",
    "list_files_recursive",
)
"""What is bridged in ways that differ."""
ALL: Final = "REMOTE_STORE_CANCEL_ALL" in os.environ
"""All operations in all ways, which take a quarter of an hour."""
TURNS: Final = 12


def _is_a_case(operation: Operation, kind: str, world: str) -> bool:
    if operation.only or (operation.asyncio and world == "trio"):
        return False
    chosen = kind != "s3-pyarrow" or operation.name in ARROW_HAS
    return ALL or (chosen and (world == "asyncio" or operation.name in ON_TRIO))


CASES: Final = [
    pytest.param(operation, kind, world, id=f"{operation.name}-{kind}-{world}")
    for operation in OPERATIONS
    for kind in ("s3", "s3-pyarrow", "sftp")
    for world in ("asyncio", "trio")
    if _is_a_case(operation, kind, world)
]


@pytest.fixture
def make(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[Callable[[], Backend]]:
    """Give a function that makes a backend; see that no temporary file and no part of an upload is left."""
    if kind == "sftp":
        (tmp_path / "root").mkdir()
        yield partial(
            SFTPBackend, base_path=str(tmp_path / "root"), **request.getfixturevalue("sshd").options
        )
        assert temporaries(tmp_path / "root") == []
        return
    buckets: Buckets = request.getfixturevalue("buckets")
    bucket, options = buckets.new(), request.getfixturevalue("seaweedfs").options
    if kind == "s3":
        yield partial(S3Backend, bucket, **options, conditional_writes=True)
    else:
        arrow: dict[str, Any] = {"arrow_from": 0, "arrow_writes": True, "part_size": PART}
        yield partial(S3PyArrowBackend, bucket, **options, **arrow, conditional_writes=True)
    wait_for(lambda: not any(key.startswith(HIDDEN) for key in buckets.keys(bucket)))
    nothing_unfinished(buckets, bucket)
    buckets.drop(bucket)


class Cut:
    """An operation, cancelled after some turns of the loop; whether it was done before."""

    def __init__(self, operation: Operation, given: Any, at_once: bool) -> None:
        self.operation, self.given, self.at_once = operation, given, at_once
        self.done = False

    async def after(self, turns: int, store: AsyncStore) -> None:
        if trio.lowlevel.in_trio_task():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._run, store)
                await _for_turns(turns)
                nursery.cancel_scope.cancel()
            return
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(self._run(store))
        await _for_turns(turns)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.result() is None
        if self.at_once:
            assert _left(before) == set(), "a task was left behind"
        await until(lambda: not _left(before))

    async def _run(self, store: AsyncStore) -> None:
        await self.operation.run(store, self.given)
        self.done = True


async def _for_turns(count: int) -> None:
    """Let the loop turn; a loop that only turned would take the interpreter from the threads at work."""
    for _ in range(min(count, TURNS)):
        await pause()
    if count > TURNS:
        await pause((count - TURNS) * 1e-4)


def _left(before: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Return the tasks that were begun since, but for those of connections, which stay with them."""
    new = asyncio.all_tasks() - before
    return {task for task in new if "asyncssh" not in str(getattr(task.get_coro(), "cr_code", ""))}


async def filled(store: AsyncStore, big: bytes) -> None:
    for name, content in operations.TREE.items():
        if content is not None:
            await store.write(name, big if name == "big" else content)


async def files_of(store: AsyncStore) -> dict[str, bytes | None]:
    """Return the content of all files; again, where the server goes on to delete what it was told to."""
    for _ in range(3):
        try:
            listed = [info async for info in store.list_files(recursive=True)]
            return {str(info.path): await store.read_bytes(info.path) for info in listed}
        except NotFound:
            continue
    raise AssertionError("files come and go")


@pytest.mark.spec("S3-019", "S3PA-012", "STORE-031", "STR-013", "RUN-005", "BE-013")
@pytest.mark.parametrize(("operation", "kind", "world"), CASES)
def test_cancelled_sooner_and_later(
    operation: Operation,
    kind: str,
    world: str,
    make: Callable[[], Backend],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kind == "s3-pyarrow":
        monkeypatch.setattr(operations, "BIG", BY_ARROW)
    else:
        small_steps(monkeypatch)
    change = "copied" if kind != "sftp" and operation.name.startswith("move") else operation.change

    async def main() -> None:
        backend = make()
        reference = AsyncStore(backend, "reference")
        await filled(reference, operations.BIG)
        before = await files_of(reference)
        async with operation.prepare(tmp_path) if operation.prepare else nullcontext() as given:
            await operation.run(reference, given)
        after = await files_of(reference)
        turns, done = 0, False
        while not done:
            store = AsyncStore(backend, f"after {turns}")
            await filled(store, operations.BIG)
            async with operation.prepare(tmp_path) if operation.prepare else nullcontext() as given:
                cut = Cut(operation, given, at_once=kind != "s3-pyarrow")
                await cut.after(turns, store)
            done = cut.done
            check(change, before, await files_of(store), after, done)
            turns = 2 * turns + 1
        await reference.aclose()

    run(world, main)
