"""How much there is to move, counted beside the transfer, which lists files only as it needs them."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from ..errors import RemoteStoreError
from ..models import FileInfo
from ._look import entries
from ._places import Place

PATIENCE: Final = 1.0
"""Seconds to wait at the end for a listing that nobody needs any more."""


class Counting:
    """Counts the files of a place in a thread of its own, as long as a block lasts.

    Attributes:
        files, bytes: how much there is; what was found so far, until ``ended``.
        ended: all was found.
    """

    def __init__(self, place: Place | None) -> None:
        self.files = self.bytes = 0
        self.ended = False
        self._place = place
        self._stopped = threading.Event()
        # It only reads, so a program that ends need not wait for an answer that never comes.
        self._thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> Self:
        if self._place is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._place is not None:
            self._thread.join(PATIENCE)

    def _count(self) -> None:
        assert self._place is not None
        try:
            for entry in entries(self._place, recursive=True):
                if self._stopped.is_set():
                    return
                self.files += 1
                self.bytes += entry.size if isinstance(entry, FileInfo) else 0
        except RemoteStoreError:
            return  # the transfer meets it too, and tells
        self.ended = True
