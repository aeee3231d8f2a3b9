"""How much memory does it take to move 20,000 files and one of 2 GiB, with a limit of 64 MiB?

    python benchmarks/transfer_memory.py [--scale 0.01] [--data FOLDER]

From this machine to S3, and from there to a server of SFTP, each in a new process: the resident
memory that it had before it began, with its clients loaded, and at most. Files have 4 KiB to
1 MiB, as many between 4 and 8 KiB as between 512 KiB and 1 MiB. All of it takes 20 GiB of disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

MIB: Final = 1 << 20
ROOT: Final = Path(__file__).resolve().parent.parent
FILES: Final = 20_000
LARGE: Final = 2048 * MIB
LIMIT: Final = 64 * MIB
ALLOWANCE: Final = 60 * MIB
BUCKET: Final = "memory"
ROUTES: Final = (("local", "s3"), ("s3", "sftp"))
"""From where to where, one after the other: the second takes what the first has brought."""


def fill(folder: Path, scale: float) -> tuple[int, int]:
    """Make the files; return how many there are, and their bytes."""
    dice, block, total = random.Random(1), os.urandom(MIB), 0
    count, large = max(1, round(FILES * scale)), max(1, round(LARGE * scale / MIB))
    for number in range(count):
        path = folder / f"{number % 100:02}" / f"{number:05}"
        path.parent.mkdir(parents=True, exist_ok=True)
        total += path.write_bytes(block[: int(4096 * 256 ** dice.random())])
    with open(folder / "large", "wb") as file:
        file.writelines(block for _ in range(large))
    return count + 1, total + large * MIB


def status(name: str) -> int:
    """Return a figure of this process's memory in bytes: "VmRSS" now, "VmHWM" at its peak (Linux only)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def store(kind: str, places: dict[str, Any]) -> Any:
    from remote_store import AsyncStore, backends

    if kind == "local":
        return AsyncStore(backends.LocalBackend(places["local"]))
    if kind == "s3":
        return AsyncStore(backends.S3Backend(BUCKET, **places["s3"]))
    return AsyncStore(backends.SFTPBackend(**places["sftp"]))


async def transfer(source: str, target: str, places: dict[str, Any]) -> dict[str, Any]:
    """Move all of it; this is the process that is measured."""
    from remote_store import TransferOptions, aio

    async with store(source, places) as left, store(target, places) as right:
        before = status("VmRSS")
        for each in (left, right):
            await each.ping()
        connected, begun = status("VmRSS"), time.perf_counter()
        report = await aio.copy_tree(left, "", right, options=TransferOptions(memory_limit=LIMIT))
        seconds = time.perf_counter() - begun
    return {
        "before": before, "connected": connected, "peak": status("VmHWM"), "seconds": seconds,
        "files": report.done, "bytes": report.done_bytes,
    }  # fmt: skip


def measure(source: str, target: str, places: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.transfer_memory", "--move", source, target]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(places), text=True, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def show(scale: float, data: Path | None) -> None:
    from tests import services
    from tests.s3_buckets import Buckets

    with tempfile.TemporaryDirectory(prefix="remote-store-benchmarks-", dir=data) as name:
        folder = Path(name)
        there = fill(folder / "here", scale)
        (folder / "there").mkdir()
        with services.seaweedfs(folder / "server") as s3, services.sshd(folder / "ssh") as ssh:
            makes = Buckets(s3)
            makes._client.create_bucket(Bucket=BUCKET)
            places = {
                "local": str(folder / "here"),
                "s3": s3.options,
                "sftp": {**ssh.options, "base_path": str(folder / "there")},
            }
            print(
                f"{there[0]:,} files, {there[1] / MIB:,.0f} MiB; memory_limit {LIMIT // MIB} MiB", flush=True
            )
            for source, target in ROUTES:
                tell(source, target, measure(source, target, places), there)
            makes.close()


def tell(source: str, target: str, found: dict[str, Any], there: tuple[int, int]) -> None:
    assert (found["files"], found["bytes"]) == there, found
    limit = LIMIT + ALLOWANCE
    before, connected, peak = (f"{found[name] / MIB:.1f}" for name in ("before", "connected", "peak"))
    verdict = "met" if found["peak"] < limit else "MISSED"
    print(
        f"{source} -> {target}: {found['seconds']:.1f} s; resident {before} MiB before, {connected} MiB"
        f" connected, {peak} MiB at the peak (under {limit // MIB}: {verdict})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the memory of large transfers.")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the files and of the large one")
    parser.add_argument("--data", type=Path, help="an existing folder to work in")
    parser.add_argument("--move", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.move:
        source, target = chosen.move
        print(json.dumps(asyncio.run(transfer(source, target, json.load(sys.stdin)))))
    else:
        show(chosen.scale, chosen.data)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
