"""TLS connections that are ended while they are made, beside others that go on."""

from __future__ import annotations

import asyncio
import gc
import random
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme
from tests.http.conftest import Run
from tests.http.support import Handler, Peer, Server, answer, serving
from tests.http.test_answers import got, pool

from remote_store._http import NoConnection, Origin, Pool


@contextmanager
def secure(handler: Handler) -> Iterator[tuple[Server, Pool]]:
    """Give a server that speaks TLS, and connections to it."""
    authority = trustme.CA()
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    authority.configure_trust(ours)
    with serving(handler, theirs) as server:
        yield server, secure_pool(server.port, ours)


def secure_pool(port: int, tls: ssl.SSLContext) -> Pool:
    return Pool(Origin("127.0.0.1", port, tls), limit=20, connect_timeout=10, read_timeout=10, keepalive=5)


def once(peer: Peer) -> None:
    peer.request()
    peer.send(answer(b"hello", Connection="close"))


async def all_closed(server: Server) -> None:
    while server.open:
        await asyncio.sleep(0.01)


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fail if a socket is closed by nobody."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    assert not [str(each.message) for each in caught if issubclass(each.category, ResourceWarning)]


@pytest.mark.spec("HTTP-008")
def test_a_cancelled_handshake_breaks_no_other_connection(run: Run) -> None:
    chance = random.Random(1)

    async def main() -> None:
        said: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))
        alone: list[Any] = []
        for _ in range(25):
            others = [asyncio.create_task(got(made)) for _ in range(2)]
            for _ in range(4):
                task = asyncio.create_task(got(made))
                await asyncio.sleep(chance.random() * 0.004)
                task.cancel()
                others.append(asyncio.create_task(got(made)))
                alone.append(task)
            assert set(await asyncio.gather(*others)) == {(200, b"hello")}
        for result in await asyncio.gather(*alone, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError) or result == (200, b"hello")
        await all_closed(server)
        await made.aclose()
        # uvloop says itself, whatever is done, that a handshake could not end on a closed transport.
        assert not [each for each in said if "uvloop" not in repr(each)]

    with secure(once) as (server, made), nothing_left():
        run(main)


@pytest.mark.spec("HTTP-008")
@pytest.mark.parametrize("steps", range(12))
def test_a_cancelled_connection_is_closed(run: Run, steps: int) -> None:
    """Also where the transport does not exist yet, or is not in the loop."""

    async def main() -> None:
        for _ in range(3):
            task = asyncio.create_task(got(made))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled() or task.result() == (200, b"hello")
        await all_closed(server)
        assert await got(made) == (200, b"hello")
        await made.aclose()

    with secure(once) as (server, made), nothing_left():
        run(main)


class Broken(ssl.SSLContext):
    """A context that nothing can be wrapped in."""

    def wrap_bio(self, *args: Any, **options: Any) -> Any:
        raise ssl.SSLError("no such thing")


@pytest.mark.spec("HTTP-013")
def test_a_context_that_fails_leaves_no_socket() -> None:
    """On asyncio: uvloop keeps such a socket itself."""

    async def main() -> None:
        made = secure_pool(server.port, Broken(ssl.PROTOCOL_TLS_CLIENT))
        with pytest.raises(ssl.SSLError):
            await made.send("GET", "/", {"host": "x"})
        await all_closed(server)
        await made.aclose()

    def handler(peer: Peer) -> None:
        peer.gone()

    with serving(handler) as server, nothing_left():
        asyncio.run(main())


@pytest.mark.spec("HTTP-013")
def test_a_loop_that_cannot_watch_the_socket(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(self: object, *args: object) -> Callable[[], None]:
        raise RuntimeError("File descriptor 7 is used by a transport")

    async def main() -> None:
        made = pool(server.port)
        with monkeypatch.context() as patched:
            patched.setattr(Pool, "_connected", busy)
            with pytest.raises(NoConnection, match="descriptor"):
                await made.send("GET", "/", {"host": "x"})
        assert await got(made) == (200, b"hello")
        await made.aclose()

    with serving(once) as server:
        run(main)
