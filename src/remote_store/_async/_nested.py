"""What is refused before anything is done: copies that never end, mirrors that delete their own source."""

from __future__ import annotations

from ..errors import InvalidPath, NotFound
from ..models import RemoteFolder
from ..paths import PathLike, normalize
from ._places import is_within
from ._store import AsyncStore


async def refuse_nested(source: AsyncStore, path: PathLike, target: AsyncStore, into: PathLike) -> None:
    """Refuse to copy a folder into itself, which would never end."""
    if await _lies_within(target, into, source, path):
        raise InvalidPath("the target lies within the source; copy to a place outside of it", path=str(into))


async def refuse_deleted(source: AsyncStore, path: PathLike, target: AsyncStore, into: PathLike) -> None:
    """Refuse a mirror that would delete what it is to be a mirror of, or everything by mistake."""
    if await _lies_within(source, path, target, into):
        raise InvalidPath(
            "the source lies within the target, where its own files would be deleted; mirror it to a"
            " place outside, or delete nothing",
            path=str(path),
        )
    if await _on_one_server(source, target):
        for store, folder in ((source, path), (target, into)):
            await _refuse_linked(store, normalize(folder))
    if await source._scope.backend.unmake() or not await source.is_folder(path):
        raise NotFound(
            "there is no such folder to mirror, and an empty one would delete everything; check the path."
            " Where folders are but names, one without files cannot be told from a mistyped one",
            path=str(path),
        )


async def _on_one_server(source: AsyncStore, target: AsyncStore) -> bool:
    """Return True for two stores on one SFTP server, whose places are told without following links."""
    here, there = [await each._scope.backend.place("") for each in (source, target)]
    return here[0] == there[0] and here[0].startswith("sftp://")


async def _refuse_linked(store: AsyncStore, path: str) -> None:
    """Refuse a path with a link in it, which may lead from one side of a mirror into the other."""
    parts = path.split("/") if path else []
    for number, name in enumerate(parts):
        async with store.iter_children("/".join(parts[:number])) as listing:
            async for entry in listing:
                if isinstance(entry, RemoteFolder) and entry.is_link and entry.name == name:
                    raise InvalidPath(
                        "a link on the way to this folder may lead to the other side of the mirror, which"
                        " would be deleted; give the path that the link leads to, or delete nothing",
                        path=path,
                    )


async def _lies_within(inner: AsyncStore, path: PathLike, outer: AsyncStore, above: PathLike) -> bool:
    """Return True if one place is the other or below it, whichever backends lead there."""
    here = await inner._scope.backend.place(inner._scope.folder_key(path))
    return is_within(here, await outer._scope.backend.place(outer._scope.folder_key(above)))
