"""Many creators of one file: exactly one wins, whoever they are and however they write."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.system import creators
from tests.system.creators import CREATORS, LOST, WON, content, target
from tests.system.support import command, files, loops, run, temporaries

from remote_store import AlreadyExists, AsyncStore, NotFound, Store
from remote_store.backend import Backend
from remote_store.backends import LocalBackend, MemoryBackend

ROUNDS = 200
PROCESSES = 4

operations = pytest.mark.parametrize("operation", ["write", "write_atomic"])
MIXED = ("write", "write_atomic", "open_write", "copy", "move")
MIXED_ROUNDS = 40


@pytest.fixture(params=["local", "memory"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    yield LocalBackend(tmp_path) if request.param == "local" else MemoryBackend()
    assert temporaries(tmp_path) == []


def judge(store: Store, outcomes: list[list[str]]) -> list[int]:
    """Check that each round has one winner, whose content is there; return the winners."""
    assert len(outcomes) == CREATORS
    assert {outcome for column in outcomes for outcome in column} == {WON, LOST}
    winners = []
    for turn, outcome in enumerate(zip(*outcomes, strict=True)):
        assert sorted(outcome) == [LOST] * (CREATORS - 1) + [WON], f"round {turn}: {set(outcome)}"
        winners.append(outcome.index(WON))
        assert store.read_bytes(target(turn)) == content(winners[-1]), f"round {turn}"
    return winners


# -- threads ------------------------------------------------------------------------------------


@pytest.mark.spec("STORE-032", "STORE-029", "STORE-028", "GEN-007")
@operations
def test_threads(backend: Backend, operation: str) -> None:
    store = Store(backend)
    outcomes = creators.in_threads(
        range(CREATORS),
        ROUNDS,
        lambda number, turn, meet: creators.create(store, operation, number, turn, meet),
    )
    winners = judge(store, outcomes)
    assert len(winners) == ROUNDS
    assert len(list(store.list_files(recursive=True))) == ROUNDS


# -- tasks --------------------------------------------------------------------------------------


class Meeting:
    """Where tasks wait until all of them have come."""

    def __init__(self) -> None:
        self._missing = CREATORS
        self._all_here = anyio.Event()

    async def __call__(self) -> None:
        self._missing -= 1
        if not self._missing:
            self._all_here.set()
        await self._all_here.wait()


async def halves(number: int, meeting: Meeting) -> AsyncIterator[bytes]:
    whole = content(number)
    middle = len(whole) // 2
    yield whole[:middle]
    await meeting()
    yield whole[middle:]


async def create(store: AsyncStore, operation: str, number: int, turn: int, meeting: Meeting) -> str:
    write = {"write": store.write, "write_atomic": store.write_atomic}[operation]
    try:
        data = halves(number, meeting) if creators.is_streamed(turn) else content(number)
        return creators.won(await write(target(turn), data), number, turn)
    except AlreadyExists as error:
        return creators.lost(error, turn)


async def in_tasks(rounds: int, attempt: Callable[[int, int, Meeting], Awaitable[str]]) -> list[list[str]]:
    """Run one task for each creator and round; return the outcomes of each creator."""
    outcomes: list[list[str]] = [[] for _ in range(CREATORS)]

    async def creator(number: int, turn: int, start: Meeting, middle: Meeting) -> None:
        await start()
        outcomes[number].append(await attempt(number, turn, middle))

    for turn in range(rounds):
        start, middle = Meeting(), Meeting()
        async with anyio.create_task_group() as group:
            for number in range(CREATORS):
                group.start_soon(creator, number, turn, start, middle)
    return outcomes


@pytest.mark.spec("STORE-032", "STORE-029", "STORE-028")
@operations
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_tasks(loop: str, backend: Backend, operation: str) -> None:
    store = AsyncStore(backend)

    async def attempt(number: int, turn: int, meeting: Meeting) -> str:
        return await create(store, operation, number, turn, meeting)

    winners = judge(Store(backend), run(loop, in_tasks, ROUNDS, attempt))
    assert len(winners) == ROUNDS


# -- processes ----------------------------------------------------------------------------------


@pytest.mark.spec("STORE-032", "STORE-029", "STORE-028", "LOC-014")
@operations
def test_processes(operation: str, tmp_path: Path) -> None:
    """Four processes with eight threads each, none of which knows of the others."""
    share = CREATORS // PROCESSES
    children = [
        subprocess.Popen(
            command(Path(creators.__file__), tmp_path, operation, number * share, share, ROUNDS),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        outcomes = coordinate(children)
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert len(judge(Store(LocalBackend(tmp_path)), outcomes)) == ROUNDS
    assert files(tmp_path) == {target(turn) for turn in range(ROUNDS)}
    assert temporaries(tmp_path) == []


def coordinate(children: list[subprocess.Popen[str]]) -> list[list[str]]:
    """Let the processes go on together whenever all have come to a meeting; return all outcomes."""
    for _ in range(sum(2 if creators.is_streamed(turn) else 1 for turn in range(ROUNDS))):
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "here\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
    outcomes: list[list[str]] = []
    for child in children:
        assert child.stdout is not None
        outcomes += json.loads(child.stdout.readline())
        assert child.wait(creators.WATCHDOG) == 0
    return outcomes


# -- every operation that creates -----------------------------------------------------------------


def source(number: int, turn: int) -> str:
    return f"sources {turn}/{number}"


def kind(number: int) -> str:
    return MIXED[number % len(MIXED)]


def make_sources(store: Store) -> None:
    for turn in range(MIXED_ROUNDS):
        for number in range(CREATORS):
            if kind(number) in ("copy", "move"):
                store.write(source(number, turn), content(number))


def judge_mixed(store: Store, outcomes: list[list[str]]) -> None:
    for turn, winner in enumerate(judge(store, outcomes)):
        for number in range(CREATORS):
            if kind(number) == "move" and number == winner:
                with pytest.raises(NotFound):
                    store.read_bytes(source(number, turn))
            elif kind(number) in ("copy", "move"):
                assert store.read_bytes(source(number, turn)) == content(number)


@pytest.mark.spec("STORE-032", "STORE-047", "STORE-033", "LOC-023")
def test_all_operations_in_threads(backend: Backend) -> None:
    store = Store(backend)
    make_sources(store)

    def attempt(number: int, turn: int, meet: object) -> str:
        path, data = target(turn), content(number)
        try:
            if kind(number) == "open_write":
                with store.open_write(path) as stream:
                    stream.write(data)
                return creators.won(stream.result, number, turn)
            if kind(number) in ("copy", "move"):
                return creators.won(getattr(store, kind(number))(source(number, turn), path), number, turn)
            return creators.won(getattr(store, kind(number))(path, data), number, turn)
        except AlreadyExists as error:
            return creators.lost(error, turn)

    judge_mixed(store, creators.in_threads(range(CREATORS), MIXED_ROUNDS, attempt))


@pytest.mark.spec("STORE-032", "STORE-047", "STORE-033", "LOC-023")
@loops
def test_all_operations_in_tasks(loop: str, backend: Backend) -> None:
    store = AsyncStore(backend)
    make_sources(Store(backend))

    async def attempt(number: int, turn: int, meeting: Any) -> str:
        path, data = target(turn), content(number)
        try:
            if kind(number) == "open_write":
                async with store.open_write(path) as stream:
                    await stream.write(data)
                return creators.won(stream.result, number, turn)
            if kind(number) in ("copy", "move"):
                return creators.won(
                    await getattr(store, kind(number))(source(number, turn), path), number, turn
                )
            return creators.won(await getattr(store, kind(number))(path, data), number, turn)
        except AlreadyExists as error:
            return creators.lost(error, turn)

    judge_mixed(Store(backend), run(loop, in_tasks, MIXED_ROUNDS, attempt))
