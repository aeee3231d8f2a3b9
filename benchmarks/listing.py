"""How long does it take to list 10,000 files with their sizes, and to get the first of 100,000?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

from benchmarks import peers
from benchmarks.harness import OURS, PUBLISHED, Case, Target, Work, make_files, timed, timed_await

TITLE = "Listing files with their sizes"
FLAT, TREE, MANY = "flat", "tree", "many"
SCANDIR: Final = "os.scandir"


def prepare(work: Work) -> None:
    make_files(work.folder / FLAT, work.pick(10_000, 1_000), 10)
    make_files(work.folder / MANY, work.pick(100_000, 10_000), 10)
    for number in range(work.pick(100, 10)):
        make_files(work.folder / TREE / f"folder-{number}", 100, 10)


def root(work: Work) -> str:
    return str(work.folder)


# -- blocking: give every file's size ---------------------------------------------------


def scan(path: str, deep: bool) -> Iterator[int]:
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir():
                if deep:
                    yield from scan(entry.path, deep)
            else:
                yield entry.stat().st_size


def scandir(work: Work, folder: str, deep: bool) -> Iterator[int]:
    return scan(str(work.folder / folder), deep)


def store(work: Work, folder: str, deep: bool) -> Iterator[int]:
    return (info.size for info in peers.store(root(work)).list_files(folder, recursive=deep))


def fsspec(work: Work, folder: str, deep: bool) -> Iterator[int]:
    path, files = str(work.folder / folder), peers.fsspec()
    found = files.find(path, detail=True).values() if deep else files.ls(path, detail=True)
    return (info["size"] for info in found)


def obstore(work: Work, folder: str, deep: bool) -> Iterator[int]:
    import obstore

    opened = peers.obstore(root(work))
    if not deep:
        return (found["size"] for found in obstore.list_with_delimiter(opened, folder)["objects"])
    return (found["size"] for page in obstore.list(opened, folder) for found in page)


def opendal(work: Work, folder: str, deep: bool) -> Iterator[int]:
    found = peers.opendal(root(work)).list(f"{folder}/", recursive=deep)
    return (entry.metadata.content_length for entry in found if entry.metadata.is_file)


BLOCKING: Final[dict[str, tuple[str, Callable[[Work, str, bool], Iterator[int]]]]] = {
    SCANDIR: ("os", scandir),
    OURS: (OURS, store),
    "fsspec": ("fsspec", fsspec),
    "obstore": ("obstore", obstore),
    "OpenDAL": ("OpenDAL", opendal),
    PUBLISHED: (PUBLISHED, store),
}

# -- async: return how many files there are, having seen each one's size ------------------


async def async_store(work: Work, folder: str, deep: bool) -> int:
    listing = peers.async_store(root(work)).list_files(folder, recursive=deep)
    return sum([info.size >= 0 async for info in listing])


async def anyio(work: Work, folder: str, deep: bool) -> int:
    import anyio

    names = anyio.Path(work.folder, folder).glob("**/*.bin" if deep else "*.bin")
    return sum([(await path.stat()).st_size >= 0 async for path in names])


async def obstore_async(work: Work, folder: str, deep: bool) -> int:
    import obstore

    opened = peers.obstore(root(work))
    if not deep:
        found = (await obstore.list_with_delimiter_async(opened, folder))["objects"]
        return sum(info["size"] >= 0 for info in found)
    return sum([info["size"] >= 0 async for page in obstore.list(opened, folder) for info in page])


async def opendal_async(work: Work, folder: str, deep: bool) -> int:
    found = await peers.opendal_async(root(work)).list(f"{folder}/", recursive=deep)
    return sum([entry.metadata.content_length >= 0 async for entry in found if entry.metadata.is_file])


async def published_async_store(work: Work, folder: str, deep: bool) -> int:
    listing = peers.published_async_store(root(work)).list_files(folder, recursive=deep)
    return sum([info.size >= 0 async for info in listing])


ASYNC: Final[dict[str, tuple[str, Callable[[Work, str, bool], Any]]]] = {
    OURS: (OURS, async_store),
    "anyio": ("anyio", anyio),
    "obstore": ("obstore", obstore_async),
    "OpenDAL": ("OpenDAL", opendal_async),
    PUBLISHED: (PUBLISHED, published_async_store),
}

# -- what is measured -----------------------------------------------------------------------


def measure_list(
    loop: str, folder: str, deep: bool, make: Callable[[Work, str, bool], Any], work: Work
) -> float:
    counts: list[int] = []

    def blocking() -> None:
        counts.append(sum(size >= 0 for size in make(work, folder, deep)))

    async def awaited() -> None:
        counts.append(await make(work, folder, deep))

    seconds = timed_await(awaited, loop) if loop else timed(blocking)
    assert counts == [work.pick(10_000, 1_000)], f"{counts[0]} files"
    return seconds


def measure_first(make: Callable[[Work, str, bool], Iterator[int]], work: Work) -> float:
    return timed(lambda: list(islice(make(work, MANY, False), 1)))


def _lists(loop: str, rows: dict[str, tuple[str, Callable[[Work, str, bool], Any]]]) -> list[Case]:
    cases: list[Case] = []
    for folder, deep, where in ((FLAT, False, "a folder"), (TREE, True, "100 folders")):
        group = f"{loop or 'blocking'}, 10,000 in {where}"
        if loop:  # what all are compared with, measured in the same run, needs no loop
            cases.append(Case(group, SCANDIR, partial(measure_list, "", folder, deep, scandir), "os", "ms"))
        for label, (peer, make) in rows.items():
            cases.append(Case(group, label, partial(measure_list, loop, folder, deep, make), peer, "ms"))
    return cases


CASES = [
    *_lists("", BLOCKING),
    *(
        Case("first of 100,000", label, partial(measure_first, make), peer, "ms")
        for label, (peer, make) in BLOCKING.items()
    ),
    *_lists("asyncio", ASYNC),
    *_lists("trio", {peer: ASYNC[peer] for peer in (OURS, "anyio")}),
]
TARGETS = [
    *(
        Target(f"{way}, 10,000 in {where}", f"within 3x of {SCANDIR}", 3, SCANDIR)
        for way in ("blocking", "asyncio", "trio")
        for where in ("a folder", "100 folders")
    ),
    Target("first of 100,000", "under 100 ms", 0.1),
]
