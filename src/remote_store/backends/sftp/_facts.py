"""What a server tells of a file, as values of this library."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from typing import Final

from ..._sftp.packets import Attrs
from ...errors import InvalidPath
from ...models import FileInfo
from ...paths import RemotePath
from ._errors import NAME, folder_not_file

NO_FACTS: Final = Attrs(None, None, None)
UNTOLD_OR_LINK: Final = (0, stat.S_IFLNK)
"""Kinds of what may be a link: of one that the server does not tell, nobody knows."""


def kind_of(facts: Attrs) -> int:
    """Return the kind; a server that tells no modes has nothing but files to tell of."""
    return facts.kind or stat.S_IFREG


def require_file(facts: Attrs, key: str) -> None:
    """Raise InvalidPath for anything but a file."""
    kind = kind_of(facts)
    if kind == stat.S_IFDIR:
        raise folder_not_file(key)
    if kind != stat.S_IFREG:
        raise InvalidPath("this is a socket, a pipe or a device, not a file", path=key, backend=NAME)


def time_of(facts: Attrs) -> datetime | None:
    """Return when a file was changed last."""
    return None if facts.mtime is None else datetime.fromtimestamp(facts.mtime, UTC)


def info_of(key: str, facts: Attrs) -> FileInfo:
    """Return a file's facts as a value."""
    return FileInfo(RemotePath._of(key), key.rpartition("/")[2], facts.size or 0, time_of(facts))


def version_of(facts: Attrs) -> str:
    """Return a token that changes when a file does, as far as the protocol tells."""
    return f"{facts.mtime}-{facts.size}"
