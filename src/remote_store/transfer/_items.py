"""Which files there are to move or delete, found as they are needed."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeAlias

from .._crc import crc32
from ..backend import CHUNK_SIZE
from ..errors import InvalidPath, NotFound, PreconditionFailed, RemoteStoreError
from ..models import WriteResult
from ..paths import PathLike, normalize
from .plan import Version

if TYPE_CHECKING:
    from .._async import AsyncStore
    from ._journal import Entry

Count: TypeAlias = Callable[[int], Awaitable[None]]
"""Takes note of bytes that were handed to the target."""


@dataclass(slots=True)
class Item:
    """One file.

    Attributes:
        source: where it is.
        target: where it goes; "" where only a source is deleted.
        size: its length in bytes when it was looked at; 0 for deletions, which move none.
        overwrite: whether it replaces a file; None where the options say so.
        if_match: the ``etag`` that the file has that it replaces.
        version: what the source told of it; None for deletions.
        entry: what the journal knows of it; None without a journal.
        begun: a process that has ended may have done it without a note.
        removed: other bytes arrived than were sent, and were deleted, so that nothing is replaced now.
        stored: what the target said of it, once it is there.
        parts_sent: numbers of the parts of it that this process has sent.
    """

    source: str
    target: str
    size: int
    overwrite: bool | None = None
    if_match: str | None = None
    version: Version | None = None
    entry: Entry | None = None
    begun: bool = False
    removed: bool = False
    stored: WriteResult | None = None
    parts_sent: set[int] = field(default_factory=set)

    @property
    def kept(self) -> int:
        """Bytes that this process has sent, in parts that stay when an attempt fails."""
        parts = self.entry.parts if self.entry is not None else {}
        return sum(parts[number].size for number in self.parts_sent if number in parts)

    @property
    def meant(self) -> str:
        """The version of the source as text."""
        return json.dumps(self.version.as_dict()) if self.version is not None else ""


class Nothing(Exception):
    """There is nothing to do for an item, for the reason that it holds."""


class Anew(Exception):
    """An attempt begins anew: parts that were counted are of no use, for the reason that ``error`` tells."""

    def __init__(self, error: RemoteStoreError) -> None:
        super().__init__(str(error))
        self.error = error


class Sent:
    """What was sent of a file: how much, and its digest.

    Attributes:
        size: length in bytes.
        crc: the CRC-32 (RFC 1952, section 8).
        ended: all of it was read from the source.
        counted: bytes that were told of.
    """

    def __init__(self, count: Count) -> None:
        self.size = self.crc = self.counted = 0
        self.ended = False
        self._count = count

    async def count(self, size: int) -> None:
        """Tell of bytes that were handed to the target."""
        self.counted += size
        await self._count(size)

    def add(self, data: bytes | memoryview) -> None:
        """Add the next bytes."""
        self.size += len(data)
        self.crc = crc32(data, self.crc)

    async def read(self, store: AsyncStore, path: str) -> Self:
        """Read a file for its size and digest, and return this."""
        async with await store.read(path) as reader:
            while chunk := await reader.read(CHUNK_SIZE):
                self.add(chunk)
        return self

    def take(self, size: int, crc: int) -> None:
        """Take all of it at once, as size and CRC-32."""
        self.size, self.crc, self.ended = size, crc, True

    def digest(self) -> str:
        """Return the CRC-32 in eight hexadecimal digits."""
        return f"{self.crc:08x}"

    def same_as(self, other: Sent) -> bool:
        """Return True if size and digest are those of another."""
        return (self.size, self.crc) == (other.size, other.crc)


async def uncounted(size: int) -> None:
    """Take no note of bytes that are read only to be compared."""


def require_size(item: Item, size: int) -> None:
    """Refuse a source of another size than was listed."""
    if size != item.size:
        found = "more" if size > item.size else f"{size:,} bytes"  # of what is more not all is read
        raise PreconditionFailed(
            f"the source has {found}, and had {item.size:,} bytes when it was listed: it changes, or was"
            " cut short; nothing was stored",
            path=item.source,
            retryable=True,
        )


def require_plain(path: str) -> None:
    """Refuse a listed name that no path as text can have: as text it would name another file."""
    with suppress(InvalidPath):
        if normalize(path) == path:
            return
    raise InvalidPath(
        "no path as text can have this name, so the file was left alone; give it another name where it is",
        path=path,
    )


Work: TypeAlias = Callable[[Item, Count, bool], Awaitable[str]]
"""Does one file: the item, who counts bytes, whether it was tried before. Returns how it was done."""


async def tree(
    source: AsyncStore,
    path: PathLike,
    target: PathLike,
    found: Callable[[], Awaitable[None]] | None = None,
) -> AsyncGenerator[Item]:
    """Give the files below a folder, or the one file that is there.

    Args:
        source: the store that has them.
        path: the folder, or the file.
        target: where they go.
        found: is called as soon as it is known that something is there, before the first one.

    Raises:
        NotFound: nothing is there.
    """
    here, there = normalize(path), normalize(target)
    single = bool(here) and await source.is_file(here)
    if here and not single and not await source.is_folder(here):
        raise NotFound("there is nothing to transfer; check the path", path=str(path))
    if found is not None:
        await found()
    if single:
        info = await source.get_file_info(here)
        yield Item(here, there or info.name, info.size, version=Version.of(info))
        return
    prefix = f"{here}/" if here else ""
    below = f"{there}/" if there else ""
    async with source.list_files(here, recursive=True) as listing:
        async for info in listing:
            name = str(info.path)
            target_path = below + name.removeprefix(prefix)
            yield Item(name, target_path, info.size, version=Version.of(info))


async def gone(store: AsyncStore, path: PathLike) -> AsyncGenerator[Item]:
    """Give the files below a folder, or the one file that is there, to be deleted. Raises NotFound."""
    async with aclosing(tree(store, path, "")) as items:
        async for item in items:
            yield Item(item.source, "", 0)
