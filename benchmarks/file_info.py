"""How long does it take to ask for the size and time of one file?"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from benchmarks import peers
from benchmarks.harness import OURS, PUBLISHED, Case, Target, Work, make_files, per_await, per_call, repeated

TITLE = "Asking for one file's size and time"
FILES: Final = 100


def prepare(work: Work) -> None:
    make_files(work.folder / "files", FILES, 10)


def root(work: Work) -> str:
    return str(work.folder / "files")


def stat_call(peer: str, work: Work) -> Callable[[str], Any]:
    if peer == "obstore":
        import obstore

        return partial(obstore.head, peers.obstore(root(work)))
    calls: dict[str, Callable[[], Callable[[str], Any]]] = {
        "os": lambda: os.stat,
        OURS: lambda: peers.store(root(work)).get_file_info,
        "fsspec": lambda: peers.fsspec().info,
        "OpenDAL": lambda: peers.opendal(root(work)).stat,
        PUBLISHED: lambda: peers.store(root(work)).get_file_info,
    }
    return calls[peer]()


def stat_call_async(peer: str, work: Work) -> Callable[[str], Any]:
    if peer == "aiofiles":
        import aiofiles.os

        return aiofiles.os.stat
    if peer == "anyio":
        import anyio

        return lambda path: anyio.Path(path).stat()
    if peer == "obstore":
        import obstore

        return partial(obstore.head_async, peers.obstore(root(work)))
    calls: dict[str, Callable[[], Callable[[str], Any]]] = {
        OURS: lambda: peers.async_store(root(work)).get_file_info,
        "OpenDAL": lambda: peers.opendal_async(root(work)).stat,
        PUBLISHED: lambda: peers.published_async_store(root(work)).get_file_info,
    }
    return calls[peer]()


BY_PATH: Final = ("os", "fsspec", "aiofiles", "anyio")
STAT: Final = ("os", OURS, "fsspec", "obstore", "OpenDAL", PUBLISHED)
STAT_ASYNC: Final = (OURS, "aiofiles", "anyio", "obstore", "OpenDAL", PUBLISHED)


def measure(loop: str, peer: str, work: Work) -> float:
    call = stat_call_async(peer, work) if loop else stat_call(peer, work)
    names = [f"{number:06}.bin" for number in range(FILES)]
    arguments = [os.path.join(root(work), name) for name in names] if peer in BY_PATH else names
    job = repeated(call, arguments, work.pick(5000, 500))
    return per_await(job, loop) if loop else per_call(job)


CASES = [
    *(Case("blocking", peer, partial(measure, "", peer), peer) for peer in STAT),
    *(Case("asyncio", peer, partial(measure, "asyncio", peer), peer) for peer in STAT_ASYNC),
    *(Case("trio", peer, partial(measure, "trio", peer), peer) for peer in (OURS, "anyio")),
]
TARGETS = [Target("blocking", "within 3x of os", 3, "os")]
