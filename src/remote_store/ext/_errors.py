"""Errors that are builtins as well, for libraries that know only those."""

from __future__ import annotations

import errno as _errno

from ..errors import InvalidPath


class IsAFolder(InvalidPath, IsADirectoryError):
    """A folder is where a file is wanted."""

    errno = _errno.EISDIR


class NotAFolder(InvalidPath, NotADirectoryError):
    """A file is where a folder is wanted."""

    errno = _errno.ENOTDIR
