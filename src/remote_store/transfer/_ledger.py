"""A journal for many tasks: what they note at the same time is written at once, in a worker thread."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import anyio

from .. import _runtime
from ..errors import RemoteStoreError
from ._journal import Entry, Journal, Statement


class Broken(Exception):
    """The journal cannot be written, so the transfer has to end. Holds the error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Ledger:
    """A journal, open while a block lasts; its calls never hold up the loop.

    Args:
        path: the file.
        call: what the transfer was asked to do.
    """

    def __init__(self, path: str, call: dict[str, Any] | None) -> None:
        self.path, self._call = path, call
        self._pending: list[Statement] = []
        self._batch = self._written = 0
        self._failure: Broken | None = None

    async def __aenter__(self) -> Self:
        self._turn = anyio.Lock()
        self._journal = await _runtime.in_thread(Journal, self.path, self._call, undo=Journal.close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await _runtime.shielded(self._close)

    def _close(self) -> None:
        """Write what is left of those who were cancelled: it is true all the same."""
        try:
            if self._pending and self._failure is None:
                self._journal.run(self._pending)
        finally:
            self._journal.close()

    @property
    def call(self) -> dict[str, Any]:
        """What the transfer was asked to do."""
        return self._journal.call

    async def entry(self, target: str) -> Entry | None:
        """Return what an earlier process has noted of a file."""
        if self._journal.fresh:
            return None
        found: Entry | None = await self._alone(self._journal.entry, target)
        return found

    async def unfinished(self) -> list[str]:
        """Return the files that are being written in parts."""
        found: list[str] = await self._alone(self._journal.unfinished)
        return found

    async def lines(self, first: int, digests: Sequence[bytes]) -> None:
        """Note or compare lines of a plan. Raises RemoteStoreError for another plan."""
        await self._alone(self._journal.lines, first, digests)

    async def ended(self, count: int) -> None:
        """Take note of how many lines a plan has. Raises RemoteStoreError if there were more before."""
        await self._alone(self._journal.ended, count)

    async def delete(self) -> None:
        """Delete the file; nothing can be noted any more."""
        await self._alone(self._journal.delete)

    async def _alone(self, call: Any, *arguments: Any) -> Any:
        async with self._turn:
            return await _runtime.in_thread(call, *arguments)

    async def note(self, *statements: Statement) -> None:
        """Write something down, and return when it is there.

        Raises:
            Broken: it cannot be written.
        """
        self._pending += statements
        batch = self._batch
        async with self._turn:
            if self._failure is not None:
                raise self._failure
            if self._written > batch:
                return  # another task has written it with its own
            pending, self._pending = self._pending, []
            self._batch += 1
            try:
                await _runtime.shielded(self._journal.run, pending)
            except RemoteStoreError as error:
                self._failure = Broken(error)
                raise self._failure from error
            self._written = self._batch
