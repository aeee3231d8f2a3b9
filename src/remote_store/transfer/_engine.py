"""The run of a transfer: workers for files as they are found, retries, failures, events."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import anyio

from .. import _runtime
from ..errors import AlreadyExists, RemoteStoreError
from ._budget import Budget
from ._items import Anew, Item, Nothing, Work
from ._retry import retrying
from .events import Ended, EventKind, OnEvent, TransferEvent
from .options import COPIES, TransferOptions
from .report import TransferFailed, TransferReport


class Events:
    """Where events go: into the report, and to whom the caller named."""

    def __init__(self, on_event: OnEvent, in_thread: bool, awaited: bool, keep: bool = False) -> None:
        self.report = TransferReport(outcomes=[] if keep else None)
        self._on_event, self._in_thread, self._awaited = on_event, in_thread, awaited
        self._turn = anyio.Lock()

    async def tell(self, event: TransferEvent) -> None:
        """Count an event and pass it on; the caller's own function never holds up our loop."""
        self.report.add(event)
        if self._on_event is None:
            return
        if not self._in_thread and not self._awaited:
            _called(self._on_event, event)
            return
        async with self._turn:  # one after the other, as they happened
            if self._in_thread:
                await _runtime.in_thread(_called, self._on_event, event)
            else:
                await _awaited(self._on_event, event)


def _called(on_event: Callable[[TransferEvent], object], event: TransferEvent) -> None:
    """Call it; a loop would be ended by what ends programs, before anything is tidied up."""
    try:
        on_event(event)
    except (KeyboardInterrupt, SystemExit) as error:
        raise Ended(error) from error


async def _awaited(on_event: Callable[[TransferEvent], Any], event: TransferEvent) -> None:
    try:
        await on_event(event)
    except (KeyboardInterrupt, SystemExit) as error:
        raise Ended(error) from error


class Run:
    """One transfer.

    Args:
        options: what the user asks for.
        concurrency: files under way at once, unless the options say so.
        events: where they go.
        held: bytes that the streams of one large file hold.
        on_server: the storage copies files by itself, but for those with a condition.
        given_up: is told of items that have failed for good.
    """

    def __init__(
        self,
        options: TransferOptions,
        concurrency: int,
        events: Events,
        held: int,
        on_server: bool = False,
        given_up: Callable[[Item], Awaitable[None]] | None = None,
    ) -> None:
        self._options, self._events, self._given_up = options, events, given_up
        self._held, self._on_server = held, on_server
        self._most = options.concurrency or concurrency
        self._budget = Budget(options.memory_limit)
        self._found: deque[Item] = deque()
        self._workers = 0
        self._room: anyio.Event | None = None
        self._failure: Exception | None = None

    async def all(self, items: AsyncGenerator[Item], work: Work) -> TransferReport:
        """Work on all items.

        Raises:
            TransferFailed: some failed, and errors are collected.
            RemoteStoreError: the items cannot be found; or one failed, and nothing is collected.
        """
        async with anyio.create_task_group() as group:
            try:
                async with aclosing(items):
                    await self._feed(items, work, group)
            except Exception as error:  # noqa: BLE001 - raised below, outside of the group's own wrapping
                self._fail(error, group)
        if self._failure is not None:
            raise self._failure
        report = self._events.report
        if report.failed:
            first = report.failures[0]
            raise TransferFailed(
                f"{report.failed:,} of {report.planned:,} files failed, the first of them {first.path!r}:"
                f" {first.error.message}; the others are done, and 'report' tells of all",
                report=report,
            ) from first.error
        return report

    async def _feed(self, items: AsyncIterator[Item], work: Work, group: anyio.abc.TaskGroup) -> None:
        async for item in items:
            await self._events.tell(TransferEvent(EventKind.PLANNED, item.source, item.size))
            self._found.append(item)
            if self._workers < self._most:
                self._workers += 1
                group.start_soon(self._worker, work, group)
            elif len(self._found) >= self._most:
                self._room = anyio.Event()
                await self._room.wait()

    async def _worker(self, work: Work, group: anyio.abc.TaskGroup) -> None:
        """Do one file after the other: a task for each would cost a tenth of a small file."""
        try:
            while self._found and self._failure is None:
                await self._one(self._next(), work, group)
        finally:
            self._workers -= 1

    def _next(self) -> Item:
        """Take an item; half of those that are ahead gone, more are looked for."""
        item = self._found.popleft()
        if self._room is not None and len(self._found) <= self._most // 2:
            self._room.set()
            self._room = None
        return item

    def _cost(self, item: Item) -> int:
        """Return how many bytes of memory a file takes; none where no content passes through here."""
        if not self._held or self._options.dry_run or item.version is None:
            return 0
        if self._on_server and item.if_match is None:
            return 0
        if item.size > self._options.whole_at_most:
            return min(item.size, self._held)
        return COPIES * item.size

    def _fail(self, error: Exception, group: anyio.abc.TaskGroup) -> None:
        if self._failure is None:
            self._failure = error
        group.cancel_scope.cancel()

    async def _one(self, item: Item, work: Work, group: anyio.abc.TaskGroup) -> None:
        share = self._budget.share(self._cost(item))
        await self._budget.take(share)
        try:
            await self._outcome(item, work, group)
        except Exception as error:  # noqa: BLE001 - the caller's own: it ends the transfer, unchanged
            self._fail(error, group)
        finally:
            self._budget.give(share)

    async def _outcome(self, item: Item, work: Work, group: anyio.abc.TaskGroup) -> None:
        if not self._options.dry_run:
            await self._events.tell(TransferEvent(EventKind.STARTED, item.source, item.size))
        try:
            how = await self._attempts(item, work)
        except Nothing as nothing:
            await self._skip(item, str(nothing))
        except RemoteStoreError as error:
            if self._given_up is not None:
                await self._given_up(item)
            if isinstance(error, AlreadyExists) and self._options.skip_existing:
                await self._skip(item, "it is there")
                return
            await self._events.tell(TransferEvent(EventKind.FAILED, item.source, item.size, error))
            if self._options.on_error == "fail_fast":
                self._fail(error, group)
        else:
            await self._events.tell(TransferEvent(EventKind.DONE, item.source, item.size, detail=how))

    async def _skip(self, item: Item, reason: str) -> None:
        await self._events.tell(TransferEvent(EventKind.SKIPPED, item.source, item.size, detail=reason))

    async def _attempts(self, item: Item, work: Work) -> str:
        moved = 0  # without what has been taken back

        async def count(size: int) -> None:
            nonlocal moved
            moved += size
            await self._events.tell(TransferEvent(EventKind.BYTES, item.source, size))

        async def failed(error: RemoteStoreError) -> None:
            nonlocal moved
            lost, moved = moved - item.kept, item.kept
            await self._events.tell(TransferEvent(EventKind.RETRIED, item.source, lost, error))

        async def attempt(again: bool) -> str:
            while True:  # each time with fewer parts that are kept
                try:
                    return await work(item, count, again)
                except Anew as anew:
                    await failed(anew.error)
                    again = True

        return await retrying(self._options.retries, attempt, failed)
