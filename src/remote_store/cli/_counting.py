"""How much there is to move, counted beside the transfer, which lists files only as it needs them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Final, Self, TypeAlias

from ..errors import RemoteStoreError
from ..models import FileInfo
from ..transfer import Action, EventKind, PlanItem, TransferEvent
from ..transfer.plan import joined
from ._look import entries
from ._places import Place

Found: TypeAlias = Callable[[], Iterable[int]]
"""Gives the size of each file that there is to move; looks for them as they are asked for."""

PATIENCE: Final = 1.0
"""Seconds to wait at the end for a listing that nobody needs any more."""


class Counting:
    """Counts what is found in a thread of its own, as long as a block lasts.

    Attributes:
        files, bytes: how much there is; what was found so far, until ``ended``.
        ended: all was found.
    """

    def __init__(self, found: Found | None) -> None:
        self.files = self.bytes = 0
        self.ended = False
        self._found = found
        self._stopped = threading.Event()
        # It only reads, so a program that ends need not wait for an answer that never comes.
        self._thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> Self:
        if self._found is not None:
            self._sizes = self._found()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._found is not None:
            self._thread.join(PATIENCE)

    def _count(self) -> None:
        try:
            for size in self._sizes:
                if self._stopped.is_set():
                    return
                self.files += 1
                self.bytes += size
        except RemoteStoreError:
            return  # the transfer meets it too, and tells
        self.ended = True


def all_of(place: Place) -> Found:
    """Return what finds all files of a place."""

    def found() -> Iterator[int]:
        for entry in entries(place, recursive=True):
            yield entry.size if isinstance(entry, FileInfo) else 0

    return found


class Differing:
    """Finds what differs between two folders, while one is made the same as the other.

    Args:
        plan: makes the comparison.
        root: the source's folder.
    """

    def __init__(self, plan: Callable[[], Iterable[PlanItem]], root: str) -> None:
        self._plan, self._root = plan, root
        self._begun: set[str] | None = None

    def note(self, event: TransferEvent) -> None:
        """Take note of what will be the same when the comparison comes to it."""
        if event.kind is EventKind.PLANNED and (begun := self._begun) is not None:
            begun.add(event.path)

    def __call__(self) -> Iterator[int]:
        """Give the size of each file that differs, or did when it began to be copied."""
        begun: set[str] = set()
        self._begun = begun
        return self._sizes(begun)

    def _sizes(self, begun: set[str]) -> Iterator[int]:
        try:
            for line in self._plan():
                if line.action is not Action.UNCHANGED:
                    yield 0 if line.action is Action.DELETE else line.size
                elif line.source is not None and joined(self._root, line.path) in begun:
                    yield line.source.size
        finally:
            self._begun = None
