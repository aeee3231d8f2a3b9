"""Fixtures for all tests."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import coverage
import pytest
from blockbuster import BlockBuster, BlockBusterFunction
from tests import services
from tests.s3_buckets import Buckets
from tests.services import S3Server, SFTPServer

MORE = ("os.fstat", "os.pread", "os.preadv", "os.fsync")
"""System calls of ours that blockbuster does not watch by itself."""


def pytest_collection_finish() -> None:
    """Leave all tests and libraries out of garbage collections, which many tests ask for."""
    import hypothesis  # noqa: F401 - or it comes at the end, and asks who refers to what is left out

    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def blockbuster() -> BlockBuster:
    """Give the watch over blocking calls that code of this library makes on an asyncio loop."""
    watch = BlockBuster("remote_store", excluded_modules=["remote_store.testing"])
    for name in MORE:
        watch.functions[name] = BlockBusterFunction(
            None, name, scanned_modules="remote_store", excluded_modules=["remote_store.testing"]
        )
    for function in watch.functions.values():
        # Who calls the blocking face on a loop has chosen to block it.
        function.can_block_in("remote_store/_runtime/_drive.py", "drive")
        # A backend is made in one plain call, and a local one makes its root in it.
        function.can_block_in("remote_store/backends/local/_backend.py", "__init__")
        # Who drops a writer instead of leaving its block has nothing left that could wait.
        function.can_block_in("remote_store/backends/local/_write.py", "__del__")
        # aiobotocore's chain of credentials reads one small file, once for a client.
        function.can_block_in("botocore/configloader.py", "raw_config_parse")
    _leave_out_coverage(watch)
    return watch


def _leave_out_coverage(watch: BlockBuster) -> None:
    """Let coverage's tracers have their lock: they run in our frames, and have none of their own."""
    measuring = getattr(coverage.Coverage.current(), "_collector", None)
    lock = getattr(measuring, "data_lock", None)
    for name in ("threading.Lock.acquire", "threading.Lock.acquire_lock"):
        function = watch.functions[name]
        function.can_block_predicate = partial(_is_free, lock, function.can_block_predicate)


def _is_free(ours: object, usual: Callable[..., bool], lock: object, *args: Any, **kwargs: Any) -> bool:
    return lock is ours or usual(lock, *args, **kwargs)


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop(blockbuster: BlockBuster) -> Iterator[None]:
    """Fail a test in which this library blocks an asyncio loop."""
    blockbuster.activate()
    yield
    blockbuster.deactivate()


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Give a server of the S3 protocol, one for all tests of this process."""
    with services.seaweedfs(tmp_path_factory.mktemp("seaweedfs"), cores=1) as server:
        yield server


@pytest.fixture(scope="session")
def buckets(seaweedfs: S3Server) -> Iterator[Buckets]:
    """Give the buckets of that server."""
    made = Buckets(seaweedfs)
    yield made
    made.close()


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Give a server that ignores conditional writes, one for all tests of this process."""
    with services.rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SFTPServer]:
    """Give OpenSSH's server, one for all tests of this process."""
    with services.sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def plain_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SFTPServer]:
    """Give a server that knows no extension of the protocol."""
    denied = "posix-rename,hardlink,copy-data,limits,fsync"
    with services.sshd(tmp_path_factory.mktemp("plain"), denied=denied) as server:
        yield server


@pytest.fixture(scope="session")
def linkless_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SFTPServer]:
    """Give a server that makes no hard links, and does not copy."""
    with services.sshd(tmp_path_factory.mktemp("linkless"), denied="hardlink,copy-data") as server:
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Give a server that takes every key, one for all tests of this process."""
    with services.moto(tmp_path_factory.mktemp("moto")) as server:
        yield server
