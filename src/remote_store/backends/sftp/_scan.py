"""One folder being read: many answers in flight, and none is lost where the reader is cancelled."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from ..._runtime.tasks import unbroken
from ..._sftp.packets import Name
from ._files import Files

PAGE: Final = 1000
MOST_AHEAD: Final = 16
"""READDIRs in flight for one folder; a server gives about a hundred names for each."""


class Scan:
    """One folder being read. The requests go out by themselves as answers come in."""

    def __init__(self, files: Files, key: str) -> None:
        self.key, self.prefix = key, f"{key}/" if key else ""
        self._channel = files.channel
        self._handle: bytes | None = None
        self._waiting: deque[Any] = deque()
        self._ahead = 2  # a small folder has one answer, and the news that there are no more
        self.path = files.path(key)
        self._opening = self._channel.opendir(self.path)
        self._opening.add_done_callback(self._opened)
        self._found: list[Name] = []  # what a reader who was cancelled has not got
        self.ended = False

    def _opened(self, opening: Any) -> None:
        if self._handle is None and not opening.cancelled() and opening.exception() is None:
            self._handle = opening.result()
            if self.ended:
                self.close()
            else:
                self._ask()

    def _ask(self) -> None:
        while len(self._waiting) < self._ahead:
            self._waiting.append(self._channel.readdir(self._handle or b""))

    async def next(self) -> list[Name]:
        """Return further entries; none, and ``ended``, at the end.

        Raises:
            Refused: the folder cannot be read.
        """
        if self._handle is None:
            await unbroken(self._opening)
            self._opened(self._opening)  # it may have been done before its callback ran
        while not self.ended and len(self._found) < PAGE:
            names = await unbroken(self._waiting[0])
            self._waiting.popleft()
            if names is None:
                self.close()
            else:
                self._found += names
                self._ahead = min(2 * self._ahead, MOST_AHEAD)
                self._ask()
            if self._waiting and not self._waiting[0].done():
                break
        found, self._found = self._found, []
        return found

    def close(self) -> None:
        """Close the folder; nobody waits for the answer."""
        self.ended = True
        self._opening.cancel()
        for each in self._waiting:
            each.cancel()
        self._waiting.clear()
        if self._handle is not None:
            self._channel.drop(self._handle)
            self._handle = None
