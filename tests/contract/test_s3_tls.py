"""The contract on S3 over TLS."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from tests.contract.test_s3 import S3Contract

from remote_store import Backend


class TestSeaweedFSOverTLS(S3Contract):
    """In two ways: uvloop has a TLS of its own, and trio's callers use that of the background loop."""

    @pytest.fixture(params=["uvloop", "trio"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    creators: ClassVar[int] = 16  # the server decides the races as for the others

    conditional_writes: ClassVar[bool | None] = True  # known by now

    def make_backend(self, tmp_path: Path) -> Backend:
        return self.backend_on(self.server.tls_options)
