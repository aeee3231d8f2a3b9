"""The contract on S3 over TLS."""

from __future__ import annotations

from pathlib import Path

from tests.contract.test_s3 import S3Contract

from remote_store import Backend
from remote_store.backends import S3Backend


class TestSeaweedFSOverTLS(S3Contract):
    def make_backend(self, tmp_path: Path) -> Backend:
        return S3Backend(self.bucket, **self.server.tls_options)
