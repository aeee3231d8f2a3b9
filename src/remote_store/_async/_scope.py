"""What a store knows about itself: backend, root folder, and whether it is still open.

Turns the caller's paths into backend keys on the way down, and keys back into the
caller's words, in results and in errors, on the way up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..backend import Backend
from ..capabilities import Capability
from ..errors import BackendUnavailable, InvalidPath, RemoteStoreError
from ..models import FileInfo, FolderInfo, RemoteFolder, WriteResult
from ..paths import PathLike, RemotePath, normalize

_CLOSED: Final = (
    "this store is closed; make a new one, or move the call inside the 'with' block that closed it"
)


@dataclass(slots=True)
class Lifetime:
    """Shared by a store, its children, and the stores of one registry backend."""

    closed: bool = False


class Scope:
    """One backend seen from one folder of it."""

    __slots__ = ("backend", "life", "prefix", "root")

    def __init__(self, backend: Backend, root: str, life: Lifetime) -> None:
        self.backend = backend
        self.root = root
        self.prefix = f"{root}/" if root else ""
        self.life = life

    def require(self, capability: Capability) -> None:
        """Refuse what the backend cannot do, and everything on a closed store."""
        if self.life.closed:
            self.require_open()
        capabilities = self.backend.capabilities
        if not capabilities.complete:  # a set's own look-up costs as much as all the rest of this call
            capabilities.require(capability, backend=self.backend.name)

    def require_open(self) -> None:
        """Refuse everything on a closed store."""
        if self.life.closed:
            raise BackendUnavailable(_CLOSED, backend=self.backend.name, retryable=False)

    def file_key(self, path: PathLike) -> str:
        """Return the key of a file, which cannot be the root."""
        name = normalize(path)
        if not name:
            raise InvalidPath(
                "the path names the store's root; name a file or a folder in it",
                path=str(path),
                backend=self.backend.name,
            )
        return self.prefix + name

    def folder_key(self, path: PathLike) -> str:
        """Return the key of anything, the root included."""
        name = normalize(path)
        return self.prefix + name if name else self.root

    def relative(self, key: str) -> str:
        """Return a backend key as this store's callers see it."""
        return key.removeprefix(self.prefix) if key != self.root else ""

    def path(self, path: RemotePath) -> RemotePath:
        """Return a backend path as this store's callers see it."""
        return RemotePath._of(self.relative(path._key)) if self.prefix else path

    def file_info(self, info: FileInfo) -> FileInfo:
        """Return the same facts under this store's path."""
        if not self.prefix:
            return info
        return FileInfo(
            self.path(info.path), info.name, info.size, info.modified_at,
            info.checksum, info.content_type, info.extra, etag=info.etag,
        )  # fmt: skip

    def folder_info(self, info: FolderInfo) -> FolderInfo:
        """Return the same sums under this store's path."""
        return FolderInfo(
            self.path(info.path), info.file_count, info.total_size, info.modified_at, info.extra
        )

    def folder(self, folder: RemoteFolder) -> RemoteFolder | None:
        """Return the same folder under this store's path; None if it has no name, and would be the root."""
        path = self.path(folder.path)
        return RemoteFolder(path, folder.is_link) if path._key else None

    def result(self, result: WriteResult) -> WriteResult:
        """Return the same result under this store's path."""
        if not self.prefix:
            return result
        return WriteResult(self.path(result.path), result.size, result.etag, result.checksum, result.version)


class located:  # noqa: N801 - reads as a statement: with located(scope, (key, path))
    """Put the caller's own spelling of a path into errors raised inside.

    A class, not a generator: it stands around every call and has to be cheap.
    """

    __slots__ = ("_names", "_scope")

    def __init__(self, scope: Scope, *names: tuple[str, PathLike]) -> None:
        self._scope = scope
        self._names = names

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, RemoteStoreError):
            locate(self._scope, error, self._names)


def locate(scope: Scope, error: RemoteStoreError, names: tuple[tuple[str, PathLike], ...]) -> None:
    """Put the caller's own spelling of a path into an error."""
    if error.backend is None:
        error.backend = scope.backend.name
    for key, path in names:
        if error.path is None or error.path == key:
            error.path = str(path)
            return
    error.path = scope.relative(error.path or "")
