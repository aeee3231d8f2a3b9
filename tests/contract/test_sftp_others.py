"""The contract on SFTP servers that lack extensions: what they cannot do is done another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import asyncssh
import pytest
from tests.backends.sftp.support import Server, known
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


class Vague(asyncssh.SFTPServer):
    """Says no more than that something failed, as several servers do, unless nothing is there."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        return self._vaguely(super().open, path, pflags, attrs)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._vaguely(super().mkdir, path, attrs)

    def rmdir(self, path: bytes) -> None:
        self._vaguely(super().rmdir, path)

    def remove(self, path: bytes) -> None:
        self._vaguely(super().remove, path)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._vaguely(super().rename, oldpath, newpath)

    def scandir(self, path: bytes) -> Any:
        return self._vaguely(super().scandir, path)

    def _vaguely(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except FileNotFoundError:
            raise
        except (OSError, asyncssh.SFTPError) as error:
            raise asyncssh.SFTPFailure("") from error


class AsyncsshServer(OtherServer):
    """asyncssh's own server."""

    factory: ClassVar[Any] = True

    @pytest.fixture
    def prepared(self, request: pytest.FixtureRequest) -> Iterator[None]:
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.own_server = Server(key, sftp_factory=self.factory)
        self.line = known(self.own_server, key)
        yield
        self.own_server.close()

    def make_backend(self, tmp_path: Path) -> Backend:
        return self.own_server.backend(tmp_path, known_host_keys=self.line)


@pytest.mark.spec("SFTP-026")
class TestAsyncssh(AsyncsshServer):
    """It has most extensions, and statuses of its own for some refusals."""


@pytest.mark.spec("SFTP-016", "SFTP-017", "SFTP-026")
class TestVague(AsyncsshServer):
    """No extension, and one status for all that fails."""

    factory: ClassVar[Any] = Vague

    @pytest.fixture(autouse=True)
    def without_extensions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(asyncssh.sftp.SFTPServerHandler, "_extensions", [])
