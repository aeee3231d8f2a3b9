"""How long does it take to read a whole 4 KiB file that is in the page cache?"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from benchmarks import peers
from benchmarks.harness import (
    LOOPS,
    OURS,
    PUBLISHED,
    Case,
    Job,
    Target,
    Work,
    make_files,
    per_await,
    per_call,
    repeated,
)

TITLE = "Reading 4 KiB files"
SIZE = 4096
FILES = 100


def prepare(work: Work) -> None:
    make_files(work.folder / "files", FILES, SIZE)


def root(work: Work) -> str:
    return str(work.folder / "files")


def names(work: Work) -> list[str]:
    return sorted(os.listdir(root(work)))


def paths(work: Work) -> list[str]:
    return [os.path.join(root(work), name) for name in names(work)]


# -- blocking ------------------------------------------------------------------


def raw_read(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)


def obstore(work: Work) -> Callable[[str], object]:
    import obstore

    store = peers.obstore(root(work))
    return lambda name: obstore.get(store, name).bytes()


BLOCKING: dict[str, tuple[Callable[[Work], Callable[[str], Any]], Callable[[Work], Sequence[str]]]] = {
    "os": (lambda _: raw_read, paths),
    OURS: (lambda work: peers.store(root(work)).read_bytes, names),
    "fsspec": (lambda _: peers.fsspec().cat_file, paths),
    "obstore": (obstore, names),
    "OpenDAL": (lambda work: peers.opendal(root(work)).read, names),
    PUBLISHED: (lambda work: peers.store(root(work)).read_bytes, names),
}


# -- async ---------------------------------------------------------------------


async def raw_read_in_thread(path: str) -> bytes:
    return await asyncio.to_thread(raw_read, path)


async def raw_read_in_thread_of_trio(path: str) -> bytes:
    import trio

    return await trio.to_thread.run_sync(raw_read, path)


async def aiofiles_read(path: str) -> bytes:
    import aiofiles

    async with aiofiles.open(path, "rb") as file:
        return await file.read()


async def anyio_read(path: str) -> bytes:
    import anyio

    async with await anyio.open_file(path, "rb") as file:
        return await file.read()


def obstore_async(work: Work) -> Callable[[str], Awaitable[object]]:
    import obstore

    store = peers.obstore(root(work))

    async def read(name: str) -> object:
        return await (await obstore.get_async(store, name)).bytes_async()

    return read


ASYNC: dict[str, tuple[Callable[[Work, str], Callable[[str], Any]], Callable[[Work], Sequence[str]]]] = {
    "os": (lambda _, loop: raw_read_in_thread_of_trio if loop == "trio" else raw_read_in_thread, paths),
    OURS: (lambda work, _: peers.async_store(root(work)).read_bytes, names),
    "aiofiles": (lambda _, __: aiofiles_read, paths),
    "anyio": (lambda _, __: anyio_read, paths),
    "obstore": (lambda work, _: obstore_async(work), names),
    "OpenDAL": (lambda work, _: peers.opendal_async(root(work)).read, names),
    PUBLISHED: (lambda work, _: peers.published_async_store(root(work)).read_bytes, names),
}
ON_TRIO = ("os", OURS, "anyio")


# -- what is measured ------------------------------------------------------------


def measure_blocking(peer: str, work: Work) -> float:
    make, arguments = BLOCKING[peer]
    call = make(work)
    check(call(arguments(work)[0]))
    return per_call(repeated(call, arguments(work), work.pick(5000, 500)))


def measure_async(peer: str, loop: str, at_once: int, work: Work) -> float:
    make, arguments = ASYNC[peer]
    call = make(work, loop)

    async def checked(argument: str) -> None:
        check(await call(argument))

    per_await(Job(checked, arguments(work)[:1], ()), loop)
    count = work.pick(2000, 200) if at_once == 1 else work.pick(5000, 500)
    return per_await(repeated(call, arguments(work), count), loop, at_once)


def check(content: Any) -> None:
    assert len(content) == SIZE, f"{len(content)} bytes"


def group(loop: str, at_once: int) -> str:
    return f"{loop}, {'one at a time' if at_once == 1 else f'{at_once} at once'}"


CASES = [
    *(Case("blocking", peer, partial(measure_blocking, peer), peer) for peer in BLOCKING),
    *(
        Case(group(loop, at_once), peer, partial(measure_async, peer, loop, at_once), peer)
        for loop in LOOPS
        for at_once in (1, 50)
        for peer in (ON_TRIO if loop == "trio" else ASYNC)
    ),
]
TARGETS = [
    Target("blocking", "within 3x of os", 3, "os"),
    *(
        Target("blocking", f"5x faster than {peer}", 1 / 5, peer)
        for peer in ("obstore", "OpenDAL", PUBLISHED)
    ),
    *(
        Target(group(loop, at_once), f"1.5x faster than {peer}", 1 / 1.5, peer)
        for loop in ("asyncio", "uvloop")
        for at_once in (1, 50)
        for peer in ("aiofiles", "obstore")
    ),
]
