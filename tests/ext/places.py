"""Stores on real storage, for adapters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.s3_buckets import Buckets
from tests.services import S3Server, SFTPServer

from remote_store import Store
from remote_store.backends import LocalBackend, MemoryBackend, S3Backend, SFTPBackend


@contextmanager
def store_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    """Give a store of its own on memory, local disk, S3 or SFTP; servers are started as needed."""
    if kind == "memory":
        with Store(MemoryBackend()) as store:
            yield store
    elif kind == "local":
        with Store(LocalBackend(folder / "local")) as store:
            yield store
    elif kind == "s3":
        buckets: Buckets = request.getfixturevalue("buckets")
        server: S3Server = request.getfixturevalue("seaweedfs")
        bucket = buckets.new()
        with Store(S3Backend(bucket, **server.options)) as store:
            yield store
        buckets.drop(bucket)
    else:
        sshd: SFTPServer = request.getfixturevalue("sshd")
        (folder / "sftp").mkdir()
        with Store(SFTPBackend(base_path=str(folder / "sftp"), **sshd.options)) as store:
            yield store
