"""Listings: async iterators over batches, so that the blocking face can take whole batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, Self, TypeVar

from ..backend import Pages
from ..models import Entry
from ..paths import PathLike
from ._scope import Scope, located

T = TypeVar("T")


class Batches(Protocol[T]):
    """Where a listing gets its items from; an empty batch is not the end."""

    async def __anext__(self) -> list[T]: ...
    async def aclose(self) -> None: ...


class Listing(AsyncIterator[T], Generic[T]):
    """Items of a listing, fetched page by page as they are asked for.

    Leaving it half-way, by ``break`` or by dropping it, releases what it holds;
    ``aclose()`` or ``async with`` does so at a moment of your choice.
    """

    def __init__(self, scope: Scope, key: str, path: PathLike, batches: Batches[T]) -> None:
        self._scope, self._key, self._path = scope, key, path
        self._batches: Batches[T] | None = batches
        self._batch: list[T] = []
        self._next = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._next >= len(self._batch):
            self._batch = await self.next_batch()
            self._next = 0
            if not self._batch:
                raise StopAsyncIteration
        item = self._batch[self._next]
        self._next += 1
        return item

    async def next_batch(self) -> list[T]:
        """Return the next items that the storage gave together; an empty list is the end."""
        while self._batches is not None:
            self._scope.require_open()
            try:
                with located(self._scope, (self._key, self._path)):
                    batch = await self._batches.__anext__()
            except StopAsyncIteration:
                self._batches = None
            else:
                if batch:
                    return batch
        return []

    async def aclose(self) -> None:
        """Stop, and release what the listing holds. Closing twice is fine."""
        batches, self._batches = self._batches, None
        self._batch, self._next = [], 0
        if batches is not None:
            with located(self._scope, (self._key, self._path)):
                await batches.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


class Mapped(Generic[T]):
    """Backend pages with each entry turned into what the caller asked for; None is left out."""

    def __init__(self, pages: Pages, convert: Callable[[Entry], T | None]) -> None:
        self._pages, self._convert = pages, convert

    async def __anext__(self) -> list[T]:
        convert = self._convert
        page = await self._pages.__anext__()
        return [item for entry in page if (item := convert(entry)) is not None]

    async def aclose(self) -> None:
        await self._pages.aclose()
