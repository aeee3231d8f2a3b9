"""What the user asked for, brought to the arguments of aiobotocore."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from ..._secrets import is_secret, masked
from ...models import WriteOptions
from ._write_options import NONE

if TYPE_CHECKING:
    from aiobotocore.config import AioConfig

MIB: Final = 1 << 20
LEAST_PART: Final = 5 * MIB
"""What a part of an upload has at least, but for the last one."""
DEFAULT_CONNECTIONS: Final = 64
_TO_CLIENT: Final = frozenset(
    (
        "region_name", "api_version", "use_ssl", "verify", "endpoint_url", "aws_access_key_id",
        "aws_secret_access_key", "aws_session_token", "aws_account_id",
    )
)  # fmt: skip
"""Options that ``create_client`` takes; all others are those of ``AioConfig``."""
_IN_URL: Final = frozenset(("endpoint_url", "region_name", "profile", "anon"))

_SWITCHES: Final = {"hot_path": (True, False, "aiohttp"), "conditional_writes": (True, False, None)}


@dataclass(frozen=True)
class Options:
    """Everything that tells one S3 backend from another."""

    bucket: str
    endpoint_url: str | None = None
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    region_name: str | None = None
    profile: str | None = None
    anon: bool = False
    client_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    part_size: int = 8 * MIB
    concurrency: int = 4
    hot_path: bool | Literal["aiohttp"] = True
    write_options: WriteOptions = NONE
    conditional_writes: bool | None = None
    sse_customer_key: bytes | str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.bucket, str):
            raise TypeError(f"bucket must be str, not {type(self.bucket).__name__}")
        if not self.bucket.strip() or "/" in self.bucket:
            raise ValueError(f"bucket must be the name of a bucket, not {self.bucket!r}")
        self._check_login()
        if not LEAST_PART <= self.part_size <= 5 * 1024 * MIB:
            raise ValueError(f"part_size must be 5 MiB to 5 GiB in bytes, not {self.part_size}")
        if self.concurrency < 1:
            raise ValueError(f"concurrency must be 1 or more, not {self.concurrency}")
        for url in (self.endpoint_url, self.client_options.get("endpoint_url")):
            _check_endpoint(url)
        _ = self.customer_key
        for name, known in _SWITCHES.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name} must be one of {known}, not {value!r}")

    @cached_property
    def customer_key(self) -> Mapping[str, str]:
        """The encryption key of the user's own as parameters of a request; empty if there is none."""
        return {} if self.sse_customer_key is None else _customer_key(self.sse_customer_key)

    def _check_login(self) -> None:
        if (self.key is None) != (self.secret is None):
            raise ValueError("key and secret belong together; give both, or neither for the standard chain")
        if self.session_token is not None and self.key is None:
            raise ValueError("session_token needs key and secret")
        if self.anon and self.key is not None:
            raise ValueError("anon=True signs nothing, so it cannot be given together with key and secret")

    def reaches(self, other: Options) -> bool:
        """Return True if a client made of these options may copy from the other's bucket by itself."""
        ours, theirs = (
            replace(each, bucket="one", part_size=8 * MIB, concurrency=1, hot_path=True,
                    write_options=NONE, conditional_writes=None)
            for each in (self, other)
        )  # fmt: skip
        return ours == theirs and not self.anon

    def within(self, memory: int, part_size: int | None = None) -> Options:
        """Return options with which a stream holds about so much: parts in flight, and one being filled."""
        part = min(part_size or self.part_size, max(LEAST_PART, memory // (2 if part_size else 4)))
        return replace(self, part_size=part, concurrency=max(1, min(self.concurrency, memory // part - 1)))

    def client_arguments(self, usual_region: str | None = None) -> dict[str, Any]:
        """Return the arguments of ``create_client``; explicit ones win over ``client_options``."""
        found = {name: value for name, value in self.client_options.items() if name in _TO_CLIENT}
        explicit = {
            "endpoint_url": self.endpoint_url,
            "region_name": self.region_name,
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
            "aws_session_token": self.session_token,
        }
        if self.key is not None:
            found.pop("aws_session_token", None)  # it belongs to another key
        found.update((name, value) for name, value in explicit.items() if value is not None)
        if found.get("endpoint_url") and not found.get("region_name"):
            # A server that is not Amazon's has one region, if it asks for any.
            found["region_name"] = self._region_of_the_config() or usual_region or "us-east-1"
        return {**found, "config": self.config()}

    def _region_of_the_config(self) -> str | None:
        config = self.client_options.get("config")
        region = config.get("region_name") if isinstance(config, Mapping) else None
        region = region or getattr(config, "region_name", None)
        return region if isinstance(region, str) else None

    def config(self) -> AioConfig:
        """Return the configuration of the client: our defaults below what the user set."""
        from aiobotocore.config import AioConfig
        from botocore import UNSIGNED

        given = dict(self.client_options)
        theirs = given.pop("config", None)
        wanted: dict[str, Any] = {
            "max_pool_connections": DEFAULT_CONNECTIONS,
            "parameter_validation": False,  # what we send is ours, and checking it costs a sixth of a request
            "retries": {"mode": "standard", "total_max_attempts": 5},
            "connect_timeout": 10,
            "read_timeout": 60,
        }
        if isinstance(theirs, Mapping):
            wanted.update(theirs)
            theirs = None
        wanted.update((name, value) for name, value in given.items() if name not in _TO_CLIENT)
        config = AioConfig(**{name: _copied(value) for name, value in wanted.items()})
        if theirs is not None:
            config = config.merge(theirs)
            vars(config).update({name: _copied(value) for name, value in vars(config).items()})
        return config.merge(AioConfig(signature_version=UNSIGNED)) if self.anon else config


def _customer_key(key: bytes | str) -> dict[str, str]:
    """Return an encryption key, of 32 bytes or their base64, as parameters of a request.

    Raises:
        ValueError: it is none.
    """
    try:
        raw = base64.b64decode(key, validate=True) if isinstance(key, str) else bytes(key)
    except (ValueError, TypeError):
        raw = b""
    if len(raw) != 32:
        raise ValueError("sse_customer_key must be 32 bytes, or their base64 as text")  # never shown
    digest = hashlib.md5(raw, usedforsecurity=False).digest()
    return {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": base64.b64encode(raw).decode(),
        "SSECustomerKeyMD5": base64.b64encode(digest).decode(),
    }


def _copied(value: Any) -> Any:
    """Return a copy of a nested mapping: botocore writes into what it is given."""
    return {name: _copied(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def _check_endpoint(url: str | None) -> None:
    parts = urlsplit(url or "")
    if url is not None and (
        parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc
    ):
        # Not shown: it may hold a password.
        raise ValueError("endpoint_url must be like https://host:port, without a user or a password")


def from_url(url: str) -> tuple[dict[str, Any], str]:
    """Return the arguments of a backend and the root folder that ``s3://bucket/folder?option=value`` names.

    Raises:
        ValueError: the URL does not fit.
    """
    parts = urlsplit(url)
    if not parts.netloc or "@" in parts.netloc or ":" in parts.netloc or "#" in url:
        raise ValueError(f"a folder of a bucket is {parts.scheme}://bucket/folder, not {masked(url)!r}")
    options: dict[str, Any] = {"bucket": unquote(parts.netloc)}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if is_secret(name) or name in ("key", "secret"):
            raise ValueError(
                f"{name!r} does not belong in a URL, which ends up in logs; use the environment, a profile,"
                " or a registry's configuration"
            )
        if name not in _IN_URL:
            known = ", ".join(sorted(_IN_URL))
            raise ValueError(f"unknown option {name!r} in an {parts.scheme}: URL; known options: {known}")
        options[name] = _switch(name, value) if name == "anon" else value
    return options, unquote(parts.path).strip("/")


def _switch(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError(f"option {name!r} must be true or false, not {value!r}")
    return value == "true"
