"""A file that is written in parts, over a backend's ``PartWriter``, for transfers."""

from __future__ import annotations

from collections.abc import Sequence

from .._types import Buffer
from ..backend import Part
from ..models import WriteResult
from ..parts import PartWriter
from ._scope import Scope, located


class AsyncPartStream(PartWriter):
    """Hands on to a backend's own, with the caller's words in errors and results."""

    def __init__(self, scope: Scope, key: str, path: str, inner: PartWriter) -> None:
        self._scope, self._inner = scope, inner
        self._here = located(scope, (key, path))
        self.token, self.part_size, self.at_once = inner.token, inner.part_size, inner.at_once

    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        with self._here:
            return await self._inner.confirmed(parts)

    async def write(self, number: int, data: Buffer, crc32: int) -> Part:
        with self._here:
            return await self._inner.write(number, data, crc32)

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        self._scope.require_open()
        with self._here:
            return self._scope.result(await self._inner.commit(parts))

    async def abort(self) -> None:
        with self._here:
            await self._inner.abort()

    async def aclose(self) -> None:
        with self._here:
            await self._inner.aclose()
