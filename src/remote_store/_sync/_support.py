"""The three things that generated methods cannot say in one line."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar, cast

from .._async import AsyncStore, Listing
from .._runtime import drive

if TYPE_CHECKING:
    from ._store import Store

T = TypeVar("T")

BUFFER_SIZE: Final = 1 << 16
"""Bytes that a small read fetches ahead; larger reads go past the buffer."""


def iterate(listing: Listing[T]) -> Iterator[T]:
    """Give the items of a listing, a whole batch per step down."""
    try:
        while batch := drive(listing.next_batch()):
            yield from batch
    finally:
        if not sys.is_finalizing():  # an iteration that was left lying until now: all ends by itself
            drive(listing.aclose())


def inner(store: Store) -> AsyncStore:
    """Return what a blocking store drives. Raises TypeError for anything else."""
    found = getattr(store, "_inner", None)
    if not isinstance(found, AsyncStore):
        raise TypeError(
            f"a Store is needed here, not {type(store).__name__}; for AsyncStore see remote_store.aio"
        )
    return found


def buffered(stream: io.RawIOBase) -> BinaryIO:
    """Return a full binary file over a raw stream: lines, peeking, small reads at C speed."""
    return cast(BinaryIO, io.BufferedReader(stream, BUFFER_SIZE))
