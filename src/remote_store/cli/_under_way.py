"""What is under way, as the events of a transfer tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..transfer import EventKind, TransferEvent

Moved: TypeAlias = Callable[[TransferEvent], object]
"""Is told of each event that the report has counted."""


class UnderWay:
    """What events tell beyond the report: how far the files are that are under way.

    Attributes:
        bytes: all that needs no more work: what has arrived, was skipped or was given up.
        current: the files under way, and how much of each has arrived.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.current: dict[str, int] = {}

    def add(self, event: TransferEvent) -> None:
        """Take note of an event."""
        kind, path, size = event.kind, event.path, event.size
        if kind is EventKind.STARTED:
            self.current[path] = 0
        elif kind is EventKind.BYTES:
            self._move(path, size)
        elif kind is EventKind.RETRIED:
            self._move(path, -size)
        elif kind is not EventKind.PLANNED:
            self._move(path, size - self.current.get(path, 0))
            self.current.pop(path, None)

    def _move(self, path: str, size: int) -> None:
        self.bytes += size
        if path in self.current:
            self.current[path] += size
