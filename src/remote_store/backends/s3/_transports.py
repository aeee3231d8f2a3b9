"""What carries signed requests to the server: an HTTP client of our own, or the one of aiobotocore.

Ours takes a quarter of the processor time. It only knows direct connections; where a
proxy or a special connector is configured, requests go through aiobotocore's aiohttp session.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from aiohttp.payload import Payload
from yarl import URL

from ..._http import Origin, Pool
from ._signing import quoted_path

KEEPALIVE_SECONDS: Final = 12.0
"""A little less than servers keep an idle connection."""
_SLICE: Final = 1 << 18
"""What is written at once: a transport copies what the socket does not take."""
_PORTS: Final = {"http": 80, "https": 443}


class Base(NamedTuple):
    """Where a bucket is, as aiobotocore worked it out."""

    scheme: str
    host: str
    path: str
    region: str


def base_of(url: str, key: str, region: str) -> Base | None:
    """Return where the bucket is, read off the URL of a request for a key; None if that cannot be."""
    parts = urlsplit(url)
    path = f"/{quoted_path(key)}"
    if not parts.path.endswith(path):
        return None
    default = f":{_PORTS.get(parts.scheme, '')}"
    host = parts.netloc.rpartition("@")[2].removesuffix(default)
    return Base(parts.scheme, host, parts.path[: -len(path)], region)


class Reply(Protocol):
    """An answer whose body is still to be read. Names of headers are in small letters."""

    status: int

    @property
    def headers(self) -> Iterable[tuple[str, str]]: ...

    async def read(self, n: int) -> bytes: ...

    async def read_all(self) -> bytes: ...

    def close(self) -> None: ...


class Transport(Protocol):
    """Carries requests to one server."""

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply: ...

    async def aclose(self) -> None: ...


async def transport_for(session: HttpSession, config: Any, base: Base, own: bool) -> Transport:
    """Return the best transport for this server that the client's configuration leaves."""
    if own and session.is_direct(base) and _plain(config):
        tls = await session.tls() if base.scheme == "https" else None
        if tls is not None or base.scheme == "http":
            return _pool(config, base, tls)
    return ByAiohttp(session, base)


def _plain(config: Any) -> bool:
    """Return True if the client's connections are to be of the usual kind."""
    return not set(config.connector_args or ()) - {"keepalive_timeout"}


def _pool(config: Any, base: Base, tls: ssl.SSLContext | None) -> Pool:
    parts = urlsplit(f"{base.scheme}://{base.host}")
    return Pool(
        Origin(parts.hostname or "", parts.port or _PORTS[base.scheme], tls),
        limit=config.max_pool_connections,
        connect_timeout=config.connect_timeout,
        read_timeout=math.inf if config.read_timeout is None else config.read_timeout,
        keepalive=(config.connector_args or {}).get("keepalive_timeout", KEEPALIVE_SECONDS),
        keep_tcp_alive=bool(config.tcp_keepalive),
    )


class ByAiohttp:
    """Requests through the session of the client."""

    def __init__(self, session: HttpSession, base: Base) -> None:
        self._session, self._base = session, base

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """Send a request. Raises what aiohttp raises."""
        url = f"{self._base.scheme}://{self._base.host}{target}"
        others = {name: value for name, value in headers.items() if name != "host"}  # aiohttp says the same
        payload = Sliced(body) if body is not None else None
        return AiohttpReply(await self._session.send_signed(method, url, others, payload))

    async def aclose(self) -> None:
        """Do nothing: the connections are the client's."""


class AiohttpReply:
    """An answer of aiohttp."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        return [(name.lower(), value) for name, value in self._response.headers.items()]

    async def read(self, n: int) -> bytes:
        return await self._response.content.read(n)

    async def read_all(self) -> bytes:
        try:
            return await self._response.read()
        finally:
            self._response.release()

    def close(self) -> None:
        connection = self._response.connection
        self._response.close()
        if connection is not None:  # the loop is closed, and the response does nothing then
            connection.close()


class HttpSession(AIOHTTPSession):
    """The client's own connections, with a way in for requests that are signed already."""

    def is_direct(self, base: Base) -> bool:
        """Return True if no proxy is configured for a server."""
        inherited: Any = self  # its stubs leave out what is not public
        return inherited._proxy_config.proxy_url_for(f"{base.scheme}://{base.host}/") is None

    async def tls(self) -> ssl.SSLContext | None:
        """Return the context that the client checks servers with; None if it is of an unknown kind."""
        connector: Any = (await self._get_session(None)).connector
        found = getattr(connector, "_ssl", None)
        if found is False:  # verify=False, in older versions
            found = ssl.create_default_context()
            found.check_hostname = False
            found.verify_mode = ssl.CERT_NONE
        return found if isinstance(found, ssl.SSLContext) else None

    async def _get_session(self, proxy_url: str | None) -> aiohttp.ClientSession:
        inherited: Any = super()  # its stubs leave out what is not public
        session: aiohttp.ClientSession = await inherited._get_session(proxy_url)
        _abort_what_is_cut_off(session.connector)
        return session

    async def send_signed(
        self, method: str, url: str, headers: Mapping[str, str], body: Payload | None
    ) -> aiohttp.ClientResponse:
        """Send a request and return the answer, its body not read yet."""
        inherited: Any = self  # its stubs leave out what is not public
        proxies = inherited._proxy_config
        proxy = proxies.proxy_url_for(url)
        session = await self._get_session(proxy)
        response: aiohttp.ClientResponse = await session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body,
            proxy=proxy,
            proxy_headers=proxies.proxy_headers_for(url),
            allow_redirects=False,
        )
        return response


def _abort_what_is_cut_off(connector: Any) -> None:
    """Have a connection that is closed half-way end at once.

    A cancelled upload would else go on flushing what is written already, beyond the end of
    its loop if that comes first.
    """
    if connector is None or hasattr(connector, "_plain_release"):
        return
    connector._plain_release = plain = connector._release

    def release(key: Any, protocol: Any, *, should_close: bool = False) -> None:
        transport = protocol.transport
        plain(key, protocol, should_close=should_close)
        if should_close and transport is not None and not connector.closed:
            transport.abort()

    connector._release = release


class Sliced(Payload):
    """Bytes that are written slice by slice."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._size = len(data)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: Any) -> None:
        view = memoryview(self._value)
        for start in range(0, len(view), _SLICE):
            await writer.write(view[start : start + _SLICE])
