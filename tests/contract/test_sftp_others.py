"""The contract on SFTP servers that lack extensions: what they cannot do is done another way."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from tests.contract.test_sftp import SFTPContract

from remote_store import Backend
from remote_store.backends import SFTPBackend


class OtherServer(SFTPContract):
    """In one way only: the loops were shown on the server that has all."""

    server_name: ClassVar[str]

    @pytest.fixture(params=["asyncio"])
    def way(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def prepared(self, request: pytest.FixtureRequest) -> None:
        self.server = request.getfixturevalue(self.server_name)


@pytest.mark.spec("SFTP-016", "SFTP-017")
class TestWithoutExtensions(OtherServer):
    """Version 3 of the protocol, as it was published."""

    server_name: ClassVar[str] = "plain_sshd"


@pytest.mark.spec("SFTP-016")
class TestWithoutLinks(OtherServer):
    """A new file gets its name by a file that claims it."""

    server_name: ClassVar[str] = "linkless_sshd"


@pytest.mark.spec("SFTP-020")
class TestBelowLinks(OtherServer):
    """The base path is itself a link, and connections are shared out."""

    server_name: ClassVar[str] = "sshd"

    def make_backend(self, tmp_path: Path) -> Backend:
        target = tmp_path / "target"
        link = tmp_path / "link"
        if not link.is_symlink():
            target.mkdir()
            link.symlink_to(target)
        return SFTPBackend(base_path=str(link), connections=3, durable=True, **self.server.options)
