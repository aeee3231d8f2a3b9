"""The contract on S3 once more, with the plain requests going through aiohttp."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from tests.contract.test_s3 import S3Contract


@pytest.mark.spec("S3-030")
class TestSeaweedFSByAiohttp(S3Contract):
    @pytest.fixture(params=["uvloop"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    creators: ClassVar[int] = 16  # the server decides the races as for the others
    hot_path: ClassVar[Any] = "aiohttp"
    conditional_writes: ClassVar[bool | None] = True  # known by now
