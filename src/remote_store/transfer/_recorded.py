"""Work that is written down: what is done is not done again, what is given up leaves nothing."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import _runtime
from ..errors import InvalidPath, NotFound, RemoteStoreError
from . import _journal
from ._in_parts import InParts
from ._items import Count, Item, Nothing, Work, require_plain
from ._journal import SUFFIXES, Entry
from ._ledger import Ledger
from .options import TransferOptions
from .plan import Version

if TYPE_CHECKING:
    from .._async import AsyncStore


class Recorded:
    """Work on items, with a journal beside it."""

    def __init__(self, work: Work, target: AsyncStore, parts: InParts, options: TransferOptions) -> None:
        self._work, self._target, self._options = work, target, options
        self._parts, self._ledger = parts, parts.ledger
        self._files: dict[str, str] = {}
        self._on_disk = False

    async def work(self, item: Item, count: Count, again: bool) -> str:
        """Do an item, unless it is done.

        Raises:
            Nothing: it is done.
            InvalidPath: it would replace the journal, or no path can name it.
        """
        if item.entry is None:
            await self._refuse_journal(item)
            item.entry = await self._known(item)
            if not item.begun and (item.overwrite is not None or not self._options.overwrite):
                # Else it could not be told from somebody else's file, should this process be killed.
                await self._ledger.note(_journal.begun(item.target, item.meant))
        how = await self._work(item, count, again)
        size, etag = (item.stored.size, item.stored.etag) if item.stored is not None else (0, None)
        await self._ledger.note(*_journal.done(item.target, item.meant, size, etag))
        return how

    async def _refuse_journal(self, item: Item) -> None:
        """Refuse a file that goes where the journal is, or one of the files that SQLite keeps beside it.

        On local disk each is looked at: what is written goes through links of any name.
        """
        scope = self._target._scope
        if not self._files:
            self._on_disk = (await scope.backend.place(""))[0] == "file://"
            self._files = await _runtime.in_thread(_files, self._ledger.path)
        if not self._on_disk and item.target.rpartition("/")[2] not in self._files.values():
            return
        require_plain(item.source)
        storage, place = await scope.backend.place(scope.file_key(item.target))
        if storage == "file://" and place in self._files:
            raise InvalidPath(
                "the journal of this transfer has this name, or a link of this name leads to it; keep it"
                " elsewhere, under the same or another name, or go without",
                path=item.target,
            )

    async def _known(self, item: Item) -> Entry:
        entry = await self._ledger.entry(item.target)
        if entry is None:
            return Entry()
        if not entry.done:
            item.begun = True
            return entry
        if _is_same(entry.source, item.version) and await self._is_still_there(item, entry):
            raise Nothing("it was done before, as the journal says")
        return Entry()

    async def _is_still_there(self, item: Item, entry: Entry) -> bool:
        """Ask the target whether it still has what it took: by size, and by ETag where it tells one."""
        try:
            info = await self._target.get_file_info(item.target)
        except NotFound:
            return item.version is None  # it was deleted
        if item.version is None or info.size != entry.size:
            return False
        return entry.etag is None or info.etag is None or info.etag == entry.etag

    async def give_up(self, item: Item) -> None:
        """Leave nothing of an item that has failed for good; where even that fails, it stays noted."""
        if item.entry is not None and item.entry.since is not None:
            with suppress(RemoteStoreError):
                await self._parts.give_up(item)
                await self._ledger.note(_journal.begun(item.target, item.meant))  # an answer may be lost

    async def finish(self) -> None:
        """Leave nothing of files that were begun and are not asked for any more."""
        for target in await self._ledger.unfinished():
            with suppress(RemoteStoreError):
                await _undone(self._parts, target)


def _files(journal: str) -> dict[str, str]:
    """Return where a journal's files are, as backends of local disk tell places, and their names."""
    real = os.path.realpath(journal).strip("/")
    return {real + suffix: os.path.basename(real) + suffix for suffix in SUFFIXES}


def _is_same(noted: str, version: Version | None) -> bool:
    if version is None or not noted:
        return version is None and not noted
    return Version.from_dict(json.loads(noted)).is_same(version)


async def _undone(parts: InParts, target: str) -> None:
    await parts.give_up(Item("", target, 0, entry=await parts.ledger.entry(target) or Entry()))


async def discarded(path: str, target: AsyncStore) -> int:
    """Undo what a journal knows to be unfinished, and delete it; return how many files that were.

    Raises:
        RemoteStoreError: it is no journal, or of another target; or the storage failed, and it stays.
    """
    async with Ledger(path, None) as ledger:
        if ledger.call.get("target") != target._location:
            raise RemoteStoreError(
                f"this journal belongs to a transfer into {ledger.call.get('target')!r}; give that store",
                path=path,
            )
        parts = InParts(target, target, TransferOptions(), ledger)
        unfinished = await ledger.unfinished()
        for each in unfinished:
            await _undone(parts, each)
        await ledger.delete()
        return len(unfinished)
