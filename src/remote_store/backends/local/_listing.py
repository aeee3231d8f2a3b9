"""Listing a folder in pages, from one open descriptor at a time."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Final

from ...errors import InvalidPath
from ...models import Entry, FileInfo, RemoteFolder
from ...paths import RemotePath
from .._temporaries import MARK, is_temporary
from ._root import Folder, Root

PAGE_ENTRIES: Final = 1000
PAGE_SECONDS: Final = 0.01

_from_timestamp: Final = datetime.fromtimestamp


def file_info(key: str, name: str, facts: os.stat_result) -> FileInfo:
    """Return what a store says about a file."""
    return FileInfo(RemotePath._of(key), name, facts.st_size, _from_timestamp(facts.st_mtime, UTC))


class Scan:
    """A listing under way. ``next_page`` is called by one thread at a time."""

    def __init__(self, root: Root, key: str, *, recursive: bool, files: bool, folders: bool) -> None:
        # The walk knows nothing of this object, so one that is dropped is closed at once, and not
        # by the garbage collector some time later.
        self._entries = Walk(root, key, recursive, files, folders).entries()

    def next_page(self) -> list[Entry]:
        """Return the next entries; an empty list is the end."""
        page: list[Entry] = []
        until = time.monotonic() + PAGE_SECONDS
        for entry in self._entries:
            page.append(entry)
            if len(page) >= PAGE_ENTRIES or (not len(page) % 100 and time.monotonic() > until):
                break
        return page

    def close(self) -> None:
        """Close the folder that is being read; twice is fine."""
        self._entries.close()


class Walk:
    """What a listing goes by."""

    def __init__(self, root: Root, key: str, recursive: bool, files: bool, folders: bool) -> None:
        self._root, self._top = root, key
        self._recursive, self._files, self._folders = recursive, files, folders

    def entries(self) -> Generator[Entry, None, None]:
        """Give what is in the folder, and below it."""
        pending = [self._top]
        while pending:
            key = pending.pop()
            try:
                folder = Folder(self._root.open(key, os.O_RDONLY | os.O_DIRECTORY))
            except FileNotFoundError:
                continue  # missing is empty; or it vanished while its parent was read
            except NotADirectoryError:
                self._refuse_file(key)
                continue
            with folder, os.scandir(folder.fd) as entries:
                prefix = f"{key}/" if key else ""
                for entry in entries:
                    if (found := self._entry(entry, prefix, pending)) is not None:
                        yield found

    def _refuse_file(self, key: str) -> None:
        if key == self._top and self._root.kind(key) is not None:
            raise InvalidPath("this is a file, not a folder", path=key)

    def _entry(self, entry: os.DirEntry[str], prefix: str, pending: list[str]) -> Entry | None:
        name = entry.name
        if name.startswith(MARK) and is_temporary(name):
            return None
        try:
            if entry.is_file(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False) if self._files else None
                return None if facts is None else file_info(prefix + name, name, facts)
            if entry.is_dir(follow_symlinks=False):
                if self._recursive:
                    pending.append(prefix + name)
                return RemoteFolder(RemotePath._of(prefix + name)) if self._folders else None
            return self._linked(prefix + name, name) if entry.is_symlink() else None
        except (FileNotFoundError, NotADirectoryError):
            return None  # deleted since the folder was read

    def _linked(self, key: str, name: str) -> Entry | None:
        """Report a link as what it leads to; not at all if it leads nowhere or outside."""
        try:
            facts = self._root.stat(key)
        except InvalidPath:
            return None
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENAMETOOLONG):
                raise
            return None
        if stat.S_ISREG(facts.st_mode) and self._files:
            return file_info(key, name, facts)
        if stat.S_ISDIR(facts.st_mode) and self._folders:
            return RemoteFolder(RemotePath._of(key), is_link=True)
        return None
