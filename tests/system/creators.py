"""Creators that race for one name, round after round.

As a program, it runs some of the creators, in threads of its own process, and says when
they are all at a meeting point: ``creators.py ROOT OPERATION FIRST COUNT ROUNDS``.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator

from remote_store import AlreadyExists, Store, WriteResult
from remote_store.backends import LocalBackend

CREATORS = 32
WATCHDOG = 60.0
WON = "won"
LOST = "lost"


def content(number: int) -> bytes:
    """Return what one creator writes."""
    return b"%08d" % number * 2500


def target(turn: int) -> str:
    """Return the path of one round, in folders that are new as well."""
    return f"round {turn}/new/target"


def is_streamed(turn: int) -> bool:
    """Return True in each fourth round: all creators are half done before one of them goes on."""
    return turn % 4 == 3


def halves(number: int, meet: Callable[[], object]) -> Iterator[bytes]:
    """Give the content in two halves, with a meeting between them."""
    whole = content(number)
    middle = len(whole) // 2
    yield whole[:middle]
    meet()
    yield whole[middle:]


def won(result: WriteResult | None, number: int, turn: int) -> str:
    """Return the outcome of a success."""
    assert result is not None
    right = str(result.path) == target(turn) and result.size == len(content(number))
    return WON if right else f"won with {result!r}"


def lost(error: AlreadyExists, turn: int) -> str:
    """Return the outcome of the one error that is expected."""
    return LOST if type(error) is AlreadyExists and error.path == target(turn) else repr(error)


def create(store: Store, operation: str, number: int, turn: int, meet: Callable[[], object]) -> str:
    """Try once to create the file of a round, and return the outcome."""
    write = {"write": store.write, "write_atomic": store.write_atomic}[operation]
    try:
        data = halves(number, meet) if is_streamed(turn) else content(number)
        return won(write(target(turn), data), number, turn)
    except AlreadyExists as error:
        return lost(error, turn)


def in_threads(
    numbers: range,
    rounds: int,
    attempt: Callable[[int, int, Callable[[], object]], str],
    meet_all: Callable[[], None] | None = None,
) -> list[list[str]]:
    """Run creators in threads; return the outcomes of each, round by round.

    ``attempt`` is called with creator, round, and a function that waits for the others.
    ``meet_all`` is called whenever all threads have met.
    """
    outcomes: list[list[str]] = [[] for _ in numbers]
    barrier = threading.Barrier(len(numbers), action=meet_all, timeout=WATCHDOG)

    def creator(number: int) -> None:
        mine = outcomes[number - numbers.start]
        try:
            for turn in range(rounds):
                barrier.wait()
                mine.append(attempt(number, turn, barrier.wait))
        except BaseException as error:
            mine.append(repr(error))
            barrier.abort()  # nobody need wait for this one any more

    threads = [threading.Thread(target=creator, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def main() -> None:
    root, operation, first, count, rounds = sys.argv[1:]
    store = Store(LocalBackend(root))

    def meet_all() -> None:
        print("here", flush=True)
        assert sys.stdin.readline() == "go\n"

    outcomes = in_threads(
        range(int(first), int(first) + int(count)),
        int(rounds),
        lambda number, turn, meet: create(store, operation, number, turn, meet),
        meet_all,
    )
    print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    main()
