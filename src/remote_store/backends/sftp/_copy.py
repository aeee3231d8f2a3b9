"""Copying: on the server where it can, else through this machine. Coroutines for a running asyncio loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ... import _runtime
from ..._sftp.packets import Attrs, Refused
from ...backend import CHUNK_SIZE
from ...errors import PreconditionFailed
from ...models import WriteResult
from ._change import look_at_both
from ._download import Download
from ._errors import NAME, translated
from ._files import Files
from ._pairs import pairs_of
from ._upload import Upload

if TYPE_CHECKING:
    from ..._sftp.channel import Channel

COPY_PIECE: Final = 64 << 20
"""Bytes that one request copies: while it does, the server is silent."""


async def copy(files: Files, src: str, dst: str, overwrite: bool, durable: bool, memory: int) -> WriteResult:
    """Copy a file.

    Raises:
        PreconditionFailed: the source was changed meanwhile.
    """
    await files.guard(dst)
    await look_at_both(files, src, dst, overwrite)
    if files.link.copies:
        files = files.on(await files.link.copying())
    async with pairs_of(files.channel).one(files.channel.most_handles):
        down, up = Download(files, src, 0, None, memory), Upload(files, dst, overwrite, durable, memory)
        try:
            return await _copy(files, down, up)
        except BaseException:
            await _runtime.shielded_on_asyncio(up.abort)
            raise
        finally:
            down.close()


async def _copy(files: Files, down: Download, up: Upload) -> WriteResult:
    try:
        await down.open()
    except Refused as error:
        raise translated(error, down.key) from error
    await up.open()
    if files.link.copies:
        await _copy_there(files.channel, down, up)
    else:
        await _copy_through(down, up)
    return await up.commit()


async def _copy_there(channel: Channel, down: Download, up: Upload) -> None:
    for at in range(0, down.size, COPY_PIECE):
        length = min(COPY_PIECE, down.size - at)
        copied = channel.copy_data(down.handle, at, length, up.handle, at)
        looking = channel.fstat(down.handle)  # behind the piece: it costs no round trip
        try:
            await copied
        except Refused:
            _require_unchanged(down, await looking)  # one that is shorter by now is refused, too
            raise
        _require_unchanged(down, await looking)
    up.count(down.size)


def _require_unchanged(down: Download, facts: Attrs) -> None:
    if not down.is_same(facts):
        raise PreconditionFailed(
            "the file was changed while it was being copied; copy it again", path=down.key, backend=NAME
        )


async def _copy_through(down: Download, up: Upload) -> None:
    while data := await down.read(CHUNK_SIZE):
        await up.write(memoryview(data))
