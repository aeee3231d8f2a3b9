"""Reading the next piece of a file while the caller still works on the last one."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest

from remote_store import AsyncStore, RemoteStoreError, Store
from remote_store.backends import LocalBackend
from remote_store.backends.local._read import WHOLE_LIMIT, Handle
from remote_store.backends.local._session import AHEAD_LEAST

PIECE = AHEAD_LEAST
CONTENT = b"".join(bytes([n]) * PIECE for n in range(8)) + b"end"


class Preads:
    """What is read of files, piece by piece; a gate can hold it up."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.ended: list[tuple[int, int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self._pread = Handle.pread

    def __call__(self, handle: Handle, n: int, position: int) -> bytes:
        self.begun.append((position, n))
        assert self.gate.wait(60)
        assert handle.fd >= 0, "the descriptor was closed under the call"
        data = self._pread(handle, n, position)
        self.ended.append((position, n))
        return data


@pytest.fixture
def preads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Preads]:
    calls = Preads()
    monkeypatch.setattr(Handle, "pread", lambda *args: calls(*args))
    yield calls
    calls.gate.set()


@pytest.fixture
async def store(root: Path) -> AsyncIterator[AsyncStore]:
    (root / "f").write_bytes(CONTENT)
    async with AsyncStore(LocalBackend(root)) as opened:
        yield opened


async def until_ended(preads: Preads, count: int) -> None:
    with anyio.fail_after(60):
        while len(preads.ended) < count:
            await anyio.sleep(0.001)


pytestmark = [pytest.mark.anyio, pytest.mark.spec("LOC-028")]


async def test_the_next_piece_is_read_without_being_asked(store: AsyncStore, preads: Preads) -> None:
    async with await store.read("f") as stream:
        assert await stream.read(PIECE) == CONTENT[:PIECE]
        assert len(preads.begun) == 1  # one piece may be all that is wanted
        assert await stream.read(PIECE) == CONTENT[PIECE : 2 * PIECE]
        await until_ended(preads, 3)
        assert await stream.read(PIECE) == CONTENT[2 * PIECE : 3 * PIECE]
        await until_ended(preads, 4)
    assert preads.ended == [(n * PIECE, PIECE) for n in range(4)]


async def test_nothing_is_read_twice_or_beyond_the_end(store: AsyncStore, preads: Preads) -> None:
    async with await store.read("f", start=1, length=5 * PIECE) as stream:
        got = b""
        while piece := await stream.read(PIECE):
            got += piece
    assert got == CONTENT[1 : 1 + 5 * PIECE]
    assert preads.begun == [(1 + n * PIECE, PIECE) for n in range(5)]


async def test_another_place_or_size_is_read_anew(store: AsyncStore, preads: Preads) -> None:
    async with await store.open_read("f") as stream:
        for _ in range(2):
            await stream.read(PIECE)
        await stream.seek(6 * PIECE + 1)
        assert await stream.read(PIECE) == CONTENT[6 * PIECE + 1 :][:PIECE]
        await stream.seek(0)
        assert await stream.read(PIECE) == CONTENT[:PIECE]
        assert await stream.read(PIECE) == CONTENT[PIECE : 2 * PIECE]
        assert await stream.read(3 * PIECE) == CONTENT[2 * PIECE : 5 * PIECE]
        assert await stream.readinto(buffer := bytearray(PIECE)) == PIECE
        assert buffer == CONTENT[5 * PIECE : 6 * PIECE]
        assert await stream.read() == CONTENT[6 * PIECE :]


async def test_huge_pieces_are_not_read_ahead(root: Path, store: AsyncStore, preads: Preads) -> None:
    size = WHOLE_LIMIT + 1
    with open(root / "large", "wb") as file:
        file.truncate(4 * size)
    async with await store.read("large") as stream:
        for _ in range(3):
            assert len(await stream.read(size)) == size
    assert len(preads.begun) == 3


async def test_closing_waits_for_it(store: AsyncStore, preads: Preads) -> None:
    async with await store.read("f") as stream:
        for _ in range(2):
            await stream.read(PIECE)
        await until_ended(preads, 3)
        preads.gate.clear()
        await stream.read(PIECE)  # there already; the fourth hangs
        threading.Timer(0.05, preads.gate.set).start()
    assert len(preads.ended) == len(preads.begun) == 4


async def test_a_failure_that_nobody_asked_for_is_dropped(
    store: AsyncStore, preads: Preads, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await store.read("f") as stream:
        await stream.read(PIECE)
        monkeypatch.setattr(preads, "_pread", fails_later(preads._pread))
        await stream.read(PIECE)


async def test_a_failure_comes_where_its_piece_is_read(
    store: AsyncStore, preads: Preads, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await store.read("f") as stream:
        await stream.read(PIECE)
        monkeypatch.setattr(preads, "_pread", fails_later(preads._pread))
        assert await stream.read(PIECE) == CONTENT[PIECE : 2 * PIECE]
        with pytest.raises(RemoteStoreError) as caught:
            await stream.read(PIECE)
        assert (caught.value.path, caught.value.backend) == ("f", "local")
        assert isinstance(caught.value.__cause__, OSError)


def fails_later(pread: object) -> object:
    """Return a pread that succeeds once."""
    left = [pread]

    def call(handle: Handle, n: int, position: int) -> bytes:
        if not left:
            raise OSError(5, "Input/output error")
        data: bytes = left.pop()(handle, n, position)  # type: ignore[operator]
        return data

    return call


async def test_cancelled_while_it_waits_for_the_piece(store: AsyncStore, preads: Preads) -> None:
    async with await store.read("f") as stream:
        for _ in range(2):
            await stream.read(PIECE)
        await until_ended(preads, 3)
        preads.gate.clear()
        await stream.read(PIECE)
        threading.Timer(0.05, preads.gate.set).start()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await stream.read(PIECE)
        assert scope.cancelled_caught
        assert await stream.read(PIECE) == CONTENT[3 * PIECE : 4 * PIECE]
        with anyio.move_on_after(0) as scope:
            async for _ in stream:
                pass
        assert scope.cancelled_caught
    assert preads.ended == preads.begun


async def test_reading_what_is_there_is_a_checkpoint(store: AsyncStore, preads: Preads) -> None:
    async with await store.read("f") as stream:
        for _ in range(2):
            await stream.read(PIECE)
        await until_ended(preads, 3)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await stream.read(PIECE)
        assert scope.cancelled_caught
        assert await stream.read(PIECE) == CONTENT[2 * PIECE : 3 * PIECE]


def test_blocking_callers_read_what_they_ask_for(root: Path, preads: Preads) -> None:
    (root / "f").write_bytes(CONTENT)
    with Store(LocalBackend(root)) as store, store.read("f") as stream:
        raw = stream.raw  # type: ignore[attr-defined]  # a BufferedReader has it
        for _ in range(3):
            raw.read(PIECE)
        assert preads.begun == [(n * PIECE, PIECE) for n in range(3)]
