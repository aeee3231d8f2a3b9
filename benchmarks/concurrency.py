"""How many files at once are best, from where to where, and does a number that looks for itself find it?

``default`` is what a transfer takes if it is not told. The long way is that of ``long_way``.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from typing import Any, Final

from benchmarks import transfer_places as places
from benchmarks.climbing import climb
from benchmarks.harness import OURS, Case, Sample, Target, Work, quiet, run_on
from benchmarks.transfer_peers import our_backend, our_path

__all__ = ["CASES", "TARGETS", "TITLE", "prepare"]

TITLE = "Files at once"
FIXED: Final = (2, 4, 8, 16, 32, 64, 128)
DEFAULT: Final = "default"
CLIMBING: Final = "climbing"
SMALL, MIDDLE, TINY = "2,000 x 16 KiB", "200 x 1 MiB", "1,000 x 4 KiB"
WAYS: Final = (
    ("local", True, False, SMALL),
    ("local", True, False, MIDDLE),
    *(("s3", up, False, name) for name in (SMALL, MIDDLE) for up in (True, False)),
    *(("s3", up, True, TINY) for up in (True, False)),
    *(("sftp", up, far, TINY) for far in (False, True) for up in (True, False)),
)
"""What is at the other end, whether up to it, whether far away, and which files."""


def prepare(work: Work) -> None:
    """Make the folders, and start the servers and the long ways to them."""
    places.prepare(work)
    found = places.servers(work)
    s3_port = found.s3_url.rpartition(":")[2]
    command = [sys.executable, "-m", "benchmarks.long_way", s3_port, str(found.ssh_port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(process.kill)
    assert process.stdout is not None
    (work.folder / "far.json").write_bytes(process.stdout.readline())


def far_away(job: places.Job, work: Work) -> places.Job:
    """Return the job by the long way."""
    s3_port, ssh_port = json.loads((work.folder / "far.json").read_text())
    found = job.servers
    keys = found.known_host_keys.replace(str(found.ssh_port), str(ssh_port))
    url = f"{found.s3_url.rpartition(':')[0]}:{s3_port}"
    return replace(job, servers=replace(found, s3_url=url, ssh_port=ssh_port, known_host_keys=keys))


def measure(setting: int | str, kind: str, up: bool, far: bool, name: str, work: Work) -> Sample:
    from remote_store import AsyncStore, TransferOptions, aio

    if setting == CLIMBING:
        climb()
    options = TransferOptions(concurrency=setting if isinstance(setting, int) else None)
    with places.job(work, kind, up, name) as near:
        one = far_away(near, work) if far else near
        store = AsyncStore(our_backend(one))

        async def main() -> float:
            async with store:
                await store.ping()
                begun = time.perf_counter()
                call: Any = aio.upload if up else aio.download
                sides = (one.local, store, our_path(one)) if up else (store, our_path(one), one.local)
                await call(*sides, options=options)
                return time.perf_counter() - begun

        with quiet():
            return Sample(run_on("asyncio", main))


def group(kind: str, up: bool, far: bool, name: str) -> str:
    there = {"local": "local", "s3": "S3", "sftp": "SFTP"}[kind]
    return f"{f'local -> {there}' if up else f'{there} -> local'}, {name}{', 20 ms away' if far else ''}"


def label(setting: int | str) -> str:
    return setting if isinstance(setting, str) else f"{setting} at once"


CASES = [
    Case(group(*way), label(setting), partial(measure, setting, *way), OURS, "ms", fresh=True)
    for way in WAYS
    for setting in (DEFAULT, CLIMBING, *FIXED)
]
TARGETS = [
    Target(group(*way), "nine tenths of the speed", 1 / 0.9, label(setting), ours)
    for way in WAYS
    for ours in (DEFAULT, CLIMBING)
    for setting in FIXED
]
