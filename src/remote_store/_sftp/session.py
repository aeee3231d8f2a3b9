"""One SFTP session: packets out, packets in, and who waits for which.

A handle that arrives for somebody who is gone is given to whom it may concern.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import asyncssh

from . import packets as p

T = TypeVar("T")
Late = Callable[[bytes], object]

LARGEST_PACKET: Final = 1 << 24
"""No server sends more; a length beyond it is no SFTP, such as the greeting of a login script."""
AT_ONCE: Final = 1 << 16
"""Bytes that are sent without waiting for the end of the turn."""
HANDLES: Final = 256
"""Files and folders that are open at once where the server does not say how many it allows."""
_OPENING: Final = (p.OPEN, p.OPENDIR)


class _Waiter(NamedTuple):
    kind: int
    future: asyncio.Future[Any]
    decode: Callable[[int, bytes], Any]
    late: Late | None


class Session(asyncssh.SSHClientSession[bytes]):
    """The client's end of an SFTP session.

    Args:
        patience: seconds without a sign of the server, while an answer is waited for, after
            which it counts as gone; an attribute, too.
        at_once: makes a call that writes, and sends what it writes.
    """

    def __init__(self, patience: float, at_once: Callable[..., None] | None = None) -> None:
        self.patience, self._at_once = patience, at_once
        self._loop = asyncio.get_running_loop()
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None
        self.most_handles = HANDLES
        self._handles = 0
        self._held: deque[tuple[bytes, _Waiter, asyncio.TimerHandle]] = deque()
        self._waiters: dict[int, _Waiter] = {}
        self._number = 0
        self._outgoing: list[bytes] = []
        self._size = 0
        self._buffer = bytearray()
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._lost: Exception | None = None
        self._idle: asyncio.Future[None] | None = None
        self._version: asyncio.Future[bytes] = self._loop.create_future()

    # -- as asyncssh calls it ----------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Take the channel."""
        self._chan = chan
        if self._lost is not None:
            chan.abort()  # it comes too late

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Take what the server sent: any number of packets, or a part of one."""
        if datatype is not None:
            return  # what it says on its error stream is for people
        self._heard = self._loop.time()
        try:
            if self._buffer:
                self._buffer += data
                if (taken := self._take(self._buffer)) > 0:
                    del self._buffer[:taken]
            elif (taken := self._take(data)) < len(data):
                self._buffer += data[taken:] if taken else data
        except (p.Lost, *p.MALFORMED) as error:
            self._end(error if isinstance(error, p.Lost) else p.Lost(f"a malformed packet: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all who wait."""
        self._end(exc)

    # -- answers -----------------------------------------------------------------------

    def _take(self, buffer: bytes | bytearray) -> int:
        """Read all packets that are whole; return where the rest begins."""
        at = 0
        while len(buffer) - at >= 9:
            length, kind, number = p.HEADER.unpack_from(buffer, at)
            if not 5 <= length <= LARGEST_PACKET:
                raise p.Lost("this is no SFTP; does a login script of the server write something?")
            end = at + 4 + length
            if len(buffer) < end:
                break
            self._answer(kind, number, _body(buffer, at + 9, end, kind))
            at = end
        return at

    def _answer(self, kind: int, number: int, body: bytes) -> None:
        if kind == p.VERSION:
            if not self._version.done():
                self._version.set_result(body)
            return
        waiter = self._waiters.pop(number, None)
        if self._idle is not None and not self._waiters and not self._idle.done():
            self._idle.set_result(None)
        if waiter is None:
            raise p.Lost("the server answers what nobody asked")
        if waiter.kind == p.CLOSE or (waiter.kind in _OPENING and kind != p.HANDLE):
            self._freed()
        if waiter.future.done():
            if kind == p.HANDLE and waiter.late is not None:
                waiter.late(p.handle(kind, body))
            return
        try:
            waiter.future.set_result(waiter.decode(kind, body))
        except p.Refused as error:
            _fail(waiter.future, error)
        except Exception:
            self._waiters[number] = waiter  # it is told with all others that the channel is no good
            raise

    def _end(self, cause: Exception | None) -> None:
        if self._lost is None:
            self._lost = cause or p.Lost("the server closed the connection")
        waiters = [*self._waiters.values(), *(waiter for _, waiter, _ in self._held)]
        self._waiters = {}
        for _, _, timer in self._held:
            timer.cancel()
        self._held.clear()
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        for future in (self._version, *(waiter.future for waiter in waiters)):
            if not future.done():
                _fail(future, self._loss())
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._chan is not None:
            self._flush()  # closing and removing what was begun is still under way
            self._chan.abort()

    def _loss(self) -> p.Lost:
        return (p.Silent if isinstance(self._lost, p.Silent) else p.Lost)(str(self._lost))

    # -- requests ----------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """True if no request can be made any more."""
        return self._lost is not None

    @property
    def busy(self) -> int:
        """How many answers are waited for."""
        return len(self._waiters) + len(self._held)

    def ask(
        self,
        kind: int,
        body: bytes,
        decode: Callable[[int, bytes], T],
        late: Late | None = None,
    ) -> asyncio.Future[T]:
        """Send a request; the future has its answer, as ``decode`` reads it.

        ``late`` is called with a handle that comes when the future is cancelled already.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._lost is not None or self._chan is None:
            _fail(future, self._loss())
            return future
        waiter = _Waiter(kind, future, decode, late)
        if kind in _OPENING and self._handles >= self.most_handles:
            timer = self._loop.call_later(self.patience, _fail, future, self._too_many())
            self._held.append((body, waiter, timer))
        else:
            self._send(body, waiter)
        return future

    def _send(self, body: bytes, waiter: _Waiter) -> None:
        if waiter.kind in _OPENING:
            self._handles += 1
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        if not self._waiters:
            self._heard = self._loop.time()
            if self._watch is None:
                self._watch = self._loop.call_later(self.patience, self._look)
        self._waiters[number] = waiter
        self._write(p.HEADER.pack(len(body) + 5, waiter.kind, number) + body)

    def _freed(self) -> None:
        """A handle is gone: send what waited for that."""
        self._handles -= 1
        while self._held and self._handles < self.most_handles:
            body, waiter, timer = self._held.popleft()
            timer.cancel()
            if not waiter.future.done():
                self._send(body, waiter)

    def _too_many(self) -> p.TooMany:
        reason = f"{self.most_handles} files are open on this connection, and no more are allowed"
        return p.TooMany(f"{reason}; close some, or allow more connections")

    def _write(self, packet: bytes) -> None:
        """Send a packet with all others of this turn of the loop: SSH wraps and encrypts them as one."""
        if not self._outgoing:
            self._loop.call_soon(self._turn_ends)
        self._outgoing.append(packet)
        self._size += len(packet)
        if self._size >= AT_ONCE:
            self._flush()

    def _turn_ends(self) -> None:
        self._flush(self._at_once)

    def _flush(self, at_once: Callable[..., None] | None = None) -> None:
        packets, self._outgoing, self._size = self._outgoing, [], 0
        if not packets or self._chan is None:
            return
        data = packets[0] if len(packets) == 1 else b"".join(packets)
        try:
            if at_once is None:
                self._chan.write(data)
            else:
                at_once(self._chan.write, data)
        except OSError as error:  # asyncssh: the channel is not open for sending
            self._end(error)

    def _look(self) -> None:
        """End the session if the server has been silent for too long."""
        self._watch = None
        if not self._waiters:
            return
        silent = self._loop.time() - self._heard
        if silent >= self.patience:
            self._end(p.Silent(f"the server has not answered for {self.patience:g} seconds"))
        else:
            self._watch = self._loop.call_later(self.patience - silent, self._look)

    async def settled(self, seconds: float) -> None:
        """Wait, but not for long, until all is answered: also what nobody else waits for."""
        if self._waiters and self._lost is None:
            self._idle = self._loop.create_future()
            await asyncio.wait([self._idle], timeout=seconds)

    def close(self, reason: str = "the session was closed") -> None:
        """End the session; those who wait are told that it is lost, and why."""
        self._end(p.Lost(reason))


def _body(buffer: bytes | bytearray, at: int, end: int, kind: int) -> bytes:
    """Return what an answer consists of; of a piece of a file the piece alone, copied only once."""
    if kind == p.DATA:
        (length,) = p.u32.unpack_from(buffer, at)
        at += 4
        if length > end - at:
            raise p.Lost("a packet ends within a string")
        end = at + length
    if isinstance(buffer, bytes):
        return buffer[at:end]
    with memoryview(buffer) as view, view[at:end] as piece:
        return bytes(piece)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # of several in one flight only the first failure is looked at
