"""What the user asked for."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from socket import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ..._secrets import is_secret, masked

if TYPE_CHECKING:
    from asyncssh import SSHKey

KIB: Final = 1 << 10
MIB: Final = 1 << 20
DEFAULT_PORT: Final = 22
_TEXTS: Final = ("username", "password", "passphrase", "known_host_keys", "host_keys_path")
_IN_URL: Final = {"host_key_policy": str, "host_keys_path": str, "timeout": float, "connections": int}


class HostKeyPolicy(enum.Enum):
    """What to do about a server whose key is not known. A key that has changed is refused by all."""

    STRICT = "strict"
    """Refuse it."""
    TRUST_ON_FIRST_USE = "tofu"
    """Trust it, and write it down: from then on the server has to have this key."""
    AUTO_ADD = "auto"
    """Trust it for as long as the backend lives, and write nothing down."""


@dataclass(frozen=True)
class Options:
    """Everything that tells one SFTP backend from another."""

    host: str
    port: int = 22
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    pkey: SSHKey | str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    base_path: str = "/"
    host_key_policy: HostKeyPolicy = HostKeyPolicy.STRICT
    known_host_keys: str | None = None
    host_keys_path: str | None = None
    timeout: float = 10
    connections: int = 1
    durable: bool = False
    memory_limit: int = 16 * MIB
    connect_kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    answers: Callable[[str], str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._check_types()
        if not self.host.strip() or "@" in self.host or "/" in self.host:
            raise ValueError(f"host must be the name or address of a server, not {self.host!r}")
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port must be 1 to 65535, not {self.port}")
        if not self.base_path or "\0" in self.base_path:
            raise ValueError("base_path must be the path of a folder; '/' is all that the server shows")
        if not self.timeout > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {self.timeout}")
        if self.connections < 1:
            raise ValueError(f"connections must be 1 or more, not {self.connections}")
        if self.memory_limit < MIB:
            raise ValueError(f"memory_limit must be 1 MiB or more in bytes, not {self.memory_limit}")
        self._check_login()

    def _check_types(self) -> None:
        """Refuse what would fail in the first call only, and not say why."""
        for name in ("host", "base_path", *_TEXTS):
            value = getattr(self, name)
            if not isinstance(value, str) and (value is not None or name not in _TEXTS):
                raise _wrong(name, "str", value)
        for name in ("port", "connections"):
            if not isinstance(value := getattr(self, name), int):
                raise _wrong(name, "int", value)
        # Who has a key of asyncssh's has imported that; for others it would take half a second.
        if not isinstance(self.pkey, str | None) and not hasattr(self.pkey, "export_private_key"):
            raise _wrong("pkey", "a key of load_private_key, its text, or the path of its file", self.pkey)
        if not isinstance(sock := self.connect_kwargs.get("sock"), socket | None):
            raise _wrong("sock in connect_kwargs", "a socket", sock)

    def _check_login(self) -> None:
        """Refuse what would make asyncssh fail in the midst of a connection."""
        factory = self.connect_kwargs.get("client_factory")
        for name, call in (("answers", self.answers), ("client_factory", factory)):
            if call is not None and not callable(call):
                raise _wrong(name, "callable", call)
        if self.answers is not None and factory is not None:
            raise ValueError("pass answers or a client_factory, not both: the client is asked instead")
        if "host" in self.connect_kwargs:
            raise ValueError("host does not belong in connect_kwargs; pass it by itself")
        if "known_hosts" in self.connect_kwargs:
            raise ValueError(
                "known_hosts does not belong in connect_kwargs; pass host_key_policy and known_host_keys or"
                " host_keys_path"
            )

    @property
    def where(self) -> str:
        """The server, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _wrong(name: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def options_of(config: Mapping[str, Any] | None, **given: Any) -> Options:
    """Return the options of a backend; what is not given comes from ``config``, and then the environment.

    Raises:
        ValueError: an option is unknown or makes no sense.
    """
    further = dict(config or {})
    known = further.pop("known_host_keys", None)
    if further:
        raise ValueError(f"unknown option {min(further)!r} in config; known options: known_host_keys")
    if given["known_host_keys"] is None:
        given["known_host_keys"] = known or os.environ.get("SFTP_KNOWN_HOST_KEYS") or None
    try:
        given["host_key_policy"] = HostKeyPolicy(given["host_key_policy"])
    except ValueError:
        names = ", ".join(repr(policy.value) for policy in HostKeyPolicy)
        raise ValueError(
            f"host_key_policy must be one of {names}, not {given['host_key_policy']!r}"
        ) from None
    if (path := given["host_keys_path"]) is not None:
        given["host_keys_path"] = os.fspath(path)
    if isinstance(given["pkey"], os.PathLike):
        given["pkey"] = os.fspath(given["pkey"])
    given["connect_kwargs"] = dict(given["connect_kwargs"] or {})
    options = Options(**given)
    if options.connect_kwargs:
        _refuse_unknown(options.connect_kwargs)
    return options


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    """Refuse options that asyncssh does not know, which would fail at the first call only."""
    try:
        import asyncssh  # half a second, for those who have such options
    except ImportError:
        return  # the first call says what is missing
    calls = asyncssh.connect, asyncssh.SSHClientConnectionOptions.prepare
    known = {name for call in calls for name in signature(call).parameters} - {"self", "kwargs"}
    if unknown := set(given) - known:
        raise ValueError(f"unknown option {min(unknown)!r} in connect_kwargs; see asyncssh.connect")


def from_url(url: str) -> tuple[dict[str, Any], str]:
    """Return the arguments of a backend that ``sftp://user@host:port/folder?option=value`` names.

    Raises:
        ValueError: the URL does not fit.
    """
    parts = urlsplit(url)
    if parts.password is not None:
        raise ValueError(
            "a password does not belong in a URL, which ends up in logs; use a key, or a registry's"
            " configuration"
        )
    if not parts.hostname or "#" in url:
        raise ValueError(f"a folder of a server is sftp://user@host:port/folder, not {masked(url)!r}")
    options: dict[str, Any] = {"host": parts.hostname, "base_path": unquote(parts.path) or "/"}
    if parts.port is not None:
        options["port"] = parts.port
    if parts.username:
        options["username"] = unquote(parts.username)
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if is_secret(name):
            raise ValueError(
                f"{name!r} does not belong in a URL, which ends up in logs; use a registry's configuration"
            )
        if name not in _IN_URL:
            raise ValueError(
                f"unknown option {name!r} in an sftp: URL; known options: {', '.join(sorted(_IN_URL))}"
            )
        options[name] = _IN_URL[name](value)
    return options, ""
