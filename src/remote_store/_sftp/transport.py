"""TCP for SSH: what is written in one turn of the loop leaves together, and answers are not held up.

asyncssh writes each packet, and an empty one before it, by a system call of its own. And a
server whose small packets wait for an acknowledgement (sshd, but for terminals) waits 40 ms for
one that the kernel delays. Both are mended here, at the place that asyncssh offers for a
transport of one's own: its option ``tunnel``.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

AT_ONCE: Final = 1 << 18
"""Bytes that leave without waiting for the end of the turn."""
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)


class Connector:
    """Makes a connection for asyncssh."""

    def __init__(self) -> None:
        self._gathering: _Gathering | None = None

    async def create_connection(self, factory: Callable[..., Any], host: str, port: int) -> tuple[Any, Any]:
        """Return a transport and the protocol on it. Raises OSError."""
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(lambda: _Gathered(loop, factory()), host, port)
        self._gathering = protocol.gathering
        return protocol.gathering, protocol.inner

    def at_once(self, write: Callable[[bytes], object], data: bytes) -> None:
        """Make a call that writes at the end of a turn: the next one need not be waited for."""
        if self._gathering is None:
            write(data)
            return
        self._gathering.held = True
        try:
            write(data)
        finally:
            self._gathering.held = False
            self._gathering.flush()


class _Gathered(asyncio.Protocol):
    """Stands between the socket and the protocol of asyncssh."""

    def __init__(self, loop: asyncio.AbstractEventLoop, inner: Any) -> None:
        self._loop, self.inner = loop, inner
        self.gathering: _Gathering | None = None
        self._socket: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = transport.get_extra_info("socket")
        self.gathering = _Gathering(self._loop, transport)
        self.inner.connection_made(self.gathering)

    def data_received(self, data: bytes) -> None:
        self.inner.data_received(data)
        if _QUICKACK is not None:
            try:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)  # the kernel forgets it
            except OSError:
                pass  # the socket was closed just now

    def eof_received(self) -> bool | None:
        answer: bool | None = self.inner.eof_received()
        return answer

    def connection_lost(self, exc: Exception | None) -> None:
        self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()


class _Gathering:
    """A transport that writes once for each turn of the loop; all else is the transport's own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: Any) -> None:
        self._loop, self._transport = loop, transport
        self._waiting: list[bytes] = []
        self._size = 0
        self.held = False
        """Whether somebody will call ``flush``, so that it need not be seen to."""

    def write(self, data: bytes) -> None:
        """Write, before the next turn of the loop begins."""
        if not self._waiting and not self.held:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
            self._waiting, self._size = [], 0
            self._transport.write(data)

    def close(self) -> None:
        """Close, once all is written."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
