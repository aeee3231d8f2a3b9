"""How long does it take to write a 4 KiB file: over an old one, as a new one, atomically?

Ours writes atomically in all three groups, obstore too. The others write in place, and
atomically means there: a file of another name, renamed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import peers
from benchmarks.harness import OURS, PUBLISHED, Case, Job, Target, Work, per_await, per_call

TITLE = "Writing 4 KiB files"
CONTENT: Final = b"x" * 4096
OVERWRITE, CREATE, ATOMIC = KINDS = ("overwrite", "create", "replace atomically")


def prepare(work: Work) -> None:
    (work.folder / "files").mkdir(parents=True)


def root(work: Work) -> str:
    return str(work.folder / "files")


# -- blocking: a call that writes under a name ------------------------------------


def raw(work: Work, kind: str) -> Callable[[str], object]:
    base = root(work)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if kind == CREATE else os.O_TRUNC)

    def write(name: str) -> None:
        path = f"{base}/{name}"
        target = f"{path}.tmp" if kind == ATOMIC else path
        file = os.open(target, flags, 0o666)
        try:
            os.write(file, CONTENT)
        finally:
            os.close(file)
        if kind == ATOMIC:
            os.replace(target, path)

    return write


def store(work: Work, kind: str) -> Callable[[str], object]:
    opened = peers.store(root(work))
    write = opened.write_atomic if kind == ATOMIC else opened.write
    return lambda name: write(name, CONTENT, overwrite=kind != CREATE)


def fsspec(work: Work, kind: str) -> Callable[[str], object]:
    base, files = root(work), peers.fsspec()
    mode = "create" if kind == CREATE else "overwrite"
    return lambda name: files.pipe_file(f"{base}/{name}", CONTENT, mode=mode)


def obstore(work: Work, kind: str) -> Callable[[str], object]:
    import obstore

    opened = peers.obstore(root(work))
    return lambda name: obstore.put(opened, name, CONTENT, mode="create" if kind == CREATE else "overwrite")


def opendal(work: Work, kind: str) -> Callable[[str], object]:
    opened = peers.opendal(root(work))
    if kind == CREATE:
        return lambda name: opened.write(name, CONTENT, if_not_exists=True)
    return lambda name: opened.write(name, CONTENT)


# -- async -------------------------------------------------------------------------


def async_store(work: Work, kind: str) -> Callable[[str], Any]:
    opened = peers.async_store(root(work))
    write = opened.write_atomic if kind == ATOMIC else opened.write
    return lambda name: write(name, CONTENT, overwrite=kind != CREATE)


def published_async_store(work: Work, kind: str) -> Callable[[str], Any]:
    opened = peers.published_async_store(root(work))
    write = opened.write_atomic if kind == ATOMIC else opened.write
    return lambda name: write(name, CONTENT, overwrite=kind != CREATE)


def aiofiles(work: Work, kind: str) -> Callable[[str], Any]:
    import aiofiles
    import aiofiles.os

    base = root(work)

    async def write(name: str) -> None:
        path = f"{base}/{name}"
        if kind != ATOMIC:
            async with aiofiles.open(path, "xb" if kind == CREATE else "wb") as file:
                await file.write(CONTENT)
            return
        async with aiofiles.open(f"{path}.tmp", "wb") as file:
            await file.write(CONTENT)
        await aiofiles.os.replace(f"{path}.tmp", path)

    return write


def anyio(work: Work, kind: str) -> Callable[[str], Any]:
    import anyio

    base = root(work)

    async def write(name: str) -> None:
        path = anyio.Path(base, name)
        target = anyio.Path(base, f"{name}.tmp") if kind == ATOMIC else path
        async with await anyio.open_file(target, "xb" if kind == CREATE else "wb") as file:
            await file.write(CONTENT)
        if kind == ATOMIC:
            await target.replace(path)

    return write


def obstore_async(work: Work, kind: str) -> Callable[[str], Any]:
    import obstore

    opened = peers.obstore(root(work))
    mode: Any = "create" if kind == CREATE else "overwrite"
    return lambda name: obstore.put_async(opened, name, CONTENT, mode=mode)


def opendal_async(work: Work, kind: str) -> Callable[[str], Any]:
    opened = peers.opendal_async(root(work))
    if kind == CREATE:
        return lambda name: opened.write(name, CONTENT, if_not_exists=True)
    return lambda name: opened.write(name, CONTENT)


BLOCKING: Final = {
    "os": raw,
    OURS: store,
    "fsspec": fsspec,
    "obstore": obstore,
    "OpenDAL": opendal,
    PUBLISHED: store,
}
ASYNC: Final = {
    OURS: async_store,
    "aiofiles": aiofiles,
    "anyio": anyio,
    "obstore": obstore_async,
    "OpenDAL": opendal_async,
    PUBLISHED: published_async_store,
}
NOT_ATOMIC: Final = ("fsspec", "OpenDAL")

# -- what is measured ----------------------------------------------------------------


def measure(kind: str, make: Callable[[Work, str], Callable[[str], Any]], loop: str, work: Work) -> float:
    folder = Path(tempfile.mkdtemp(dir=root(work)))
    count = work.pick(1000, 100)
    if kind == CREATE:
        names = [f"{folder.name}/{number}" for number in range(count)]
        warm_up = [f"{folder.name}/warm-{number}" for number in range(20)]
    else:
        warm_up = [f"{folder.name}/{number}" for number in range(100)]
        names = [warm_up[number % 100] for number in range(count)]
    job = Job(make(work, kind), names, warm_up)
    try:
        seconds = per_await(job, loop) if loop else per_call(job)
        assert (folder.parent / names[-1]).read_bytes() == CONTENT
        return seconds
    finally:
        shutil.rmtree(folder)


CASES = [
    Case(f"{loop or 'blocking'}, {kind}", peer, partial(measure, kind, make, loop), peer)
    for loop, table in (
        ("", BLOCKING),
        ("asyncio", ASYNC),
        ("trio", {peer: ASYNC[peer] for peer in (OURS, "anyio")}),
    )
    for kind in KINDS
    for peer, make in table.items()
    if not (kind == ATOMIC and peer in NOT_ATOMIC)
]
TARGETS: list[Target] = []  # nothing is promised here yet
