"""A finished file gets its name: whole, in one step where the server can, and never over a file unasked.

Without ``overwrite`` that is a hard link, which cannot replace a file; with it a rename that
replaces in one step. Servers without these extensions are served another way.
"""

from __future__ import annotations

import stat
from typing import Final

from ..._sftp.packets import Attrs, Refused
from ...errors import RemoteStoreError
from .._temporaries import new_name
from ._aside import replace
from ._errors import NAME, folder_not_file, taken, translated
from ._files import MISSING, Files

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
        elif files.link.renames_over:
            await channel.close_handle(await channel.kept(channel.open(target, CREATE)))  # claims the name
            await channel.posix_rename(temporary, target)
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
