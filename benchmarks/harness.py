"""What all questions share: cases, targets, and the clock.

Only the standard library is imported, for this also runs where one peer is installed
and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

OURS: Final = "remote_store"
PUBLISHED: Final = "remote-store 0.33"

PEERS: Final[dict[str, str]] = {
    OURS: "remote-store",
    "os": "",
    "aiofiles": "aiofiles",
    "anyio": "anyio",
    "fsspec": "fsspec",
    "obstore": "obstore",
    "OpenDAL": "opendal",
    "aiobotocore": "aiobotocore",
    "boto3": "boto3",
    "s3fs": "s3fs",
    "pyarrow": "pyarrow",
    "asyncssh": "asyncssh",
    "paramiko": "paramiko",
    PUBLISHED: "remote-store",
}
"""Each has a process of its own. The value is its distribution, empty for the standard library."""

LOOPS: Final = ("asyncio", "uvloop", "trio")
SCALE: Final = {"us": 1e6, "ms": 1e3, "MiB": 1 / (1 << 20), "": 1.0}


@dataclass(frozen=True)
class Work:
    """Where a question finds its data, and how thorough it is to be."""

    folder: Path
    quick: bool

    def pick(self, full: T, quick: T) -> T:
        """Return one of two sizes."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Sample:
    """One figure, in seconds or bytes or a count, and a word about it."""

    value: float
    note: str = ""


@dataclass(frozen=True)
class Case:
    """One line of a table; the lines of a group do the same job. Less is better.

    ``peer`` is the process that measures it; ``fresh`` asks for a new one each time.
    """

    group: str
    label: str
    measure: Callable[[Work], Sample | float]
    peer: str
    unit: str = "us"
    fresh: bool = False


@dataclass(frozen=True)
class Target:
    """What our figure is hoped to be: at most ``limit``, or ``limit`` times that of ``against``."""

    group: str
    wish: str
    limit: float
    against: str = ""
    ours: str = OURS


@dataclass(frozen=True)
class Job:
    """A call, what it is called with while the clock runs, and what before that."""

    call: Callable[[str], Any]
    arguments: Sequence[str]
    warm_up: Sequence[str]


def repeated(call: Callable[[str], Any], arguments: Sequence[str], count: int) -> Job:
    """Return a job of this many calls, over and over the same arguments."""
    return Job(call, list(islice(cycle(arguments), count)), arguments)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the garbage collector out of the measurement."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def per_call(job: Job) -> float:
    """Return the seconds that one blocking call takes."""
    call = job.call
    for argument in job.warm_up:
        call(argument)
    with quiet():
        start = time.perf_counter()
        for argument in job.arguments:
            call(argument)
        return (time.perf_counter() - start) / len(job.arguments)


def per_await(job: Job, loop: str, at_once: int = 1) -> float:
    """Return the seconds that pass for one awaited call, when so many tasks make them at once."""
    call = job.call

    async def lane(arguments: Sequence[str]) -> None:
        for argument in arguments:
            await call(argument)

    async def main() -> float:
        await side_by_side(loop, lane, [job.warm_up[n::at_once] for n in range(at_once)])
        lanes = [job.arguments[n::at_once] for n in range(at_once)]
        with quiet():
            start = time.perf_counter()
            if at_once == 1:
                await lane(job.arguments)
            else:
                await side_by_side(loop, lane, lanes)
            return (time.perf_counter() - start) / len(job.arguments)

    return run_on(loop, main)


async def side_by_side(
    loop: str, call: Callable[[Sequence[str]], Coroutine[Any, Any, None]], lanes: Sequence[Sequence[str]]
) -> None:
    """Run one task for each lane and wait for all, with the loop's own means."""
    if loop == "trio":
        import trio

        async with trio.open_nursery() as nursery:
            for lane in lanes:
                nursery.start_soon(call, lane)
    else:
        async with asyncio.TaskGroup() as tasks:
            for lane in lanes:
                tasks.create_task(call(lane))


def run_on(loop: str, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on an event loop of the given kind."""
    if loop == "trio":
        import trio

        return trio.run(main)
    if loop == "uvloop":
        import uvloop

        return uvloop.run(main())
    return asyncio.run(main())


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that one long call takes."""
    with quiet():
        start = time.perf_counter()
        call()
        return time.perf_counter() - start


def timed_await(call: Callable[[], Awaitable[object]], loop: str) -> float:
    """Return the seconds that one long awaited call takes, without starting the loop."""

    async def main() -> float:
        with quiet():
            start = time.perf_counter()
            await call()
            return time.perf_counter() - start

    return run_on(loop, main)


def make_files(folder: Path, count: int, size: int) -> None:
    """Fill a folder with small files."""
    folder.mkdir(parents=True)
    content = (b"remote-store benchmark " * (size // 23 + 1))[:size]
    for number in range(count):
        (folder / f"{number:06}.bin").write_bytes(content)
