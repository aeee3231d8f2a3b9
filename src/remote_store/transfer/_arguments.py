"""What a caller gives one by one, from an iterable of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from .. import _runtime

A = TypeVar("A")


class Arguments(Generic[A]):
    """What the caller gives, from an iterable of either kind."""

    def __init__(self, given: Iterable[A] | AsyncIterable[A]) -> None:
        self.ended = False
        self._plain: Iterator[A] | None = None
        self._awaited: AsyncIterator[A] | None = None
        if isinstance(given, AsyncIterable):
            self._awaited = aiter(given)
        else:
            self._plain = iter(given)

    async def take(self, most: int, enough: Callable[[A], bool] = lambda _: False) -> list[A]:
        """Return so many at most: what a plain iterable has, or one of an awaited one.

        ``enough`` is told of each that is taken from a plain one, and ends that by True.
        """
        if self._plain is not None:
            found: list[A]
            found, self.ended = await _runtime.user_call(_taken, self._plain, most, enough)
            return found
        assert self._awaited is not None
        try:
            return [await anext(self._awaited)]
        except StopAsyncIteration:
            self.ended = True
            return []

    async def aclose(self) -> None:
        """Close a generator that is left half-way."""
        close: Any = getattr(self._awaited, "aclose", None)
        if close is not None:
            await close()


def _taken(given: Iterator[A], most: int, enough: Callable[[A], bool]) -> tuple[list[A], bool]:
    """Return what was taken, and whether that was the last of it."""
    found: list[A] = []
    for argument in islice(given, most):
        found.append(argument)
        if enough(argument):
            return found, False
    return found, len(found) < most
