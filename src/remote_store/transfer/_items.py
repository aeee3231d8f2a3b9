"""Which files there are to move or delete, found as they are needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..errors import NotFound
from ..paths import PathLike, normalize

if TYPE_CHECKING:
    from .._async import AsyncStore


@dataclass(slots=True)
class Item:
    """One file.

    Attributes:
        source: where it is.
        target: where it goes; "" for deletions.
        size: its length in bytes when it was looked at.
        overwrite: whether it replaces a file; None where the options say so.
        if_match: the ``etag`` that the file has that it replaces.
    """

    source: str
    target: str
    size: int
    overwrite: bool | None = None
    if_match: str | None = None


Work: TypeAlias = Callable[[Item, Callable[[int], Awaitable[None]], bool], Awaitable[str]]
"""Does one file: the item, who counts bytes, whether it was tried before. Returns how it was done."""


async def tree(source: AsyncStore, path: PathLike, target: PathLike) -> AsyncGenerator[Item]:
    """Give the files below a folder, or the one file that is there.

    Raises:
        NotFound: nothing is there.
    """
    here, there = normalize(path), normalize(target)
    if here and await source.is_file(here):
        info = await source.get_file_info(here)
        yield Item(here, there or info.name, info.size)
        return
    if here and not await source.is_folder(here):
        raise NotFound("there is nothing to transfer; check the path", path=str(path))
    prefix = f"{here}/" if here else ""
    below = f"{there}/" if there else ""
    async with source.list_files(here, recursive=True) as listing:
        async for info in listing:
            name = str(info.path)
            yield Item(name, below + name.removeprefix(prefix), info.size)
