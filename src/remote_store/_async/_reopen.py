"""Seeking on a storage whose readers cannot: open again at the new position, same version."""

from __future__ import annotations

from ..backend import Backend, Reader
from ..errors import RemoteStoreError


class ReopeningReader(Reader):
    """A seekable reader made of one-way readers; each seek costs one open at the next read."""

    seekable = True

    def __init__(self, backend: Backend, key: str, reader: Reader, size: int) -> None:
        self._backend, self._key = backend, key
        self._reader: Reader | None = reader
        self._position = 0
        self.size = size
        self.version = reader.version

    async def read(self, n: int) -> bytes:
        reader = self._reader or await self._reopen()
        data = await reader.read(n)
        self._position += len(data)
        return data

    async def _reopen(self) -> Reader:
        reader = await self._backend.open_read(self._key, start=self._position)
        if reader.version != self.version:
            await reader.aclose()
            raise RemoteStoreError(
                "the file was changed while it was being read; open it again", path=self._key
            )
        self._reader = reader
        return reader

    async def seek(self, position: int) -> None:
        if position == self._position:
            return
        await self.aclose()
        self._position = position

    async def aclose(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.aclose()
