"""The operations of an Arrow file system in terms of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from pyarrow import NativeFile, PythonFile
from pyarrow.fs import FileInfo, FileSelector, FileSystemHandler, FileType, PyFileSystem

from ... import models
from ..._async import AsyncStore
from ..._runtime import drive
from ..._sync import ReadStream, Store
from ...capabilities import Capability
from ...errors import InvalidPath, NotFound
from ...models import RemoteFolder, WriteOptions
from .._errors import NotAFolder
from .._paths import exact, said
from .._places import async_store, same_place
from ._listing import entries
from ._reading import RandomAccessFile
from ._writing import OutputFile

T = TypeVar("T")

READ_AHEAD: Final = 256 << 10
"""Bytes that a small read fetches, unless the caller wants another number."""

AT_ONCE: Final = 16
"""Files that are looked at, or deleted, at the same time."""

HEADERS: Final = {
    "content-type": "content_type",
    "cache-control": "cache_control",
    "content-disposition": "content_disposition",
    "content-encoding": "content_encoding",
    "content-language": "content_language",
}


def pyarrow_fs(store: Store | AsyncStore, *, read_ahead: int = READ_AHEAD) -> PyFileSystem:
    """Return a store as a file system of Arrow. It borrows the store, which the caller closes.

    Paths are those of the store. It may be used by any thread, and pickled where the backend
    can be. Streams for writing replace what is under the name when they are closed, and
    leave it alone if they are left by an exception. Appending raises NotImplementedError.

    Args:
        store: the files.
        read_ahead: bytes that a small read of a random access file fetches at least; 0 is
            what is asked for.

    Raises:
        TypeError: the store is none.
        ValueError: ``read_ahead`` is negative.
    """
    return PyFileSystem(StoreHandler(store, read_ahead=read_ahead))


class StoreHandler(FileSystemHandler):  # type: ignore[misc]  # pyarrow ships no types
    """What ``PyFileSystem`` asks. The arguments are those of ``pyarrow_fs``."""

    def __init__(self, store: Store | AsyncStore, *, read_ahead: int = READ_AHEAD) -> None:
        if read_ahead < 0:
            raise ValueError(f"read_ahead must be 0 or more bytes, not {read_ahead}")
        self.store = Store._wrap(async_store(store))
        self._inner = self.store._inner
        self._read_ahead = read_ahead

    def __eq__(self, other: object) -> bool:
        return same_place(self._inner, other._inner) if isinstance(other, StoreHandler) else NotImplemented

    def __hash__(self) -> int:
        return hash((StoreHandler, self._inner._scope.backend.name, self._inner._scope.root))

    def get_type_name(self) -> str:
        return f"remote-store+{self._inner._scope.backend.name}"

    def normalize_path(self, path: str) -> str:
        return exact(path)

    # -- questions -------------------------------------------------------------

    def get_file_info(self, paths: list[str]) -> list[FileInfo]:
        return _each(self._info, paths)

    def _info(self, path: str) -> FileInfo:
        if exact(path):
            try:
                return _file(self.store.get_file_info(path), path)
            except NotFound:
                return FileInfo(path, FileType.NotFound)
            except InvalidPath:  # a folder, or below a file
                pass
        return FileInfo(path, FileType.Directory if self.store.is_folder(path) else FileType.NotFound)

    def get_file_info_selector(self, selector: FileSelector) -> list[FileInfo]:
        found = list(self._listed(selector.base_dir, selector.recursive, selector.allow_not_found))
        return [
            FileInfo(said(str(entry.path)), FileType.Directory)
            if isinstance(entry, RemoteFolder)
            else _file(entry, said(str(entry.path)))
            for entry in found
        ]

    def _listed(self, folder: str, recursive: bool, missing_ok: bool) -> Iterator[models.Entry]:
        """Give what is in a folder. Raises NotFound, or NotAFolder for a file."""
        exact(folder)
        anything = False
        try:
            for entry in entries(self._inner, folder, recursive):
                anything = True
                yield entry
        except InvalidPath as error:
            raise NotAFolder(error.message, path=folder, backend=error.backend) from error
        if not anything and not missing_ok and not self.store.is_folder(folder):
            raise NotFound("there is no such folder", path=folder, backend=self._inner._scope.backend.name)

    # -- changes ---------------------------------------------------------------

    def create_dir(self, path: str, recursive: bool) -> None:
        """Check the path. A folder comes into being with the first file in it."""
        exact(path)

    def delete_dir(self, path: str) -> None:
        key = exact(path)
        try:
            self.store.delete_folder(path, recursive=True)
        except InvalidPath:
            if not key or not self.store.is_folder(path):
                raise
            self.store.delete(path)  # a link to a folder, which is deleted by itself

    def delete_dir_contents(self, path: str, missing_dir_ok: bool) -> None:
        if not exact(path):
            raise InvalidPath("this would empty the whole store; pass accept_root_dir=True", path=path)
        self._empty(path, missing_dir_ok)

    def delete_root_dir_contents(self) -> None:
        self._empty("", True)

    def _empty(self, path: str, missing_ok: bool) -> None:
        _each(self._delete, self._listed(path, False, missing_ok))

    def _delete(self, entry: models.Entry) -> None:
        if isinstance(entry, RemoteFolder) and not entry.is_link:
            self.store.delete_folder(entry.path, recursive=True, missing_ok=True)
        else:
            self.store.delete(entry.path, missing_ok=True)

    def delete_file(self, path: str) -> None:
        exact(path)
        self.store.delete(path)

    def move(self, src: str, dest: str) -> None:
        exact(src)
        exact(dest)
        self.store.move(src, dest, overwrite=True)

    def copy_file(self, src: str, dest: str) -> None:
        exact(src)
        exact(dest)
        self.store.copy(src, dest, overwrite=True)

    # -- content ---------------------------------------------------------------

    def open_input_stream(self, path: str) -> NativeFile:
        exact(path)
        return PythonFile(ReadStream(drive(self._inner.read(path))), mode="r")

    def open_input_file(self, path: str) -> NativeFile:
        exact(path)
        return PythonFile(RandomAccessFile(self._inner, path, self._read_ahead), mode="r")

    def open_output_stream(self, path: str, metadata: Mapping[bytes, bytes] | None) -> NativeFile:
        exact(path)
        options = None
        if metadata and self.store.supports(Capability.WRITE_OPTIONS):
            options = _options(metadata)
        return PythonFile(OutputFile(self.store.open_write(path, overwrite=True, options=options)), mode="w")

    def open_append_stream(self, path: str, metadata: Mapping[bytes, bytes] | None) -> NativeFile:
        raise NotImplementedError(
            f"nothing can be appended to {path!r}: files of a store are written whole;"
            " write another file beside it"
        )


def _file(info: models.FileInfo, path: str) -> FileInfo:
    return FileInfo(path, FileType.File, mtime=info.modified_at, size=info.size)


def _options(metadata: Mapping[bytes, bytes]) -> WriteOptions:
    """Return Arrow's metadata as what is stored beside a file: known headers, and the user's own."""
    known: dict[str, Any] = {}
    own: dict[str, str] = {}
    for name, value in metadata.items():
        field = HEADERS.get(name.decode().lower())
        if field is not None:
            known[field] = value.decode()
        else:
            own[name.decode()] = value.decode()
    return WriteOptions(**known, metadata=own)


def _each(call: Callable[[Any], T], arguments: Iterable[Any]) -> list[T]:
    """Call with each argument, several at once; return the results in order."""
    todo = list(arguments)
    if len(todo) < 2:
        return [call(each) for each in todo]
    with ThreadPoolExecutor(min(AT_ONCE, len(todo)), "remote-store-arrow") as threads:
        return list(threads.map(call, todo))
