"""Walking and globbing: folder by folder, going only where the answer can be."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import aclosing
from functools import lru_cache
from typing import Final

from ..errors import InvalidPath
from ..models import Entry, FileInfo, RemoteFolder
from ..paths import RemotePath
from ._listing import Mapped
from ._scope import Scope

WalkStep = tuple[RemotePath, list[str], list[FileInfo]]
_MAGIC: Final = re.compile(r"[*?\[]")


class WalkBatches:
    """One folder at a time, parents before children."""

    def __init__(self, scope: Scope, top: str) -> None:
        self._scope, self._top = scope, top
        self._pending = [top]

    async def __anext__(self) -> list[WalkStep]:
        if not self._pending:
            raise StopAsyncIteration
        key = self._pending.pop()
        folders: list[RemoteFolder] = []
        files: list[FileInfo] = []
        seen = False
        async with aclosing(self._scope.backend.list_pages(key)) as pages:
            async for page in pages:
                seen = seen or bool(page)
                for entry in page:
                    if isinstance(entry, FileInfo):
                        files.append(self._scope.file_info(entry))
                    else:
                        folders.append(entry)
        # Links are named and not followed: they may lead back up.
        self._pending += [folder.path._key for folder in reversed(folders) if not folder.is_link]
        if not seen and key == self._top and not await self._scope.backend.is_folder(key):
            return []  # a missing folder is empty, as in every listing
        return [(RemotePath._of(self._scope.relative(key)), [folder.name for folder in folders], files)]

    async def aclose(self) -> None:
        self._pending.clear()


class GlobBatches:
    """Files whose path matches a pattern. Folders that cannot match are never listed."""

    def __init__(self, scope: Scope, pattern: str) -> None:
        compile_pattern(pattern)  # a bad set of characters is refused at once
        self._scope = scope
        self._pending: list[tuple[str, list[str]]] = [(scope.root, pattern.split("/"))]
        self._open: Mapped[FileInfo] | None = None

    async def __anext__(self) -> list[FileInfo]:
        try:
            return await self._step()
        except InvalidPath:
            self._open = None  # a file where the pattern has a folder: nothing below it matches
            return []

    async def _step(self) -> list[FileInfo]:
        if self._open is not None:
            try:
                return await self._open.__anext__()
            except StopAsyncIteration:
                self._open = None
        if not self._pending:
            raise StopAsyncIteration
        folder, parts = self._pending.pop()
        while len(parts) > 1 and not _MAGIC.search(parts[0]):
            folder = _join(folder, parts[0])
            parts = parts[1:]
        if len(parts) == 1 or parts[0] == "**":
            self._open = self._files(folder, parts)
        else:
            await self._descend(folder, parts)
        return []

    def _files(self, folder: str, parts: list[str]) -> Mapped[FileInfo]:
        matches = compile_pattern("/".join(parts))
        skip = len(folder) + 1 if folder else 0

        def convert(entry: Entry) -> FileInfo | None:
            if isinstance(entry, FileInfo) and matches(entry.path._key[skip:]):
                return self._scope.file_info(entry)
            return None

        pages = self._scope.backend.list_pages(folder, recursive="**" in parts, folders=False)
        return Mapped(pages, convert)

    async def _descend(self, folder: str, parts: list[str]) -> None:
        matches = compile_pattern(parts[0])
        async with aclosing(self._scope.backend.list_pages(folder, files=False)) as pages:
            async for page in pages:
                for entry in page:
                    if isinstance(entry, RemoteFolder) and not entry.is_link and matches(entry.name):
                        self._pending.append((entry.path._key, parts[1:]))

    async def aclose(self) -> None:
        self._pending.clear()
        if self._open is not None:
            await self._open.aclose()


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Callable[[str], object]:
    r"""Return a test for paths.

    ``*`` and ``?`` stay within a component, ``[...]`` and ``[!...]`` are sets, and a
    ``**`` component stands for any number of folders, none included. The end is ``\Z``:
    ``$`` would let a trailing newline through.
    """
    parts = pattern.split("/")
    text = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            text += ".*" if last else "(?:.*/)?"
        else:
            text += _component(part) + ("" if last else "/")
    try:
        return re.compile(text + r"\Z", re.DOTALL).match
    except re.error as error:
        raise InvalidPath(f"the pattern has a bad set of characters: {error}", path=pattern) from error


def _component(part: str) -> str:
    text = ""
    position = 0
    while position < len(part):
        char = part[position]
        position += 1
        end = part.find("]", position + 1 + (part[position : position + 1] == "!")) if char == "[" else -1
        if end >= 0:
            text += _set(part[position:end])
            position = end + 1
        else:
            text += {"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char)
    return text


def _set(body: str) -> str:
    negated = body.startswith("!")
    members = re.sub(r"(.)-(.)|(.)", _member, body[1:] if negated else body, flags=re.DOTALL)
    return f"(?!/)[{'^' if negated else ''}{members}]"


def _member(match: re.Match[str]) -> str:
    first, last, single = match.groups()
    return re.escape(single) if first is None else f"{re.escape(first)}-{re.escape(last)}"
