"""One file from one store to another: whole or as a stream, checked, and never half there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ..backend import CHUNK_SIZE
from ..capabilities import Capability
from ..errors import AlreadyExists, NotFound, PreconditionFailed, RemoteStoreError
from ..models import WriteResult
from ._items import Count, Item, Nothing, Sent, require_plain, require_size, uncounted
from .options import TransferOptions
from .plan import Version

if TYPE_CHECKING:
    from .._async import AsyncStore
    from ._in_parts import InParts

CHECKED: Final = frozenset(("s3", "s3-pyarrow"))
"""Storages that tell the checksum of a whole file: asked for a part, they tell none to compare it with."""


class Copying:
    """Copies files from one store into another."""

    def __init__(
        self,
        source: AsyncStore,
        target: AsyncStore,
        options: TransferOptions,
        parts: InParts | None = None,
    ) -> None:
        self._source, self._target, self._options, self._parts = source, target, options, parts
        self._from, self._into = (
            store._within(options.stream_memory, options.part_size) for store in (source, target)
        )
        self._on_server = source._copier(target, journaled=parts is not None)
        self._atomic = Capability.ATOMIC_WRITE in target.capabilities

    async def copy(self, item: Item, count: Count, again: bool) -> str:
        """Copy a file; return how, in words for people.

        Args:
            item: the file; its size is looked up when it is tried ``again``.
            count: is told of bytes as they go.
            again: an attempt failed before, and may have succeeded all the same.

        Raises:
            RemoteStoreError: it did not arrive; the target is as it was, but for what ``overwrite`` allows.
            Nothing: it is a dry run, or the target is there and is to be left alone.
            Anew: parts that were counted are of no use; it is to be called again.
        """
        require_plain(item.source)
        if self._options.dry_run:
            raise Nothing(await self._foretold(item))
        if again:
            info = await self._source.get_file_info(item.source)
            item.size, item.version = info.size, Version.of(info)
        in_parts = self._parts is not None and self._parts.fits(item)
        if not again and await self._was_there(item, in_parts):
            return await self.found(item)
        if self._parts is not None and not in_parts:
            await self._parts.leave(item)
        sent = Sent(count)
        try:
            if self.on_server(item):
                return await self._copied(item, sent)
            if in_parts and self._parts is not None:
                result = await self._parts.copy(item, sent, self._overwrite(item))
            elif item.size <= self._options.whole_at_most:
                result = await self._whole(item, sent)
            else:
                result = await self._streamed(item, sent)
        except AlreadyExists:
            if again and await (self._is_there(item, sent) if sent.ended else self.has_arrived(item)):
                return await self.sent_before(item, sent)
            raise
        return await self._verified(item, sent, result)

    def on_server(self, item: Item) -> bool:
        """Return True if the storage copies it by itself, which it does under no condition."""
        return self._on_server is not None and item.if_match is None

    async def _was_there(self, item: Item, in_parts: bool) -> bool:
        """Return True if an earlier process has stored it. Raises Nothing if a file is to be left alone."""
        if item.begun:
            return not self._overwrite(item) and not in_parts and await self.has_arrived(item)
        if await self._is_left_alone(item):
            raise Nothing("it is there")
        return False

    async def _is_left_alone(self, item: Item) -> bool:
        """Look whether content would be moved for nothing; what comes later is noticed all the same."""
        if not self._options.skip_existing or item.overwrite is not None or self.on_server(item):
            return False
        return await self._target.is_file(item.target)

    async def _foretold(self, item: Item) -> str:
        """Return what would be done; the target is looked at only if that depends on it."""
        if self._overwrite(item) or not await self._target.is_file(item.target):
            return "dry run: would be copied"
        return f"dry run: is there, and would {'be skipped' if self._options.skip_existing else 'fail'}"

    async def has_arrived(self, item: Item) -> bool:
        """Return True if an earlier process has stored the file and could not note it.

        Its content is compared; of what was written in parts, the digests of the parts are.
        """
        if item.entry is not None and item.entry.since is not None:
            return self._parts is not None and await self._parts.finished(item) is not None
        try:
            if (await self._target.get_file_info(item.target)).size != item.size:
                return False
        except NotFound:
            return False
        return await self._is_there(item, await Sent(uncounted).read(self._source, item.source))

    async def sent_before(self, item: Item, sent: Sent) -> str:
        """Take a file that an attempt has stored whose answer was lost: its bytes count after all."""
        in_parts = item.entry is not None and item.entry.since is not None  # each was counted as it arrived
        if not in_parts and sent.counted < item.size:
            await sent.count(item.size - sent.counted)
        return await self.found(item)

    async def found(self, item: Item) -> str:
        """Take a file that is there for what was to be copied; return how."""
        info = await self._target.get_file_info(item.target)
        item.stored = WriteResult(info.path, info.size, info.etag, info.checksum)
        return "was there after all, verified by reading back"

    def _overwrite(self, item: Item) -> bool:
        return self._options.overwrite if item.overwrite is None else item.overwrite

    async def _whole(self, item: Item, sent: Sent) -> WriteResult:
        data = await self._content(item)
        require_size(item, len(data))
        sent.add(data)
        sent.ended = True
        write = self._target.write_atomic if self._atomic else self._target.write
        given: dict[str, Any] = {"overwrite": self._overwrite(item), "if_match": item.if_match}
        result = await write(item.target, data, **given)
        await sent.count(len(data))
        return result

    async def _content(self, item: Item) -> bytes:
        """Read a file, and no more than a byte beyond what was listed, however much it has grown."""
        if self._source._scope.backend.name not in CHECKED:
            return await self._source.read_bytes(item.source, length=item.size + 1)
        async with await self._from.read(item.source) as reader:
            require_size(item, item.size if reader.size is None else reader.size)
            return await reader.read(item.size + 1)

    async def _streamed(self, item: Item, sent: Sent) -> WriteResult:
        given: dict[str, Any] = {"overwrite": self._overwrite(item), "if_match": item.if_match}
        async with await self._from.read(item.source) as reader:
            stream = self._into.open_write(item.target, atomic=self._atomic, **given)
            async with stream as writer:
                # One for all: of chunks that come and go in threads, the C library keeps a lot.
                buffer = memoryview(bytearray(CHUNK_SIZE))
                while size := await reader.readinto(buffer):
                    chunk = buffer[:size]
                    sent.add(chunk)
                    await writer.write(chunk)
                    await sent.count(size)
                require_size(item, sent.size)  # within the block: what is short is never committed
                sent.ended = True
            result = writer.result
        assert result is not None
        return result

    async def _copied(self, item: Item, sent: Sent) -> str:
        """Have the storage make a copy, and compare it with its source, where that is asked for."""
        assert self._on_server is not None
        result = await self._on_server(item.source, item.target, self._overwrite(item))
        await sent.count(result.size)
        item.stored, item.size, how = result, result.size, "copied by the storage"
        if self._options.verify != "full":
            return how
        ours = await self._written(item, result)
        if not await self._is_there(item, await Sent(uncounted).read(self._source, item.source)):
            await self._refuse(item, ours)
        return f"{how}, verified by reading back"

    async def _verified(self, item: Item, sent: Sent, result: WriteResult) -> str:
        """Compare what is there with what was sent; what is not the same goes."""
        item.stored = result
        how = "streamed" if item.size > self._options.whole_at_most else "whole"
        if self._options.verify == "none":
            return how
        stated = (result.checksum or "").partition(":")
        by_storage = stated[0] == "crc32"
        if result.size != sent.size or (by_storage and stated[2].lower() != sent.digest()):
            await self._refuse(item, Version(result.size, etag=result.etag))
        if self._options.verify == "full":
            ours = await self._written(item, result)
            if not await self._is_there(item, sent):
                await self._refuse(item, ours)
            return f"{how}, verified by reading back"
        return f"{how}, verified by the storage" if by_storage else f"{how}, size compared"

    async def _written(self, item: Item, result: WriteResult) -> Version:
        """Return what tells our write from others: the ETag, or size and time where there is none."""
        if result.etag is not None:
            return Version(result.size, etag=result.etag)
        info = await self._target.get_file_info(item.target)
        return Version(result.size, info.modified_at)

    async def _refuse(self, item: Item, ours: Version) -> NoReturn:
        """Delete what we wrote, and nothing else."""
        with suppress(NotFound):
            if not Version.of(await self._target.get_file_info(item.target)).is_same(ours):
                raise PreconditionFailed(
                    "somebody else has replaced the file while it was checked, so it was left alone",
                    path=item.target,
                    retryable=False,
                )
        await self._target.delete(item.target, missing_ok=True)
        item.removed, item.if_match = True, None
        item.overwrite = False if item.overwrite is not None else None
        raise RemoteStoreError(
            "the target holds other bytes than were sent, and was deleted; try again, and check the"
            " storage and the way to it if that goes on",
            path=item.target,
            retryable=True,
        )

    async def _is_there(self, item: Item, sent: Sent) -> bool:
        """Read the target, and compare it with what was sent."""
        return sent.same_as(await Sent(uncounted).read(self._target, item.target))
