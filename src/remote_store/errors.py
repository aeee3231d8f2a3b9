"""The error tree: every exception this library raises for a storage operation.

    RemoteStoreError
     +-- NotFound                (also FileNotFoundError)
     +-- AlreadyExists           (also FileExistsError)
     +-- PermissionDenied        (also PermissionError)
     +-- InvalidPath             (also ValueError)
     +-- DirectoryNotEmpty       (also OSError)
     +-- PreconditionFailed
     +-- CapabilityNotSupported  (also NotImplementedError)
     +-- BackendUnavailable      (also ConnectionError)

The tree is flat: catch ``RemoteStoreError`` for everything, one leaf for one
situation, or the matching builtin in code that knows nothing of this library.
"""

from __future__ import annotations

import errno as _errno
from typing import Any


class RemoteStoreError(Exception):
    """Base of all errors of this library; also raised when no leaf fits.

    Attributes:
        message: what went wrong and what to do about it.
        path: the path as the caller wrote it, or None when no path is involved.
        backend: the backend's name (``"local"``, ``"s3"``, ...), or None.
        retryable: True when the same call may succeed later without any change.
    """

    retryable: bool = False

    def __init__(
        self,
        message: str = "",
        *,
        path: str | None = None,
        backend: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.backend = backend
        if retryable is not None:
            self.retryable = retryable

    def _context(self) -> list[tuple[str, str]]:
        pairs = (("path", self.path), ("backend", self.backend))
        return [(name, value) for name, value in pairs if value is not None]

    def __str__(self) -> str:
        return " | ".join([self.message, *(f"{name}={value!r}" for name, value in self._context())])

    def __repr__(self) -> str:
        shown = [repr(self.message), *(f"{name}={value!r}" for name, value in self._context())]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The interpreter does not pickle __cause__; an error that crossed a process
        # boundary without it would have lost the reason.
        state = {**self.__dict__, "__cause__": _portable(self.__cause__)}
        return type(self), (self.message,), state

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        state = dict(state or {})
        self.__cause__ = state.pop("__cause__", None)
        self.__dict__.update(state)


def _portable(cause: BaseException | None) -> BaseException | None:
    """Return the cause if it survives pickling, else a stand-in with the same text."""
    import pickle  # who pickles has loaded it already; who does not, need not

    try:
        pickle.loads(pickle.dumps(cause))  # noqa: S301 - our own bytes, made one call earlier
    except Exception:  # noqa: BLE001 - pickling foreign classes can raise anything
        return RemoteStoreError(f"{type(cause).__name__}: {cause}")
    return cause


class NotFound(RemoteStoreError, FileNotFoundError):
    """The file or folder does not exist."""

    errno = _errno.ENOENT


class AlreadyExists(RemoteStoreError, FileExistsError):
    """The target exists and ``overwrite`` was not given."""

    errno = _errno.EEXIST


class PermissionDenied(RemoteStoreError, PermissionError):
    """The storage refused the operation to these credentials or this user."""

    errno = _errno.EACCES


class InvalidPath(RemoteStoreError, ValueError):
    """The path cannot be used for this operation.

    Raised for malformed paths, for paths that leave the root, and wherever a
    folder stands where a file is expected or the reverse.
    """


class DirectoryNotEmpty(RemoteStoreError, OSError):
    """The folder has content and ``recursive`` was not given."""

    errno = _errno.ENOTEMPTY


class PreconditionFailed(RemoteStoreError):
    """The file is not what the caller said it would be; look at it again and decide anew.

    Raised where ``if_match`` names another version than the one that is there, or one that
    is gone, and where a file changes while it is read or moved.
    """


class CapabilityNotSupported(RemoteStoreError, NotImplementedError):
    """The backend cannot do this; ``capability`` names what is missing."""

    def __init__(
        self,
        message: str = "",
        *,
        path: str | None = None,
        backend: str | None = None,
        retryable: bool | None = None,
        capability: str = "",
    ) -> None:
        super().__init__(message, path=path, backend=backend, retryable=retryable)
        self.capability = capability

    def _context(self) -> list[tuple[str, str]]:
        extra = [("capability", self.capability)] if self.capability else []
        return [*super()._context(), *extra]


class BackendUnavailable(RemoteStoreError, ConnectionError):
    """The storage cannot be reached now, or the store was closed."""

    retryable = True
