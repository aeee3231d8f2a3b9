"""Any store as a store of Zarr, version 3. Needs the extra ``zarr``.

from remote_store.ext.zarr import ZarrStore

array = zarr.create_array(ZarrStore(store), shape=(1000, 1000), chunks=(100, 100), dtype="f4")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial

try:
    from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] == "zarr":
        error.add_note('install it with: pip install "remote-store[zarr]"')
    raise

from .. import _sync
from .._async import AsyncStore
from ..errors import AlreadyExists, InvalidPath, NotFound, PreconditionFailed
from ..models import RemoteFolder
from ..paths import PathLike
from ._parts import Parts
from ._paths import exact
from ._places import async_store, same_place
from ._together import together

TRIES = 5
"""How often the end of a value that is being replaced is looked for."""
NAMELESS = ("", ".", "..")
"""Components of keys that other programs wrote, and that no key of Zarr has."""


class ZarrStore(Store):
    """Chunks and metadata of Zarr as files of a store.

    It borrows the store, which the caller closes; closing this one only says that it is not
    used any more. It may be used on Zarr's own event loop and on others, by many tasks and
    threads, and be pickled where the backend can be. Readers see a chunk as it was before or
    after a write, whole.

    Args:
        store: the files, by either face of the store.
        read_only: refuse to change anything.

    Raises:
        TypeError: the store is none.
    """

    def __init__(self, store: AsyncStore | _sync.Store, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.store = async_store(store)

    def with_read_only(self, read_only: bool = False) -> ZarrStore:
        return type(self)(self.store, read_only=read_only)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ZarrStore)
            and self.read_only == other.read_only
            and same_place(self.store, other.store)
        )

    def __hash__(self) -> int:
        return hash((ZarrStore, self.store._scope.backend.name, self.store._scope.root, self.read_only))

    def __str__(self) -> str:
        return f"remote-store+{self.store._scope.backend.name}://{self.store._scope.root}"

    def __repr__(self) -> str:
        return f"ZarrStore({self.store!r}, read_only={self.read_only})"

    # -- reading ---------------------------------------------------------------

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        _check(key)
        try:
            data = await self._read(key, byte_range)
        except (NotFound, InvalidPath):
            return None
        return prototype.buffer.from_bytes(data)

    async def _read(self, key: str, wanted: ByteRequest | None) -> bytes:
        match wanted:
            case None:
                return await self.store.read_bytes(key)
            case RangeByteRequest(start, end):
                return await self.store.read_bytes(key, start=start, length=max(end - start, 0))
            case OffsetByteRequest(offset):
                return await self.store.read_bytes(key, start=offset)
            case SuffixByteRequest(suffix):
                return await self._end(key, suffix)
        raise TypeError(f"Unexpected byte_range, got {wanted!r}.")

    async def _end(self, key: str, suffix: int) -> bytes:
        """Return the last bytes of one version, however often it is replaced meanwhile."""
        for left in reversed(range(TRIES)):
            parts = await Parts.open(self.store, key)
            try:
                start = max(parts.size - suffix, 0)
                return await parts.read(start, parts.size - start)
            except PreconditionFailed:
                if not left:
                    raise
            finally:
                await parts.aclose()
        raise AssertionError("the last try returns or raises")

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        calls = [partial(self.get, key, prototype, wanted) for key, wanted in key_ranges]
        return await together(calls, len(calls))

    async def exists(self, key: str) -> bool:
        _check(key)
        return await self.store.is_file(key)

    async def getsize(self, key: str) -> int:
        _check(key)
        return (await self.store.get_file_info(key)).size

    async def getsize_prefix(self, prefix: str) -> int:
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        return sum([size async for _, size in self._below(prefix)])

    # -- writing ---------------------------------------------------------------

    @property
    def supports_writes(self) -> bool:
        return True

    @property
    def supports_deletes(self) -> bool:
        return True

    @property
    def supports_partial_writes(self) -> bool:  # type: ignore[override]  # Zarr 3.1.0 asks for one
        return False

    async def set_partial_values(self, key_start_values: Iterable[tuple[str, int, object]]) -> None:
        """Refuse: files are written whole."""
        raise NotImplementedError("files of a store are written whole; use set()")

    async def set(self, key: str, value: Buffer) -> None:
        self._check_writable()
        _check(key)
        await self.store.write(key, _content(value), overwrite=True)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        self._check_writable()
        _check(key)
        try:
            await self.store.write(key, _content(value))
        except AlreadyExists:
            pass

    async def delete(self, key: str) -> None:
        self._check_writable()
        _check(key)
        try:
            await self.store.delete(key, missing_ok=True)
        except InvalidPath:
            if not await self.store.is_folder(key):
                raise  # the storage takes no such name; a folder is a key without a value

    async def delete_dir(self, prefix: str) -> None:
        self._check_writable()
        if _check(prefix):
            await self._delete_folder(prefix)
            return
        for entry in [entry async for entry in self.store.iter_children()]:
            if isinstance(entry, RemoteFolder) and not entry.is_link:
                await self._delete_folder(entry.path)
            else:
                await self.store.delete(entry.path, missing_ok=True)

    async def _delete_folder(self, path: PathLike) -> None:
        try:
            await self.store.delete_folder(path, recursive=True, missing_ok=True)
        except InvalidPath:  # a file, which nothing is below, or a link to a folder
            if await self.store.is_folder(path):
                await self.store.delete(path, missing_ok=True)

    # -- listing ---------------------------------------------------------------

    @property
    def supports_listing(self) -> bool:
        return True

    def list(self) -> AsyncIterator[str]:
        return self.list_prefix("")

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        async for key, _ in self._below(prefix):
            yield key

    async def _below(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """Give the keys that begin with a prefix, and their sizes; a prefix may end within a name."""
        folder = prefix.rpartition("/")[0]
        _check(folder)
        try:
            async with self.store.list_files(folder, recursive=True) as files:
                async for info in files:
                    key = str(info.path)
                    if key.startswith(prefix):
                        yield key, info.size
        except InvalidPath:
            return  # a file: nothing is below it

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        _check(prefix)
        try:
            async with self.store.iter_children(prefix) as entries:
                async for entry in entries:
                    if entry.path.name not in NAMELESS:
                        yield entry.path.name
        except InvalidPath:
            return


def _check(key: str) -> str:
    """Return a key, which may end with a slash. Raises InvalidPath if it is not the one text for its file."""
    return exact(key, rooted=False)


def _content(value: object) -> memoryview:
    if not isinstance(value, Buffer):
        raise TypeError(f"the value must be a Buffer of Zarr, not {type(value).__name__}")
    return memoryview(value.as_buffer_like())
