"""How each library streams: files to be opened, and what is done with them.

A leg is a function of a ``Work`` and the name of its source file. ``streaming.py`` and
``memory.py`` measure the same legs.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final

from benchmarks import peers
from benchmarks.harness import OURS, PUBLISHED, Work

MIB: Final = 1 << 20
SOURCE: Final = "source.bin"
SMALL: Final = "small.bin"
EMPTY: Final = "empty.bin"
TARGET: Final = "target.bin"
PIECE: Final = bytes(range(256)) * (MIB // 256)
PLAIN: Final = "open()"


def prepare(work: Work) -> None:
    work.folder.mkdir(parents=True)
    for name, mebibytes in ((SOURCE, work.pick(1024, 64)), (SMALL, 2), (EMPTY, 0)):
        with open(work.folder / name, "wb") as file:
            file.writelines(PIECE for _ in range(mebibytes))


# -- blocking: every peer has binary files --------------------------------------------


def plain(work: Work, name: str, mode: str) -> Any:
    return open(work.folder / name, mode)


def store(work: Work, name: str, mode: str) -> Any:
    opened = peers.store(str(work.folder))
    return opened.read(name) if mode == "rb" else opened.open_write(name)


def published_store(work: Work, name: str, mode: str) -> Any:
    opened: Any = peers.store(str(work.folder))
    return opened.read(name) if mode == "rb" else opened.open_atomic(name)


def fsspec(work: Work, name: str, mode: str) -> Any:
    return peers.fsspec().open(str(work.folder / name), mode)


@contextmanager
def obstore(work: Work, name: str, mode: str) -> Iterator[Any]:
    import obstore

    opened = peers.obstore(str(work.folder))
    if mode == "rb":
        yield obstore.open_reader(opened, name)
    else:
        with obstore.open_writer(opened, name) as file:
            yield file


def opendal(work: Work, name: str, mode: str) -> Any:
    return peers.opendal(str(work.folder)).open(name, mode)


FILES: Final[dict[str, tuple[str, Callable[[Work, str, str], Any]]]] = {
    PLAIN: ("os", plain),
    OURS: (OURS, store),
    "fsspec": ("fsspec", fsspec),
    "obstore": ("obstore", obstore),
    "OpenDAL": ("OpenDAL", opendal),
    PUBLISHED: (PUBLISHED, published_store),
}


def copy(
    open_file: Callable[[Work, str, str], Any], work: Work, source: str = SOURCE, chunk: int = MIB
) -> None:
    with open_file(work, source, "rb") as reader, open_file(work, TARGET, "wb") as writer:
        shutil.copyfileobj(reader, writer, chunk)


def read(
    open_file: Callable[[Work, str, str], Any], work: Work, source: str = SOURCE, chunk: int = MIB
) -> None:
    with open_file(work, source, "rb") as reader:
        while reader.read(chunk):
            pass


def write(
    open_file: Callable[[Work, str, str], Any], work: Work, source: str = SOURCE, chunk: int = MIB
) -> None:
    piece = PIECE[:chunk]
    with open_file(work, TARGET, "wb") as writer:
        for _ in range((work.folder / source).stat().st_size // chunk):
            writer.write(piece)


# -- async: files, or a way of the peer's own --------------------------------------------


def async_store(work: Work, name: str, mode: str) -> Any:
    opened = peers.async_store(str(work.folder))
    return _entered(opened.read(name)) if mode == "rb" else opened.open_write(name)


def aiofiles(work: Work, name: str, mode: Any) -> Any:
    import aiofiles

    return aiofiles.open(work.folder / name, mode)


def anyio(work: Work, name: str, mode: Any) -> Any:
    import anyio

    return _entered(anyio.open_file(work.folder / name, mode))


def opendal_async(work: Work, name: str, mode: str) -> Any:
    return _entered(peers.opendal_async(str(work.folder)).open(name, mode))


@asynccontextmanager
async def obstore_async(work: Work, name: str, mode: str) -> AsyncIterator[Any]:
    import obstore

    opened = peers.obstore(str(work.folder))
    if mode == "rb":
        yield await obstore.open_reader_async(opened, name)
    else:
        async with obstore.open_writer_async(opened, name) as file:
            yield file


@asynccontextmanager
async def _entered(opening: Any) -> AsyncIterator[Any]:
    async with await opening as file:
        yield file


ASYNC_FILES: Final[dict[str, tuple[str, Callable[[Work, str, str], Any]]]] = {
    OURS: (OURS, async_store),
    "aiofiles": ("aiofiles", aiofiles),
    "anyio": ("anyio", anyio),
    "obstore": ("obstore", obstore_async),
    "OpenDAL": ("OpenDAL", opendal_async),
}


async def copy_async(open_file: Callable[[Work, str, str], Any], work: Work, source: str = SOURCE) -> None:
    async with open_file(work, source, "rb") as reader, open_file(work, TARGET, "wb") as writer:
        while chunk := await reader.read(MIB):
            await writer.write(chunk)


async def read_async(open_file: Callable[[Work, str, str], Any], work: Work, source: str = SOURCE) -> None:
    async with open_file(work, source, "rb") as reader:
        while await reader.read(MIB):
            pass


async def write_async(open_file: Callable[[Work, str, str], Any], work: Work, source: str = SOURCE) -> None:
    async with open_file(work, TARGET, "wb") as writer:
        for _ in range((work.folder / source).stat().st_size // MIB):
            await writer.write(PIECE)


async def copy_by_chunks(work: Work, source: str = SOURCE) -> None:
    opened = peers.async_store(str(work.folder))
    async with await opened.read(source) as reader, opened.open_write(TARGET) as writer:
        async for chunk in reader:
            await writer.write(chunk)


async def copy_by_write(work: Work, source: str = SOURCE) -> None:
    opened = peers.async_store(str(work.folder))
    async with await opened.read(source) as reader:
        await opened.write(TARGET, reader)


async def obstore_put(work: Work, source: str = SOURCE) -> None:
    import obstore

    opened = peers.obstore(str(work.folder))
    await obstore.put_async(opened, TARGET, await obstore.get_async(opened, source))


async def published_write(work: Work, source: str = SOURCE) -> None:
    opened = peers.published_async_store(str(work.folder))
    await opened.write(TARGET, await maybe(opened.read(source)))


async def maybe(stream: Any) -> Any:
    return await stream if hasattr(stream, "__await__") else stream


BY_CHUNKS: Final = f"{OURS}, async for"
BY_WRITE: Final = f"{OURS}, write(stream)"
ASYNC_COPIES: Final[dict[str, tuple[str, Callable[..., Any]]]] = {
    BY_CHUNKS: (OURS, copy_by_chunks),
    BY_WRITE: (OURS, copy_by_write),
    **{
        label: (peer, partial(copy_async, open_file))
        for label, (peer, open_file) in ASYNC_FILES.items()
        if peer != OURS
    },
    "obstore, put(get)": ("obstore", obstore_put),
    f"{PUBLISHED}, write(stream)": (PUBLISHED, published_write),
}
