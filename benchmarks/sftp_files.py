"""Files over SFTP: small ones, large ones, listings; near by, and 20 ms away.

The server is OpenSSH's, on the same machine, so client and server share its cores: wall
times say less than in a network, and the notes tell the client's processor time.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import Case, Sample, Target, Work, quiet
from benchmarks.s3_requests import Clock
from benchmarks.sftp_peers import PEERS, Peer
from benchmarks.sftp_place import Place

TITLE = "Files over SFTP"
SMALL: Final = bytes(4096)
LARGE: Final = 256 << 20
ENTRIES: Final = 10_000
FOLDERS: Final = 1_000


def prepare(work: Work) -> None:
    """Make the files, and start the server; it ends with this process."""
    work.folder.mkdir(parents=True)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    data = Path(tempfile.mkdtemp(prefix="sftp-benchmark-", dir=memory))
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    for number in range(work.pick(ENTRIES, ENTRIES // 10)):
        (data / "flat" / f"{number:05}").parent.mkdir(exist_ok=True)
        (data / "flat" / f"{number:05}").touch()
    for number in range(work.pick(FOLDERS, FOLDERS // 10)):
        folder = data / "tree" / f"{number % 30:02}" / f"{number:04}"
        folder.mkdir(parents=True)
        for name in range(10):
            (folder / str(name)).touch()
    with open(data / "large", "wb") as file:
        file.writelines(os.urandom(1 << 20) for _ in range(work.pick(LARGE, LARGE // 8) >> 20))
    command = [sys.executable, "-m", "benchmarks.sftp_server", str(work.folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(process.terminate)
    assert process.stdout is not None
    found = {**json.loads(process.stdout.readline()), "data": str(data)}
    (work.folder / "places.json").write_text(json.dumps(found))


def place_of(work: Work, where: str) -> Place:
    found = json.loads((work.folder / "places.json").read_text())
    return Place(found[where], work.folder, found["data"])


def measure(peer: Peer, where: str, verb: str, at_once: int, count: int, work: Work) -> Sample:
    """Return the seconds that pass for one call."""
    place, count = place_of(work, where), max(at_once, count // work.pick(1, 10))
    made = tempfile.mkdtemp(dir=place.data)
    for name in range(count) if verb in ("get", "stat") else ():
        Path(made, str(name)).write_bytes(SMALL)
    below = Path(made).name
    small = [f"{below}/{name}" for name in range(count)]
    whole: dict[str, list[tuple[Any, ...]]] = {
        "list": [("flat",)],
        "walk": [("tree",)],
        "down": [("large",)],
        "up": [(f"{below}/large", f"{place.data}/large")],
    }
    tasks = whole.get(verb) or [(name, SMALL) if verb in ("put", "atomic") else (name,) for name in small]
    run = threaded if peer.blocking else awaited
    try:
        clock = run(partial(peer.opened, place), verb, [tasks[n::at_once] for n in range(at_once)])
    finally:
        shutil.rmtree(made)
    return Sample(clock.wall / len(tasks), f"{clock.processor / len(tasks) * 1000:.2f} ms of client")


def awaited(opened: Callable[[], Any], verb: str, lanes: list[list[tuple[Any, ...]]]) -> Clock:
    async def lane(tasks: list[tuple[Any, ...]], call: Callable[..., Any]) -> None:
        for arguments in tasks:
            await call(*arguments)

    async def main() -> Clock:
        async with opened() as calls:
            await calls["stat"]("large")
            with quiet(), Clock() as clock:
                await asyncio.gather(*(lane(tasks, calls[verb]) for tasks in lanes))
            return clock

    return asyncio.run(main())


def threaded(opened: Callable[[], Any], verb: str, lanes: list[list[tuple[Any, ...]]]) -> Clock:
    with opened() as calls, ThreadPoolExecutor(len(lanes)) as threads:

        def lane(tasks: list[tuple[Any, ...]]) -> None:
            for arguments in tasks:
                calls[verb](*arguments)

        list(threads.map(lambda _: calls["stat"]("large"), lanes))
        with quiet(), Clock() as clock:
            list(threads.map(lane, lanes))
    return clock


VERBS: Final = {"put": "write", "get": "read", "atomic": "replace", "stat": "look at"}
JOBS: Final = {
    **{
        f"{name} 4 KiB, {at_once} at once{away}": (where, verb, at_once, count)
        for where, away, count in (("near", "", 1000), ("far", ", 20 ms away", 100))
        for verb, name in VERBS.items()
        for at_once in (1, 16, 64)
    },
    **{
        f"{name}{away}": (where, verb, 1, 1)
        for where, away in (("near", ""), ("far", ", 20 ms away"))
        for verb, name in (
            ("list", "list 10,000 files"), ("walk", "walk 1,000 folders"), ("down", "download 256 MiB"),
            ("up", "upload 256 MiB"),
        )
    },
}  # fmt: skip


def is_large(group: str) -> bool:
    return "256 MiB" in group


def unit(group: str) -> str:
    return "us" if "4 KiB" in group else "ms"


CASES = [
    Case(
        group,
        label,
        partial(measure, peer, *job),
        peer.process,
        "us" if "4 KiB" in group else "ms",
        fresh=True,
    )
    for group, job in JOBS.items()
    for label, peer in PEERS.items()
    if (is_large(group) or not peer.large_only)
    and not (is_large(group) and job[0] == "far" and peer.never_far)
]
TARGETS = [
    *(
        Target(group, "2.5 times as fast as asyncssh", 1 / 2.5, "asyncssh, tuned")
        for group in JOBS
        if not is_large(group)
    ),
    *(Target(group, "80 % of OpenSSH's sftp", 1 / 0.8, "sftp, gcm") for group in JOBS if is_large(group)),
]
