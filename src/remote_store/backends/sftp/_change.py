"""Deleting, moving and copying. Coroutines for a running asyncio loop."""

from __future__ import annotations

import stat
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from ... import _runtime
from ..._sftp.packets import Attrs, Refused
from ...backend import CHUNK_SIZE
from ...errors import DirectoryNotEmpty, NotFound, RemoteStoreError
from ...models import WriteResult
from ...paths import RemotePath
from ._aside import TRIES
from ._download import Download
from ._errors import NAME, file_not_folder, folder_not_file, taken, translated
from ._files import MISSING, Files
from ._listing import FOLDER, begin_walk
from ._publish import publish
from ._upload import Upload

if TYPE_CHECKING:
    from ..._sftp.channel import Channel

AT_ONCE: Final = 64
"""Deletions in flight."""
NOT_EMPTY: Final = (4, 18)
"""Statuses for a folder that is not empty: OpenSSH gives no reason."""
COPY_PIECE: Final = 64 << 20
"""Bytes that one request copies: while it does, the server is silent."""


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
    facts, source, target = await _both(files, src, dst, overwrite)
    for _ in range(TRIES):
        try:
            if overwrite or not files.link.links_work or facts.kind == stat.S_IFLNK:
                await publish(files, source, target, dst, overwrite)
            else:
                await files.channel.link(source, target)
                await files.channel.remove(source)
            break
        except (Refused, NotFound) as error:
            if isinstance(error, Refused) and error.code not in MISSING:
                raise await _why_not_moved(files, dst, error) from error
        await _require_there(files, source, src)
        await files.make_folders(dst)
    return WriteResult(RemotePath._of(dst), facts.size or 0)


async def _why_not_moved(files: Files, dst: str, refused: Refused) -> RemoteStoreError:
    try:
        kind = (await files.channel.lstat(files.path(dst))).kind
    except Refused:
        await files.refuse_below_file(dst)
        return translated(refused, dst)
    return folder_not_file(dst) if kind == FOLDER else taken(dst)


async def _require_there(files: Files, source: bytes, src: str) -> None:
    try:
        await files.channel.lstat(source)
    except Refused as error:
        raise translated(await files.clear(src, error), src) from error


async def _both(files: Files, src: str, dst: str, overwrite: bool) -> tuple[Attrs, bytes, bytes]:
    """Look at both ends in one flight; refuse what cannot be done before anything is."""
    source, target = files.path(src), files.path(dst)
    there = files.channel.stat(target)
    facts = await files.file_facts(src)
    try:
        found = await there
    except Refused as error:
        if (await files.clear(dst, error)).code not in MISSING:
            raise translated(error, dst) from error
    else:
        if found.kind == FOLDER:
            raise folder_not_file(dst)
        if not overwrite:
            raise taken(dst)
    return facts, source, target


async def copy(files: Files, src: str, dst: str, overwrite: bool, durable: bool, memory: int) -> WriteResult:
    """Copy a file: on the server where it can, else through this machine."""
    await files.guard(dst)
    await _both(files, src, dst, overwrite)
    if files.link.copies:
        files = files.on(await files.link.copying())
    down, up = Download(files, src, 0, None, memory), Upload(files, dst, overwrite, durable, memory)
    try:
        try:
            await down.open()
        except Refused as error:
            raise translated(error, src) from error
        await up.open()
        if files.link.copies:
            await _copy_there(files.channel, down, up)
        else:
            await _copy_through(down, up)
        return await up.commit()
    except BaseException:
        await _runtime.shielded_on_asyncio(up.abort)
        raise
    finally:
        down.close()


async def _copy_there(channel: Channel, down: Download, up: Upload) -> None:
    for at in range(0, down.size, COPY_PIECE):
        length = min(COPY_PIECE, down.size - at)
        await channel.copy_data(down.handle, at, length, up.handle, at)
    up.count(down.size)


async def _copy_through(down: Download, up: Upload) -> None:
    while data := await down.read(CHUNK_SIZE):
        await up.write(memoryview(data))
