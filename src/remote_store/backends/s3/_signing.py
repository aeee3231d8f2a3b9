"""AWS Signature Version 4 for S3, with the day's key kept.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from time import gmtime, strftime
from typing import Final, NamedTuple
from urllib.parse import quote

UNSIGNED: Final = "UNSIGNED-PAYLOAD"
EMPTY: Final = hashlib.sha256(b"").hexdigest()
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_PLAIN: Final = re.compile(r"[A-Za-z0-9/_.~-]*")


class Credentials(NamedTuple):
    """What a request is signed with."""

    key: str
    secret: str
    token: str | None = None


def quoted_path(key: str) -> str:
    """Return a key as the path of a URL."""
    return key if _PLAIN.fullmatch(key) else quote(key, safe="/-_.~")


def query_string(pairs: Mapping[str, str]) -> str:
    """Return the query of a URL in the one form that is signed: sorted, with all else quoted."""
    if not pairs:
        return ""
    return "&".join(
        f"{name}={value}"
        for name, value in sorted(
            (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs.items()
        )
    )


def stamp_of(seconds: float) -> str:
    """Return a time since the epoch as signatures have it."""
    return strftime("%Y%m%dT%H%M%SZ", gmtime(seconds))


def _squeezed(value: str) -> str:
    """Return the value of a header with single blanks, and none at its ends."""
    return value if " " not in value and value.isprintable() else " ".join(value.split())


class Signer:
    """Signs requests to the S3 of one region."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._day = ""
        self._secret = ""
        self._scope = ""
        self._inner = self._outer = hashlib.sha256()

    def sign(
        self,
        credentials: Credentials,
        request: tuple[str, str, str, str],
        headers: dict[str, str],
        stamp: str,
    ) -> dict[str, str]:
        """Return the headers of a request, in small letters, with those that sign it.

        Args:
            credentials: what to sign with.
            request: method, host as in the URL, path and query as they are sent.
            headers: all others, in small letters, ``x-amz-content-sha256`` among them.
            stamp: the time in UTC, as ``stamp_of`` writes it.
        """
        method, host, path, query = request
        signed = {**headers, "host": host, "x-amz-date": stamp}
        if credentials.token is not None:
            signed["x-amz-security-token"] = credentials.token
        names = sorted(signed)
        lines = "".join([f"{name}:{_squeezed(signed[name])}\n" for name in names])
        listed = ";".join(names)
        payload = signed["x-amz-content-sha256"]
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{listed}\n{payload}"
        self._renew(credentials.secret, stamp[:8])
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{_ALGORITHM}\n{stamp}\n{self._scope}\n{digest}"
        signature = self._signature(text.encode())
        signed["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.key}/{self._scope},"
            f" SignedHeaders={listed}, Signature={signature}"
        )
        return signed

    def _signature(self, text: bytes) -> str:
        """Return the HMAC (RFC 2104): the blocks of the key are hashed once a day, not for each request."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()

    def _renew(self, secret: str, day: str) -> None:
        """Derive the key anew if the day or the secret is another."""
        if (day, secret) == (self._day, self._secret):
            return
        key = f"AWS4{secret}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._day, self._secret = day, secret
        padded = key.ljust(64, b"\0")  # a block of SHA-256
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self._scope = f"{day}/{self._region}/s3/aws4_request"
