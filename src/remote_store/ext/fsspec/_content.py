"""Whole contents and parts of them, of one file or of several at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from typing import Any, Final

from ...errors import InvalidPath
from ...models import WriteOptions
from ._changing import Changing
from ._errors import refuse
from ._places import inside

STORED_BESIDE: Final = frozenset(field.name for field in fields(WriteOptions))
"""Keywords that are stored beside a file: what ``WriteOptions`` takes."""
MODES: Final = ("overwrite", "create")


class Content(Changing):
    """Part of ``RemoteStoreFileSystem``."""

    async def _cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any
    ) -> bytes:
        place = inside(self._places, self._strip_protocol(path))
        if (start or 0) < 0 or (end or 0) < 0:
            size = (await self._info(path))["size"]
            start, end = _from_front(start, size), _from_front(end, size)
        start = start or 0
        length = None if end is None else max(0, end - start)
        try:
            return await place.store.read_bytes(place.key, start=start, length=length)
        except InvalidPath as error:
            await refuse(place, error)

    async def _pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        overwrite, options = may_replace(mode), options_of(kwargs)
        place = inside(self._places, self._strip_protocol(path))
        try:
            await place.store.write(place.key, value, overwrite=overwrite, options=options)
        except InvalidPath as error:
            await refuse(place, error)

    # -- several at once -------------------------------------------------------

    async def _cat(
        self,
        path: Any,
        recursive: bool = False,
        on_error: str = "raise",
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the content of one file, or of several by name; errors are raised, returned or left out."""
        names = await self._expand_path(path, recursive=recursive)
        calls = [partial(self._cat_file, name, **kwargs) for name in names]
        found = await self._together(calls, batch_size, failures=on_error != "raise")
        if isinstance(path, str) and names == [self._strip_protocol(path)]:
            return found[0]
        return {
            name: content
            for name, content in zip(names, found, strict=True)
            if on_error != "omit" or not isinstance(content, Exception)
        }

    async def _cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        batch_size: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        """Return parts of files in the order asked for; errors are in their places, or raised."""
        if max_gap is not None:
            raise ValueError("max_gap is not supported; leave it out")
        starts, ends = (
            list(each) if isinstance(each, Iterable) else [each] * len(paths) for each in (starts, ends)
        )
        calls = [
            partial(self._cat_file, path, start=start, end=end, **kwargs)
            for path, start, end in zip(paths, starts, ends, strict=True)
        ]
        return await self._together(calls, batch_size, failures=on_error == "return")

    async def _pipe(self, path: Any, value: Any = None, batch_size: int | None = None, **kwargs: Any) -> None:
        """Write one file, or those of a mapping."""
        items = {path: value} if isinstance(path, str) else path
        calls = [partial(self._pipe_file, name, content, **kwargs) for name, content in items.items()]
        await self._together(calls, batch_size)

    async def _sizes(self, paths: list[str], batch_size: int | None = None) -> list[Any]:
        return await self._together([partial(self._size, path) for path in paths], batch_size)


def may_replace(mode: str) -> bool:
    """Return what fsspec's mode says of a file that is there. Raises ValueError for other modes."""
    if mode not in MODES:
        raise ValueError(f"mode must be 'overwrite' or 'create', not {mode!r}")
    return mode == "overwrite"


def options_of(keywords: dict[str, Any]) -> WriteOptions | None:
    """Return the keywords of a call as what is stored beside a file.

    Raises:
        TypeError: one of them means nothing here.
    """
    unknown = sorted(set(keywords) - STORED_BESIDE)
    if unknown:
        known = ", ".join(sorted(STORED_BESIDE))
        raise TypeError(f"unknown keyword {unknown[0]!r}; what can be stored beside a file: {known}")
    return WriteOptions(**keywords) if keywords else None


def _from_front(position: int | None, size: int) -> int | None:
    return max(0, size + position) if position is not None and position < 0 else position
