"""How many connections there are, who gets them, and when they end."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time

import pytest
import trustme
from tests.http.conftest import Run
from tests.http.support import Peer, always, answer, serving
from tests.http.test_answers import got, pool

from remote_store._http import ConnectTimeout, NoConnection, Origin, Pool

CONTENT = b"0123456789abcdef" * 500_000  # 8 MB


@pytest.mark.spec("HTTP-001")
@pytest.mark.parametrize("size", [None, 0, 5, 100_000, 5_000_000])
def test_what_a_server_is_sent(run: Run, size: int | None) -> None:
    body = None if size is None else CONTENT[:size]
    asked = []

    def handler(peer: Peer) -> None:
        while True:
            asked.append(peer.request())
            peer.send(answer(b"done"))

    async def main() -> None:
        made = pool(server.port)
        for _ in range(2):
            response = await made.send("PUT", "/a%20b?c=d", {"host": "x", "name": "value"}, body)
            assert await response.read_all() == b"done"
        await made.aclose()

    with serving(handler) as server:
        run(main)
    length = {} if size is None else {"content-length": str(size)}
    wanted = ("PUT /a%20b?c=d HTTP/1.1", {"host": "x", "name": "value", **length}, body or b"")
    assert asked == [wanted, wanted]
    assert server.count == 1


@pytest.mark.spec("HTTP-001")
@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "ä"])
def test_a_header_that_would_be_another_request(run: Run, value: str) -> None:
    async def main() -> None:
        made = pool(server.port)
        with pytest.raises(ValueError):
            await made.send("GET", "/", {"host": "x", "name": value})
        await made.aclose()

    with serving(always(answer())) as server:
        run(main)
    assert server.count == 0


@pytest.mark.spec("HTTP-005")
def test_never_more_than_the_limit_and_in_order(run: Run) -> None:
    def handler(peer: Peer) -> None:
        while True:
            first, _, _ = peer.request()
            time.sleep(0.002)
            peer.send(answer(first.split()[1].encode()))

    async def main() -> None:
        made = pool(server.port, limit=3)
        served = []

        async def one(number: int) -> None:
            response = await made.send("GET", f"/{number}", {"host": "x"})
            served.append(number)
            assert await response.read_all() == b"/%d" % number

        await asyncio.gather(*map(one, range(60)))
        assert all(abs(place - number) <= 3 for place, number in enumerate(served))
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.most == 3
    assert server.count == 3


@pytest.mark.spec("HTTP-005")
def test_an_answer_that_is_there_holds_no_connection(run: Run) -> None:
    async def main() -> None:
        made = pool(server.port, limit=1)
        kept = [await made.send("GET", "/", {"host": "x"}) for _ in range(3)]
        assert [await response.read_all() for response in kept] == [b"here"] * 3
        await made.aclose()

    with serving(always(answer(b"here"))) as server:
        run(main)
    assert server.count == 1


@pytest.mark.spec("HTTP-006")
@pytest.mark.parametrize("reset", [True, False])
def test_a_kept_connection_that_is_dead_is_replaced(run: Run, reset: bool) -> None:
    """The servers closes when the second request comes, so that the client cannot see it before."""

    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"ok"))
        peer.request()
        if peer.number < 4:
            if reset:
                peer.reset()
            return
        peer.send(answer(b"ok"))

    async def main() -> None:
        made = pool(server.port)
        await asyncio.gather(*(got(made) for _ in range(3)))
        for _ in range(2):
            assert await got(made) == (200, b"ok")
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.count in (3, 4)  # one, two or three at first: some may have been free again


@pytest.mark.spec("HTTP-007")
def test_a_silent_server(run: Run) -> None:
    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel" if peer.number > 1 else b"")
        peer.gone()

    async def main() -> None:
        made = pool(server.port, read_timeout=0.1)
        with pytest.raises(TimeoutError):
            await made.send("GET", "/", {"host": "x"})
        response = await made.send("GET", "/", {"host": "x"})
        assert await response.read(3) == b"hel"
        await asyncio.sleep(0.3)  # what a reader takes is not counted
        with pytest.raises(TimeoutError):
            await response.read(2)
        await made.aclose()

    with serving(handler) as server:
        run(main)


@pytest.mark.spec("HTTP-007", "HTTP-013")
def test_a_server_that_does_not_speak_tls(run: Run) -> None:
    async def main() -> None:
        made = Pool(
            Origin("127.0.0.1", server.port, ssl.create_default_context()),
            limit=1, connect_timeout=0.2, read_timeout=5, keepalive=5,
        )  # fmt: skip
        for _ in range(2):
            with pytest.raises(ConnectTimeout, match="no connection within"):
                await made.send("GET", "/", {"host": "x"})
        await made.aclose()

    def handler(peer: Peer) -> None:
        peer.gone()

    with serving(handler) as server:
        run(main)


@pytest.mark.spec("HTTP-007")
def test_an_idle_connection_is_closed_after_a_while(run: Run) -> None:
    gone = threading.Event()

    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"ok"))
        peer.gone()
        gone.set()

    async def main() -> None:
        made = pool(server.port, keepalive=0.1)
        assert await got(made) == (200, b"ok")
        while not gone.is_set():
            await asyncio.sleep(0.01)
        assert await got(made) == (200, b"ok")
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.count == 2


async def got_and_closed(made: Pool) -> tuple[int, bytes]:
    """As ``got``, and the connection goes back also if the reading is cancelled."""
    response = await made.send("GET", "/", {"host": "x"})
    try:
        return response.status, await response.read_all()
    finally:
        response.close()


@pytest.mark.spec("HTTP-008")
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"])
def test_a_cancelled_request_closes_its_connection(run: Run, sent: bytes) -> None:
    asked = threading.Event()

    def handler(peer: Peer) -> None:
        peer.request()
        if peer.number > 1:
            peer.send(answer(b"ok"))
            return
        peer.send(sent)
        asked.set()
        peer.gone()

    async def main() -> None:
        made = pool(server.port, limit=1)
        task = asyncio.create_task(got_and_closed(made))
        while not asked.is_set():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await got(made) == (200, b"ok")
        await made.aclose()

    with serving(handler) as server:
        run(main)


@pytest.mark.spec("HTTP-008")
def test_cancelling_at_every_moment_loses_no_connection(run: Run) -> None:
    def handler(peer: Peer) -> None:
        while True:
            peer.request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            peer.send(b"hello")

    async def main() -> None:
        made = pool(server.port, limit=2)
        for steps in range(80):
            tasks = [asyncio.create_task(got_and_closed(made)) for _ in range(4)]
            for _ in range(steps % 40):
                await asyncio.sleep(0)
            for task in tasks[steps % 2 :: 2]:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(result, asyncio.CancelledError) or result == (200, b"hello")
        for _ in range(4):
            assert await got_and_closed(made) == (200, b"hello")
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.open == 0


@pytest.mark.spec("HTTP-009")
def test_a_slow_reader_holds_the_server_back(run: Run) -> None:
    sent = []

    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (10 * len(CONTENT)))
        for _ in range(10):
            for start in range(0, len(CONTENT), 100_000):
                peer.send(CONTENT[start : start + 100_000])
                sent.append(len(CONTENT[start : start + 100_000]))

    async def main() -> None:
        made = pool(server.port)
        response = await made.send("GET", "/", {"host": "x"})
        await asyncio.sleep(0.5)
        assert response._answer.buffered < 2 << 20
        assert sum(sent) < 5 * len(CONTENT)  # what the sockets take is the system's
        total = 0
        while piece := await response.read(1 << 20):
            total += len(piece)
            assert response._answer.buffered < 2 << 20
        assert total == 10 * len(CONTENT)
        await made.aclose()

    with serving(handler) as server:
        run(main)


@pytest.mark.spec("HTTP-014", "HTTP-004")
@pytest.mark.parametrize("ends", [True, False])
def test_a_body_that_comes_in_drops(run: Run, ends: bool) -> None:
    def handler(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
        for drop in b"0123456789abcdefghij" if ends else b"0123456789abcdefg":
            time.sleep(0.04)  # 0.8 seconds in all, where a silence may take 0.4
            peer.send(bytes([drop]))

    async def main() -> None:
        made = pool(server.port, read_timeout=0.4)
        response = await made.send("GET", "/", {"host": "x"})
        assert await response.read(12) == b"0123456789ab"
        assert await response.read(0) == b""
        if ends:
            assert await response.read(9) == b"cdefghij"
            assert await response.read(9) == b""
        else:
            assert await response.read(9) == b"cdefg"
            with pytest.raises(ConnectionError):
                await response.read(9)
        await made.aclose()

    with serving(handler) as server:
        run(main)


@pytest.mark.spec("HTTP-010")
@pytest.mark.parametrize("closes", [True, False])
def test_an_answer_before_the_body_was_sent(run: Run, closes: bool) -> None:
    gone = []

    def handler(peer: Peer) -> None:
        peer.head()
        peer.send(answer(b"too large", "400 Bad Request"))
        if not closes:
            gone.append(peer.gone())
        else:
            time.sleep(0.1)  # a reset could overtake the answer

    async def main() -> None:
        made = pool(server.port)
        response = await made.send("PUT", "/", {"host": "x"}, CONTENT * 5)
        assert (response.status, await response.read_all()) == (400, b"too large")
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert gone == ([] if closes else [True])


@pytest.mark.spec("HTTP-011")
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tls(run: Run, known: bool, host: str) -> None:
    authority = trustme.CA()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.create_default_context()
    if known:
        authority.configure_trust(ours)

    async def main() -> None:
        made = Pool(Origin(host, server.port, ours), limit=2, connect_timeout=5, read_timeout=20, keepalive=5)
        if known and host == "127.0.0.1":
            response = await made.send("PUT", "/", {"host": "x"}, CONTENT)
            assert await response.read_all() == CONTENT
        else:
            for _ in range(3):
                with pytest.raises(ssl.SSLCertVerificationError):
                    await made.send("GET", "/", {"host": "x"})
        await made.aclose()

    def handler(peer: Peer) -> None:
        while True:
            _, _, body = peer.request()
            peer.send(answer(body))

    with serving(handler, theirs) as server:
        run(main)


@pytest.mark.spec("HTTP-012")
def test_closing_ends_all(run: Run) -> None:
    asked = threading.Semaphore(0)

    def handler(peer: Peer) -> None:
        peer.request()
        asked.release()
        peer.gone()

    async def main() -> None:
        made = pool(server.port, limit=2)
        tasks = [asyncio.create_task(got(made)) for _ in range(4)]
        for _ in range(2):
            while not asked.acquire(blocking=False):
                await asyncio.sleep(0.01)
        await made.aclose()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, ConnectionAbortedError)
        with pytest.raises(ConnectionAbortedError):
            await got(made)
        await made.aclose()

    with serving(handler) as server:
        run(main)
    assert server.open == 0


@pytest.mark.spec("HTTP-013")
def test_a_port_where_nobody_listens(run: Run) -> None:
    with serving(always(answer())) as server:
        port = server.port

    async def main() -> None:
        made = pool(port, limit=1)
        for _ in range(3):
            with pytest.raises(NoConnection, match=r"[Cc]onnect") as caught:
                await got(made)
            assert isinstance(caught.value.__cause__, ConnectionRefusedError)
        await made.aclose()

    run(main)
