"""How fast do 512 MiB come and go through Arrow's S3 client: by ours, by itself, and beside others?

The server is that of the other questions about S3; it keeps nothing, so what is measured is the client.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from benchmarks import s3_async_peers as with_await
from benchmarks import s3_blocking_peers as blocking
from benchmarks.harness import OURS, PUBLISHED, Case, Sample, Target, Work
from benchmarks.s3_bulk import awaited, threaded
from benchmarks.s3_logins import SIZES
from benchmarks.s3_peers import Peer
from benchmarks.s3_requests import prepare, server_of

__all__ = ["CASES", "TARGETS", "TITLE", "prepare"]

TITLE = "Large objects in S3 through Arrow"
ARROW: Final = f"{OURS}, s3-pyarrow"
ARROW_BLOCKING: Final = f"{ARROW}, blocking"
PEERS: Final = {
    ARROW: Peer(OURS, partial(with_await.ours, arrow=True)),
    ARROW_BLOCKING: Peer(OURS, partial(blocking.ours_blocking, arrow=True), blocking=True),
    f"{OURS}, s3": Peer(OURS, with_await.ours),
    f"{OURS}, s3, blocking": Peer(OURS, blocking.ours_blocking, blocking=True),
    "pyarrow": Peer("pyarrow", blocking.pyarrow, blocking=True),
    "obstore": Peer("obstore", with_await.obstore),
    "obstore, threads": Peer("obstore", blocking.obstore_threads, blocking=True),
    PUBLISHED: Peer(PUBLISHED, partial(blocking.published, arrow=True), blocking=True),
}

WITHOUT_TLS: Final = frozenset((PUBLISHED,))
"""Its Arrow cannot be told of an authority of our own."""


def measure(peer: Peer, kind: str, verb: str, work: Work) -> Sample:
    size = work.pick("512m", "64m")
    opened: Callable[[], Any] = partial(peer.opened, server_of(work, kind))
    arguments = (f"{size}/1", SIZES[size]) if verb == "upload" else (f"{size}/1",)
    clock, memory = (threaded if peer.blocking else awaited)(opened, verb, arguments, SIZES[size])
    return Sample(clock.wall, f"{clock.processor * 1000:,.0f} ms of client, {memory / (1 << 20):,.0f} MiB")


VERBS: Final = {"read at once": "get", "stream in": "download", "write": "upload"}
GROUPS: Final = {
    f"{title} 512 MiB over {name}": (kind, verb)
    for title, verb in VERBS.items()
    for name, kind in (("http", "plain"), ("TLS", "tls"))
}
CASES = [
    Case(group, label, partial(measure, peer, kind, verb), peer.process, "ms", fresh=True)
    for group, (kind, verb) in GROUPS.items()
    for label, peer in PEERS.items()
    if not (kind == "tls" and label in WITHOUT_TLS)
]
TARGETS = [
    Target(group, wish, limit, against, ARROW_BLOCKING)
    for group, (kind, _) in GROUPS.items()
    for wish, limit, against in (
        ("nine tenths of pyarrow", 1 / 0.9, "pyarrow"),
        ("no slower than the published one", 1, PUBLISHED),
    )
    if not (kind == "tls" and against in WITHOUT_TLS)
]
