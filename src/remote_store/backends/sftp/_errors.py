"""From statuses of the protocol, failures of SSH and of the network to this library's errors."""

from __future__ import annotations

from typing import Final

from ..._sftp.packets import Lost, Refused, TooMany
from ...errors import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
)

NAME: Final = "sftp"

_CODES: Final[dict[int, tuple[type[RemoteStoreError], str]]] = {
    2: (NotFound, "there is no such file or folder"),
    3: (PermissionDenied, "permission denied; check the owner and mode of the file and its folder"),
    5: (InvalidPath, "the server does not take this name; shorten it, or leave odd characters out"),
    6: (BackendUnavailable, "the server has no connection to its storage"),
    7: (BackendUnavailable, "the server lost the connection to its storage"),
    8: (CapabilityNotSupported, "the server does not know this operation"),
    # What follows comes from servers that use numbers of later versions of the protocol.
    10: (NotFound, "there is no such file or folder: a part of the path is missing"),
    11: (AlreadyExists, "the file exists; pass overwrite=True to replace it"),
    12: (PermissionDenied, "the storage is write-protected"),
    14: (RemoteStoreError, "no space is left on the server; free some and try again"),
    15: (RemoteStoreError, "the quota on the server is used up; free some space and try again"),
    17: (RemoteStoreError, "somebody else has locked the file"),
    18: (DirectoryNotEmpty, "the folder is not empty; pass recursive=True to delete all"),
    19: (InvalidPath, "this is a file, not a folder"),
    20: (InvalidPath, "the server does not take this name; shorten it, or leave odd characters out"),
    21: (InvalidPath, "symbolic links lead in a circle"),
    24: (InvalidPath, "this is a folder, not a file"),
}
_UNCLEAR: Final = "the server refused without a reason; is its disk full, or the file of a special kind?"


def caught() -> tuple[type[Exception], ...]:
    """Return the errors that are translated; anything else is a bug, and shows as what it is."""
    import asyncssh

    return Refused, Lost, OSError, asyncssh.Error


def translated(error: Exception, key: str | None, where: str = "") -> RemoteStoreError:
    """Return the error to raise for one of the protocol, of asyncssh or of the network."""
    if isinstance(error, TooMany):
        return RemoteStoreError(str(error), path=key, backend=NAME)
    if isinstance(error, Refused):
        kind, text = _CODES.get(error.code, (RemoteStoreError, _UNCLEAR))
        return kind(f"{text} ({error})", path=key, backend=NAME)
    if isinstance(error, Lost):
        return BackendUnavailable(f"the connection{where} is lost: {error}", path=key, backend=NAME)
    return _of_connection(error, key, where)


def of_jump_host(error: Exception, where: str) -> RemoteStoreError | None:
    """Return the error for a jump host that is not trusted, or refuses the login."""
    import asyncssh

    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return BackendUnavailable(
            f"the key of the jump host on the way{where} is not trusted ({error}); asyncssh looks for it in"
            " ~/.ssh/known_hosts, or in the UserKnownHostsFile of the files that the option config names:"
            " add it there",
            backend=NAME,
            retryable=False,
        )
    if isinstance(error, asyncssh.PermissionDenied):
        return translated(error, None, f" to the jump host on the way{where}")
    return None


def _of_connection(error: Exception, key: str | None, where: str) -> RemoteStoreError:
    import asyncssh

    said = str(error) or type(error).__name__
    if isinstance(error, asyncssh.PermissionDenied):
        return PermissionDenied(
            f"the login{where} was refused; check username, password and key: {said}", path=key, backend=NAME
        )
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return BackendUnavailable(
            f"the host key{where} is not trusted: {said}", path=key, backend=NAME, retryable=False
        )
    if isinstance(error, (asyncssh.KeyExchangeFailed, asyncssh.ProtocolNotSupported)):
        return BackendUnavailable(
            f"no common ground with the server{where}: {said}", path=key, backend=NAME, retryable=False
        )
    if isinstance(error, (asyncssh.KeyImportError, asyncssh.KeyEncryptionError)):
        return PermissionDenied(f"the private key cannot be used: {said}", path=key, backend=NAME)
    if isinstance(error, (TimeoutError, asyncssh.ConnectionLost)):
        return BackendUnavailable(f"the server{where} does not answer: {said}", path=key, backend=NAME)
    return BackendUnavailable(
        f"no connection{where}: {said}; check host, port and the network", path=key, backend=NAME
    )


def folder_not_file(key: str) -> InvalidPath:
    """Return the error for a folder where a file belongs."""
    return InvalidPath("this is a folder, not a file", path=key, backend=NAME)


def file_not_folder(key: str) -> InvalidPath:
    """Return the error for a file where a folder belongs."""
    return InvalidPath("this is a file, not a folder", path=key, backend=NAME)


def taken(key: str) -> AlreadyExists:
    """Return the error for a file that is in the way."""
    return AlreadyExists("the file exists; pass overwrite=True to replace it", path=key, backend=NAME)


def outside(key: str) -> InvalidPath:
    """Return the error for a link that leads out of the root."""
    return InvalidPath("a symbolic link on the way leads outside the base path", path=key, backend=NAME)


def nowhere(key: str) -> NotFound:
    """Return the error for a link in the place of a file whose folder is not there."""
    return NotFound("this is a link into a folder that is not there", path=key, backend=NAME)
