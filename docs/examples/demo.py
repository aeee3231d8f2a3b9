"""Show what the library does, on a folder of yours: ``python demo.py [FOLDER]``.

Copies the folder's files into a second store, streams a large file through it, and lists what
is there: blocking, awaited on asyncio, and on trio if that is installed. Nothing in your
folder is changed, and what was made is removed in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import platform
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import anyio

import remote_store
from remote_store import AsyncStore, FileInfo, RemotePath, RemoteStoreError, Store
from remote_store.backends import LocalBackend

PROJECT_SOURCE = Path(__file__).resolve().parents[2] / "src"
LEFT_OUT = {".git", ".hg", ".svn", "__pycache__"}
AT_ONCE = 8
MIB = 1 << 20
PIECE = bytes(range(256)) * (MIB // 256)
LARGE = "large.bin"


@dataclass
class Work:
    """What one way of doing it did, and how long each part took."""

    copied: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)

    def note(self, error: RemoteStoreError, path: RemotePath) -> None:
        self.refused[str(path)] = f"{type(error).__name__}: {error.message}"


# -- blocking: plain calls, and threads for concurrency ---------------------------------


def files_below(store: Store, folder: RemotePath, work: Work) -> Iterator[FileInfo]:
    """Give every file that is to be copied; note the folders that cannot be listed."""
    try:
        for child in store.iter_children(folder):
            if isinstance(child, FileInfo):
                yield child
            elif child.name not in LEFT_OUT:
                yield from files_below(store, child.path, work)
    except RemoteStoreError as error:
        work.note(error, folder)


def blocking(source: Store, target: Store, mebibytes: int) -> Work:
    work = Work()

    def copy(info: FileInfo) -> None:
        try:
            with source.read(info.path) as stream:
                work.copied[str(info.path)] = target.write(info.path, stream).size
        except RemoteStoreError as error:
            work.note(error, info.path)

    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(copy, files_below(source, RemotePath.ROOT, work)):
            pass
    work.seconds["copy"] = time.perf_counter() - start

    large = target.child("..large")  # a store of its own, beside the copy
    large.write(LARGE, pieces(mebibytes))
    start = time.perf_counter()
    with large.read(LARGE) as stream:
        large.write("through.bin", stream)
    work.seconds["stream"] = time.perf_counter() - start
    return work
