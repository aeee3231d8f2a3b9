"""How fast do whole folders go to a server, and come back?

Client and server share the cores of one machine, so wall times say less than in a network;
the notes tell the processor time of the client, that of the programs it starts too.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from benchmarks import transfer_peers as peers
from benchmarks import transfer_programs as programs
from benchmarks.harness import OURS, PUBLISHED, Case, Sample, Target, Work, quiet
from benchmarks.transfer_places import job, prepare

__all__ = ["CASES", "TARGETS", "TITLE", "prepare"]

TITLE = "Whole folders"
BLOCKING: Final = f"{OURS}, blocking"
TUNED: Final[dict[str, Any]] = {"encryption_algs": peers.GCM, "window": 16 << 20}

Peers = dict[str, tuple[str, Callable[..., Any]]]
"""By label: the process that has it, and what gets it ready."""
OUR_OWN: Final[Peers] = {
    OURS: (OURS, peers.ours),
    f"{OURS}, uvloop": (OURS, partial(peers.ours, loop="uvloop")),
    BLOCKING: (OURS, peers.ours_blocking),
}
RCLONE: Final[Peers] = {
    "rclone": ("os", programs.rclone),
    "rclone, 32 at once": ("os", partial(programs.rclone, at_once=32)),
}
KINDS: Final[dict[str, Peers]] = {
    "s3": {
        **OUR_OWN,
        "obstore, 16 at once": ("obstore", partial(peers.obstore, at_once=16)),
        "obstore, 64 at once": ("obstore", partial(peers.obstore, at_once=64)),
        "s3fs": ("s3fs", peers.s3fs),
        PUBLISHED: (PUBLISHED, peers.published),
        **RCLONE,
        "s5cmd": ("os", programs.s5cmd),
    },
    "sftp": {
        **OUR_OWN,
        "asyncssh": ("asyncssh", peers.asyncssh),
        "asyncssh, tuned": ("asyncssh", partial(peers.asyncssh, **TUNED)),
        PUBLISHED: (PUBLISHED, peers.published),
        **RCLONE,
        "sftp, gcm": ("os", programs.openssh),
    },
    "local": {**OUR_OWN, "cp -r": ("os", programs.cp), "rsync": ("os", programs.rsync)},
}
NATIVE: Final = (*RCLONE, "s5cmd", "sftp, gcm", "cp -r", "rsync")
"""Programs: half of the speed of the fastest is hoped for. All others are Python's, and to be beaten."""
SETS: Final = {
    "s3": ("2,000 x 16 KiB", "200 x 1 MiB", "1 x 1 GiB"),
    "sftp": ("1,000 x 4 KiB", "1 x 256 MiB"),
    "local": ("2,000 x 16 KiB", "200 x 1 MiB", "1 x 1 GiB"),
}
TITLES: Final = {"s3": "S3", "sftp": "SFTP", "local": "local"}
GROUPS: Final = {
    f"local -> {TITLES[kind]}, {name}" if up else f"{TITLES[kind]} -> local, {name}": (kind, up, name)
    for kind, names in SETS.items()
    for up in (True, False)
    if up or kind != "local"
    for name in names
}


def processor() -> float:
    """Return the processor time so far of this process, and of those that it has started and that ended."""
    own, started = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(part.ru_utime + part.ru_stime for part in (own, started))


def measure(ready: Callable[..., Any], kind: str, up: bool, name: str, work: Work) -> Sample:
    with job(work, kind, up, name) as one:
        run = ready(one)
        with quiet():
            used, begun = processor(), time.perf_counter()
            run()
            seconds = time.perf_counter() - begun
        used = processor() - used
    return Sample(seconds, f"{used * 1000:,.0f} ms of client")


CASES = [
    Case(group, label, partial(measure, ready, *what), process, "ms", fresh=True)
    for group, what in GROUPS.items()
    for label, (process, ready) in KINDS[what[0]].items()
]
TARGETS = [
    Target(
        group, "half of its speed" if label in NATIVE else "faster", 2.0 if label in NATIVE else 1.0, label
    )
    for group, what in GROUPS.items()
    for label in KINDS[what[0]]
    if label not in OUR_OWN
]
