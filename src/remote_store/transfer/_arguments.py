"""What a caller gives one by one, from an iterable of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
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

    async def take(self, most: int) -> list[A]:
        """Return so many at most: what a plain iterable has, or one of an awaited one."""
        if self._plain is not None:
            found: list[A] = await _runtime.user_call(list, islice(self._plain, most))
            self.ended = len(found) < most
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
