"""How much memory does it take to stream 1 GiB, and to list 100,000 files?

Peak resident memory, above that of the same process after an empty file or folder: the
library is loaded by then. Each figure comes from a new process.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import listing, streams
from benchmarks.harness import OURS, Case, Target, Work, make_files, run_on

TITLE = "Memory added"
STATUS: Final = Path("/proc/self/status")
EMPTY: Final = "empty"
THROUGH: Final = "1 GiB from file to file"
LISTED: Final = "list 100,000 files"


def prepare(work: Work) -> None:
    streams.prepare(work)
    (work.folder / EMPTY).mkdir()
    make_files(work.folder / listing.MANY, work.pick(100_000, 10_000), 10)


def peak() -> int:
    """Return the most bytes of memory that this process has had so far."""
    if STATUS.exists():
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    # Not on Linux: there this figure would begin with that of the process that started us.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def added(first: Callable[[], object], then: Callable[[], object]) -> float:
    """Return by how many bytes the peak grows when the second call follows the first."""
    first()
    before = peak()
    then()
    return peak() - before


def measure_stream(call: Callable[..., Any], loop: str, work: Work) -> float:
    def stream(source: str) -> None:
        bound = partial(call, work, source)
        if loop:
            run_on(loop, bound)
        else:
            bound()
        (work.folder / streams.TARGET).unlink()

    return added(partial(stream, streams.EMPTY), partial(stream, streams.SOURCE))


def measure_list(make: Callable[[Work, str, bool], Any], loop: str, work: Work) -> float:
    def count(folder: str) -> None:
        if loop:
            run_on(loop, lambda: make(work, folder, False))
        else:
            sum(size >= 0 for size in make(work, folder, False))

    return added(partial(count, EMPTY), partial(count, listing.MANY))


def _streams() -> list[Case]:
    rows: list[tuple[str, str, str, Callable[..., Any]]] = [
        (label, peer, "", partial(streams.copy, open_file))
        for label, (peer, open_file) in streams.FILES.items()
    ]
    for label, (peer, copy) in streams.ASYNC_COPIES.items():
        rows.append((f"{label}, asyncio", peer, "asyncio", copy))
        if peer == OURS:
            rows.append((f"{label}, trio", peer, "trio", copy))
    return [
        Case(THROUGH, label, partial(measure_stream, copy, loop), peer, "MiB", fresh=True)
        for label, peer, loop, copy in rows
    ]


def _lists() -> list[Case]:
    rows = [(label, peer, "", make) for label, (peer, make) in listing.BLOCKING.items()]
    more = [(f"{label}, asyncio", peer, "asyncio", make) for label, (peer, make) in listing.ASYNC.items()]
    return [
        Case(LISTED, label, partial(measure_list, make, loop), peer, "MiB", fresh=True)
        for label, peer, loop, make in [*rows, *more]
    ]


CASES = [*_streams(), *_lists()]
TARGETS = [
    Target(group, f"under 32 MiB: {case.label}", 32 << 20, ours=case.label)
    for group in (THROUGH, LISTED)
    for case in CASES
    if case.peer == OURS and case.group == group
]
