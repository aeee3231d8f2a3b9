"""One file from one store to another: whole or as a stream, checked, and never half there."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from ..capabilities import Capability
from ..errors import AlreadyExists, PreconditionFailed, RemoteStoreError
from ..models import WriteResult
from ._items import Item
from .options import TransferOptions

if TYPE_CHECKING:
    from .._async import AsyncStore

Count = Callable[[int], Awaitable[None]]
"""Takes note of bytes that were handed to the target."""
CHUNK: Final = 1 << 20


class Copying:
    """Copies files from one store into another."""

    def __init__(self, source: AsyncStore, target: AsyncStore, options: TransferOptions) -> None:
        self._source, self._target, self._options = source, target, options
        self._atomic = Capability.ATOMIC_WRITE in target.capabilities

    async def copy(self, item: Item, count: Count, again: bool) -> str:
        """Copy a file; return how, in words for people.

        Args:
            item: the file; its size is looked up when it is tried ``again``.
            count: is told of bytes as they go.
            again: an attempt failed before, and may have succeeded all the same.

        Raises:
            RemoteStoreError: it did not arrive; the target is as it was, but for what ``overwrite`` allows.
        """
        if again:
            item.size = (await self._source.get_file_info(item.source)).size
        if (on_server := self._source._copier(self._target)) is not None:
            result = await on_server(item.source, item.target, self._overwrite(item))
            await count(result.size)
            item.size = result.size
            return "copied by the server"
        sent = Sent(count)
        try:
            if item.size <= self._options.large_file_threshold:
                result = await self._whole(item, sent)
            else:
                result = await self._streamed(item, sent)
        except AlreadyExists:
            if again and sent.ended and await self._is_there(item, sent):
                return "was there after all, verified by reading back"
            raise
        return await self._verified(item, sent, result)

    def _overwrite(self, item: Item) -> bool:
        return self._options.overwrite if item.overwrite is None else item.overwrite

    async def _whole(self, item: Item, sent: Sent) -> WriteResult:
        data = await self._source.read_bytes(item.source)
        _require_size(item, len(data))
        sent.add(data)
        sent.ended = True
        write = self._target.write_atomic if self._atomic else self._target.write
        given: dict[str, Any] = {"overwrite": self._overwrite(item), "if_match": item.if_match}
        result = await write(item.target, data, **given)
        await sent.count(len(data))
        return result

    async def _streamed(self, item: Item, sent: Sent) -> WriteResult:
        given: dict[str, Any] = {"overwrite": self._overwrite(item), "if_match": item.if_match}
        async with await self._source.read(item.source) as reader:
            stream = self._target.open_write(item.target, atomic=self._atomic, **given)
            async with stream as writer:
                while chunk := await reader.read(CHUNK):
                    sent.add(chunk)
                    await writer.write(chunk)
                    await sent.count(len(chunk))
                _require_size(item, sent.size)  # within the block: what is short is never committed
                sent.ended = True
            result = writer.result
        assert result is not None
        return result

    async def _verified(self, item: Item, sent: Sent, result: WriteResult) -> str:
        """Compare what is there with what was sent; what is not the same goes."""
        how = "streamed" if item.size > self._options.large_file_threshold else "whole"
        if self._options.verify == "none":
            return how
        stated = (result.checksum or "").partition(":")
        ours = sent.digest()
        by_storage = stated[0] == "crc32"
        same = result.size == sent.size and (not by_storage or stated[2].lower() == ours)
        if same and self._options.verify == "full":
            same = await self._is_there(item, sent)
        if not same:
            await self._target.delete(item.target, missing_ok=True)
            raise RemoteStoreError(
                "the target holds other bytes than were sent, and was deleted; try again, and check the"
                " storage and the way to it if that goes on",
                path=item.target,
                retryable=True,
            )
        if self._options.verify == "full":
            return f"{how}, verified by reading back"
        return f"{how}, verified by the storage" if by_storage else f"{how}, size compared"

    async def _is_there(self, item: Item, sent: Sent) -> bool:
        """Read the target, and compare it with what was sent."""
        found = Sent(sent.count)
        async with await self._target.read(item.target) as reader:
            while chunk := await reader.read(CHUNK):
                found.add(chunk)
        return (found.size, found.digest()) == (sent.size, sent.digest())


class Sent:
    """What was sent of a file: how much, and its digest.

    Attributes:
        ended: all of it was read from the source.
    """

    def __init__(self, count: Count) -> None:
        self.size = self._crc = 0
        self.ended = False
        self.count = count

    def add(self, data: bytes) -> None:
        """Add the next bytes."""
        self.size += len(data)
        self._crc = zlib.crc32(data, self._crc)

    def digest(self) -> str:
        """Return the CRC-32 (RFC 1952, section 8) in eight hexadecimal digits."""
        return f"{self._crc:08x}"


def _require_size(item: Item, size: int) -> None:
    if size != item.size:
        raise PreconditionFailed(
            f"the source has {size:,} bytes, and had {item.size:,} when it was listed: it changes, or was"
            " cut short; nothing was stored",
            path=item.source,
            retryable=True,
        )
