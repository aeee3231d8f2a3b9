"""What became of a request on the wire, handed to aiobotocore as the outcome of its own first try.

It then reads the error, redirects, waits and tries again as it always does; and a request
that fails is neither made once more than the configuration allows, nor waited for twice.

Imported once the SDK is known to be there.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from aiobotocore.awsrequest import AioAWSResponse
from botocore import exceptions

from ..._http import ConnectTimeout, NoConnection


class FirstTry:
    """An answer that is no success, or the error that came instead of one."""

    def __init__(
        self,
        status: int = 0,
        headers: Iterable[tuple[str, str]] = (),
        content: bytes = b"",
        error: Exception | None = None,
    ) -> None:
        self._status, self._headers, self._content, self._error = status, dict(headers), content, error
        self._spent = False

    @property
    def elsewhere(self) -> bool:
        """True if the bucket is said to be in another place."""
        return self._status in (301, 307, 308)

    def told(self, request: Any) -> AioAWSResponse | None:
        """Return the answer to a request of the client, the first time; raise the error instead of one."""
        if self._spent:
            return None
        self._spent = True
        if self._error is not None:
            raise in_botocores_words(self._error, request.url) from self._error
        headers: Any = self._headers  # any mapping will do
        return AioAWSResponse(request.url, self._status, headers, self)

    async def read(self) -> bytes:
        """Return the body, as ``AioAWSResponse`` asks for it."""
        return self._content


_first_try: Final[ContextVar[FirstTry | None]] = ContextVar("_first_try", default=None)
"""What the call of the client that is under way is told; its handlers have no other way to know."""
_bodies: Final[ContextVar[list[Any] | None]] = ContextVar("_bodies", default=None)
"""What that call has opened, and gives to nobody if it fails."""


@contextmanager
def call_after(known: FirstTry | None) -> Iterator[None]:
    """Tell a call of the client what became of its first try; close what it has opened if it fails."""
    bodies: list[Any] = []
    before, others = _first_try.set(known), _bodies.set(bodies)
    try:
        yield
    except BaseException:
        for body in bodies:
            body.close()
        raise
    finally:
        _first_try.reset(before)
        _bodies.reset(others)


def note(response_dict: dict[str, Any], **_: object) -> None:
    """Note a body that is to be read: the headers are still to be; a handler of ``before-parse``."""
    bodies, body = _bodies.get(), response_dict.get("body")
    if bodies is not None and hasattr(body, "close"):
        bodies.append(body)


def tell(request: Any, **_: object) -> AioAWSResponse | None:
    """Answer a request of the client that was made already; a handler of ``before-send``."""
    known = _first_try.get()
    return None if known is None else known.told(request)


def in_botocores_words(error: Exception, url: str) -> Exception:
    """Return the error that aiobotocore's own HTTP client would have raised."""
    kind = next(kind for row, kind in _KINDS if isinstance(error, row))
    if kind is exceptions.ProxyConnectionError:  # whose address is not told: it may hold a password
        return kind(proxy_url="", error=error)
    made: Exception = kind(endpoint_url=url, error=error)
    return made


_KINDS: Final[tuple[tuple[tuple[type[Exception], ...], Any], ...]] = (
    ((ssl.SSLError, aiohttp.ClientSSLError), exceptions.SSLError),
    ((aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError), exceptions.ProxyConnectionError),
    ((aiohttp.ConnectionTimeoutError, ConnectTimeout), exceptions.ConnectTimeoutError),
    ((aiohttp.ClientConnectorError, NoConnection), exceptions.EndpointConnectionError),
    ((TimeoutError,), exceptions.ReadTimeoutError),
    ((Exception,), exceptions.ConnectionClosedError),
)
"""In this order: what belongs to several rows is told by the first."""
