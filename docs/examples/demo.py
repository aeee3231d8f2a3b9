"""Show what the library does, on a folder of yours: ``python demo.py [FOLDER]``.

Copies the files of the folder into a second store, lists what has arrived, and streams a large
file from store to store: blocking, awaited on asyncio, and on trio if it is installed. Your
folder is only read, and what the demonstration makes is removed in the end.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import resource
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import anyio

import remote_store
from remote_store import AsyncStore, FileInfo, RemoteFolder, RemotePath, RemoteStoreError, Store
from remote_store.backends import LocalBackend

PROJECT_SOURCE = Path(__file__).resolve().parents[2] / "src"
TEMPORARY = "remote-store-demo-"
LEFT_OUT = (".git", ".hg", ".svn", "__pycache__")
AT_ONCE = 8
SHOWN = 5
MIB = 1 << 20
PIECE = bytes(range(256)) * (MIB // 256)


class Progress:
    """What one way of doing it did, and how long each part took."""

    def __init__(self) -> None:
        self.copied: dict[str, int] = {}
        self.listed: dict[str, int] = {}
        self.refused: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[part] = time.perf_counter() - start

    def refuse(self, path: RemotePath, error: RemoteStoreError) -> None:
        self.refused[str(path)] = f"{type(error).__name__}: {error.message}"


def wanted(folder: RemoteFolder) -> bool:
    """Return True for a folder to go into: no history of a version control, no link, and not this copy."""
    return folder.name not in LEFT_OUT and not folder.name.startswith(TEMPORARY) and not folder.is_link


# -- blocking: plain calls, and threads to do several at once -------------------------------


def blocking(source: Store, target: Store, large: Store, mebibytes: int) -> Progress:
    progress = Progress()

    def copy(info: FileInfo) -> None:
        try:
            with source.read(info.path) as stream:
                progress.copied[str(info.path)] = target.write(info.path, stream).size
        except RemoteStoreError as error:  # an unreadable file, say: go on with the others
            progress.refuse(info.path, error)

    with progress.timed("copy"), ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(copy, info) for info in files(source, progress)]:
            done.result()

    with progress.timed("list"):
        for info in target.list_files(recursive=True):
            progress.listed[str(info.path)] = info.size

    with progress.timed("write"):
        large.write("large.bin", (PIECE for _ in range(mebibytes)))

    with progress.timed("stream"), large.read("large.bin") as stream:
        large.write("through.bin", stream)
    return progress


def files(store: Store, progress: Progress) -> Iterator[FileInfo]:
    """Give every file below the root, but for folders that are left out or cannot be listed."""
    pending = [RemotePath.ROOT]
    while pending:
        folder = pending.pop()
        try:
            for child in store.iter_children(folder):
                if isinstance(child, FileInfo):
                    yield child
                elif wanted(child):
                    pending.append(child.path)
        except RemoteStoreError as error:
            progress.refuse(folder, error)


# -- async: the same, awaited, on whatever loop runs it ---------------------------------------


async def awaited(source: AsyncStore, target: AsyncStore, large: AsyncStore, mebibytes: int) -> Progress:
    progress = Progress()
    slots = anyio.Semaphore(AT_ONCE)  # so many files are under way at once, however many there are

    async def copy(info: FileInfo) -> None:
        try:
            async with await source.read(info.path) as stream:
                progress.copied[str(info.path)] = (await target.write(info.path, stream)).size
        except RemoteStoreError as error:
            progress.refuse(info.path, error)
        finally:
            slots.release()

    with progress.timed("copy"):
        async with anyio.create_task_group() as tasks:
            async for info in files_awaited(source, progress):
                await slots.acquire()
                tasks.start_soon(copy, info)

    with progress.timed("list"):
        async for info in target.list_files(recursive=True):
            progress.listed[str(info.path)] = info.size

    with progress.timed("write"):
        await large.write("large.bin", pieces(mebibytes))

    with progress.timed("stream"):
        async with await large.read("large.bin") as stream:
            await large.write("through.bin", stream)
    return progress


async def files_awaited(store: AsyncStore, progress: Progress) -> AsyncIterator[FileInfo]:
    pending = [RemotePath.ROOT]
    while pending:
        folder = pending.pop()
        try:
            async for child in store.iter_children(folder):
                if isinstance(child, FileInfo):
                    yield child
                elif wanted(child):
                    pending.append(child.path)
        except RemoteStoreError as error:
            progress.refuse(folder, error)


async def pieces(mebibytes: int) -> AsyncIterator[bytes]:
    for _ in range(mebibytes):
        yield PIECE


# -- around it: stores, checks, and what is said about it --------------------------------------


def run(way: str, folder: Path, temporary: str, mebibytes: int) -> Progress:
    """Do it one way, check what came out, and remove it."""
    with (
        Store(LocalBackend(folder, create=False)) as source,
        Store(LocalBackend(temporary)) as scratch,
    ):
        target, large = scratch.child("copy"), scratch.child("large")
        if way == "blocking":
            progress = blocking(source, target, large, mebibytes)
        else:
            progress = anyio.run(on_a_loop, folder, temporary, mebibytes, backend=way)
        expected = checksum(PIECE for _ in range(mebibytes))
        with large.read("through.bin") as stream:
            arrived = checksum(iter(lambda: stream.read(MIB), b""))
        if progress.copied != progress.listed or arrived != expected:
            raise SystemExit(f"demo.py: {way}: what arrived is not what was sent")
        for name in scratch.list_folders():
            scratch.delete_folder(name, recursive=True)
    return progress


async def on_a_loop(folder: Path, temporary: str, mebibytes: int) -> Progress:
    async with (
        AsyncStore(LocalBackend(folder, create=False)) as source,
        AsyncStore(LocalBackend(temporary)) as scratch,
    ):
        return await awaited(source, scratch.child("copy"), scratch.child("large"), mebibytes)


def checksum(content: Iterator[bytes]) -> int:
    value = 0
    for piece in content:
        value = zlib.crc32(piece, value)
    return value


def tell(progress: Progress, mebibytes: int) -> None:
    tree = f"{len(progress.copied):,} files, {size(sum(progress.copied.values()))}"

    def line(word: str, what: str, part: str, amount: int, unit: str) -> None:
        seconds = progress.seconds[part]
        print(f"  {word:9} {what:26} {1000 * seconds:8,.1f} ms {amount / seconds:9,.0f} {unit}/s")

    line("copied", tree, "copy", len(progress.copied), "files")
    line("listed", tree, "list", len(progress.listed), "files")
    line("written", f"{mebibytes} MiB, in pieces", "write", mebibytes, "MiB")
    line("streamed", f"{mebibytes} MiB, file to file", "stream", mebibytes, "MiB")
    print("  checked   all that was sent has arrived")
    if progress.refused:
        print(f"  left out  {len(progress.refused)} that could not be read:")
    for path, reason in sorted(progress.refused.items())[:SHOWN]:
        print(f"            {path or 'the folder itself'}: {reason}")
    if len(progress.refused) > SHOWN:
        print(f"            and {len(progress.refused) - SHOWN} more")


def size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def room_needed(folder: Path, mebibytes: int) -> int:
    """Look before copying: return how many bytes one way of doing it takes.

    Raises:
        RemoteStoreError: the folder is not there, or is no folder.
    """
    with Store(LocalBackend(folder, create=False)) as source:
        source.ping()
        return sum(info.size for info in files(source, Progress())) + 2 * mebibytes * MIB


def show(folder: Path, mebibytes: int) -> None:
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as temporary:
        needed, free = room_needed(folder, mebibytes), shutil.disk_usage(temporary).free
        if needed > 0.9 * free:
            raise SystemExit(f"demo.py: {folder} takes {size(needed)}, and {temporary} has only {size(free)}")
        python = f"Python {platform.python_version()} on {platform.system()}"
        print(f"remote_store {remote_store.__version__}, {python}")
        print(f"from {folder}")
        print(f"to   {temporary}, which goes away in the end")
        for way in ("blocking", "asyncio", "trio"):
            if way == "trio" and not importlib.util.find_spec("trio"):
                print("\ntrio is not installed, and is left out")
                continue
            print(f"\n{way}, {AT_ONCE} {'threads' if way == 'blocking' else 'files at a time'}", flush=True)
            tell(run(way, folder, temporary, mebibytes), mebibytes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f"\nMemory of this process at its peak: {size(peak)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Show what remote_store does, on a folder of yours.")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=PROJECT_SOURCE, help="default: this project's source"
    )
    parser.add_argument("--large", type=int, default=256, metavar="MIB", help="size of the large file (256)")
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        parser.exit(2, f"demo.py: there is no folder {str(chosen.folder)!r}; name one that exists\n")
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # file names may be no text
    try:
        show(chosen.folder.absolute(), max(chosen.large, 1))
    except RemoteStoreError as error:
        parser.exit(1, f"demo.py: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "demo.py: stopped\n")


if __name__ == "__main__":
    main()
