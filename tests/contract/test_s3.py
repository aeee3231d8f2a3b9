"""The contract on S3, against a real server, in all four ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import Backend
from remote_store.backends import S3Backend
from remote_store.testing import BackendContract


class S3Contract(BackendContract):
    """Makes the backend; no test class itself, so that each file collects its own."""

    looks_before_writing: ClassVar[bool] = False
    rounds: ClassVar[int] = 1  # of races: SeaweedFS looks once a second whether a lock is free
    hot_path: ClassVar[Any] = True
    conditional_writes: ClassVar[bool | None] = None  # found out, in each test
    server: S3Server
    bucket: str

    @pytest.fixture
    def prepared(self, seaweedfs: S3Server, buckets: Buckets) -> Iterator[None]:
        self.server, self.bucket = seaweedfs, buckets.new()
        yield
        assert buckets.unfinished(self.bucket) == []
        buckets.drop(self.bucket)

    def make_backend(self, tmp_path: Path) -> Backend:
        return self.backend_on(self.server.options)

    def backend_on(self, options: dict[str, Any]) -> Backend:
        return S3Backend(
            self.bucket, **options, hot_path=self.hot_path, conditional_writes=self.conditional_writes
        )

    def make_second(self, backend: Backend, tmp_path: Path) -> Backend:
        return self.make_backend(tmp_path)


class TestSeaweedFS(S3Contract):
    """On SeaweedFS, which checks signatures and honours conditions."""
