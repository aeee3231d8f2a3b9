"""Reading from servers that give too much, promise too much, or whose files are not what they look like."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from remote_store import BackendUnavailable, PreconditionFailed, RemoteStoreError, Store
from remote_store.backends import SFTPBackend


class Generous(asyncssh.SFTPServer):
    """Gives more of a file than it is asked for."""

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        return super().read(file_obj, offset, size + 7)


@pytest.mark.spec("SFTP-027")
def test_more_than_was_asked_for(serve: Any, root: Path) -> None:
    content = os.urandom(1 << 20)
    (root / "f").write_bytes(content)
    with Store(serve(Generous)) as store:
        with pytest.raises(BackendUnavailable, match="more of a file"):
            store.read_bytes("f")
        with pytest.raises(BackendUnavailable, match="more of a file"), store.open_read("f") as stream:
            stream.read()
        with pytest.raises(BackendUnavailable, match="more of a file"):
            store.read_bytes("f", start=10, length=20)


@pytest.mark.spec("SFTP-045")
@pytest.mark.parametrize("limit", [0, 100, 1 << 15, 1 << 22, 1 << 25, 1 << 40, (1 << 64) - 1])
def test_limits(serve: Any, root: Path, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server says to have no limits is not asked for all at once."""

    async def told(self: Any, packet: Any) -> asyncssh.sftp.SFTPLimits:
        return asyncssh.sftp.SFTPLimits(0, limit, limit, limit)

    monkeypatch.setitem(asyncssh.sftp.SFTPServerHandler._packet_handlers, b"limits@openssh.com", told)
    content = os.urandom(3 << 20 if limit != 100 else 100_000)
    asked, written = [0], [0]

    class Noting(asyncssh.SFTPServer):
        def read(self, file_obj: object, offset: int, size: int) -> Any:
            asked.append(size)
            return super().read(file_obj, offset, size)

        def write(self, file_obj: object, offset: int, data: bytes) -> Any:
            written.append(len(data))
            return super().write(file_obj, offset, data)

    with Store(serve(Noting, memory_limit=1 << 20)) as store:
        store.write("f", content)
        store.write("small", b"x")
        assert store.read_bytes("small") == b"x"
        assert store.read_bytes("f") == content
        with store.open_read("f") as stream:
            assert stream.read() == content
    assert max(asked) == max(written) == min(limit or 1 << 15, 1 << 18)


def changing(root: Path, times: int) -> tuple[type[asyncssh.SFTPServer], list[int]]:
    """Return a server on which a file is changed so many times between the look and the read."""
    reads: list[int] = []

    class Changing(asyncssh.SFTPServer):
        def read(self, file_obj: object, offset: int, size: int) -> Any:
            reads.append(offset)
            if len(reads) <= times:
                with open(root / "f", "r+b") as file:
                    file.write(b"B" * 500)
                os.utime(root / "f", (len(reads), len(reads)))
            return super().read(file_obj, offset, size)

    return Changing, reads


@pytest.mark.spec("SFTP-023", "SFTP-036")
def test_a_small_file_that_changes_before_it_is_read(serve: Any, root: Path) -> None:
    """It is the whole new one that is returned: here the second half of the new one is written later."""
    (root / "f").write_bytes(b"A" * 1000)
    os.utime(root / "f", (1e9, 1e9))
    kind, reads = changing(root, 1)
    with Store(serve(kind)) as store:
        assert store.read_bytes("f") == b"B" * 500 + b"A" * 500
    assert len(reads) == 2  # what came first is not trusted


@pytest.mark.spec("SFTP-036")
def test_a_small_file_that_changes_again_and_again(serve: Any, root: Path) -> None:
    (root / "f").write_bytes(b"A" * 1000)
    kind, _ = changing(root, 100)
    with Store(serve(kind)) as store, pytest.raises(PreconditionFailed):
        store.read_bytes("f")


@pytest.mark.spec("SFTP-043")
def test_files_that_are_larger_than_their_size(make: Callable[..., SFTPBackend], root: Path) -> None:
    """As those of the kernel are, which are made up when they are read."""
    (root / "empty").touch()
    with Store(make(base_path="/proc/self")) as store:
        for path in ("status", "net/dev"):
            assert store.get_file_info(path).size == 0
            with pytest.raises(RemoteStoreError, match="how large"):
                store.read_bytes(path)
            with pytest.raises(RemoteStoreError, match="how large"), store.open_read(path) as stream:
                stream.read()
    with Store(make()) as store:
        assert store.read_bytes("empty") == b""
        with store.open_read("empty") as stream:
            assert stream.read() == b""
        store.copy("empty", "copied")
        assert (root / "copied").read_bytes() == b""
