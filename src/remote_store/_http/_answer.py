"""One answer of a server as its bytes arrive (RFC 9112), parsed by llhttp."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Final

import httptools

HEADER_BYTES: Final = 1 << 16
"""The most that the head of an answer may have; servers send a few hundred."""
HEADER_LINES: Final = 256

_NO_BODY: Final = frozenset((204, 304))


@lru_cache(maxsize=256)
def _lower(name: bytes) -> str:
    """Return the name of a header in small letters; servers use a few dozen."""
    return name.decode("latin-1").lower()


def _size(line: tuple[bytes, bytes]) -> int:
    """Return the bytes of a line of the head, with its colon and its end."""
    return len(line[0]) + len(line[1]) + 4


class BadAnswer(ConnectionError):
    """What the server sent is no HTTP: nothing more can be done with the connection."""


class Answer:
    """Collects the head, and the body until somebody takes it. Knows nothing of connections."""

    __slots__ = (
        "_bodiless", "_chunks", "_head_bytes", "_left", "_offset", "_parser", "_raw", "_to_the_end",
        "buffered", "complete", "has_head", "headers", "heard", "keeps_alive", "status",
    )  # fmt: skip

    def __init__(self, method: str) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.has_head = False
        self.complete = False
        self.keeps_alive = False
        self.heard = False
        self.buffered = 0
        self._raw: list[tuple[bytes, bytes]] = []
        self._bodiless = method == "HEAD"
        self._chunks: deque[bytes] = deque()
        self._offset = 0  # what of the first chunk is taken already
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._left: int | None = None  # bytes of the body to come, where the head says it
        self._to_the_end = False  # of the connection
        self._head_bytes = 0

    # -- what arrives ----------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take bytes as they came from the server.

        Raises:
            BadAnswer: they are no answer, or more than one.
        """
        self.heard = True
        if self.complete:
            raise BadAnswer("the server sent more than it was asked for")
        if self._left is not None:
            self._take_known(data)
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        assert self._parser is not None
        if not self.has_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise BadAnswer(f"the server's answer is no HTTP: {error}") from error
        if not self.has_head and self._head_bytes > HEADER_BYTES:
            raise BadAnswer(f"the head of the server's answer is longer than {HEADER_BYTES} bytes")
        if self.complete or self._left is not None:
            self._parser = None  # which refers back to this object

    def _take_known(self, data: bytes) -> None:
        """Take a part of a body whose length is known, past the parser, which would copy it."""
        assert self._left is not None
        if len(data) > self._left:
            raise BadAnswer("the server sent more than it announced")
        self._left -= len(data)
        self._keep(data)
        self.complete = not self._left

    def _keep(self, data: bytes) -> None:
        self._chunks.append(data)
        self.buffered += len(data)

    def end(self) -> bool:
        """Take the end of the connection; return True if that is how the answer ends."""
        if self._to_the_end:
            self.complete = True
        return self.complete

    # -- what the parser calls -------------------------------------------------

    def on_message_begin(self) -> None:
        if self.has_head:
            raise BadAnswer("the server sent more than it was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:  # else it is a line after the body
            self._raw.append((name, value))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:  # interim: the answer itself follows
            self._raw.clear()
            return
        if self._head_bytes > HEADER_BYTES and sum(map(_size, self._raw)) > HEADER_BYTES:
            raise BadAnswer(f"the head of the server's answer is longer than {HEADER_BYTES} bytes")
        if len(self._raw) > HEADER_LINES:
            raise BadAnswer(f"the server's answer has more than {HEADER_LINES} header lines")
        self.headers = [(_lower(name), value.decode("utf-8", "surrogateescape")) for name, value in self._raw]
        self.status, self.has_head = status, True
        self.keeps_alive = self._parser.should_keep_alive()
        if self._bodiless or status in _NO_BODY:
            self.complete = True
            return
        found = dict(self.headers)
        if "transfer-encoding" in found:
            return  # in chunks: the parser finds the end
        length = found.get("content-length")
        if length is None:
            self._to_the_end, self.keeps_alive = True, False
        else:
            self._left = int(length)
            self.complete = not self._left

    def on_body(self, data: bytes) -> None:
        if self._left is not None:
            self._take_known(data)
        elif self.complete:
            raise BadAnswer("the server sent a body where there is none")
        else:
            self._keep(data)

    def on_message_complete(self) -> None:
        if self.has_head:
            self.complete = True

    # -- what is taken ---------------------------------------------------------

    def take(self, n: int) -> list[bytes]:
        """Return what is there of the next bytes, at most ``n``, in the pieces in which it came."""
        pieces = []
        while n and self._chunks:
            pieces.append(self._next(n))
            n -= len(pieces[-1])
        return pieces

    def _next(self, n: int) -> bytes:
        """Return what the first chunk has of the next bytes."""
        chunk = self._chunks[0]
        size = len(chunk) - self._offset
        if size <= n:
            self._chunks.popleft()
            piece = chunk[self._offset :] if self._offset else chunk
            self._offset = 0
        else:
            piece = chunk[self._offset : self._offset + n]
            self._offset += n
        self.buffered -= len(piece)
        return piece
