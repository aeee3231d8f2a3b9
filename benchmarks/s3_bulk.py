"""How fast do large objects come and go, and what does that cost in processor time and memory?

On one machine the server takes as much processor time as the client, so wall times say
less than in a network; the notes tell the client's own time and how much memory it added.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from benchmarks.harness import OURS, Case, Sample, Target, Work, quiet
from benchmarks.s3_logins import LARGE
from benchmarks.s3_peers import PEERS, Peer
from benchmarks.s3_requests import Clock, prepare, server_of

__all__ = ["CASES", "TARGETS", "TITLE", "prepare"]

TITLE = "Large objects in S3"
_PEAK_UNIT: Final = 1 if sys.platform == "darwin" else 1024
WITHOUT_TLS: Final = frozenset(("OpenDAL",))
"""It takes no certificate of our own."""


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT


def measure(peer: Peer, kind: str, verb: str, work: Work) -> Sample:
    opened = partial(peer.opened, server_of(work, kind))
    arguments = ("big/1",) if verb == "download" else ("big/1", work.pick(LARGE, LARGE // 8))
    clock, memory = (threaded if peer.blocking else awaited)(opened, verb, arguments)
    return Sample(clock.wall, f"{clock.processor * 1000:,.0f} ms of client, {memory / (1 << 20):,.0f} MiB")


def awaited(
    opened: Callable[[], Any], verb: str, arguments: tuple[Any, ...], size: int = LARGE
) -> tuple[Clock, int]:
    async def main() -> tuple[Clock, int]:
        async with opened() as calls:
            await calls["get"]("1k/1")
            before = peak()
            with quiet(), Clock() as clock:
                check(verb, await calls[verb](*arguments), size)
            return clock, peak() - before

    return asyncio.run(main())


def threaded(
    opened: Callable[[], Any], verb: str, arguments: tuple[Any, ...], size: int = LARGE
) -> tuple[Clock, int]:
    with opened() as calls:
        calls["get"]("1k/1")
        before = peak()
        with quiet(), Clock() as clock:
            check(verb, calls[verb](*arguments), size)
        return clock, peak() - before


def check(verb: str, result: object, size: int) -> None:
    assert verb != "download" or result == size, result


GROUPS: Final = {
    f"{verb} 256 MiB over {name}": (kind, verb)
    for verb in ("download", "upload")
    for name, kind in (("http", "plain"), ("TLS", "tls"))
}
MISSING: Final = {("aiobotocore", "upload"), ("s3fs", "download")}
"""What a library leaves to its user, or does with the whole object in memory."""
CASES = [
    Case(group, label, partial(measure, peer, kind, verb), peer.process, "ms", fresh=True)
    for group, (kind, verb) in GROUPS.items()
    for label, peer in PEERS.items()
    if (label, verb) not in MISSING and not (kind == "tls" and label in WITHOUT_TLS)
]
TARGETS = [Target(group, "level with obstore", 1, "obstore", OURS) for group in GROUPS]
