"""A file of this machine that is written as the builtin ``open`` would, but whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import uuid
from typing import Any, BinaryIO, Literal


class Target:
    """The file that a path of this machine leads to, through links; the folders above are made.

    A file is written beside it and takes its place at the end, with the permissions that it
    had. What is no file (a pipe, a device) is written to as it stands.

    Attributes:
        file: what to write to.

    Raises:
        OSError: what ``open(path, "wb")`` would raise.
    """

    file: BinaryIO

    def __init__(self, path: Any) -> None:
        path = os.path.abspath(os.fspath(path))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._path = os.path.realpath(path)
        mode = _mode(self._path)
        self._beside = mode is None or stat.S_ISREG(mode)
        if not self._beside:
            self.file = _opened(self._path, "wb")
            return
        if mode is not None and not os.access(self._path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        # A name of its own: one that is made of the file's may be too long.
        self.file = _opened(os.path.join(os.path.dirname(self._path), f".{uuid.uuid4().hex}.part"), "xb")
        if mode is not None:
            os.chmod(self.file.name, mode & 0o777)

    def finish(self) -> None:
        """Put what was written under the path."""
        self.file.close()
        if self._beside:
            os.replace(self.file.name, self._path)

    def drop(self) -> None:
        """Forget what was written; what went into a pipe is gone."""
        try:
            self.file.close()
        finally:
            if self._beside and os.path.exists(self.file.name):
                os.remove(self.file.name)


def _opened(name: str, mode: Literal["wb", "xb"]) -> BinaryIO:
    return open(name, mode)


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None
