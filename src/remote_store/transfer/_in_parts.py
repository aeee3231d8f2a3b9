"""One large file in parts, each of which is noted in the journal as soon as it has arrived."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio

from .._crc import joined
from ..backend import Part, PartWriter
from ..capabilities import Capability
from ..errors import AlreadyExists, NotFound, PreconditionFailed
from ..models import WriteResult
from . import _journal
from ._items import Item, Sent, uncounted
from ._journal import Entry
from ._ledger import Broken, Ledger
from ._sending import Sending, lost, require_kept
from .options import TransferOptions
from .plan import Version

if TYPE_CHECKING:
    from .._async import AsyncStore


class InParts:
    """Copies files into a store whose writes can be gone on with."""

    def __init__(
        self, source: AsyncStore, target: AsyncStore, options: TransferOptions, ledger: Ledger
    ) -> None:
        self._memory = options.stream_memory
        if options.part_size is not None:
            target = target._within(self._memory, options.part_size)
        self._source, self._target = source._within(self._memory, options.part_size), target
        self.ledger = ledger
        least = min(options.whole_at_most, target._scope.backend.part_size)
        able = Capability.RESUMABLE_WRITE in target.capabilities
        self._least = least if able else None

    def fits(self, item: Item) -> bool:
        """Return True if a file is to be written in parts."""
        return self._least is not None and item.size > self._least

    async def copy(self, item: Item, sent: Sent, overwrite: bool) -> WriteResult:
        """Copy what has not arrived yet of a file.

        Raises:
            RemoteStoreError: it did not arrive; the parts that did are kept, and noted.
            Anew: parts of this process do not count any more; nothing was sent.
        """
        assert item.entry is not None
        async with await self._source.open_read(item.source) as reader:
            version, kept = reader._version, item.kept
            meant = version or await self._looked_up(item)
            writer = await self._writer(item, meant, overwrite)
            if isinstance(writer, WriteResult):
                return _whole(item.entry, sent, writer)
            try:
                require_kept(item, kept)
                await self._send(item, reader, writer, sent)
                if version is None and not _is_same(await self._looked_up(item), meant):
                    raise _changed(item)
                result = await self._committed(item, writer)
            finally:
                await writer.aclose()
        return _whole(item.entry, sent, result)

    async def _committed(self, item: Item, writer: PartWriter) -> WriteResult:
        assert item.entry is not None
        try:
            return await writer.commit(list(item.entry.parts.values()))
        except NotFound as error:  # gone, or done already by an attempt whose answer was lost
            if (found := await self.finished(item)) is None:
                raise lost(item) from error
            return found

    async def _looked_up(self, item: Item) -> str:
        """Return a version for storages whose readers tell none."""
        found = Version.of(await self._source.get_file_info(item.source))
        return json.dumps(found.as_dict())

    async def _writer(self, item: Item, meant: str, overwrite: bool) -> PartWriter | WriteResult:
        """Return what to write to: what was begun for the same version of the source, or a new one.

        Or the result, where nothing is missing but the note of it.
        """
        entry = item.entry
        assert entry is not None
        given: dict[str, Any] = {"size": item.size, "overwrite": overwrite, "if_match": item.if_match}
        if entry.since is not None and not _is_same(entry.source, meant):
            await self.give_up(item)
        if entry.token is not None:
            try:
                return await self._begun(item, entry, given)
            except (NotFound, AlreadyExists) as error:  # the latter where a file is looked for at once
                if (found := await self.finished(item)) is not None:
                    return found
                if isinstance(error, AlreadyExists):
                    raise
        elif entry.since is not None:  # begun, and the process ended before it knew the token
            await self._target._forget_parts(item.target, entry.since)
        item.entry = Entry(source=meant, size=item.size, since=_journal.now())
        return await self._new(item, item.entry, given)

    async def _begun(self, item: Item, entry: Entry, given: dict[str, Any]) -> PartWriter:
        """Go on with what was begun; forget the parts that are not there any more."""
        writer = await self._target._open_parts(item.target, token=entry.token, **given)
        try:
            there = await writer.confirmed(list(entry.parts.values()))
        except BaseException:
            await writer.aclose()
            raise
        entry.parts = {part.number: part for part in there}
        return writer

    async def _new(self, item: Item, entry: Entry, given: dict[str, Any]) -> PartWriter:
        await self.ledger.note(*_journal.in_parts(item.target, entry))
        writer = await self._target._open_parts(item.target, **given)
        entry.token = writer.token
        try:
            await self.ledger.note(*_journal.in_parts(item.target, entry))
        except Broken:
            await writer.abort()
            raise
        except BaseException:
            await writer.aclose()
            raise
        return writer

    async def finished(self, item: Item) -> WriteResult | None:
        """Return what the target says of the file if it is all that was noted part by part."""
        entry = item.entry
        assert entry is not None
        parts = sorted(entry.parts.values())
        if sum(part.size for part in parts) != item.size:
            return None
        try:
            info = await self._target.get_file_info(item.target)
        except NotFound:
            return None
        crc = joined((part.crc32, part.size) for part in parts)
        if info.size != item.size or await self._crc(item, info.checksum) != crc:
            return None
        return WriteResult(info.path, info.size, info.etag, info.checksum)

    async def _crc(self, item: Item, told: str | None) -> int:
        if told is None or not told.startswith("crc32:"):
            return (await Sent(uncounted).read(self._target, item.target)).crc
        return int(told[6:], 16)

    async def _send(self, item: Item, reader: Any, writer: PartWriter, sent: Sent) -> None:
        """Read and write the parts that are missing, some at the same time."""
        assert item.entry is not None
        sending = Sending(self.ledger, item, writer, sent, self._memory)
        async with anyio.create_task_group() as group:
            try:
                await sending.all(reader, group)
            except Exception as error:  # noqa: BLE001 - raised below, outside of the group's own wrapping
                sending.fail(error)
        if sending.failure is not None:
            if sending.lost or isinstance(sending.failure, PreconditionFailed):  # the source is another
                item.entry.parts = {}
            raise sending.failure

    async def leave(self, item: Item) -> None:
        """Give up what was begun in parts of a file that moves whole now.

        Raises:
            RemoteStoreError: the target cannot be asked now.
            Anew: it had parts of this process, which do not count any more.
        """
        if item.entry is None or item.entry.since is None:
            return
        kept = item.kept
        await self.give_up(item)
        await self.ledger.note(_journal.begun(item.target, item.meant))  # it may arrive from now on
        require_kept(item, kept)

    async def give_up(self, item: Item) -> None:
        """Have the target forget the parts of a file, and the journal too."""
        entry = item.entry
        assert entry is not None
        if entry.token is not None:
            with suppress(NotFound):
                writer = await self._target._open_parts(
                    item.target, size=entry.size, overwrite=True, if_match=None, token=entry.token
                )
                await writer.abort()
        elif entry.since is not None:
            await self._target._forget_parts(item.target, entry.since)
        entry.token, entry.since, entry.parts = None, None, {}
        await self.ledger.note(*_journal.forgotten(item.target))


def _whole(entry: Entry, sent: Sent, result: WriteResult) -> WriteResult:
    """Put together what was sent, by this process and those before."""
    parts: list[Part] = sorted(entry.parts.values())
    sent.take(sum(part.size for part in parts), joined((part.crc32, part.size) for part in parts))
    entry.token, entry.since, entry.parts = None, None, {}
    return result


def _is_same(noted: str, meant: str) -> bool:
    """Compare two versions: tokens of readers, or what was looked up."""
    if noted == meant:
        return True
    try:
        return Version.from_dict(json.loads(noted)).is_same(Version.from_dict(json.loads(meant)))
    except (ValueError, TypeError, KeyError):
        return False  # a token stands for itself


def _changed(item: Item) -> PreconditionFailed:
    assert item.entry is not None
    item.entry.parts = {}
    return PreconditionFailed(
        "the source was changed while it was copied; nothing was stored", path=item.source, retryable=True
    )
