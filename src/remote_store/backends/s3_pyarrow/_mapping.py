"""The options of the S3 backend in the words of Arrow's file system.

Both libraries are told the same. What Arrow has no word for is refused, by its name, unless
it is about requests that Arrow never makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from ..s3._options import Options

if TYPE_CHECKING:
    from ..s3._connection import Connection
    from ..s3._transports import Base

_RETRIES: Final = ("standard", "legacy")
_SIGNATURES: Final = (None, "s3v4")
_USUAL_SESSION: Final = "aiobotocore.httpsession"  # what an AioConfig has where nobody said otherwise
_KNOWN_CONNECTORS: Final = {"keepalive_timeout"}
_UNLIMITED: Final = 86_400.0
"""Seconds that stand for no limit, for which Arrow has no word: left out, it takes one of its own."""

_REFUSED: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "verify": (lambda value: value is False, "Arrow always checks certificates; give the file of a CA"),
    "client_cert": (bool, "Arrow shows no certificate of its own"),
    "proxies_config": (bool, "Arrow knows a proxy's address and login only"),
    "http_session_cls": (
        lambda value: value is not None and value.__module__ != _USUAL_SESSION,
        "Arrow has an HTTP client of its own",
    ),
    "connector_args": (
        lambda value: bool(set(value or ()) - _KNOWN_CONNECTORS),
        "Arrow has an HTTP client of its own",
    ),
    "retries": (
        lambda value: bool(value) and value.get("mode", "legacy") not in _RETRIES,
        f"Arrow's modes are {_RETRIES}",
    ),
    "signature_version": (
        lambda value: isinstance(value, str) and value not in _SIGNATURES,
        "Arrow signs with s3v4",
    ),
    "endpoint_url": (lambda value: bool(urlsplit(value or "").path.strip("/")), "Arrow takes no path in it"),
}
"""What Arrow cannot do, by option: when that is, and why."""


def check(options: Options) -> None:
    """Refuse what cannot be said to Arrow.

    Raises:
        ValueError: an option, which is named, has no counterpart.
    """
    if options.sse_customer_key is not None:
        raise ValueError("sse_customer_key: pyarrow takes no key of your own; use S3Backend")
    given = dict(options.client_options)
    config = given.pop("config", None)
    nested = dict(config) if isinstance(config, Mapping) else vars(config) if config is not None else {}
    for name, (is_refused, why) in _REFUSED.items():
        for value in (given.get(name), nested.get(name), getattr(options, name, None)):
            if is_refused(value):
                raise ValueError(f"{name}: this cannot be mapped to pyarrow: {why}, or use S3Backend")


async def arguments_of(connection: Connection, bucket: str) -> dict[str, Any] | None:
    """Return the arguments of Arrow's file system that reaches what this connection reaches.

    None if only the client itself knows where the bucket is, or what to sign with.
    """
    base = await connection.base()
    place = _place(base, bucket) if base is not None else None
    if base is None or place is None:
        return None
    login = await _login(connection)
    if login is None:
        return None
    config: Any = connection.client.meta.config
    return {
        **login,
        **place,
        **_patience(config),
        **_proxy(config, base),
        **({"tls_ca_file_path": connection.ca_file} if base.scheme == "https" and connection.ca_file else {}),
    }


async def _login(connection: Connection) -> dict[str, Any] | None:
    from botocore import UNSIGNED

    config: Any = connection.client.meta.config
    if config.signature_version is UNSIGNED:
        return {"anonymous": True}
    found = await connection.credentials()
    if found is None:
        return None
    return {"access_key": found.key, "secret_key": found.secret, "session_token": found.token}


def _place(base: Base, bucket: str) -> dict[str, Any] | None:
    """Return the server that aiobotocore found, which has the bucket in its path or before its name."""
    before, in_path = f"{bucket}.", f"/{bucket}"
    virtual = not base.path and base.host.startswith(before)
    if not virtual and base.path != in_path:
        return None
    return {
        "scheme": base.scheme,
        "endpoint_override": base.host.removeprefix(before) if virtual else base.host,
        "force_virtual_addressing": virtual,
        "region": base.region,
    }


def _patience(config: Any) -> dict[str, Any]:
    """Return timeouts in seconds, and how often a request is made at most."""
    retries = config.retries or {}
    tries = retries.get("total_max_attempts", retries.get("max_attempts", 4) + 1)
    found: dict[str, Any] = {"retry_strategy": (retries.get("mode", "legacy"), tries)}
    for name, value in (
        ("connect_timeout", config.connect_timeout),
        ("request_timeout", config.read_timeout),
    ):
        found[name] = float(_UNLIMITED if value is None else value)
    return found


def _proxy(config: Any, base: Base) -> dict[str, Any]:
    from botocore.utils import get_environ_proxies

    proxies = config.proxies
    if proxies is None:
        proxies = get_environ_proxies(f"{base.scheme}://{base.host}")
    url = proxies.get(base.scheme)
    if not url:
        return {}
    parts = urlsplit(url if "://" in url else f"http://{url}")
    options = {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port or 80}
    if parts.username:
        options |= {"username": unquote(parts.username), "password": unquote(parts.password or "")}
    return {"proxy_options": options}
