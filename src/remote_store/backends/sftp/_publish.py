"""A finished file gets its name: whole, in one step where the server can, and never over a file unasked.

Without ``overwrite`` that is a hard link, which cannot replace a file; with it a rename that
replaces in one step. Servers without these extensions are served another way.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from ... import _runtime
from ..._sftp.packets import FAILURE, Attrs, Lost, Refused
from ...errors import RemoteStoreError
from ._aside import TRIES, is_there, replace, tried
from ._errors import folder_not_file, taken, translated
from ._files import MISSING, Files
from ._names import move_by_link, temporary_beside
from ._unfinished import Unfinished

if TYPE_CHECKING:
    from ..._sftp.channel import Channel
    from ._connection import Link

CREATE: Final = 0x02 | 0x08 | 0x20  # write, create, and refuse what is there
_NO_LINKS: Final = (3, 4, 8)
"""Statuses with which servers refuse a link because their file system has none."""


def removing(channel: Channel, path: bytes) -> Callable[[bytes], None]:
    """Return what to do with a temporary that comes into being when nobody wants it any more."""

    def late(handle: bytes) -> None:
        channel.drop(handle)
        channel.remove(path).cancel()

    return late


async def why_not_named(files: Files, key: str, target: bytes, refused: Refused) -> RemoteStoreError | None:
    """Return the error for a name that could not be given.

    None stands for a refusal without a reason where nothing has the name: a file system without
    links, or somebody who had the name and has given it up meanwhile.
    """
    try:
        facts: Attrs = await files.channel.lstat(target)
    except Refused as error:
        await files.refuse_below_file(key)
        if error.code not in MISSING or refused.code not in (*_NO_LINKS, *MISSING):
            return translated(refused, key)
        return None
    return folder_not_file(key) if facts.kind == stat.S_IFDIR else taken(key)


async def publish(
    files: Files, temporary: bytes, target: bytes, key: str, overwrite: bool, moving: bool = False
) -> None:
    """Give a finished temporary its name, or with ``moving`` a file another one.

    Raises:
        AlreadyExists: somebody created the file meanwhile, and ``overwrite`` was not given.
        InvalidPath: a folder has that name.
    """
    lost: RemoteStoreError = taken(key)
    linkable = True
    for _ in range(TRIES):
        by_link = files.link.links_work and linkable
        try:
            if overwrite:
                await _over(files, temporary, target)
            else:
                await _anew(files, temporary, target, moving, by_link)
            return
        except Refused as error:
            if overwrite:
                raise await files.explain(key, error) from error
            why = await why_not_named(files, key, target, error)
            if why is not None or not by_link or error.code in MISSING:
                raise why or translated(error, key) from error
            linkable = await _look_at_links(files, temporary, target, moving)
            lost = taken(key) if error.code == FAILURE else translated(error, key)
    raise lost


async def _over(files: Files, temporary: bytes, target: bytes) -> None:
    if files.link.renames_over:
        await files.channel.posix_rename(temporary, target)
    else:
        await replace(files.link, files.channel, temporary, target)


async def _anew(files: Files, temporary: bytes, target: bytes, moving: bool, by_link: bool) -> None:
    link, channel = files.link, files.channel
    if by_link and moving:
        await _runtime.shielded_on_asyncio(move_by_link, link, channel, temporary, target)
    elif by_link:
        await channel.link(temporary, target)
        await end_temporary(link, channel, temporary, channel.remove(temporary))
    elif link.renames_over:
        await _runtime.shielded_on_asyncio(_claim, link, channel, temporary, target, moving)
    else:
        await channel.rename(temporary, target)


async def end_temporary(link: Link, channel: Channel, path: bytes, removing: Awaitable[None]) -> None:
    """Wait until a file with two names has lost that of the temporary.

    Where nothing may be deleted it stays, and another way to a name is taken from then on.
    """
    try:
        await removing
    except Refused as error:
        if error.code in MISSING or await tried(channel.remove(path)):
            return  # not every server works in the order of the requests
        if link.renames_over:
            link.links_work = False


async def _look_at_links(files: Files, path: bytes, target: bytes, moving: bool) -> bool:
    """Return whether a file can be given an unused name; forget links where none of our own can.

    A file that is moved may be somebody else's, and then systems refuse it a second name.
    """
    if await _takes_a_name(files, path):
        return True
    if not moving or not await _ours_takes_a_name(files, target):
        files.link.links_work = False
    return False


async def _takes_a_name(files: Files, path: bytes) -> bool:
    unused = temporary_beside(path)
    linked, removed = files.channel.link(path, unused), files.channel.remove(unused)
    try:
        await linked
    except Refused as error:
        return error.code not in _NO_LINKS
    finally:
        await tried(removed)
    return True


async def _ours_takes_a_name(files: Files, path: bytes) -> bool:
    """Return whether a new file can be given a second name in the folder of a path."""
    channel, ours = files.channel, temporary_beside(path)
    late = removing(channel, ours)
    try:
        handle = await channel.kept(channel.open(ours, CREATE, late), late)
    except Refused:
        return True  # nothing can be created here at all, so there is nothing to be learned
    try:
        await tried(channel.close_handle(handle))
        return await _takes_a_name(files, ours)
    finally:
        channel.remove(ours).cancel()


async def try_links(files: Files) -> None:
    """Find out whether the file system has links, where more depends on that than the way to a name."""
    if files.link.links_work and not files.link.renames_over:
        files.link.links_work = await _ours_takes_a_name(files, files.path("x"))


async def _claim(link: Link, channel: Channel, temporary: bytes, target: bytes, moving: bool) -> None:
    """Take a name by an empty file, which others cannot do then, and replace that.

    That nothing has the name is looked at before: an empty file that is there already is somebody else's,
    and must not be taken for the claim should the connection be lost.
    """
    begun = channel.lstat(temporary)
    missing = await _is_missing(channel, target)
    source = temporary if moving else None
    # A file that is moved may be of any age, one of our own is not younger than the claim.
    earliest = 0 if moving or not missing else (await begun).mtime or 0
    end = partial(_give_up, target=target, earliest=earliest, source=source)
    since = time.monotonic()
    try:
        channel.drop(await channel.open(target, CREATE))
        try:
            await channel.posix_rename(temporary, target)
        except Refused:
            await _give_up(channel, target, 0)
            raise
    except Lost:
        if missing:
            link.lost.append(Unfinished(since, end))
        raise


async def _is_missing(channel: Channel, target: bytes) -> bool:
    """Return True if nothing has a name, False if the server does not tell. Raises Refused if it is taken."""
    try:
        await channel.lstat(target)
    except Refused as error:
        return error.code in MISSING
    raise Refused(FAILURE, "the name is taken")


async def _give_up(channel: Channel, target: bytes, earliest: int, source: bytes | None = None) -> None:
    """Delete the empty file if it is still that, and not older than what was to have its name.

    With ``source`` only while that is there: it may be an empty file that has been moved by now.
    """
    try:
        facts = await channel.lstat(target)
    except Refused:
        return
    if facts.size != 0 or facts.kind != stat.S_IFREG or (facts.mtime or 0) < earliest:
        return
    if source is None or await is_there(channel, source):
        await tried(channel.remove(target))
