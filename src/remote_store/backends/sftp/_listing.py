"""Folders as pages of entries: many answers in flight, and many folders when going down.

The facts of each file come with its name. Only links are looked at one by one.
"""

from __future__ import annotations

import stat
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ..._runtime.tasks import current_loop, soon
from ..._sftp.packets import Attrs, Lost, Name, Refused, Silent
from ...backend import Pages
from ...models import Entry, RemoteFolder
from ...paths import RemotePath
from .._temporaries import MARK, is_temporary
from ._errors import file_not_folder, outside
from ._facts import NO_FACTS, UNTOLD_OR_LINK, info_of, kind_of
from ._files import MISSING, Files
from ._scan import Scan

FOLDERS_AT_ONCE: Final = 32
OF_HANDLES: Final = 4
"""One listing opens no more than the fourth part of what may be open: it may wait long between two pages."""
LINK: Final = stat.S_IFLNK
FOLDER: Final = stat.S_IFDIR
FILE: Final = stat.S_IFREG


class Walk:
    """A folder, or all below it, as pages. Its coroutines run on one loop."""

    def __init__(self, files: Files, key: str, recursive: bool, real: bytes | None) -> None:
        self._files, self._key, self._recursive = files, key, recursive
        self._path = files.path(key)
        self._real = real or self._path  # without links, as all below it is, for it goes down no link
        self._folders: list[str] = [key]  # still to be opened
        self._scans: deque[Scan] = deque()
        self._told_of: tuple[Scan, list[Name]] | None = None  # names whose facts are being asked for
        self._most = min(FOLDERS_AT_ONCE, max(1, files.channel.most_handles // OF_HANDLES))
        self.everything = False
        """Whether to report temporaries, special files and links that lead nowhere, for a deletion."""
        self.loop = current_loop()

    async def next(self) -> list[tuple[str, Attrs, bool]] | None:
        """Return keys and facts of what was found, and whether it is a link; None at the end.

        Who is cancelled, and asks again, gets what he would have got.
        """
        while self._folders or self._scans or self._told_of:
            if self._told_of is None:
                self._told_of = await self._further()
            if self._told_of is None:
                continue
            found = await self._entries(*self._told_of)
            self._told_of = None
            if self._recursive:
                self._folders += [key for key, facts, linked in found if facts.kind == FOLDER and not linked]
            if found:
                return found
        return None

    async def _further(self) -> tuple[Scan, list[Name]] | None:
        """Return further names, and the folder that they are in; None for one that cannot be read."""
        while self._folders and len(self._scans) < self._most:
            self._scans.append(Scan(self._files, self._folders.pop()))
        scan = self._scans[0]
        try:
            names = await scan.next()
        except Refused as error:
            await self._excuse(scan.key, error)
            self._scans.popleft().close()
            return None
        if scan.ended:
            self._scans.popleft()
        return scan, names

    async def _excuse(self, key: str, refused: Refused) -> None:
        """Take a folder that is gone for an empty one; a file where a folder belongs is an error."""
        kind = await self._files.kind(key)
        if kind not in (0, FOLDER) and key == self._key and key:
            raise file_not_folder(key) from refused
        if kind and refused.code not in MISSING:
            raise refused

    async def _entries(self, scan: Scan, names: list[Name]) -> list[tuple[str, Attrs, bool]]:
        found = []
        links = []
        for raw, facts in await self._told(scan, names):
            if raw in (b".", b"..") or b"/" in raw or not raw:
                continue
            name = raw.decode("utf-8", "surrogateescape")
            key = scan.prefix + name
            kind = facts.kind
            if self.everything:
                found.append((key, facts, kind == LINK))
            elif name.startswith(MARK) and is_temporary(name):
                continue
            elif kind in UNTOLD_OR_LINK:
                links.append((key, self._look(key, kind)))
            elif kind in (FILE, FOLDER):
                found.append((key, facts, False))
        for key, look in links:
            if (behind := await look()) is not None:
                found.append((key, *behind))
        return found

    async def _told(self, scan: Scan, names: list[Name]) -> list[Name]:
        """Ask for the facts of entries about which the server does not say what they are."""
        if all(facts.kind for _, facts in names):
            return names
        asked = [
            None if facts.kind else self._files.channel.lstat(b"%b/%b" % (scan.path.rstrip(b"/"), raw))
            for raw, facts in names
        ]
        told = []
        for (raw, facts), asking in zip(names, asked, strict=True):
            try:
                told.append(Name(raw, facts if asking is None else await asking))
            except Refused as error:
                if error.code not in MISSING:
                    told.append(Name(raw, facts))
        return told

    def _look(self, key: str, kind: int) -> Callable[[], Any]:
        """Ask what a link leads to, or what may be one; the answer is waited for later."""
        path = self._files.path(key)
        facts = self._files.channel.stat(path)
        real = self._files.channel.realpath(path) if self._files.link.root != b"/" or not kind else None

        async def answer() -> tuple[Attrs, bool] | None:
            """Return facts, and whether it is a link; None if it leads outside or nowhere."""
            try:
                where = path if real is None else await real
            except Refused:
                return None
            try:
                target = await facts
            except Refused as error:
                if kind or error.code in MISSING:
                    return None
                target = NO_FACTS  # it is there, and that is all that the server tells
            shown = target.kind if kind else kind_of(target)
            if not self._files.is_inside(where) or shown not in (FILE, FOLDER):
                return None
            return target, kind == LINK or where != self._real + path[len(self._path) :]

        return answer

    def close(self) -> None:
        """Let go of all folders."""
        while self._scans:
            self._scans.pop().close()
        self._folders.clear()


class SFTPPages(Pages):
    """The pages of the contract over a walk."""

    def __init__(self, down: Any, begin: Callable[[], Any], key: str, files: bool, folders: bool) -> None:
        self._down, self._begin, self._key = down, begin, key
        self._files, self._folders = files, folders
        self._walk: Walk | None = None
        self._ready: list[list[Entry] | None] = []  # a page that a caller who was cancelled has not got
        self._ended = False

    async def __anext__(self) -> list[Entry]:
        if self._ended:
            raise StopAsyncIteration
        page: list[Entry] | None = await self._down(self._key, self._next)
        self._ready.clear()
        if page is None:
            await self.aclose()
            raise StopAsyncIteration
        return page

    async def _next(self) -> list[Entry] | None:
        if not self._ready:
            self._ready.append(await self._further())
        return self._ready[0]

    async def _further(self) -> list[Entry] | None:
        if self._walk is None:
            self._walk = await self._begin()
            try:
                found = await self._walk.next()
            except Silent:
                raise
            except Lost:  # nothing was told yet, so it can begin anew
                self._walk = await self._begin()
                found = await self._walk.next()
        else:
            found = await self._walk.next()
        return None if found is None else self._page(found)

    def _page(self, found: list[tuple[str, Attrs, bool]]) -> list[Entry]:
        page: list[Entry] = []
        for key, facts, linked in found:
            if facts.kind == FOLDER:
                if self._folders:
                    page.append(RemoteFolder(RemotePath._of(key), is_link=linked))
            elif self._files:
                page.append(info_of(key, facts))
        return page

    async def aclose(self) -> None:
        self._drop()

    def __del__(self) -> None:
        self._drop()

    def _drop(self) -> None:
        self._ended = True
        walk, self._walk = getattr(self, "_walk", None), None
        if walk is not None:
            soon(walk.loop, walk.close)


async def begin_walk(files: Files, key: str, recursive: bool) -> Walk:
    """Return a walk that has made sure that its folder is below the root."""
    real = None
    if key and files.link.root != b"/":
        try:
            real = await files.channel.realpath(files.path(key))
        except Refused as error:
            if (await files.clear(key, error)).code not in MISSING:
                raise
        else:
            if not files.is_inside(real):
                raise outside(key)
    return Walk(files, key, recursive, real)
