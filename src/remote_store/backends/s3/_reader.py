"""Reading an object to its end, or in the caller's steps."""

from __future__ import annotations

from ..._runtime.tasks import soon
from ...backend import CHUNK_SIZE, Reader
from ...sessions import filled
from ._download import Download
from ._objects import etag_of


class S3Reader(Reader):
    """A download as a session: each call is one leaf."""

    seekable = True

    def __init__(self, download: Download) -> None:
        self._download = download
        self.size: int = download.size
        self.version = etag_of(download.headers)

    async def read(self, n: int) -> bytes:
        return await self._download.api.leaf(self._download.read, n)

    async def readinto(self, buffer: memoryview) -> int:
        return await self._download.api.leaf(self._download.readinto, buffer)

    async def seek(self, position: int) -> None:
        self._download.position = position

    async def aclose(self) -> None:
        soon(self._download.loop, self._download.close)

    def __del__(self) -> None:
        if not hasattr(self, "_download"):
            return
        if self._download.loop.is_closed():
            self._download.close()
        else:
            soon(self._download.loop, self._download.close)


async def read_whole(download: Download) -> bytes:
    """Return an object or a part of it, in memory once."""
    try:
        await download.open()
        if download.size <= CHUNK_SIZE:
            return await download.read(download.size)
        return await filled(download.readinto, download.size, step=download.step)
    finally:
        download.close()
