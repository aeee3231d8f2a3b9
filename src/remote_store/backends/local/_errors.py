"""From OSError to this library's errors, by error number. The only place that translates."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Never

from ...errors import (
    AlreadyExists,
    BackendUnavailable,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
)

NAME: Final = "local"

_TABLE: Final[dict[int, tuple[type[RemoteStoreError], str]]] = {
    errno.ENOENT: (NotFound, "there is no such file or folder"),
    errno.ENOTDIR: (NotFound, "there is no such file or folder: a parent of it is a file"),
    errno.EEXIST: (AlreadyExists, "the file exists; pass overwrite=True to replace it"),
    errno.EISDIR: (InvalidPath, "this is a folder, not a file"),
    errno.ENOTEMPTY: (DirectoryNotEmpty, "the folder is not empty; pass recursive=True to delete all"),
    errno.ENAMETOOLONG: (InvalidPath, "the name is too long for this file system; shorten it"),
    errno.ELOOP: (InvalidPath, "a symbolic link on the way loops, or changed during the call"),
    errno.EINVAL: (InvalidPath, "this file system refuses the name or the operation"),
    errno.EILSEQ: (InvalidPath, "this file system cannot store these characters"),
    errno.ENXIO: (InvalidPath, "this is a socket, a pipe or a device, not a file"),
    errno.EACCES: (
        PermissionDenied,
        "permission denied; check the owner and mode of the file and its folder",
    ),
    errno.EPERM: (PermissionDenied, "operation not permitted; check owner, mode and attributes of the file"),
    errno.EROFS: (PermissionDenied, "the file system is mounted read-only"),
    errno.ENOSPC: (RemoteStoreError, "no space is left on the file system; free some and try again"),
    errno.EDQUOT: (RemoteStoreError, "the disk quota is used up; free some space and try again"),
    errno.EFBIG: (RemoteStoreError, "the file is too large for this file system or this process's limit"),
    errno.EMFILE: (
        RemoteStoreError,
        "too many files are open in this process; close some or raise 'ulimit -n'",
    ),
    errno.ENFILE: (RemoteStoreError, "too many files are open on this machine"),
    errno.EIO: (BackendUnavailable, "the storage device reports an I/O error"),
    errno.ESTALE: (BackendUnavailable, "the network file system lost the file's handle"),
    errno.ETIMEDOUT: (BackendUnavailable, "the network file system does not answer"),
    errno.EHOSTDOWN: (BackendUnavailable, "the network file system's server is down"),
    errno.ENOTCONN: (BackendUnavailable, "the file system is not connected; mount it again"),
}
_UNENCODABLE: Final = "the name has characters that this system's file names cannot hold"
CAUGHT: Final = (OSError, UnicodeError, RemoteStoreError)
"""All that a job raises on purpose; anything else is a bug, and shows as what it is."""
_RETRYABLE: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EBUSY))


def translate(error: OSError, key: str) -> RemoteStoreError:
    """Return the error to raise for an OSError of the system."""
    number = error.errno or 0
    kind, text = _TABLE.get(number, (RemoteStoreError, f"the file system refused: {error.strerror or error}"))
    retryable = True if number in _RETRYABLE else None
    return kind(text, path=key, backend=NAME, retryable=retryable)


@contextmanager
def about(key: str) -> Iterator[None]:
    """Tie an error raised inside to a key, in jobs that touch more than one."""
    try:
        yield
    except (OSError, UnicodeError) as error:
        if isinstance(error, RemoteStoreError):
            raise
        raise_ours(error, key)


def raise_ours(error: OSError | UnicodeError | RemoteStoreError, key: str) -> Never:
    """Raise the error to give the caller: one of ours as it is, with its gaps filled."""
    if isinstance(error, UnicodeError):
        raise InvalidPath(_UNENCODABLE, path=key, backend=NAME) from error
    if not isinstance(error, RemoteStoreError):
        raise translate(error, key) from error
    error.path = key if error.path is None else error.path
    error.backend = NAME
    raise error
