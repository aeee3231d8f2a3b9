"""MemoryBackend and the contract."""

from __future__ import annotations

from pathlib import Path

from remote_store import Backend
from remote_store.backends import MemoryBackend
from remote_store.testing import BackendContract


class TestMemory(BackendContract):
    def make_backend(self, tmp_path: Path) -> Backend:
        return MemoryBackend()
