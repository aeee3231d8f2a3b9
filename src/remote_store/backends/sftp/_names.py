"""A file gets its second name and loses the first: both steps are made, or neither."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from ..._sftp.packets import Lost, Refused
from .._temporaries import new_name
from ._aside import tried
from ._errors import NAME, translated
from ._files import MISSING
from ._same import same
from ._unfinished import Unfinished

if TYPE_CHECKING:
    from ..._sftp.channel import Channel
    from ._connection import Link


def temporary_beside(path: bytes) -> bytes:
    """Return an unused path in the same folder."""
    return b"%b/%b" % (path.rpartition(b"/")[0], new_name().encode())


async def move_by_link(link: Link, channel: Channel, source: bytes, target: bytes) -> None:
    """Give a file a second name, which cannot replace a file, and take the first away.

    Raises:
        Refused: the second cannot be given.
        RemoteStoreError: the first may not be taken away.
    """
    since = time.monotonic()
    try:
        await channel.link(source, target)
        try:
            await channel.remove(source)
        except Refused as error:
            if error.code not in MISSING:
                await _end_otherwise(link, channel, source, target, error)
    except Lost:
        link.lost.append(Unfinished(since, partial(_move_back, source=source, target=target)))
        raise


async def _end_otherwise(
    link: Link, channel: Channel, source: bytes, target: bytes, refused: Refused
) -> None:
    """Leave one name where the first may not be deleted: that, or the second if nothing may be."""
    error = translated(refused, None)
    if not await same(channel, source, target, unread=True) or await tried(channel.remove(target)):
        raise error from refused
    if link.renames_over:
        link.links_work = False  # the next move takes another way
    if await tried(channel.rename(source, temporary_beside(source))):
        return
    names = " and ".join(repr(path.decode(errors="replace")) for path in (source, target))
    raise type(error)(
        f"the file has two names now, {names}, and neither may be deleted ({refused})", backend=NAME
    ) from refused


async def _move_back(channel: Channel, source: bytes, target: bytes) -> None:
    """Take the second name back, if a file has both: so who tries again finds what was there before."""
    if await same(channel, source, target):
        await tried(channel.remove(target))
