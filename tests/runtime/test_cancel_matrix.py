"""Each operation of a store, cancelled at its first, second, ... last suspension, in every way there is."""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from tests.runtime.operations import OPERATIONS, Operation, check, content_of, prepared, small_steps
from tests.runtime.support import Jobs, assert_nothing_left, descriptors, run

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.backends.local._write import TempFile


class Stepped:
    """Awaits a coroutine, and calls something when it suspends for the given time.

    The call comes before the loop learns of the suspension, so that a cancellation
    arrives at exactly this one. Work in threads goes on only while the coroutine is
    suspended, so that each piece of it takes a suspension, however quick it is.
    """

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        at: int,
        call: Callable[[], object],
        always: bool,
        jobs: Jobs,
    ) -> None:
        self.coroutine, self.at, self.call, self.always = coroutine, at, call, always
        self.may_begin = jobs.may_begin
        self.suspended = 0

    @property
    def hit(self) -> bool:
        return self.suspended >= self.at

    def __await__(self) -> Generator[Any, Any, Any]:
        go: Callable[[Any], Any] = self.coroutine.send
        given: list[Any] = [None]  # emptied at each step: this frame must not keep an error alive
        while True:
            self.may_begin.clear()
            try:
                what = go(given.pop())
            except StopIteration as stop:
                return stop.value
            finally:
                self.may_begin.set()
            self.suspended += 1
            if self.suspended == self.at or (self.always and self.hit):
                self.call()
            go = self.coroutine.send
            try:
                given.append((yield what))
            except BaseException as error:
                go = self.coroutine.throw
                given.append(error)


class Way:
    """A way to cancel.

    Args:
        world: where.
        scope: a scope that is cancelled, or the task itself.
        late: only when the work has ended and its result is on its way to the task.
        always: again at each suspension that follows.
    """

    def __init__(self, world: str, scope: bool, late: bool, always: bool = False) -> None:
        self.world, self.scope, self.late, self.always = world, scope, late, always

    def __repr__(self) -> str:
        words = [self.world, "scope" if self.scope else "task", "late" if self.late else "early"]
        return "-".join([*words, "always"] if self.always else words)

    async def cut_off(self, coroutine: Coroutine[Any, Any, Any], at: int, jobs: Jobs) -> tuple[bool, bool]:
        """Run a coroutine; return whether the moment came, and whether it ran to its end all the same."""

        def cancel() -> None:
            if self.late:
                jobs.settle()  # blocks the loop: the wake-up is queued and not delivered
            target()

        if not self.scope:
            task = asyncio.create_task(
                _awaited(stepped := Stepped(coroutine, at, lambda: cancel(), self.always, jobs))
            )
            target: Callable[[], object] = task.cancel
            await asyncio.wait([task])
            assert task.cancelled() == stepped.hit, "the cancellation was lost"
            if not task.cancelled():
                task.result()
            return stepped.hit, not task.cancelled()
        done = False
        with (trio if self.world == "trio" else anyio).CancelScope() as scope:
            target = scope.cancel
            stepped = Stepped(coroutine, at, cancel, self.always, jobs)
            await stepped
            done = True
            await anyio.lowlevel.checkpoint()
        assert scope.cancelled_caught == stepped.hit, "the cancellation was lost"
        return stepped.hit, done


async def _awaited(what: Awaitable[Any]) -> None:
    await what


WAYS = [
    Way("asyncio", scope=False, late=False),
    Way("asyncio", scope=False, late=True),
    Way("asyncio", scope=False, late=False, always=True),
    Way("asyncio", scope=True, late=False),
    Way("asyncio", scope=True, late=True),
    Way("uvloop", scope=False, late=False),
    Way("trio", scope=True, late=False),
    Way("trio", scope=True, late=True),
]


def others(world: str) -> int:
    """Count the tasks of this loop but for the running one."""
    if world == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks()) - 1


@pytest.mark.spec("LOC-018", "STORE-031", "STR-013", "RUN-002", "RUN-004", "RUN-005", "BE-013")
@pytest.mark.parametrize(
    ("operation", "kind", "way"),
    [
        pytest.param(operation, kind, way, id=f"{operation.name}-{kind}-{way}")
        for operation in OPERATIONS
        for kind in ("local", "memory")
        for way in WAYS
        if operation.only in ("", kind)
        and not (operation.asyncio and way.world == "trio")
        and not (way.late and kind == "memory")  # it has no threads to wait for
    ],
)
def test_cancelled_at_every_suspension(
    operation: Operation, kind: str, way: Way, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    monkeypatch.delattr(TempFile, "__del__")  # the clean-up must not be left to the end of the object
    jobs = Jobs(monkeypatch)

    def begin(number: int) -> tuple[LocalBackend | MemoryBackend, dict[str, Any]]:
        backend = prepared(kind, folder / str(number))
        return backend, content_of(Store(backend))

    async def use(backend: LocalBackend | MemoryBackend, at: int) -> tuple[bool, bool]:
        async with operation.prepare(folder) if operation.prepare else nullcontext() as given:
            return await one(backend, at, given)

    async def one(backend: LocalBackend | MemoryBackend, at: int, given: Any) -> tuple[bool, bool]:
        open_before, tasks = descriptors(), others(way.world)
        coroutine = operation.run(AsyncStore(backend), given)
        assert asyncio.iscoroutine(coroutine)
        outcome = await way.cut_off(coroutine, at, jobs)
        assert jobs.unfinished() == 0, "a thread was left at work"
        assert others(way.world) == tasks, "a task was left behind"
        await anyio.lowlevel.checkpoint()  # until then the loop itself holds the error, and its frames
        _check_descriptors(open_before, folder / str(at) if kind == "local" else None)
        return outcome

    async def main() -> int:
        reference, before = await anyio.to_thread.run_sync(begin, 0)
        assert await use(reference, 10**6) == (False, True)
        after = content_of(Store(reference))
        assert (before == after) == (operation.change == "none")
        for at in count(1):
            backend, _ = await anyio.to_thread.run_sync(begin, at)
            hit, done = await use(backend, at)
            check(operation.change, before, content_of(Store(backend)), after, done)
            await AsyncStore(backend).write("still works", b"1")
            await AsyncStore(backend).aclose()
            shutil.rmtree(folder / str(at), ignore_errors=True)
            if not hit:
                await AsyncStore(reference).aclose()
                return at - 1
        raise AssertionError

    assert run(way.world, main) >= 1


def _check_descriptors(before: Counter[str], root: Path | None) -> None:
    try:
        assert_nothing_left(before, root)
    except AssertionError:
        gc.collect()  # what was dropped half-way may hang on a traceback
        assert_nothing_left(before, root)
