"""Streams of large files hold less where the memory limit is small."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.s3_buckets import Buckets
from tests.services import S3Server, SFTPServer
from tests.transfer.support import call, content, memory

from remote_store import Backend, Store, TransferOptions, copy_tree
from remote_store.backends import LocalBackend, MemoryBackend, S3Backend, SFTPBackend
from remote_store.wrapper import BackendWrapper

MIB = 1 << 20
LARGE = os.urandom(23 * MIB)


@pytest.mark.spec("BE-028")
def test_the_same_storage_with_smaller_streams(seaweedfs: S3Server, buckets: Buckets) -> None:
    bucket = buckets.new()
    backend = S3Backend(bucket, **seaweedfs.options)
    small = backend.within_memory(16 * MIB)
    assert isinstance(small, S3Backend)
    assert (small._options.part_size, small._options.concurrency) == (5 * MIB, 2)
    assert (backend._options.part_size, backend._options.concurrency) == (8 * MIB, 4)
    assert backend.within_memory(48 * MIB) is backend
    assert (small.stream_memory, backend.stream_memory) == (15 * MIB, 40 * MIB)
    with Store(backend) as store, Store(small) as other:
        with other.open_write("f") as stream:
            stream.write(LARGE)
        assert store.read_bytes("f") == LARGE
        with other.read("f") as reader:
            assert reader.read() == LARGE
        assert small._api._connections is backend._api._connections
    assert buckets.unfinished(bucket) == []
    buckets.drop(bucket)


@pytest.mark.spec("BE-028")
def test_limits_of_sftp_and_of_those_that_cannot(sshd: SFTPServer, tmp_path: Path) -> None:
    backend = SFTPBackend(**{"base_path": str(tmp_path), **sshd.options})
    small = backend.within_memory(2 * MIB)
    assert isinstance(small, SFTPBackend)
    assert (small._options.memory_limit, backend._options.memory_limit) == (2 * MIB, 16 * MIB)
    assert backend.within_memory(64 * MIB) is backend
    assert (small.stream_memory, backend.stream_memory) == (2 * MIB, 16 * MIB)
    with Store(backend) as store, Store(small) as other:
        with other.open_write("f") as stream:
            stream.write(LARGE)
        assert store.read_bytes("f") == LARGE
    for backend_as_it_is in (MemoryBackend(), BackendWrapper(backend)):
        assert backend_as_it_is.within_memory(1) is backend_as_it_is


@pytest.mark.spec("XFER-008", "BE-028")
@pytest.mark.parametrize("way", ["asyncio", "trio", "blocking"])
def test_large_files_under_a_small_limit(
    seaweedfs: S3Server, buckets: Buckets, sshd: SFTPServer, tmp_path: Path, way: str
) -> None:
    bucket = buckets.new()
    options = TransferOptions(memory_limit=16 * MIB)
    files = {"large": LARGE, "small": b"x", "other": LARGE[: 9 * MIB]}
    s3 = S3Backend(bucket, **seaweedfs.options)
    sftp = SFTPBackend(**{"base_path": str(tmp_path), **sshd.options})
    assert call(way, "copy_tree", memory(files), "", s3, options=options).done == 3
    assert call(way, "copy_tree", s3, "", sftp, options=options).done == 3
    assert content(sftp) == files
    assert buckets.unfinished(bucket) == []
    buckets.drop(bucket)


@pytest.mark.spec("XFER-038", "BE-028")
@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({}, 3),
        ({"part_size": 5 * MIB}, 5),
        ({"part_size": 12 * MIB}, 2),
        ({"part_size": 20 * MIB, "memory_limit": 64 * MIB}, 3),
    ],
)
@pytest.mark.parametrize("journal", [False, True])
def test_the_size_of_parts(
    seaweedfs: S3Server, buckets: Buckets, tmp_path: Path, options: dict[str, int], parts: int, journal: bool
) -> None:
    bucket = buckets.new()
    chosen = TransferOptions(**options)  # type: ignore[arg-type]
    with Store(S3Backend(bucket, **seaweedfs.options)) as target, Store(memory({"f": LARGE})) as source:
        path = str(tmp_path / "journal") if journal else None
        copy_tree(source, "", target, options=chosen, journal=path)
        assert str(target.get_file_info("f").etag).endswith(f"-{parts}")
    buckets.drop(bucket)


@pytest.mark.spec("XFER-038", "BE-028")
def test_the_size_of_parts_on_local_disk(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    other = backend.within_memory(48 * MIB, part_size=5 * MIB)

    async def begun(backend: Backend) -> int:
        writer = await backend.open_parts("f", size=len(LARGE))
        await writer.abort()
        return writer.part_size

    assert (asyncio.run(begun(backend)), asyncio.run(begun(other))) == (8 * MIB, 5 * MIB)
    assert backend.within_memory(1) is backend
