"""LocalBackend and the contract, on both ways to resolve paths."""

from __future__ import annotations

from pathlib import Path

from remote_store import Backend
from remote_store.backends import LocalBackend
from remote_store.testing import BackendContract


class TestLocal(BackendContract):
    def make_backend(self, tmp_path: Path) -> Backend:
        return LocalBackend(tmp_path)

    def make_second(self, backend: Backend, tmp_path: Path) -> Backend:
        return LocalBackend(tmp_path)


class TestLocalWalk(BackendContract):
    """Where the kernel has no openat2, each path is walked component by component."""

    def make_backend(self, tmp_path: Path) -> Backend:
        backend = LocalBackend(tmp_path)
        backend._root._openat2 = False
        return backend

    def make_second(self, backend: Backend, tmp_path: Path) -> Backend:
        return LocalBackend(tmp_path)
