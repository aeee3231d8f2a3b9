"""The backend that the documentation shows keeps the contract."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.contract.support import ROOT

import remote_store.lowlevel
from remote_store import Backend, _runtime
from remote_store.testing import BackendContract


def example() -> ModuleType:
    """Import the example from its file; it is no package."""
    name = "custom_backend"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "examples" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class TestExample(BackendContract):
    def make_backend(self, tmp_path: Path) -> Backend:
        backend = example().DictBackend()
        assert isinstance(backend, Backend)
        return backend


@pytest.mark.spec("BE-019")
def test_the_public_leaves_are_those_of_the_runtime() -> None:
    names = {"Lock", "checkpoint", "in_steps", "in_thread", "on_asyncio", "shielded", "sleep", "user_call"}
    for name in names:
        assert getattr(remote_store.lowlevel, name) is getattr(_runtime, name)
