"""Many small files in order. The blocking functions are generated from these."""

from __future__ import annotations

from typing import Any

from .._types import AsyncItems, AsyncPaths, Buffer
from ..capabilities import Capability
from ..errors import AlreadyExists
from ..models import WriteResult
from ..paths import PathLike, normalize
from ..transfer.options import TransferOptions
from ._listing import Listing
from ._places import at_once, options_of, require_stores
from ._store import AsyncStore


def read_many(
    store: AsyncStore, paths: AsyncPaths, *, options: TransferOptions | None = None
) -> Listing[tuple[str, bytes]]:
    """Read many files, each whole, several at once; give path and content in the order asked for.

    Files are read ahead of who takes them, up to ``concurrency`` files, and none is begun while
    ``memory_limit`` bytes wait to be taken or are on their way, as far as that is known: listings
    tell sizes, and a path alone counts once it has been read. Closing the iteration stops what is
    under way.

    Args:
        store: the store that has the files.
        paths: their paths, or what listings give.
        options: ``concurrency``, ``memory_limit`` and ``retries`` count here.

    Raises:
        RemoteStoreError: a file cannot be read; raised when it is that file's turn.
    """
    require_stores(store)
    store._scope.require(Capability.READ)

    async def read(path: Any, _: bool) -> tuple[str, bytes]:
        name = normalize(getattr(path, "path", path))
        return name, await store.read_bytes(name)

    def size(path: Any, found: tuple[str, bytes] | None) -> int:
        return getattr(path, "size", 0) if found is None else len(found[1])

    from ..transfer._ahead import Ahead  # it needs asyncio

    chosen = options_of(options)
    return Listing(store._scope, "", "", Ahead(paths, read, size, at_once(store), chosen))


def write_many(
    store: AsyncStore, items: AsyncItems, *, options: TransferOptions | None = None
) -> Listing[WriteResult]:
    """Write many files, each whole, several at once; give their results in the order of the items.

    Nothing is written before the results are asked for. Closing the iteration stops what is
    under way; files that were not taken yet may be there or not.

    Args:
        store: the store that the files go into.
        items: pairs of path and content, as bytes or another buffer.
        options: ``concurrency``, ``memory_limit``, ``retries`` and ``overwrite`` count here.

    Raises:
        RemoteStoreError: a file cannot be written; raised when it is that file's turn.
    """
    require_stores(store)
    store._scope.require(Capability.WRITE)
    chosen = options_of(options)

    async def write(item: tuple[PathLike, Buffer], again: bool) -> WriteResult:
        try:
            return await store.write(item[0], item[1], overwrite=chosen.overwrite)
        except AlreadyExists:
            if again and (found := await _found(store, *item)) is not None:
                return found  # only the answer was lost
            raise

    def size(item: tuple[PathLike, Buffer], _: WriteResult | None) -> int:
        return memoryview(item[1]).nbytes

    from ..transfer._ahead import Ahead  # it needs asyncio

    return Listing(store._scope, "", "", Ahead(items, write, size, at_once(store), chosen))


async def _found(store: AsyncStore, path: PathLike, data: Buffer) -> WriteResult | None:
    """Return what the storage says of a file if it has this content."""
    content = memoryview(data).tobytes()
    info = await store.get_file_info(path)
    if info.size != len(content) or await store.read_bytes(path) != content:
        return None
    return WriteResult(info.path, info.size, info.etag, info.checksum)
