"""Deleting and moving. Coroutines for a running asyncio loop."""

from __future__ import annotations

import stat
from collections import deque
from typing import Any, Final

from ... import _runtime
from ..._sftp.packets import Attrs, Refused
from ...errors import DirectoryNotEmpty, NotFound, RemoteStoreError
from ...models import WriteResult
from ...paths import RemotePath
from ._aside import TRIES, end_first_name
from ._errors import NAME, file_not_folder, folder_not_file, taken, translated
from ._files import MISSING, Files
from ._listing import FOLDER, begin_walk
from ._publish import publish
from ._same import is_one_name

AT_ONCE: Final = 64
"""Deletions in flight."""
NOT_EMPTY: Final = (4, 18)
"""Statuses for a folder that is not empty: OpenSSH gives no reason."""


async def delete_file(files: Files, key: str, missing_ok: bool) -> None:
    """Delete a file, or a link."""
    await files.guard(key)
    try:
        await files.channel.remove(files.path(key))
    except Refused as error:
        why = await files.explain(key, error)
        if not (missing_ok and isinstance(why, NotFound)):
            raise why from error


async def delete_folder(files: Files, key: str, recursive: bool, missing_ok: bool) -> None:
    """Delete a folder, and with ``recursive`` all below it."""
    await files.guard(key)
    path = files.path(key)
    try:
        facts = await files.channel.lstat(path)
    except Refused as error:
        if (await files.clear(key, error)).code not in MISSING:
            raise
        if missing_ok:
            return
        raise NotFound("there is no such folder", path=key, backend=NAME) from error
    if facts.kind != FOLDER:
        raise file_not_folder(key)
    tries = TRIES if recursive else 1  # others may write meanwhile
    while True:
        if recursive:
            await _empty(files, key)
        try:
            await files.channel.rmdir(path)
            return
        except Refused as error:
            tries -= 1
            if error.code in MISSING:
                return  # somebody else was quicker
            if not tries or error.code not in NOT_EMPTY:
                raise _not_empty(key, error) from error


def _not_empty(key: str, refused: Refused) -> RemoteStoreError:
    if refused.code not in NOT_EMPTY:
        return translated(refused, key)
    return DirectoryNotEmpty(
        "the folder is not empty; pass recursive=True to delete all", path=key, backend=NAME
    )


async def _empty(files: Files, key: str) -> None:
    """Delete all below a folder: files as they are found, folders at the end, the deepest first."""
    folders: list[bytes] = []
    window = Window(key)
    walk = await begin_walk(files, key, True)
    walk.everything = True
    try:
        while (found := await walk.next()) is not None:
            for below, facts, linked in found:
                if facts.kind == FOLDER and not linked:
                    folders.append(files.path(below))
                else:
                    await window.add(files.channel.remove(files.path(below)))
        await window.rest()
    finally:
        walk.close()
    depth = 0
    for folder in sorted(folders, key=lambda path: -path.count(b"/")):
        if folder.count(b"/") != depth:
            await window.rest()
            depth = folder.count(b"/")
        await window.add(files.channel.rmdir(folder), tolerant=True)
    await window.rest()


class Window:
    """Deletions in flight, never more than allowed."""

    def __init__(self, key: str) -> None:
        self._key, self._pending = key, deque[tuple[Any, bool]]()

    async def add(self, deletion: Any, *, tolerant: bool = False) -> None:
        """Take one that was sent; ``tolerant`` takes a refusal for no failure."""
        self._pending.append((deletion, tolerant))
        while len(self._pending) >= AT_ONCE:
            await self._first()

    async def rest(self) -> None:
        """Wait for all. Raises what failed."""
        while self._pending:
            await self._first()

    async def _first(self) -> None:
        deletion, tolerant = self._pending.popleft()
        try:
            await deletion
        except Refused as error:
            if not tolerant and error.code not in MISSING:
                raise


async def move(files: Files, src: str, dst: str, overwrite: bool) -> WriteResult:
    """Rename a file; without ``overwrite`` by a second name, which cannot replace a file."""
    await files.guard(dst)
    facts, replaced = await look_at_both(files, src, dst, overwrite)
    source, target = files.path(src), files.path(dst)
    done = WriteResult(RemotePath._of(dst), facts.size or 0)
    if facts == replaced and await _is_done(files, source, target):
        return done
    for _ in range(TRIES):
        try:
            await publish(files, source, target, dst, overwrite, moving=True)
            break
        except NotFound:
            await _require_there(files, source, src)
            await files.make_folders(dst)
    if facts == replaced:
        await _runtime.shielded_on_asyncio(end_first_name, files.link, files.channel, source, target)
    return done


async def _is_done(files: Files, source: bytes, target: bytes) -> bool:
    """Make a move within one file, if it is one: a rename would replace the file by a link to itself."""
    channel = files.channel
    try:
        if await is_one_name(channel, source, target):
            return True
        facts, real, there = channel.lstat(source), channel.realpath(source), channel.realpath(target)
        if (await facts).kind != stat.S_IFLNK or await real != await there:
            return False
    except Refused:
        return False  # others change it meanwhile
    await channel.remove(source)
    return True


async def _require_there(files: Files, source: bytes, src: str) -> None:
    try:
        await files.channel.lstat(source)
    except Refused as error:
        raise translated(await files.clear(src, error), src) from error


async def look_at_both(files: Files, src: str, dst: str, overwrite: bool) -> tuple[Attrs, Attrs | None]:
    """Return the facts of the source, and of a file that will be replaced; refuse what cannot be done."""
    there = files.channel.stat(files.path(dst))
    facts = await files.file_facts(src)
    try:
        found = await there
    except Refused as error:
        if (await files.clear(dst, error)).code not in MISSING:
            raise translated(error, dst) from error
        return facts, None
    if found.kind == FOLDER:
        raise folder_not_file(dst)
    if not overwrite:
        raise taken(dst)
    return facts, found
