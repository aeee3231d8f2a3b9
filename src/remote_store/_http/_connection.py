"""One connection to a server: a request goes out, and its answer comes in."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final, cast

from ._answer import Answer, BadAnswer

SLICE: Final = 1 << 18
"""What is written at once: a transport copies what the socket does not take."""
JOINED: Final = 1 << 14
"""Bodies up to this size leave together with the head."""
MOST_BUFFERED: Final = 1 << 20
"""A server that is faster than its reader is held back from here on."""


class Connection(asyncio.Protocol):
    """A transport and what is under way on it. Belongs to one task at a time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        patience: tuple[float, float],
        gone: Callable[[Connection], None],
    ) -> None:
        self._loop, self._gone = loop, gone
        self._timeout, self._keepalive = patience
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._enough = 0  # bytes of a body before who waits is woken
        self._holding_back = False  # the server
        self._held_back = False  # by the server
        self._whole = True  # what was to be sent was sent
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._moved = loop.time()
        self.used = False

    # -- what the loop calls ---------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            self.abort()  # nothing was asked
            return
        try:
            answer.feed(data)
        except BadAnswer as error:
            self.fail(error)
        if answer.buffered > MOST_BUFFERED and not self._holding_back and self._transport is not None:
            self._holding_back = True
            self._transport.pause_reading()
        if answer.complete or answer.buffered >= self._enough:
            self._wake()
        else:
            self._deadline = self._loop.time() + self._timeout

    def pause_writing(self) -> None:
        self._held_back = True

    def resume_writing(self) -> None:
        self._held_back = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is None or not self._answer.end():
            self._failure = self._failure or exc or ConnectionResetError("the server closed the connection")
        self._wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._gone(self)

    # -- time ------------------------------------------------------------------

    def _set_deadline(self, seconds: float) -> None:
        self._deadline = deadline = self._loop.time() + seconds
        if deadline == math.inf:
            return  # uvloop takes no such time
        timer = self._timer
        if timer is None or timer.when() > deadline:  # else it finds out when it goes off
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._loop.time() >= self._deadline:
            self.fail(TimeoutError(f"the server has said nothing for {self._timeout:g} seconds"))
        elif self._deadline < math.inf:
            self._timer = self._loop.call_at(self._deadline, self._ring)

    # -- waiting ---------------------------------------------------------------

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _news(self) -> None:
        """Wait until something has happened on the connection. Raises what broke it."""
        if self._failure is not None:
            raise self._failure
        self._set_deadline(self._timeout)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._deadline = math.inf
            self._moved = self._loop.time()

    # -- one exchange ----------------------------------------------------------

    @property
    def usable(self) -> bool:
        """True while the connection is open and nothing is under way on it."""
        return self._transport is not None and not self._transport.is_closing() and self._answer is None

    @property
    def moved(self) -> float:
        """When somebody last waited for the server; infinite if somebody does."""
        return self._moved if self._waiter is None else math.inf

    @property
    def heard(self) -> bool:
        """True once anything of the answer has come."""
        return self._answer is not None and self._answer.heard

    async def send(self, method: str, head: bytes, body: bytes) -> Answer:
        """Send a request and return its answer, as soon as its head is there.

        Raises:
            OSError: the connection broke; TimeoutError and BadAnswer among them.
        """
        self._answer = answer = Answer(method)
        if len(body) <= JOINED:
            self._write(head + body if body else head)
        else:
            await self._send_large(answer, head, memoryview(body))
        while not answer.has_head:
            await self._news()
        return answer

    async def _send_large(self, answer: Answer, head: bytes, body: memoryview) -> None:
        self._whole = False
        self._write(head)
        for start in range(0, len(body), SLICE):
            self._write(body[start : start + SLICE])
            while self._held_back and not answer.has_head:
                await self._news()
            if answer.has_head:
                return  # refused, most likely; the rest would be in vain
        self._whole = True

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is None:
            raise self._failure or ConnectionResetError("the connection is closed")
        try:
            self._transport.write(data)
        except RuntimeError as error:  # of uvloop, whose transport is closed and has not said so yet
            raise ConnectionResetError("the connection is closed") from error

    async def more(self, enough: int = 0) -> None:
        """Wait for more of the body, which has not come to its end: for some, or until so much waits."""
        self._let_come()
        self._enough = enough
        try:
            await self._news()
        finally:
            self._enough = 0

    def _let_come(self) -> None:
        if self._holding_back and self._transport is not None:
            self._holding_back = False
            self._transport.resume_reading()

    # -- the end ---------------------------------------------------------------

    def rest(self) -> bool:
        """End the exchange; return True if another one can follow."""
        answer, self._answer = self._answer, None
        done = answer is not None and answer.complete and answer.keeps_alive and self._whole
        if not done or self._transport is None or self._transport.is_closing():
            self.abort()
            return False
        self.used = True
        self._let_come()
        self._set_deadline(self._keepalive)
        return True

    def fail(self, error: Exception) -> None:
        """End the connection because of an error, which is raised where somebody waits."""
        self._failure = self._failure or error
        self.abort()

    def abort(self) -> None:
        """End the connection at once, whatever is under way."""
        self._deadline = math.inf
        if self._transport is not None and not self._loop.is_closed():
            self._transport.abort()
        self._wake()
