"""Is this still our file? SFTP has no identity of files, so their facts and first bytes are compared.

Asked only where something has failed: nothing is deleted under a name that may be somebody else's by then.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ..._sftp.packets import FLAG_READ, Attrs, Refused

if TYPE_CHECKING:
    from ..._sftp.channel import Channel


async def same(channel: Channel, first: bytes, second: bytes) -> bool:
    """Return True if two names are those of one file, or of two that nothing tells apart."""
    found = await _looked_at(channel, first)
    return found is not None and found == await _looked_at(channel, second)


async def entry(channel: Channel, path: bytes) -> bytes:
    """Return a path without links to its folder: two that are equal are one name."""
    folder, _, name = path.rpartition(b"/")
    return b"%b/%b" % (await channel.realpath(folder or b"/"), name)


async def is_part(channel: Channel, path: bytes, data: memoryview) -> bool:
    """Return True if a file holds what was to be written, up to a point."""
    found = await _looked_at(channel, path)
    if found is None or (found[0].size or 0) > len(data):
        return False
    with data[: len(found[1])] as begins:
        return begins == found[1]


async def _looked_at(channel: Channel, path: bytes) -> tuple[Attrs, bytes] | None:
    """Return a file's facts and its first piece; None for anything but a file that can be read."""
    try:
        facts = await channel.lstat(path)
        if facts.kind != stat.S_IFREG:
            return None  # to open a pipe would hold up the server
        handle = await channel.kept(channel.open(path, FLAG_READ))
        reading = channel.read(handle, 0, channel.limits.read)
        channel.drop(handle)
        return facts, await reading
    except Refused:
        return None
