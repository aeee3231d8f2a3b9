"""Files and folders together, at any depth, as Arrow's selectors want them."""

from __future__ import annotations

from collections.abc import Iterator

from ..._async import AsyncStore, Listing
from ..._async._listing import Mapped
from ..._sync._support import iterate
from ...capabilities import Capability
from ...models import Entry, FileInfo


def entries(store: AsyncStore, folder: str, recursive: bool) -> Iterator[Entry]:
    """Give what is in a folder, or anywhere below it; a recursive listing is still one listing."""
    scope = store._scope
    scope.require(Capability.RECURSIVE_LIST if recursive else Capability.LIST)

    def convert(entry: Entry) -> Entry | None:
        return scope.file_info(entry) if isinstance(entry, FileInfo) else scope.folder(entry)

    key = scope.folder_key(folder)
    pages = scope.backend.list_pages(key, recursive=recursive)
    return iterate(Listing(scope, key, folder, Mapped(pages, convert)))
