"""The reader and the writer of the contract, over a download and an upload."""

from __future__ import annotations

from typing import Any

from ..._runtime.tasks import soon
from ...backend import Reader, Writer
from ...models import WriteResult
from ._download import Download
from ._facts import version_of
from ._upload import Upload


class SFTPReader(Reader):
    """The reader of the contract over a download."""

    seekable = True

    def __init__(self, down: Any, download: Download) -> None:
        self._down, self._download = down, download
        self.size = download.size
        self.version = version_of(download.facts)
        self._closed = False

    async def read(self, n: int) -> bytes:
        return bytes(await self._down(self._download.key, self._download.read, n))

    async def readinto(self, buffer: memoryview) -> int:
        count: int = await self._down(self._download.key, self._download.readinto, buffer)
        return count

    async def seek(self, position: int) -> None:
        await self._down(self._download.key, _seek, self._download, position)

    async def aclose(self) -> None:
        self._drop()

    def __del__(self) -> None:
        self._drop()

    def _drop(self) -> None:
        if not getattr(self, "_closed", True):
            self._closed = True
            soon(self._download.loop, self._download.close)


async def _seek(download: Download, position: int) -> None:
    download.seek(position)


class SFTPWriter(Writer):
    """The writer of the contract over an upload."""

    def __init__(self, down: Any, shielded: Any, upload: Upload, loop: Any) -> None:
        self._down, self._shielded, self._upload, self._loop = down, shielded, upload, loop

    async def write(self, data: Any) -> None:
        with memoryview(data) as given, given.cast("B") as view:
            await self._down(self._upload.key, self._upload.write, view)

    async def commit(self) -> WriteResult:
        result: WriteResult = await self._down(self._upload.key, self._upload.commit)
        return result

    async def abort(self) -> None:
        if not self._upload.ended:
            await self._shielded(self._upload.key, self._upload.abort)

    def __del__(self) -> None:
        upload = getattr(self, "_upload", None)
        if upload is not None and not upload.ended:
            soon(self._loop, upload.discard)
