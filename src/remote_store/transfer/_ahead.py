"""Many calls ahead of who asks for their results, which come in the order of the calls."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from .. import _runtime
from .._runtime.tasks import Task, Tasks, dropped, ended
from ._arguments import Arguments
from ._retry import retrying
from .options import TransferOptions

A = TypeVar("A")
T = TypeVar("T")


class Ahead(Generic[A, T]):
    """Results of one call for each argument, as batches of a listing.

    The calls run on an asyncio loop: the caller's, or the background loop.
    """

    def __init__(
        self,
        arguments: Iterable[A] | AsyncIterable[A],
        call: Callable[[A, bool], Awaitable[T]],
        size: Callable[[A, T | None], int],
        most: int,
        options: TransferOptions,
    ) -> None:
        self._arguments: Arguments[A] = Arguments(arguments)
        self._call, self._size = call, size
        self._most, self._options = options.concurrency or most, options
        self._tasks: Tasks | None = None
        self._under_way: deque[tuple[Task[T], list[int]]] = deque()
        self._held = 0

    async def __anext__(self) -> list[T]:
        while not self._arguments.ended and (free := self._room()) > 0:
            found = await self._arguments.take(free, self._full())
            await _runtime.on_asyncio(self._begin, found)
        if not self._under_way:
            raise StopAsyncIteration
        return await _runtime.on_asyncio(self._results)

    def _room(self) -> int:
        return self._most - len(self._under_way) if self._held < self._options.memory_limit else 0

    def _full(self) -> Callable[[A], bool]:
        """Return what is told of arguments, and says when there is room for none after that."""
        room = self._options.memory_limit - self._held

        def full(argument: A) -> bool:
            nonlocal room
            room -= self._known(argument)
            return room <= 0

        return full

    def _known(self, argument: A) -> int:
        """Return how many bytes a call is known to hold."""
        try:
            return self._size(argument, None)
        except Exception:  # noqa: BLE001 - the call itself tells what is wrong, when it is its turn
            return 0

    async def _begin(self, arguments: list[A]) -> None:
        if self._tasks is None:
            self._tasks = Tasks()
        for argument in arguments:
            counted = [0]
            self._count(counted, self._known(argument))  # before the next ones are asked for
            self._under_way.append((self._tasks.spawn(self._one, argument, counted), counted))

    async def _one(self, argument: A, counted: list[int]) -> T:
        result = await retrying(self._options.retries, lambda again: self._call(argument, again))
        self._count(counted, self._size(argument, result))
        return result

    def _count(self, counted: list[int], size: int) -> None:
        self._held += size - counted[0]
        counted[0] = size

    async def _results(self) -> list[T]:
        """Wait for the first result, and give it with all others in order that are there by then."""
        await ended(self._under_way[0][0])
        results: list[T] = []
        while self._under_way and self._under_way[0][0].done():
            task, counted = self._under_way[0]
            if results and (task.cancelled() or task.exception() is not None):
                break  # it is raised when it is its turn
            self._under_way.popleft()
            self._count(counted, 0)
            results.append(task.result())
        return results

    async def aclose(self) -> None:
        """Stop all that is under way, and wait until it has."""
        await _runtime.shielded_on_asyncio(self._stop)
        await self._arguments.aclose()

    async def _stop(self) -> None:
        under_way, self._under_way = self._under_way, deque()
        await dropped([task for task, _ in under_way])
