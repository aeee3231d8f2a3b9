"""The server's time, where this machine's clock is too wrong for signatures to hold.

A signature has the time in it, and servers refuse one that is a quarter of an hour off.
Who is told so by an answer with a date knows how wrong the clock is. botocore signs with
the machine's time only, so it is given signers of our own from then on.

Imported once the SDK is known to be there.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any, Final

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth, S3SigV4QueryAuth

from ._signing import stamp_of

_WORTH_CORRECTING: Final = 60.0
"""Seconds: a time that is refused, and no more off than this, is refused for another reason."""
_IN_CONTEXT: Final = "remote-store-clock"
_NAME: Final = "remote-store-s3v4"


class Clock:
    """This machine's time, corrected once a server has told that it is wrong."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Return the seconds since the epoch, as the server has them."""
        return time.time() + self.offset

    def set_by(self, date: str) -> bool:
        """Take the time from an answer's ``Date``; return False if that is no news."""
        try:
            told = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return False  # no date at all
        if abs(told - self.now()) < _WORTH_CORRECTING:
            return False
        self.offset = told - time.time()
        return True

    def signs(self, client: Any) -> None:
        """Have a client sign with this clock."""
        client.meta.events.register_first("choose-signer.s3", self._choose)

    def _choose(self, signature_version: object, context: dict[str, Any], **_: object) -> str | None:
        if not self.offset or signature_version not in _OURS:
            return None
        context[_IN_CONTEXT] = self
        return _OURS[signature_version]


class _ByClock:
    """Signs with the time of the clock that its request was given."""

    def _modify_request_before_signing(self, request: Any) -> None:
        request.context["timestamp"] = stamp_of(request.context[_IN_CONTEXT].now())
        inherited: Any = super()
        inherited._modify_request_before_signing(request)


class _Headers(_ByClock, S3SigV4Auth):
    """A request that is signed in its headers."""


class _Query(_ByClock, S3SigV4QueryAuth):
    """A presigned URL."""


_OURS: Final[dict[object, str]] = {
    "v4": _NAME, "s3v4": _NAME, "v4-query": f"{_NAME}-query", "s3v4-query": f"{_NAME}-query",
}  # fmt: skip
AUTH_TYPE_MAPS.update({_NAME: _Headers, f"{_NAME}-query": _Query})
