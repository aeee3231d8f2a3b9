"""Backends in folders of their own, and a way to the server that can be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.backends.sftp.support import Server, Way, known
from tests.services import SFTPServer

from remote_store.backends import SFTPBackend


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the folder that is the root on the server."""
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def make(sshd: SFTPServer, root: Path) -> Callable[..., SFTPBackend]:
    """Give a function that makes a backend on OpenSSH's server."""

    def made(**options: Any) -> SFTPBackend:
        return SFTPBackend(**{"base_path": str(root), **sshd.options, **options})

    return made


@pytest.fixture
def way(sshd: SFTPServer) -> Iterator[Way]:
    """Give a way to that server that can be cut."""
    made = Way(sshd.port)
    yield made
    made.close()


@pytest.fixture
def over(way: Way, make: Callable[..., SFTPBackend], sshd: SFTPServer) -> Callable[..., SFTPBackend]:
    """Give a function that makes a backend whose connections go that way."""
    line = sshd.known_host_keys.replace(f":{sshd.port} ", f":{way.port} ")

    def made(**options: Any) -> SFTPBackend:
        return make(port=way.port, known_host_keys=line, **options)

    return made


@pytest.fixture
def serve(root: Path) -> Iterator[Callable[[Any], SFTPBackend]]:
    """Give a function that starts asyncssh's server, and makes a backend on it."""
    servers = []

    def made(factory: Any, **options: Any) -> SFTPBackend:
        key = asyncssh.generate_private_key("ssh-ed25519")
        server = Server(key, sftp_factory=factory)
        servers.append(server)
        return server.backend(root, known_host_keys=known(server, key), **options)

    yield made
    for server in servers:
        server.close()
