"""How fast does 1 GiB stream: from file to file, in only, out only?

``open()`` is ``shutil.copyfileobj`` from one plain file to another, with chunks of the same
size, or one half of that. Every target is a new file, and what came before it is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from benchmarks import streams
from benchmarks.harness import LOOPS, OURS, Case, Target, Work, timed, timed_await
from benchmarks.streams import MIB, PLAIN

Rows: TypeAlias = dict[str, tuple[str, Callable[..., Any]]]

TITLE = "Streaming 1 GiB"
prepare = streams.prepare


def measure(call: Callable[..., Any], loop: str, work: Work) -> float:
    target, source = work.folder / streams.TARGET, work.folder / streams.SOURCE
    try:
        _once(call, loop, work, streams.SMALL)
        target.unlink(missing_ok=True)  # before the clock runs, for freeing a file's pages takes time too
        seconds = _once(call, loop, work, streams.SOURCE)
        assert not target.exists() or target.stat().st_size == source.stat().st_size, (
            "the target is incomplete"
        )
        return seconds
    finally:
        target.unlink(missing_ok=True)


def _once(call: Callable[..., Any], loop: str, work: Work, source: str) -> float:
    bound = partial(call, work, source)
    return timed_await(bound, loop) if loop else timed(bound)


def _files(files: Rows, leg: Callable[..., Any], **options: Any) -> Rows:
    return {label: (peer, partial(leg, open_file, **options)) for label, (peer, open_file) in files.items()}


def _cases(group: str, rows: Rows, loop: str) -> list[Case]:
    return [
        Case(group, label, partial(measure, call, "" if peer == "os" else loop), peer, "ms")
        for label, (peer, call) in rows.items()
        if loop != "trio" or peer in ("os", OURS, "anyio")
    ]


def _async_cases(loop: str) -> list[Case]:
    # What all are compared with is measured in the same run, and needs no loop.
    reference = {PLAIN: streams.FILES[PLAIN]}
    copies = {**_files(reference, streams.copy), **streams.ASYNC_COPIES}
    reads = {**_files(reference, streams.read), **_files(streams.ASYNC_FILES, streams.read_async)}
    writes = {**_files(reference, streams.write), **_files(streams.ASYNC_FILES, streams.write_async)}
    return [
        *_cases(f"copy, {loop}, 1 MiB chunks", copies, loop),
        *_cases(f"read, {loop}, 1 MiB chunks", reads, loop),
        *_cases(f"write, {loop}, 1 MiB chunks", writes, loop),
    ]


CHUNKS: Final = {"64 KiB": MIB // 16, "1 MiB": MIB}
CASES = [
    *(
        case
        for text, chunk in CHUNKS.items()
        for case in _cases(
            f"copy, blocking, {text} chunks", _files(streams.FILES, streams.copy, chunk=chunk), ""
        )
    ),
    *_cases("read, blocking, 1 MiB chunks", _files(streams.FILES, streams.read), ""),
    *_cases("write, blocking, 1 MiB chunks", _files(streams.FILES, streams.write), ""),
    *(case for loop in LOOPS for case in _async_cases(loop)),
]
TARGETS = [
    *(Target(f"copy, blocking, {text} chunks", f"80 % of {PLAIN}", 1 / 0.8, PLAIN) for text in CHUNKS),
    *(
        Target(f"copy, {loop}, 1 MiB chunks", f"60 % of {PLAIN}: {ours}", 1 / 0.6, PLAIN, ours)
        for loop in LOOPS
        for ours in (streams.BY_CHUNKS, streams.BY_WRITE)
    ),
]
