"""Replacing a file on servers that rename over nothing: the old one is moved aside first.

It goes, under its own name, into a folder made for it: ``.~remote-store-<16 hex digits>.old/name``.
So whoever finds it there knows whose content it is, however long the name, and since when: that is
the folder's own time of change. It is deleted only where something newer has its name.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from ... import _runtime
from ..._sftp.packets import Attrs, Lost, Refused
from .._temporaries import new_aside
from ._files import MISSING
from ._same import same
from ._unfinished import Unfinished

if TYPE_CHECKING:
    from ..._sftp.channel import Channel
    from ._connection import Link

TRIES: Final = 20
"""How often is done anew what others undo meanwhile."""
_LOOKS: Final = 3


class Aside(NamedTuple):
    """A file that was moved aside, and where it belongs."""

    folder: bytes
    target: bytes

    @property
    def file(self) -> bytes:
        """Where it is meanwhile."""
        return b"%b/%b" % (self.folder, self.target.rpartition(b"/")[2])


async def replace(link: Link, channel: Channel, temporary: bytes, target: bytes) -> None:
    """Rename over a file that may be there.

    Raises:
        Refused: it may not be replaced, or is a folder.
    """
    async with link.replacing.of(target):
        for turn in range(TRIES, -1, -1):
            looking = channel.lstat(target)
            try:
                await channel.rename(temporary, target)
                return
            except Refused as error:
                if not turn or error.code in MISSING or await _is_folder(looking):
                    raise
            if await _runtime.shielded_on_asyncio(_swap, link, channel, temporary, target):
                return


async def _is_folder(looking: Awaitable[Attrs]) -> bool:
    try:
        return (await looking).kind == stat.S_IFDIR
    except Refused:
        return False  # others have moved it meanwhile


async def _swap(link: Link, channel: Channel, temporary: bytes, target: bytes) -> bool:
    """Move the old file aside and the new one in its place. Return False if others were quicker."""
    folder = b"%b/%b" % (target.rpartition(b"/")[0], new_aside().encode())
    aside, since = Aside(folder, target), time.monotonic()
    try:
        await channel.mkdir(folder)
        try:
            await channel.rename(target, aside.file)
            await channel.rename(temporary, target)
        except Refused:
            await put_back(channel, aside)
            return False
        await _drop(channel, aside)
    except Lost:
        link.lost.append(Unfinished(since, partial(put_back, aside=aside)))
        raise
    return True


async def put_back(channel: Channel, aside: Aside) -> bool:
    """Give a file its name again, unless something newer has that: then the old one is deleted.

    A lost connection may still be moving it aside, so where it is comes before what has its name.

    Returns:
        False if neither could be done.
    """
    for _ in range(_LOOKS):
        if await is_there(channel, aside.file):
            if not await is_there(channel, aside.target):
                await tried(channel.rename(aside.file, aside.target))
            if await is_there(channel, aside.target):
                await tried(channel.remove(aside.file))
        if await tried(channel.rmdir(aside.folder)):
            return True
    return False  # what is in the folder has no other copy


async def end_first_name(link: Link, channel: Channel, source: bytes, target: bytes) -> None:
    """Take away the name of a moved file where the server has left it, as it does for two names of one.

    It is moved aside for that: where letters of both cases are the same, it is the only name.
    """
    if not await is_there(channel, source):
        return
    folder = b"%b/%b" % (source.rpartition(b"/")[0], new_aside().encode())
    aside, since = Aside(folder, source), time.monotonic()
    try:
        if not await tried(channel.mkdir(folder)):
            return  # the disk is full: a name too many is better than an error after what was done
        await tried(channel.rename(source, aside.file))
        if await same(channel, aside.file, target):
            await _drop(channel, aside)
        else:
            await put_back(channel, aside)
    except Lost:
        link.lost.append(Unfinished(since, partial(put_back, aside=aside)))
        raise


async def is_there(channel: Channel, target: bytes) -> bool:
    """Return True if something that may stand in the place of a file is there: any but a folder."""
    try:
        return (await channel.lstat(target)).kind != stat.S_IFDIR
    except Refused:
        return False


async def _drop(channel: Channel, aside: Aside) -> bool:
    """Delete a file that has been replaced; what cannot be deleted now is left to a sweep."""
    removing, emptying = channel.remove(aside.file), channel.rmdir(aside.folder)
    await tried(removing)
    # Not every server works in the order of the requests.
    return await tried(emptying) or await tried(channel.rmdir(aside.folder))


async def tried(change: Awaitable[None]) -> bool:
    """Wait for a change; return False if it is refused."""
    try:
        await change
    except Refused:
        return False
    return True
