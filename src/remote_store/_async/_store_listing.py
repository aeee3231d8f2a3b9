"""Listing, walking and globbing."""

from __future__ import annotations

from ..capabilities import Capability
from ..models import Entry, FileInfo, RemoteFolder
from ..paths import PathLike
from ._listing import Listing, Mapped
from ._store_base import StoreBase
from ._walk import GlobBatches, WalkBatches, WalkStep


class StoreListing(StoreBase):
    """Listings. Part of ``AsyncStore``."""

    def list_files(self, path: PathLike = "", *, recursive: bool = False) -> Listing[FileInfo]:
        """List the files in a folder, at any depth if ``recursive``, in no particular order.

        A missing folder is empty. The path, the capability and the store's state are
        checked at once; pages are fetched as items are asked for.

        Raises:
            InvalidPath: the path is malformed; with the first item, if it is a file.
        """
        if recursive:
            self._scope.require(Capability.RECURSIVE_LIST)

        def convert(entry: Entry) -> FileInfo | None:
            return self._scope.file_info(entry) if isinstance(entry, FileInfo) else None

        key = self._listed(path)
        pages = self._scope.backend.list_pages(key, recursive=recursive, folders=False)
        return Listing(self._scope, key, path, Mapped(pages, convert))

    def list_folders(self, path: PathLike = "") -> Listing[str]:
        """List the names of the folders in a folder. Otherwise as ``list_files``."""

        def convert(entry: Entry) -> str | None:
            return entry.name if isinstance(entry, RemoteFolder) and self._scope.folder(entry) else None

        key = self._listed(path)
        pages = self._scope.backend.list_pages(key, files=False)
        return Listing(self._scope, key, path, Mapped(pages, convert))

    def iter_children(self, path: PathLike = "") -> Listing[Entry]:
        """List files and folders in a folder together. Otherwise as ``list_files``."""

        def convert(entry: Entry) -> Entry | None:
            return self._scope.file_info(entry) if isinstance(entry, FileInfo) else self._scope.folder(entry)

        key = self._listed(path)
        return Listing(self._scope, key, path, Mapped(self._scope.backend.list_pages(key), convert))

    def walk(self, path: PathLike = "") -> Listing[WalkStep]:
        """Go through a folder and all below it, parents first.

        Gives one ``(folder, names of its folders, its files)`` for each folder. Links to
        folders are named but not gone into twice where the storage has links.
        """
        key = self._listed(path)
        return Listing(self._scope, key, path, WalkBatches(self._scope, key))

    def glob(self, pattern: str) -> Listing[FileInfo]:
        r"""Find files by a pattern of their whole path, in no particular order.

        ``*`` and ``?`` match within one component, ``[abc]`` and ``[!abc]`` one character
        of a set, and ``**`` as a component any number of folders, none included. Matching
        is case-sensitive.

        Raises:
            InvalidPath: the pattern is empty or malformed.
        """
        self._scope.require(Capability.GLOB)
        key = self._scope.file_key(pattern)
        batches = GlobBatches(self._scope, self._scope.relative(key))
        return Listing(self._scope, key, pattern, batches)

    def _listed(self, path: PathLike) -> str:
        self._scope.require(Capability.LIST)
        return self._scope.folder_key(path)
