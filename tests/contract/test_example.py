"""The backend that the documentation shows keeps the contract."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from tests.contract.support import ROOT

import remote_store.lowlevel
from remote_store import Backend, _runtime
from remote_store.testing import BackendContract

DictBackend: type[Backend] = runpy.run_path(str(ROOT / "docs" / "examples" / "custom_backend.py"))[
    "DictBackend"
]


class TestExample(BackendContract):
    """Of the ways one that suspends and one that does not will do."""

    @pytest.fixture(params=["trio", "blocking"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def make_backend(self, tmp_path: Path) -> Backend:
        return DictBackend()


@pytest.mark.spec("BE-019")
def test_the_public_leaves_are_those_of_the_runtime() -> None:
    names = {"Lock", "checkpoint", "in_steps", "in_thread", "on_asyncio", "shielded", "sleep", "user_call"}
    for name in names:
        assert getattr(remote_store.lowlevel, name) is getattr(_runtime, name)
