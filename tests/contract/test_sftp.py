"""The contract on SFTP, against OpenSSH's server, in all four ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.services import SFTPServer

from remote_store import Backend
from remote_store.backends import SFTPBackend
from remote_store.testing import BackendContract


class SFTPContract(BackendContract):
    """Makes the backend; no test class itself, so that each file collects its own."""

    server: SFTPServer

    @pytest.fixture
    def prepared(self, sshd: SFTPServer) -> None:
        self.server = sshd

    def make_backend(self, tmp_path: Path) -> Backend:
        options: dict[str, Any] = {"base_path": str(tmp_path), **self.server.options}
        return SFTPBackend(**options)

    def make_second(self, backend: Backend, tmp_path: Path) -> Backend:
        return self.make_backend(tmp_path)


class TestOpenSSH(SFTPContract):
    """On OpenSSH's server, which has every extension that is used."""
