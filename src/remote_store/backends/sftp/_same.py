"""Is this still our file? SFTP has no identity of files, so their facts and first bytes are compared.

Asked only where something has failed: nothing is deleted under a name that may be somebody else's by then.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ..._sftp.packets import FLAG_READ, Attrs, Refused
from ._files import MISSING

if TYPE_CHECKING:
    from ..._sftp.channel import Channel


async def same(channel: Channel, first: bytes, second: bytes, *, unread: bool = False) -> bool:
    """Return True if two names are those of one file, or of two that nothing tells apart.

    With ``unread`` facts do where neither may be opened: for who has just made one a name of the other.
    """
    found = await _looked_at(channel, first)
    if found is None or (found[1] is None and not unread):
        return False
    return found == await _looked_at(channel, second)


async def is_one_name(channel: Channel, first: bytes, second: bytes) -> bool:
    """Return True if two paths are one name in one folder, by whatever links to that."""
    (folder, _, name), (other_folder, _, other_name) = first.rpartition(b"/"), second.rpartition(b"/")
    real, other = channel.realpath(folder or b"/"), channel.realpath(other_folder or b"/")
    return (await real, name) == (await other, other_name)


async def is_part(channel: Channel, path: bytes, data: memoryview) -> bool:
    """Return True if a file holds what was to be written, up to a point."""
    found = await _looked_at(channel, path)
    if found is None or found[1] is None or (found[0].size or 0) > len(data):
        return False
    with data[: len(found[1])] as begins:
        return begins == found[1]


async def _looked_at(channel: Channel, path: bytes) -> tuple[Attrs, bytes | None] | None:
    """Return a file's facts and its first piece, None if it may not be opened; None if it is no file."""
    try:
        facts = await channel.lstat(path)
        if facts.kind != stat.S_IFREG:
            return None  # to open a pipe would hold up the server
        try:
            handle = await channel.kept(channel.open(path, FLAG_READ))
        except Refused as error:
            return None if error.code in MISSING else (facts, None)
        reading = channel.read(handle, 0, channel.limits.read)
        channel.drop(handle)
        return facts, await reading
    except Refused:
        return None
