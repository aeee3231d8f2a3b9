"""What killed writers and lost connections left: temporaries are deleted, files aside put back."""

from __future__ import annotations

from ... import _runtime
from ..._sftp.packets import Attrs
from ...backend import CHUNK_SIZE
from .._temporaries import is_aside, is_temporary, new_name
from ._aside import Aside, is_there, put_back
from ._change import Window
from ._files import Files
from ._listing import FOLDER, begin_walk
from ._upload import Upload


async def sweep(files: Files, age: float) -> int:
    """Delete temporaries that have not changed for some seconds; see to what was moved aside.

    A file aside gets its name back, however new, if nothing has that. Elsewhere it is deleted
    after the same time.

    Returns:
        How many were deleted or put back.
    """
    now = await _clock(files)
    window, count = Window(""), 0
    aside: dict[str, Attrs] = {}  # the folders that were made for that
    inside: dict[str, tuple[str, Attrs]] = {}  # what is in them
    walk = await begin_walk(files, "", True)
    walk.everything = True
    try:
        while (found := await walk.next()) is not None:
            for key, facts, _ in found:
                above, _, name = key.rpartition("/")
                if is_aside(above.rpartition("/")[2]):
                    inside[above] = key, facts
                elif facts.kind == FOLDER and is_aside(name):
                    aside[key] = facts
                elif facts.kind != FOLDER and is_temporary(name) and _old(facts, now, age):
                    count += 1
                    await window.add(files.channel.remove(files.path(key)))
        await window.rest()
    finally:
        walk.close()
    newest_first = sorted(aside, key=lambda key: _order(aside[key], inside.get(key)), reverse=True)
    for key in newest_first:
        count += await _settled(files, key, inside.get(key), _old(aside[key], now, age))
    return count


async def _clock(files: Files) -> int:
    """Return the time by the server's clock."""
    probe = Upload(files, new_name(), True, False, CHUNK_SIZE)
    try:
        await probe.open_new()
        return (await files.channel.fstat(probe.handle)).mtime or 0
    finally:
        await _runtime.shielded_on_asyncio(probe.abort)


def _old(facts: Attrs, now: int, age: float) -> bool:
    return facts.mtime is not None and now - facts.mtime >= age


def _order(folder: Attrs, content: tuple[str, Attrs] | None) -> tuple[int, int]:
    """When a file was moved aside, in seconds, and to tell those of one second apart, when it was changed."""
    return folder.mtime or 0, 0 if content is None else content[1].mtime or 0


async def _settled(files: Files, key: str, content: tuple[str, Attrs] | None, old: bool) -> bool:
    """Put a file back, or delete it where that is due; return whether either was done."""
    folder = files.path(key)
    name = b"" if content is None else files.path(content[0]).rpartition(b"/")[2]
    aside = Aside(folder, b"%b/%b" % (folder.rpartition(b"/")[0], name))
    if not old and (content is None or await is_there(files.channel, aside.target)):
        return False
    return await put_back(files.channel, aside)
