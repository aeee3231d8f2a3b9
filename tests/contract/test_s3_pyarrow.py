"""The contract on S3 with every read through Arrow, on both loops and blocking."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.contract.test_s3 import S3Contract

from remote_store import Backend
from remote_store.backends import S3PyArrowBackend


@pytest.mark.spec("S3PA-001")
class TestAllByArrow(S3Contract):
    """On SeaweedFS; whatever is read comes through Arrow, and in several ranges."""

    @pytest.fixture(params=["asyncio", "trio", "blocking"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    creators: ClassVar[int] = 16  # the server decides the races as for the others
    arrow: ClassVar[dict[str, Any]] = {
        "arrow_from": 0,
        "arrow_writes": True,
        "part_size": 5 << 20,
        "conditional_writes": True,  # known by now
    }

    def make_backend(self, tmp_path: Path) -> Backend:
        return S3PyArrowBackend(self.bucket, **self.server.options, **self.arrow)
