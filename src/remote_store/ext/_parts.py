"""A file that is read in any order, every part of one version."""

from __future__ import annotations

from .._async import AsyncReadStream, AsyncStore
from ..errors import PreconditionFailed
from ..models import FileInfo


class Parts:
    """Reads parts of one file, each with as few requests as the storage allows.

    Storage that tells ETags is asked for each part by itself, so nothing is sent that is
    not wanted, and a part of another version is an error. Elsewhere one open file stands
    for one version, and costs less than opening it for each part.

    Not for use by several tasks or threads at the same time.
    """

    def __init__(self, store: AsyncStore, path: str, size: int) -> None:
        self._store, self._path = store, path
        self.size = size
        self._etag: str | None = None
        self._version: str | None = None
        self._stream: AsyncReadStream | None = None

    @classmethod
    async def open(cls, store: AsyncStore, path: str) -> Parts:
        """Look at a file and make ready to read it. Raises NotFound, or InvalidPath for a folder."""
        return await cls.of(store, path, await store.get_file_info(path))

    @classmethod
    async def of(cls, store: AsyncStore, path: str, info: FileInfo) -> Parts:
        """Make ready to read a file that was looked at a moment ago."""
        parts = cls(store, path, info.size)
        parts._etag = info.etag
        if info.etag is None:
            parts._stream = stream = await store.open_read(path)
            parts.size = info.size if stream.size is None else stream.size
        return parts

    async def read(self, start: int, length: int) -> bytes:
        """Return so many bytes from ``start``, fewer only at the end.

        Raises:
            PreconditionFailed: the file is another one by now.
        """
        length = min(length, self.size - start)
        if length <= 0:
            return b""
        if self._stream is not None:
            await self._stream.seek(start)
            return await self._stream.read(length)
        async with await self._store.read(self._path, start=start, length=length) as part:
            assert part._reader is not None
            await self._require(part._reader.version)
            data = await part.read(length)
        if len(data) < length:
            raise self._changed()
        return data

    async def _require(self, version: str | None) -> None:
        """Refuse a part of another version than the first one."""
        if self._version is None:
            # Tokens of readers and of listings may be of two kinds: where they differ, look again.
            if version != self._etag and (await self._store.get_file_info(self._path)).etag != self._etag:
                raise self._changed()
            self._version = version
        elif version != self._version:
            raise self._changed()

    def _changed(self) -> PreconditionFailed:
        return PreconditionFailed(
            "the file was changed while it was being read; open it again",
            path=self._path,
            backend=self._store._scope.backend.name,
        )

    async def aclose(self) -> None:
        """Release what is held. Closing twice is fine."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()
