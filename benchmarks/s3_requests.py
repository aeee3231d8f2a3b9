"""What does a request to S3 cost the client, in processor time?

Against a server on the same machine that does nothing but answer, on a core of its own where
there are two. Beyond this machine the wire takes milliseconds for everybody, and the
client's processor time decides how many requests one process can make. The note of a line
is what one process did in a second.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import OURS, Case, Sample, Target, Work, quiet
from benchmarks.s3_logins import PAGES, SIZES, Server
from benchmarks.s3_peers import BLOCKING, BY_AIOHTTP, PEERS, Peer

TITLE = "Requests to S3, processor time of the client"


def prepare(work: Work) -> None:
    """Start the server; it ends with this process."""
    work.folder.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.s3_server", str(work.folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(process.kill)
    assert process.stdout is not None
    (work.folder / "ports.json").write_bytes(process.stdout.readline())


def server_of(work: Work, kind: str = "plain") -> Server:
    port = json.loads(Path(work.folder / "ports.json").read_text())[kind]
    if kind == "tls":
        return Server(f"https://127.0.0.1:{port}", str(work.folder / "ca.pem"))
    return Server(f"http://127.0.0.1:{port}")


def on_one_core() -> None:
    """Leave the last core to the server."""
    if hasattr(os, "sched_setaffinity"):
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores - {max(cores)} or cores)


class Clock:
    """Wall and processor time of a stretch."""

    def __enter__(self) -> Clock:
        self.wall, self.processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.processor = time.perf_counter() - self.wall, time.process_time() - self.processor


def measure(peer: Peer, kind: str, verb: str, size: str, at_once: int, count: int, work: Work) -> Sample:
    """Return the processor time of a request; of a listing, of a page."""
    on_one_core()
    count = max(at_once, count // work.pick(1, 10))
    keys = [f"{size}/{number:06}" for number in range(count)]
    rest = (bytes(SIZES[size]),) if verb == "put" else ()
    run = threaded if peer.blocking else awaited
    clock = run(
        partial(peer.opened, server_of(work, kind)), verb, [keys[n::at_once] for n in range(at_once)], rest
    )
    done = count * PAGES if verb == "list" else count
    return Sample((clock.wall if kind == "late" else clock.processor) / done, f"{done / clock.wall:,.0f}/s")


def awaited(opened: Callable[[], Any], verb: str, lanes: list[list[str]], rest: tuple[bytes, ...]) -> Clock:
    async def lane(keys: list[str], call: Callable[..., Any]) -> None:
        for key in keys:
            await call(key, *rest)

    async def main() -> Clock:
        async with opened() as calls:
            call = calls[verb]
            await asyncio.gather(*(lane(keys[:1], call) for keys in lanes))
            with quiet(), Clock() as clock:
                await asyncio.gather(*(lane(keys, call) for keys in lanes))
            return clock

    return asyncio.run(main())


def threaded(opened: Callable[[], Any], verb: str, lanes: list[list[str]], rest: tuple[bytes, ...]) -> Clock:
    with opened() as calls, ThreadPoolExecutor(len(lanes)) as threads:
        call = calls[verb]

        def lane(keys: list[str]) -> None:
            for key in keys:
                call(key, *rest)

        list(threads.map(lane, [keys[:1] for keys in lanes]))
        with quiet(), Clock() as clock:
            list(threads.map(lane, lanes))
    return clock


JOBS: Final = {
    **{
        f"{verb.upper()} {size}iB, {at_once} at once".replace("kiB", " KiB"): (
            "plain", verb, size, at_once, 600 if at_once == 1 else 1500,
        )
        for verb in ("get", "put") for size in ("1k", "64k") for at_once in (1, 10, 50)
    },
    **{
        f"HEAD, {at_once} at once": ("plain", "head", "1k", at_once, 600 if at_once == 1 else 1500)
        for at_once in (1, 10, 50)
    },
    "a page of 10,000 keys": ("plain", "list", "1k", 1, 3),
    "PUT 1 KiB, answered after 10 ms (wall time)": ("late", "put", "1k", 1, 60),
}  # fmt: skip
LIST, LATE = list(JOBS)[-2:]


def unit(group: str) -> str:
    return "ms" if group in (LIST, LATE) else "us"


CASES = [
    Case(group, label, partial(measure, peer, *job), peer.process, unit(group))
    for group, job in JOBS.items()
    for label, peer in PEERS.items()
]
_PLAIN = [group for group in JOBS if group not in (LIST, LATE)]
TARGETS = [
    *(Target(group, "aiohttp: a fifth of aiobotocore", 1 / 5, "aiobotocore", BY_AIOHTTP) for group in _PLAIN),
    *(Target(group, "aiohttp: level with obstore", 1, "obstore", BY_AIOHTTP) for group in _PLAIN),
    *(Target(group, "2.5 times as fast as obstore", 1 / 2.5, "obstore") for group in _PLAIN),
    *(Target(group, "level with obstore's threads", 1, "obstore, threads") for group in _PLAIN),
    *(
        Target(group, "blocking: 1.3 times async", 1.3, OURS, BLOCKING)
        for group in _PLAIN
        if ", 1 at" in group
    ),
    Target(LIST, "a twentieth of aiobotocore", 1 / 20, "aiobotocore"),
    Target(LIST, "ahead of obstore", 1, "obstore"),
    Target(LATE, "one round trip, in seconds", 0.013),
]
