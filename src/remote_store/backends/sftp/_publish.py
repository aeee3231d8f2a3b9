"""A finished file gets its name: whole, in one step where the server can, and never over a file unasked.

Without ``overwrite`` that is a hard link, which cannot replace a file; with it a rename that
replaces in one step. Servers without these extensions are served another way.
"""

from __future__ import annotations

import stat
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from ... import _runtime
from ..._sftp.packets import Attrs, Lost, Refused
from ...errors import RemoteStoreError
from .._temporaries import new_name
from ._aside import replace, tried
from ._errors import NAME, folder_not_file, taken, translated
from ._files import MISSING, Files
from ._unfinished import Unfinished

if TYPE_CHECKING:
    from ..._sftp.channel import Channel
    from ._connection import Link

CREATE: Final = 0x02 | 0x08 | 0x20  # write, create, and refuse what is there
_NO_LINKS: Final = (3, 4, 8)
"""Statuses with which servers refuse a link because their file system has none."""


def temporary_beside(path: bytes) -> bytes:
    """Return an unused path in the same folder."""
    return b"%b/%b" % (path.rpartition(b"/")[0], new_name().encode())


async def why_not_linked(files: Files, key: str, target: bytes, refused: Refused) -> RemoteStoreError:
    """Return the error for a name that could not be given; forget links if they are the reason."""
    try:
        facts: Attrs = await files.channel.lstat(target)
    except Refused as error:
        await files.refuse_below_file(key)
        if error.code not in MISSING or refused.code not in _NO_LINKS or not files.link.links_work:
            return translated(refused, key)
        files.link.links_work = False
        return RemoteStoreError(
            "the server's file system has no hard links; try again, it will do without",
            path=key,
            backend=NAME,
            retryable=True,
        )
    return folder_not_file(key) if facts.kind == stat.S_IFDIR else taken(key)


async def publish(files: Files, temporary: bytes, target: bytes, key: str, overwrite: bool) -> None:
    """Give a finished temporary its name.

    Raises:
        AlreadyExists: somebody created the file meanwhile, and ``overwrite`` was not given.
        InvalidPath: a folder has that name.
    """
    channel = files.channel
    try:
        if overwrite and files.link.renames_over:
            await channel.posix_rename(temporary, target)
        elif overwrite:
            await replace(files.link, channel, temporary, target)
        elif files.link.renames_exclusively:
            await channel.rename(temporary, target)
        elif files.link.links_work:
            await channel.link(temporary, target)
            await channel.remove(temporary)
            files.link.linked()
        elif files.link.renames_over:
            await _runtime.shielded_on_asyncio(_claim, files.link, channel, temporary, target)
        else:
            await channel.rename(temporary, target)
    except Refused as error:
        if overwrite:
            raise await files.explain(key, error) from error
        had_links = files.link.links_work
        why = await why_not_linked(files, key, target, error)
        if had_links and not files.link.links_work:
            await publish(files, temporary, target, key, overwrite)
            return
        raise why from error


async def _claim(link: Link, channel: Channel, temporary: bytes, target: bytes) -> None:
    """Take a name by an empty file, which others cannot do then, and replace that."""
    since = time.monotonic()
    try:
        handle = await channel.open(target, CREATE)
        channel.drop(handle)
        try:
            await channel.posix_rename(temporary, target)
        except Refused:
            await _give_up(channel, target)
            raise
    except Lost:
        link.lost.append(Unfinished(since, partial(_give_up, target=target)))
        raise


async def _give_up(channel: Channel, target: bytes) -> None:
    """Delete the empty file if it is still that."""
    try:
        facts = await channel.lstat(target)
    except Refused:
        return
    if facts.size == 0 and facts.kind == stat.S_IFREG:
        await tried(channel.remove(target))


async def try_links(files: Files) -> None:
    """Find out whether the file system has links, where more depends on that than the way to a name."""
    link, channel = files.link, files.channel
    if not link.links_work or link.renames_over:
        return
    first, second = temporary_beside(files.path("x")), temporary_beside(files.path("x"))
    try:
        await channel.close_handle(await channel.kept(channel.open(first, CREATE)))
    except Refused:
        return  # nothing can be created here at all
    try:
        link.links_work = await tried(channel.link(first, second))
    finally:
        for path in (first, second):
            channel.remove(path).cancel()
