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
    had. What has no such place is written to as it stands: a pipe, a device, an open file
    that a name of the system stands for; and so is an empty file, in which nothing can be lost.

    Attributes:
        file: what to write to.

    Raises:
        OSError: what ``open(path, "wb")`` would raise.
    """

    file: BinaryIO

    def __init__(self, path: Any) -> None:
        path = os.fsdecode(path)
        if path.endswith(os.sep):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        path = os.path.abspath(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._path = os.path.realpath(path)
        facts = _facts(path)
        self._empty = facts is not None and stat.S_ISREG(facts.st_mode) and facts.st_size == 0
        self._beside = facts is None or not (self._empty or _has_no_place(facts, self._path))
        if not self._beside:
            self.file = _opened(path, "wb")
            return
        if facts is not None and not os.access(self._path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        # A name of its own: one that is made of the file's may be too long.
        self.file = _opened(os.path.join(os.path.dirname(self._path), f".{uuid.uuid4().hex}.part"), "xb")
        if facts is not None:
            os.chmod(self.file.name, facts.st_mode & 0o777)

    def finish(self) -> None:
        """Put what was written under the path."""
        self.file.close()
        if self._beside:
            os.replace(self.file.name, self._path)

    def drop(self) -> None:
        """Forget what was written; what went into a pipe is gone."""
        try:
            if self._empty and not self.file.closed:
                self.file.truncate(0)
            self.file.close()
        finally:
            if self._beside and os.path.exists(self.file.name):
                os.remove(self.file.name)


def _opened(name: str, mode: Literal["wb", "xb"]) -> BinaryIO:
    """Open a file without a buffer, of which something would be left when it is dropped."""
    return open(name, mode, buffering=0)


def _facts(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _has_no_place(facts: os.stat_result, path: str) -> bool:
    """Return True for what is no file, and for one that the path without links does not lead to."""
    there = _facts(path)
    return not stat.S_ISREG(facts.st_mode) or there is None or not os.path.samestat(facts, there)
