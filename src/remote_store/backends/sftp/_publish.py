"""A finished file gets its name: whole, in one step where the server can, and never over a file unasked.

Without ``overwrite`` that is a hard link, which cannot replace a file; with it a rename that
replaces in one step. Servers without these extensions are served another way.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from ... import _runtime
from ..._sftp.packets import FAILURE, Attrs, Lost, Refused
from ...errors import RemoteStoreError
from .._temporaries import new_name
from ._aside import TRIES, replace, tried
from ._errors import folder_not_file, taken, translated
from ._files import MISSING, Files
from ._same import same
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
    for _ in range(TRIES):
        by_link = files.link.links_work
        try:
            if overwrite:
                await _over(files, temporary, target)
            else:
                await _anew(files, temporary, target, moving)
            return
        except Refused as error:
            if overwrite:
                raise await files.explain(key, error) from error
            why = await why_not_named(files, key, target, error)
            if why is not None or not by_link or error.code in MISSING:
                raise why or translated(error, key) from error
            await _look_at_links(files, temporary)
            lost = taken(key) if error.code == FAILURE else translated(error, key)
    raise lost


async def _over(files: Files, temporary: bytes, target: bytes) -> None:
    if files.link.renames_over:
        await files.channel.posix_rename(temporary, target)
    else:
        await replace(files.link, files.channel, temporary, target)


async def _anew(files: Files, temporary: bytes, target: bytes, moving: bool) -> None:
    link, channel = files.link, files.channel
    if link.links_work and moving:
        await _runtime.shielded_on_asyncio(_move, link, channel, temporary, target)
    elif link.links_work:
        await channel.link(temporary, target)
        await channel.remove(temporary)
    elif link.renames_over:
        await _runtime.shielded_on_asyncio(_claim, link, channel, temporary, target)
    else:
        await channel.rename(temporary, target)


async def _look_at_links(files: Files, path: bytes) -> None:
    """Forget links where not even an unused name can be given to a file."""
    unused = temporary_beside(path)
    linked, removed = files.channel.link(path, unused), files.channel.remove(unused)
    try:
        await linked
    except Refused as error:
        if error.code in _NO_LINKS:
            files.link.links_work = False
    await tried(removed)


async def _move(link: Link, channel: Channel, source: bytes, target: bytes) -> None:
    since = time.monotonic()
    try:
        await channel.link(source, target)
        await channel.remove(source)
    except Lost:
        link.lost.append(Unfinished(since, partial(_move_back, source=source, target=target)))
        raise


async def _move_back(channel: Channel, source: bytes, target: bytes) -> None:
    """Take the second name back, if a file has both: so who tries again finds what was there before."""
    if await same(channel, source, target):
        await tried(channel.remove(target))


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
