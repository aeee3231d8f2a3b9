"""The contract on S3 over TLS."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from tests.contract.test_s3 import S3Contract

from remote_store import Backend
from remote_store.backends import S3Backend


class TestSeaweedFSOverTLS(S3Contract):
    """In two ways: uvloop has a TLS of its own, and trio's callers use that of the background loop."""

    @pytest.fixture(params=["uvloop", "trio"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    creators: ClassVar[int] = 16  # the server decides the races as for the others

    def make_backend(self, tmp_path: Path) -> Backend:
        return S3Backend(self.bucket, **self.server.tls_options)
