"""Differences between two folders, found folder by folder, some folders ahead of who asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from .. import _runtime
from .._runtime.tasks import Task, begun, dropped, ended
from ..models import FileInfo, RemoteFolder
from ..paths import RemotePath
from .plan import Action, Compare, PlanItem, Version, joined

if TYPE_CHECKING:
    from .._async import AsyncStore

_Lines: TypeAlias = "tuple[list[PlanItem], list[_Folder]]"

FOLDERS_AHEAD: Final = 16
LINES_AHEAD: Final = 10_000
"""Where so many lines wait to be asked for, no further folder is begun."""


class _Folder(NamedTuple):
    """A folder, and on which sides it was listed as one.

    On the other there may be nothing, a file of the name, or a link: what that leads to is not its own.
    """

    path: str
    here: bool = True
    there: bool = True
    linked: bool = False
    """The target has a link in its place, or in that of a folder above."""


class _Children(NamedTuple):
    """What is in a folder, by paths below the root; links to folders are not gone into."""

    files: dict[str, FileInfo]
    folders: set[str]
    links: set[str]


class Differences:
    """The lines of a plan, as batches of a listing: one folder after the other.

    The folders are listed by tasks of an asyncio loop, the caller's or the background loop.
    """

    def __init__(
        self,
        source: AsyncStore,
        here: str,
        target: AsyncStore,
        there: str,
        compare: Compare,
        delete: bool,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._source, self._here, self._target, self._there = source, here, target, there
        self._compare, self._delete, self._before = compare, delete, before
        self._folders = [_Folder("")]
        self._ahead: deque[tuple[_Folder, Task[_Lines]]] = deque()

    async def __anext__(self) -> list[PlanItem]:
        if self._before is not None:
            await self._before()
            self._before = None
        if not self._folders and not self._ahead:
            raise StopAsyncIteration
        return await _runtime.on_asyncio(self._next)

    async def _next(self) -> list[PlanItem]:
        self._begin()
        folder, task = self._ahead[0]
        await ended(task)
        self._ahead.popleft()
        try:
            items, folders = task.result()
        except BaseException:
            self._folders.append(folder)  # who asks again gets it, and misses nothing
            raise
        self._folders += folders
        self._begin()
        return items

    def _begin(self) -> None:
        waiting = sum(len(task.result()[0]) for _, task in self._ahead if _succeeded(task))
        while self._folders and len(self._ahead) < FOLDERS_AHEAD and waiting < LINES_AHEAD:
            folder = self._folders.pop()
            self._ahead.append((folder, begun(self._compared, folder)))

    async def _compared(self, folder: _Folder) -> _Lines:
        """Return the lines of one folder, and the folders in it that are to be compared as well."""
        other = begun(_children, self._target, self._there, folder.path, folder.there)
        try:
            new = await _children(self._source, self._here, folder.path, folder.here)
            old = await other
        finally:
            await dropped([other])
        items = [
            self._item(path, info, old.files.get(path), folder.linked or path in old.links)
            for path, info in new.files.items()
        ]
        below = new.folders
        if self._delete:  # of what a link of the source holds nothing is known, so nothing there goes
            items += [
                PlanItem(Action.DELETE, path, "the source has no such file", target=Version.of(info))
                for path, info in old.files.items()
                if path not in new.files and path not in new.links
            ]
            below = new.folders | (old.folders - new.links)
        return items, [
            _Folder(path, path in new.folders, path in old.folders, folder.linked or path in old.links)
            for path in sorted(below)
        ]

    def _item(self, path: str, new: FileInfo, old: FileInfo | None, linked: bool) -> PlanItem:
        source = Version.of(new)
        if old is None:
            reason = "a link to a folder is in its way" if linked else "the target has no such file"
            return PlanItem(Action.CREATE, path, reason, source, linked=linked)
        reason = _difference(self._compare, new, old)
        action = Action.UPDATE if reason else Action.UNCHANGED
        return PlanItem(action, path, reason or "it is the same", source, Version.of(old))

    async def aclose(self) -> None:
        """Stop all that is under way, and wait until it has."""
        self._folders.clear()
        if self._ahead:
            await _runtime.shielded_on_asyncio(self._stop)

    async def _stop(self) -> None:
        ahead, self._ahead = self._ahead, deque()
        await dropped([task for _, task in ahead])


def _succeeded(task: Task[_Lines]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _children(store: AsyncStore, root: str, folder: str, listed: bool) -> _Children:
    """Return what is in a folder; nothing where it was not ``listed`` as one on this side."""
    found = _Children({}, set(), set())
    if not listed:
        return found
    begin = len(root) + 1 if root else 0
    # As it was listed: no text may be able to name it.
    async with store.iter_children(RemotePath._of(joined(root, folder))) as listing:
        async for entry in listing:
            path = str(entry.path)[begin:]
            if isinstance(entry, RemoteFolder) and not path:  # it has no name, and is not the root again
                async with store.list_files(entry.path, recursive=True) as files:
                    found.files.update({str(info.path)[begin:]: info async for info in files})
            elif isinstance(entry, RemoteFolder):
                (found.links if entry.is_link else found.folders).add(path)
            else:
                found.files[path] = entry
    return found


def _difference(compare: Compare, new: FileInfo, old: FileInfo) -> str:
    """Return why a file is to be copied again; "" if it is the same."""
    if new.size != old.size:
        return f"{new.size:,} bytes instead of {old.size:,}"
    if compare == "time":
        if new.modified_at is None or old.modified_at is None:
            return "a time of change is not known"
        return "the source is newer" if new.modified_at > old.modified_at else ""
    if compare == "size":
        return ""
    ours, theirs = getattr(new, compare), getattr(old, compare)
    if ours is None or theirs is None:
        return f"a storage tells no {compare}"
    return "" if ours == theirs else f"another {compare}"
