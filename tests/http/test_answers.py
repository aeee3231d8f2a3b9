"""Where an answer ends, and what is none."""

from __future__ import annotations

import asyncio

import pytest
from tests.http.conftest import Run
from tests.http.support import Handler, Peer, always, answer, serving

from remote_store._http import BadAnswer, Origin, Pool, Response


def pool(port: int, *, limit: int = 4, read_timeout: float = 5, keepalive: float = 5) -> Pool:
    return Pool(
        Origin("127.0.0.1", port),
        limit=limit,
        connect_timeout=5,
        read_timeout=read_timeout,
        keepalive=keepalive,
    )


async def got(pool: Pool, method: str = "GET") -> tuple[int, bytes]:
    response = await pool.send(method, "/", {"host": "x"})
    return response.status, await in_pieces(response)


async def in_pieces(response: Response) -> bytes:
    pieces = []
    while piece := await response.read(7):
        assert len(piece) <= 7
        pieces.append(piece)
    assert await response.read(7) == b""
    response.close()
    return b"".join(pieces)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n"
    b"0\r\nTrailer: x\r\n\r\n"
)
WHOLE = {
    "length": (answer(b"hello, world"), 200, b"hello, world"),
    "empty": (answer(), 200, b""),
    "chunks": (CHUNKED, 200, b"hello, world"),
    "none": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "after interim ones": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"hello"),
        200,
        b"hello",
    ),
    "an error": (answer(b"no", "503 Slow Down"), 503, b"no"),
    "no reason": (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", 200, b"ok"),
}


@pytest.mark.spec("HTTP-002", "HTTP-005")
@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("slices", [1, 3, 10_000])
def test_an_answer_and_the_next_one(run: Run, kind: str, slices: int) -> None:
    reply, status, body = WHOLE[kind]

    def handler(peer: Peer) -> None:
        while True:
            peer.request()
            for start in range(0, len(reply), slices):
                peer.send(reply[start : start + slices])

    async def main() -> None:
        made = pool(server.port)
        for _ in range(3):
            assert await got(made) == (status, body)
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.count == 1


@pytest.mark.spec("HTTP-002")
def test_head_has_no_body(run: Run) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: x\r\n\r\n"

    async def main() -> None:
        made = pool(server.port)
        for _ in range(2):
            response = await made.send("HEAD", "/", {"host": "x"})
            assert ("content-length", "1000") in response.headers
            assert await response.read_all() == b""
        await made.aclose()

    with serving(always(reply)) as server:
        run(main)
    assert server.count == 1


def once(reply: bytes) -> Handler:
    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(reply)

    return handler


@pytest.mark.spec("HTTP-002")
@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
def test_an_answer_to_the_end_of_the_connection(run: Run, head: bytes) -> None:
    async def main() -> None:
        made = pool(server.port)
        for _ in range(2):
            assert await got(made) == (200, b"all of it")
        await made.aclose()

    with serving(once(head + b"all of it")) as server:
        run(main)
    assert server.count == 2


@pytest.mark.spec("HTTP-002")
@pytest.mark.parametrize(
    "reply", [answer(b"x", Connection="close"), b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"]
)
def test_a_server_that_says_it_closes(run: Run, reply: bytes) -> None:
    async def main() -> None:
        made = pool(server.port)
        for _ in range(3):
            assert await got(made) == (200, b"x")
        await made.aclose()

    with serving(always(reply)) as server:
        run(main)
    assert server.count == 3


NONSENSE = {
    "no HTTP": b"220 mail.example.com ESMTP\r\n",
    "binary": bytes(range(256)),
    "no status": b"HTTP/1.1 abc OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a bad length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + CHUNKED[17:],
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "a long line": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    "a long head at once": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "many lines": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + b"\r\n",
}


@pytest.mark.spec("HTTP-003")
@pytest.mark.parametrize("kind", NONSENSE)
def test_what_is_no_answer(run: Run, kind: str) -> None:
    gone = []

    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(NONSENSE[kind])
        gone.append(peer.gone())

    async def main() -> None:
        made = pool(server.port)
        with pytest.raises(BadAnswer):
            await got(made)
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert gone == [True]


@pytest.mark.spec("HTTP-003")
@pytest.mark.parametrize("extra", [b"x", answer(b"poison"), b"HTTP/1.1 200 OK\r\n"])
@pytest.mark.parametrize("kind", ["length", "chunks", "empty", "none"])
@pytest.mark.parametrize("together", [True, False])
def test_more_than_was_asked_for_is_given_to_nobody(
    run: Run, kind: str, extra: bytes, together: bool
) -> None:
    reply, status, body = WHOLE[kind]

    def handler(peer: Peer) -> None:
        while True:
            peer.request()
            if together and peer.number == 1:
                peer.send(reply + extra)
            else:
                peer.send(reply)
                if peer.number == 1:
                    peer.send(extra)

    async def main() -> None:
        made = pool(server.port)
        for number in range(4):
            try:
                assert await got(made) == (status, body)
            except BadAnswer:
                assert number < 2
            # What comes after the next request was sent cannot be told from its answer.
            await asyncio.sleep(0.02)
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.count == 2


BROKEN = {
    "nothing": b"",
    "in the head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "before the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
}


@pytest.mark.spec("HTTP-004", "HTTP-006")
@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_an_answer_that_breaks_off(run: Run, kind: str, reset: bool, whole: bool) -> None:
    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(BROKEN[kind])
        if reset:
            peer.reset()

    async def main() -> None:
        made = pool(server.port)
        with pytest.raises(ConnectionError):
            response = await made.send("GET", "/", {"host": "x"})
            await (response.read_all() if whole else in_pieces(response))
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.count == 1  # it was a new connection: not asked again
