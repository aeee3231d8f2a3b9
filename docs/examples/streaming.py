"""Large files: read and written in pieces, so that memory holds only a few of them."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend, MemoryBackend

MIB = 1 << 20


def pieces(mebibytes: int) -> Iterator[bytes]:
    for number in range(mebibytes):
        yield bytes([number % 256]) * MIB


async def pieces_from_afar(mebibytes: int) -> AsyncIterator[bytes]:
    for piece in pieces(mebibytes):
        await asyncio.sleep(0)  # as if it came over a network
        yield piece


def blocking(store: Store, folder: Path) -> None:
    # Any iterable of bytes is content, and so is any binary file.
    print("stored", store.write("big.bin", pieces(8)).size, "bytes")

    # What read() gives is a binary file: whatever takes one takes this.
    with store.read("big.bin") as source, open(folder / "copy.bin", "wb") as target:
        shutil.copyfileobj(source, target, MIB)
    with open(folder / "copy.bin", "rb") as file:
        print("and back", store.write("again.bin", file).size, "bytes")

    # A part of a file, without reading the rest.
    with store.read("big.bin", start=3 * MIB, length=4) as part:
        print("a part:", part.read())

    # open_write() is for content that is made step by step. The file appears when the block ends well.
    with store.open_write("numbers.gz") as sink, gzip.GzipFile(fileobj=sink, mode="wb") as packed:
        for number in range(1000):
            packed.write(b"%d\n" % number)
    with store.read("numbers.gz") as raw, gzip.open(raw, "rt") as lines:
        print("numbers:", sum(int(line) for line in lines))

    # open_read() gives a stream that can seek on every storage, as zip files need it.
    with store.open_write("bundle.zip") as sink, zipfile.ZipFile(sink, "w") as bundle:
        bundle.writestr("hello.txt", "hello")
    with store.open_read("bundle.zip") as raw, zipfile.ZipFile(raw) as bundle:
        print("from the zip file:", bundle.read("hello.txt"))


async def awaited(store: AsyncStore) -> None:
    # The async store takes async iterables as well.
    await store.write("from-afar.bin", pieces_from_afar(4))

    async with await store.read("from-afar.bin") as stream:
        print("chunks:", [len(chunk) async for chunk in stream])

    # A stream is content too, so files go from one store to another without being in memory whole.
    async with AsyncStore(MemoryBackend()) as other:
        async with await store.read("from-afar.bin") as stream:
            result = await other.write("copy.bin", stream)
        print("copied to the other store:", result.size, "bytes")

    async with store.open_write("log.txt") as log:
        await log.write(b"first\n")
        await log.write(b"second\n")
    print("the log:", await store.read_bytes("log.txt"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        backend = LocalBackend(Path(temporary, "store"))
        with Store(backend) as opened:
            blocking(opened, Path(temporary))
            asyncio.run(awaited(AsyncStore(backend)))  # the blocking store closes the backend of both
