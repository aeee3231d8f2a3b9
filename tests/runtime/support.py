"""What the tests of this folder share: worlds, scripts, and what may be left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import trio

from remote_store._runtime import _workers
from remote_store._runtime._where import state

T = TypeVar("T")

WORLDS = ["asyncio", "uvloop", "trio"]
ASYNCIO_WORLDS = ["asyncio", "uvloop"]
WATCHDOG = 60.0
"""Seconds after which something hangs: no test asserts anything about time but this."""


def run(world: str, main: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run an async function to its end in a new loop of one of the worlds."""
    if world == "trio":
        return trio.run(main, *args)
    with asyncio.Runner(loop_factory=_uvloop() if world == "uvloop" else None) as runner:
        return runner.run(_called(main, *args))


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    return uvloop.new_event_loop


async def _called(main: Callable[..., Awaitable[T]], *args: Any) -> T:
    return await main(*args)


async def pause(seconds: float = 0) -> None:
    """Sleep in whichever world this is."""
    if trio.lowlevel.in_trio_task():
        await trio.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


async def until(condition: Callable[[], object]) -> None:
    """Wait, letting other tasks run, until something is so."""
    end = time.monotonic() + WATCHDOG
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        await pause(0.001)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait in this thread until something is so."""
    end = time.monotonic() + WATCHDOG
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.001)


def script(
    source: str | Path,
    *args: object,
    python: tuple[str, ...] = ("-X", "dev", "-W", "error"),
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter of its own, in which every warning is an error."""
    program = [str(source)] if isinstance(source, Path) else ["-c", textwrap.dedent(source)]
    done = subprocess.run(
        [sys.executable, *python, *program, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=WATCHDOG,
        check=False,
    )
    # asyncio's debug mode tells of steps that a loaded machine made slow.
    done.stderr = "".join(line for line in done.stderr.splitlines(True) if not line.startswith("Executing <"))
    if check:
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.stderr == ""
    return done


# -- what may be left behind -------------------------------------------------------


def is_temporary(name: str) -> bool:
    """Return True for the name of a temporary file, told apart as a stranger would."""
    return name.startswith(".~remote-store-") and name.endswith(".tmp")


def temporaries(root: Path) -> list[str]:
    """Return the temporary files below a folder."""
    return [str(Path(top, name)) for top, _, names in os.walk(root) for name in names if is_temporary(name)]


def tree(root: Path) -> dict[str, bytes | None]:
    """Return what is below a folder: the content of each file, None for a folder."""
    found: dict[str, bytes | None] = {}
    for top, folders, names in os.walk(root):
        for name in folders:
            found[str(Path(top, name).relative_to(root))] = None
        for name in names:
            found[str(Path(top, name).relative_to(root))] = Path(top, name).read_bytes()
    return found


_DESCRIPTORS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


def descriptors(below: Path | None = None) -> Counter[str]:
    """Count this process's open descriptors by what they lead to; only those below a folder, if given."""
    found: Counter[str] = Counter()
    for name in os.listdir(_DESCRIPTORS):
        try:
            target = os.readlink(f"{_DESCRIPTORS}/{name}")
        except OSError:
            continue  # the one that lists them
        if target == f"/proc/{os.getpid()}/fd" or (below is not None and not target.startswith(str(below))):
            continue
        found[target] += 1
    return found


class Jobs:
    """Every call that is handed to a worker thread, so that a test can see that all have ended.

    While ``may_begin`` is not set, calls are taken and do not begin.
    """

    def __init__(self, monkeypatch: Any) -> None:
        self.all: list[_workers.Job[Any]] = []
        self.may_begin = threading.Event()
        self.may_begin.set()
        start = _workers.Workers.start

        def held(call: Callable[..., Any], *args: Any) -> Any:
            assert self.may_begin.wait(WATCHDOG)
            return call(*args)

        def recorded(
            pool: _workers.Workers, call: Callable[..., Any], args: tuple[Any, ...]
        ) -> _workers.Job[Any]:
            job = start(pool, held, (call, *args))
            self.all.append(job)
            return job

        monkeypatch.setattr(_workers.Workers, "start", recorded)

    def unfinished(self) -> int:
        """Return how many calls are still running or queued."""
        return sum(not job.done for job in self.all)

    def settle(self) -> None:
        """Block this thread until all that was started has ended."""
        wait_for(lambda: not self.unfinished())


@contextmanager
def nothing_left(root: Path | None = None) -> Iterator[None]:
    """Fail if the block leaves a thread at work, an open descriptor, or a temporary file below ``root``."""
    gc.collect()
    before = descriptors()
    yield
    assert_nothing_left(before, root)


def assert_nothing_left(before: Counter[str], root: Path | None = None) -> None:
    """Fail if a thread works, a descriptor is open that was not before, or a temporary file is there.

    The descriptor of the root itself belongs to the backend, and may come and go.
    """
    wait_for(lambda: _workers.workers.busy() == 0)  # a worker goes idle a moment after its job has ended
    assert not state.inline
    more = descriptors() - before
    if root is not None:
        more.pop(str(root), None)
        assert temporaries(root) == []
    assert not more, f"left open: {dict(more)}"


class Thread(threading.Thread):
    """A thread whose error is raised in ``join``."""

    error: BaseException | None = None

    def run(self) -> None:
        try:
            super().run()
        except BaseException as error:
            self.error = error

    def join(self, timeout: float | None = WATCHDOG) -> None:
        super().join(timeout)
        assert not self.is_alive(), "the thread hangs"
        if self.error is not None:
            raise self.error


def in_threads(count: int, call: Callable[[int], object]) -> None:
    """Make a call in many threads at once, and wait for all of them."""
    threads = [Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def interrupt_when(event: threading.Event) -> None:
    """Send Ctrl-C to the main thread once an event has come."""

    def interrupt() -> None:
        assert event.wait(10)
        time.sleep(0.02)  # the main thread has to be in the waiting itself, not on the way to it
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
