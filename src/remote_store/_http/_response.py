"""An answer as who asked reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ._answer import Answer, BadAnswer
from ._connection import MOST_BUFFERED, Connection

MOST_WHOLE: Final = 1 << 26
"""The most that ``read_all`` takes: it is for answers, not for content."""


class Response:
    """An answer whose body is read while it arrives."""

    def __init__(self, connection: Connection, answer: Answer, release: Callable[[Connection], None]) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._connection: Connection | None = connection
        self._answer, self._release = answer, release
        if answer.complete:
            self.close()  # the connection is free for others; what came is still here

    async def read(self, n: int) -> bytes:
        """Return the next ``n`` bytes, 1 MiB at most; fewer before the end or a break, ``b""`` at the end.

        Raises:
            OSError: the connection broke.
        """
        return b"".join(await self.pieces(n))  # one piece is not copied

    async def pieces(self, n: int) -> list[bytes]:
        """Return the same as it came, in pieces: who copies it to its place needs them not joined."""
        answer, enough = self._answer, min(n, MOST_BUFFERED)
        while answer.buffered < enough and not answer.complete:
            try:
                await self._more(enough)
            except OSError:
                if not answer.buffered:
                    raise
                break  # what came counts; the next call raises
        if answer.complete:
            self.close()
        return answer.take(enough)

    async def _more(self, enough: int = 0) -> None:
        if self._connection is None:
            raise ConnectionAbortedError("the answer was closed before its end")
        await self._connection.more(enough)

    async def read_all(self) -> bytes:
        """Return all that is left of a body of moderate size. Raises as ``read`` does."""
        try:
            while not self._answer.complete:
                if self._answer.buffered > MOST_WHOLE:
                    raise BadAnswer(f"the answer is longer than {MOST_WHOLE} bytes")
                await self._more()
            return b"".join(self._answer.take(self._answer.buffered))
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection; it is closed if more was to come. Closing twice is fine."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._release(connection)
