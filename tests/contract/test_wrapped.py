"""A wrapper that wraps nothing away: FaultyBackend without a script is held to the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_store import Backend
from remote_store.backends import LocalBackend
from remote_store.testing import BackendContract, FaultyBackend


class TestFaulty(BackendContract):
    @pytest.fixture(params=["trio", "blocking"])
    def way(self, request: pytest.FixtureRequest) -> str:
        """The wrapper is the same code in each way; one that suspends and one that does not will do."""
        return str(request.param)

    def make_backend(self, tmp_path: Path) -> Backend:
        return FaultyBackend(LocalBackend(tmp_path))

    def make_second(self, backend: Backend, tmp_path: Path) -> Backend:
        return FaultyBackend(LocalBackend(tmp_path))
