"""Which server may be who it says it is: known keys, read, checked and written down.

A key that is not the one on file is refused under every policy. What is trusted on first
use is written down after the login has succeeded, under a lock that other processes see.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncssh

from ... import _runtime
from ...errors import BackendUnavailable
from ._errors import NAME
from ._options import HostKeyPolicy, Options

if TYPE_CHECKING:
    from asyncssh import SSHKey

try:
    import fcntl
except ImportError:  # not a POSIX system: O_APPEND has to do
    fcntl = None  # type: ignore[assignment]

_ALGORITHMS: Final = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512",
    "rsa-sha2-256",
)  # fmt: skip
_CERTIFIED: Final = "-cert-v01@openssh.com"


class HostKeys:
    """The known keys of one backend."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._seen: dict[tuple[str, int], SSHKey] = {}
        """Keys that AUTO_ADD came across: they are binding for this backend."""

    @property
    def path(self) -> str:
        """The file with the known keys."""
        return os.path.expanduser(self._options.host_keys_path or "~/.ssh/known_hosts")

    async def check(self) -> Check:
        """Return what decides about a server's key in one connection attempt.

        Raises:
            BackendUnavailable: the known keys cannot be read.
        """
        text = self._options.known_host_keys
        if text is None or self._options.host_key_policy is HostKeyPolicy.TRUST_ON_FIRST_USE:
            text = f"{text or ''}\n{await _runtime.in_thread(self._read)}"
        try:
            return Check(self, asyncssh.import_known_hosts(text))
        except ValueError as error:
            raise BackendUnavailable(
                f"the known host keys cannot be read: {error}; look at {self.path}, known_host_keys and"
                " SFTP_KNOWN_HOST_KEYS",
                backend=NAME,
                retryable=False,
            ) from error

    def _read(self) -> str:
        try:
            return Path(self.path).read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise BackendUnavailable(
                f"the known host keys cannot be read: {error}", backend=NAME, retryable=False
            ) from error

    async def remember(self, check: Check) -> None:
        """Write down a key that was trusted on first use.

        Raises:
            BackendUnavailable: it cannot be written, or another key has been written meanwhile.
        """
        if check.first_seen is None:
            return
        host, port, key = check.first_seen
        if self._options.host_key_policy is HostKeyPolicy.AUTO_ADD:
            self._seen[host, port] = key
        else:
            await _runtime.in_thread(self._append, host, port, key)

    def seen(self, host: str, port: int) -> SSHKey | None:
        """Return the key that AUTO_ADD met before."""
        return self._seen.get((host, port))

    def _append(self, host: str, port: int, key: SSHKey) -> None:
        pattern = host if port == 22 else f"[{host}]:{port}"
        line = f"{pattern} {' '.join(key.export_public_key('openssh').decode().split()[:2])}\n"
        try:
            os.makedirs(os.path.dirname(self.path) or ".", mode=0o700, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            with open(descriptor, "r+b") as file:
                if fcntl is not None:
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                file.seek(0)
                before = file.read()
                known = asyncssh.import_known_hosts(before.decode("utf-8", "replace"))
                trusted = known.match(host, "", port)[0]
                if trusted and key not in trusted:
                    raise BackendUnavailable(_changed(host, key, trusted), backend=NAME, retryable=False)
                if not trusted:
                    begin = b"\n" if before and not before.endswith(b"\n") else b""
                    file.write(begin + line.encode())
        except OSError as error:
            raise BackendUnavailable(
                f"the server's key cannot be written down: {error}; see host_keys_path",
                backend=NAME,
                retryable=False,
            ) from error

    def refused(self, host: str, port: int, key: SSHKey) -> str:
        """Return what to tell about a key that nobody vouches for."""
        name = host if port == 22 else f"[{host}]:{port}"
        return (
            f"the key of {name} is not known: {key.get_fingerprint()} ({key.get_algorithm()}). If that is the"
            f" server's, add it to {self.path} (ssh-keyscan -p {port} {host}), pass it as known_host_keys, or"
            " use HostKeyPolicy.TRUST_ON_FIRST_USE"
        )

    @property
    def policy(self) -> HostKeyPolicy:
        """What to do about unknown keys."""
        return self._options.host_key_policy


class Check:
    """Decides about the key of a server that connects, and remembers what it decided.

    Attributes:
        first_seen: host, port and key that were trusted without being on file.
        refusal: why the key was refused, for people.
        reached: whether the server was reached; what fails before is a jump host's.
    """

    def __init__(self, keys: HostKeys, known: asyncssh.SSHKnownHosts) -> None:
        self._keys, self._known = keys, known
        self.first_seen: tuple[str, int, SSHKey] | None = None
        self.refusal: str | None = None
        self.reached = False

    def reached_by(self, host: str, addr: str, port: int | None) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the keys on file, and note that asyncssh, which asks then, talks to the server."""
        self.reached = True
        return self.on_file(host, addr, port)

    def on_file(self, host: str, addr: str, port: int | None) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the keys on file for a server: trusted ones, those of authorities, revoked ones."""
        trusted, authorities, *_ = self._known.match(host, addr, port)
        names = {host, f"[{host}]:{port or 22}", f"[{addr}]:{port or 22}"}
        # The match above forgets what is revoked for a port where nothing is trusted for it.
        revoked = [key for name in names for key in self._known.match(name, "", None)[2]]
        return list(trusted), list(authorities), revoked

    def algorithms(self, host: str, port: int) -> list[str]:
        """Return host key algorithms, those on file first: a server may have several keys."""
        trusted, authorities, _ = self.on_file(host, "", port)
        names = [name.decode() for key in trusted for name in key.sig_algorithms]
        certified = [f"{name}{_CERTIFIED}" for name in _ALGORITHMS] if authorities else []
        return list(dict.fromkeys([*certified, *names, *_ALGORITHMS]))

    def decide(self, host: str, addr: str, port: int, key: SSHKey) -> bool:
        """Return True if a key that is not on file is trusted all the same."""
        seen = self._keys.seen(host, port)
        on_file = [*self.on_file(host, addr, port)[0], *([seen] if seen is not None else [])]
        if on_file and key != seen:
            self.refusal = _changed(host, key, on_file)
            return False
        if self._keys.policy is HostKeyPolicy.STRICT:
            self.refusal = self._keys.refused(host, port, key)
            return False
        self.first_seen = (host, port, key)
        return True


def _changed(host: str, key: SSHKey, known: Sequence[Any]) -> str:
    expected = ", ".join(f"{each.get_fingerprint()} ({each.get_algorithm()})" for each in known)
    return (
        f"the key of {host} is {key.get_fingerprint()} ({key.get_algorithm()}), but {expected} is on file:"
        " somebody may be in the way. Ask who runs the server; if its key was changed, replace it on file"
    )
