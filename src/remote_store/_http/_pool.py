"""Connections to one server, kept for the next request, and never more than allowed."""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple

import aiohappyeyeballs

from ._connection import Connection
from ._response import Response
from ._turns import Turns

NEXT_ADDRESS_SECONDS: Final = 0.25
"""How long one address of a host is tried alone (RFC 8305)."""


class NoConnection(ConnectionError):
    """No connection could be made: no such host, or nobody listens there."""


class ConnectTimeout(TimeoutError):
    """No connection stood in time."""


class Origin(NamedTuple):
    """Where a server is. With a context, TLS is spoken to it."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Pool:
    """Requests to one server, from the tasks of one loop.

    Args:
        origin: the server.
        limit: most connections at once; who comes when all are busy waits, for ``read_timeout``
            at least, and as long as anything happens on any of them.
        connect_timeout: seconds until a connection stands, its TLS handshake included.
        read_timeout: seconds without a sign of the server while one is waited for.
        keepalive: seconds that a connection is kept with nothing to do.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        limit: int,
        connect_timeout: float,
        read_timeout: float,
        keepalive: float,
        keep_tcp_alive: bool = False,
    ) -> None:
        self._origin, self._limit = origin, limit
        self._connect_timeout = connect_timeout
        self._patience = read_timeout, keepalive
        self._keep_tcp_alive = keep_tcp_alive
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._count = 0  # those that are being made too
        self._turns = Turns(read_timeout, self._moved)
        self._closed = False

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        """Send a request and return its answer, the body still to be read.

        All are sent once more if a kept connection turns out to be dead: use this for
        requests that may come twice.

        Raises:
            NoConnection, ConnectTimeout, NoneFree: there is no connection; nothing was sent.
            OSError: it broke; TimeoutError and BadAnswer among them.
            ValueError: a header cannot be sent.
        """
        head = _head(method, target, headers, body)
        while True:
            connection = await self._acquire()
            try:
                answer = await connection.send(method, head, body or b"")
            except (ConnectionError, ssl.SSLError):
                connection.abort()
                if not connection.used or connection.heard:
                    raise
                self._drop_idle()  # they have been kept as long, and are dead too
            except BaseException:
                connection.abort()
                raise
            else:
                return Response(connection, answer, self._release)

    # -- taking ----------------------------------------------------------------

    async def _acquire(self) -> Connection:
        if self._closed:
            raise ConnectionAbortedError("the connections to the server are closed")
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        if self._count < self._limit:
            self._count += 1
        else:
            handed = await self._wait()
            if handed is not None:
                return handed
        return await self._made()

    async def _wait(self) -> Connection | None:
        """Wait for a connection, or for None: room to make one."""
        waiter = self._turns.queue()
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pass_on(waiter.result())  # it came too late for this one
            raise

    def _moved(self) -> float:
        """Return when something last happened on a connection; infinite while something is under way."""
        if self._count > len(self._open):
            return math.inf  # one is being made, for which there is a time limit
        return max((connection.moved for connection in self._open), default=math.inf)

    async def _made(self) -> Connection:
        """Return a new connection, for which there is room already."""
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self._patience, self._gone)
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._taken_over(loop, await self._connected(loop), connection)
        except BaseException as error:
            if connection not in self._open:
                self._free()
            if isinstance(error, TimeoutError):
                text = f"no connection within {self._connect_timeout:g} seconds"
                raise ConnectTimeout(text) from error
            if isinstance(error, (OSError, RuntimeError)) and not isinstance(error, ssl.SSLError):
                raise NoConnection(*error.args) from error  # RuntimeError: of the loop, about its sockets
            raise
        if self._closed:
            connection.abort()
        self._open.add(connection)
        return connection

    async def _taken_over(
        self, loop: asyncio.AbstractEventLoop, raw: socket.socket, connection: Connection
    ) -> None:
        """Give a socket to a transport, and wait until that stands."""
        tls, host = self._origin.tls, self._origin.host
        waiting: list[bool] = []
        mark = loop.call_soon(waiting.append, True)
        try:
            await loop.create_connection(
                lambda: connection, sock=raw, ssl=tls, server_hostname=host if tls else None
            )
        except BaseException:
            if waiting:
                # There is a transport, which closes the socket, soon. Were it closed here, the loop would
                # still watch its number, which the next socket has then. The transport sees the end.
                _shut(raw)
            else:  # it failed at once
                mark.cancel()
                raw.close()
            raise

    async def _connected(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        infos = await loop.getaddrinfo(self._origin.host, self._origin.port, type=socket.SOCK_STREAM)
        made = await aiohappyeyeballs.start_connection(infos, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._keep_tcp_alive:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return made

    # -- giving back -----------------------------------------------------------

    def _release(self, connection: Connection) -> None:
        if connection.rest():
            self._pass_on(connection)

    def _pass_on(self, connection: Connection | None) -> None:
        """Give a connection, or the room for one, to who waits; keep it if nobody does."""
        if self._turns.give(connection):
            return
        if connection is None:
            self._count -= 1
        elif self._closed:
            connection.abort()
        else:
            self._idle.append(connection)

    def _gone(self, connection: Connection) -> None:
        """Take note that a connection has ended."""
        if connection in self._idle:
            self._idle.remove(connection)
        if connection in self._open:
            self._open.discard(connection)
            self._free()

    def _free(self) -> None:
        self._pass_on(None)

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().abort()

    async def aclose(self) -> None:
        """Close all connections, those in use too, and refuse new ones."""
        self._closed = True
        self._turns.end(ConnectionAbortedError("the connections to the server are closed"))
        self._idle.clear()
        for connection in list(self._open):
            connection.fail(ConnectionAbortedError("the connections to the server are closed"))
        while self._open:  # noqa: ASYNC110 - until the loop has closed the sockets, in a round or two
            await asyncio.sleep(0)


def _shut(raw: socket.socket) -> None:
    try:
        raw.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # closed already, or never connected


def _head(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return the head of a request. Raises ValueError for what would be another request."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1 or "\0" in text:
        raise ValueError("a header has a line break in it")
    return f"{text}\r\n\r\n".encode("ascii")
