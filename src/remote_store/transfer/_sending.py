"""The parts of one file on their way, some at the same time."""

from __future__ import annotations

from typing import Any

import anyio

from .. import _runtime
from .._crc import crc32
from ..backend import CHUNK_SIZE, PartWriter
from ..errors import NotFound, RemoteStoreError
from . import _journal
from ._items import Anew, Item, Sent, require_size
from ._ledger import Ledger


class Sending:
    """The parts of one file on their way."""

    def __init__(self, ledger: Ledger, item: Item, writer: PartWriter, sent: Sent, memory: int) -> None:
        self._ledger, self._item, self._writer, self._sent = ledger, item, writer, sent
        most = min(writer.at_once, memory // writer.part_size - 1)  # one more is being read
        self._slots = anyio.Semaphore(max(1, most))
        self.failure: Exception | None = None
        self.lost = False

    async def all(self, reader: Any, group: anyio.abc.TaskGroup) -> None:
        """Begin each part that is missing as soon as there is room for it."""
        assert self._item.entry is not None
        size, step = self._item.size, self._writer.part_size
        for number, offset in enumerate(range(0, size, step), 1):
            if number in self._item.entry.parts:
                continue
            if reader.tell() != offset:
                await reader.seek(offset)
            await self._slots.acquire()
            if self.failure is not None:
                return  # those that are under way arrive, and are noted
            data, crc = await self._read(reader, offset, min(step, size - offset))
            group.start_soon(self._one, number, data, crc)
        if reader.tell() == size:
            require_size(self._item, size + len(await reader.read(1)))

    async def _read(self, reader: Any, offset: int, size: int) -> tuple[bytearray, int]:
        """Return a part, held once, and its CRC-32."""
        part = bytearray(size)
        view, count = memoryview(part), 0
        while count < size and (got := await reader.readinto(view[count : count + CHUNK_SIZE])):
            count += got
        if count < size:
            require_size(self._item, offset + count)
        return part, await _runtime.in_thread(crc32, part)

    async def _one(self, number: int, data: bytearray, crc: int) -> None:
        try:
            try:
                part = await self._writer.write(number, data, crc)
            except NotFound as error:
                self.lost = True
                raise lost(self._item) from error
            assert self._item.entry is not None
            self._item.entry.parts[number] = part
            await self._ledger.note(_journal.arrived(self._item.target, part))
            self._item.parts_sent.add(number)
            await self._sent.count(len(data))
        except Exception as error:  # noqa: BLE001 - as above
            self.fail(error)
        finally:
            self._slots.release()

    def fail(self, error: Exception) -> None:
        """Remember the first error."""
        if self.failure is None:
            self.failure = error


def require_kept(item: Item, kept: int) -> None:
    """Begin anew where parts have gone since the last attempt: their bytes are taken back before that.

    Raises:
        Anew: they have; those that are there stay.
    """
    if item.kept < kept:
        raise Anew(_gone(item))


def lost(item: Item) -> RemoteStoreError:
    """Return the error for parts that are of no use any more, and forget them."""
    assert item.entry is not None
    item.entry.parts = {}
    return _gone(item)


def _gone(item: Item) -> RemoteStoreError:
    return RemoteStoreError(
        "what was written of this file is lost, or is of another version of the source; it is written again",
        path=item.target,
        retryable=True,
    )
