"""Waiting for a connection: as long as there is hope."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.http.conftest import Run
from tests.http.support import Peer, serving
from tests.http.test_answers import pool

from remote_store._http import NoneFree, Pool, Response
from remote_store._http._answer import Answer, BadAnswer

LARGE = b"x" * (6 << 20)
"""More than is buffered: who does not read on keeps the connection."""
PATIENCE = 0.8


async def got(made: Pool) -> bytes:
    return await (await made.send("GET", "/", {"host": "x"})).read_all()


def giving(peer: Peer) -> None:
    while True:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE))
        peer.send(LARGE)


@pytest.mark.spec("HTTP-015")
def test_answers_that_nobody_reads_on_are_not_waited_for(run: Run) -> None:
    async def main() -> None:
        made = pool(server.port, limit=2, read_timeout=PATIENCE)
        held = [await made.send("GET", "/", {"host": "x"}) for _ in range(2)]
        for count in (1, 3):
            start = time.monotonic()
            results = await asyncio.gather(*(got(made) for _ in range(count)), return_exceptions=True)
            assert [type(result) for result in results] == [NoneFree] * count
            assert PATIENCE <= time.monotonic() - start < 10 * PATIENCE
        held[0].close()
        assert await got(made) == LARGE
        assert await read_slowly(held[1]) == len(LARGE)
        await made.aclose()

    with serving(giving) as server:
        run(main)


async def read_slowly(response: Response) -> int:
    """Read it to its end, in more time than others have patience."""
    count = 0
    while piece := await response.read(1 << 20):
        count += len(piece)
        await asyncio.sleep(PATIENCE / 3)
    return count


@pytest.mark.spec("HTTP-015")
def test_slow_readers_are_waited_for(run: Run) -> None:
    async def main() -> None:
        made = pool(server.port, limit=2, read_timeout=PATIENCE)
        held = [await made.send("GET", "/", {"host": "x"}) for _ in range(2)]
        start = time.monotonic()
        counts = await asyncio.gather(read_slowly(held[0]), got(made), got(made), read_slowly(held[1]))
        assert time.monotonic() - start > PATIENCE
        assert (counts[0], counts[3]) == (len(LARGE), len(LARGE))
        await made.aclose()

    with serving(giving) as server:
        run(main)


@pytest.mark.spec("HTTP-015")
def test_many_wait_their_turn_although_it_takes_long(run: Run) -> None:
    def handler(peer: Peer) -> None:
        while True:
            peer.request()
            time.sleep(PATIENCE / 20)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def main() -> None:
        made = pool(server.port, limit=2, read_timeout=PATIENCE)
        assert await asyncio.gather(*(got(made) for _ in range(60))) == [b"ok"] * 60
        await made.aclose()

    with serving(handler) as server:
        run(main)


@pytest.mark.spec("HTTP-015")
def test_who_has_all_the_time_waits(run: Run) -> None:
    async def main() -> None:
        made = pool(server.port, limit=1, read_timeout=float("inf"))
        held = await made.send("GET", "/", {"host": "x"})
        waiting = asyncio.create_task(got(made))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        held.close()
        assert await waiting == LARGE
        await made.aclose()

    with serving(giving) as server:
        run(main)


@pytest.mark.spec("HTTP-003")
@pytest.mark.parametrize("size", [100, 1000, 1 << 20])
def test_headers_as_long_as_they_may_be(size: int) -> None:
    """Whatever of the body comes with them."""
    head = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 65_000 + b"\r\nContent-Length: 300000\r\n\r\n"
    whole = head + bytes(300_000)
    answer = Answer("GET")
    for start in range(0, len(whole), size):
        answer.feed(whole[start : start + size])
    assert answer.complete
    answer = Answer("GET")
    with pytest.raises(BadAnswer):
        for start in range(0, len(whole), size):
            answer.feed(whole.replace(b"X: ", b"X: " + b"x" * 1000)[start : start + size])
