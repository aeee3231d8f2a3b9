"""Every operation of a store that takes a path, in one table, for rules that hold for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ..._async import AsyncStore
from ...capabilities import Capability
from ._base import all_of

Call = Callable[[AsyncStore, Any], Awaitable[object]]


@dataclass(frozen=True)
class Operation:
    """One way to use a path."""

    name: str
    needs: frozenset[Capability]
    call: Call

    def supported(self, store: AsyncStore) -> bool:
        """Return True if the backend can do it."""
        return all(store.supports(capability) for capability in self.needs)


def _operation(call: Call, *needs: str) -> Operation:
    return Operation(call.__name__.strip("_"), frozenset(Capability(name) for name in needs), call)


async def _read(store: AsyncStore, path: Any) -> object:
    async with await store.read(path) as stream:
        return await stream.read()


async def _open_read(store: AsyncStore, path: Any) -> object:
    async with await store.open_read(path) as stream:
        return await stream.read()


async def _read_bytes(store: AsyncStore, path: Any) -> object:
    return await store.read_bytes(path)


async def _read_text(store: AsyncStore, path: Any) -> object:
    return await store.read_text(path)


async def _get_file_info(store: AsyncStore, path: Any) -> object:
    return await store.get_file_info(path)


async def _write(store: AsyncStore, path: Any) -> object:
    return await store.write(path, b"new", overwrite=True)


async def _write_pieces(store: AsyncStore, path: Any) -> object:
    return await store.write(path, [b"n", b"ew"], overwrite=True)


async def _write_text(store: AsyncStore, path: Any) -> object:
    return await store.write_text(path, "new", overwrite=True)


async def _write_atomic(store: AsyncStore, path: Any) -> object:
    return await store.write_atomic(path, b"new", overwrite=True)


async def _open_write(store: AsyncStore, path: Any) -> object:
    async with store.open_write(path, overwrite=True) as stream:
        return await stream.write(b"new")


async def _open_write_atomic(store: AsyncStore, path: Any) -> object:
    async with store.open_write(path, overwrite=True, atomic=True) as stream:
        return await stream.write(b"new")


async def _delete(store: AsyncStore, path: Any) -> object:
    await store.delete(path)
    return None


async def _delete_folder(store: AsyncStore, path: Any) -> object:
    await store.delete_folder(path, recursive=True)
    return None


async def _move_from(store: AsyncStore, path: Any) -> object:
    return await store.move(path, "moved", overwrite=True)


async def _move_to(store: AsyncStore, path: Any) -> object:
    return await store.move("source", path, overwrite=True)


async def _copy_from(store: AsyncStore, path: Any) -> object:
    return await store.copy(path, "copied", overwrite=True)


async def _copy_to(store: AsyncStore, path: Any) -> object:
    return await store.copy("source", path, overwrite=True)


async def _exists(store: AsyncStore, path: Any) -> object:
    return await store.exists(path)


async def _is_file(store: AsyncStore, path: Any) -> object:
    return await store.is_file(path)


async def _is_folder(store: AsyncStore, path: Any) -> object:
    return await store.is_folder(path)


async def _get_folder_info(store: AsyncStore, path: Any) -> object:
    return await store.get_folder_info(path)


async def _list_files(store: AsyncStore, path: Any) -> object:
    return await all_of(store.list_files(path))


async def _list_all_files(store: AsyncStore, path: Any) -> object:
    return await all_of(store.list_files(path, recursive=True))


async def _list_folders(store: AsyncStore, path: Any) -> object:
    return await all_of(store.list_folders(path))


async def _iter_children(store: AsyncStore, path: Any) -> object:
    return await all_of(store.iter_children(path))


async def _walk(store: AsyncStore, path: Any) -> object:
    return await all_of(store.walk(path))


READING: Final = (
    _operation(_read, "read"),
    _operation(_open_read, "read"),
    _operation(_read_bytes, "read"),
    _operation(_read_text, "read"),
    _operation(_get_file_info, "metadata"),
    _operation(_move_from, "move"),
    _operation(_copy_from, "copy"),
)
"""What needs a file to be there."""

WRITING: Final = (
    _operation(_write, "write"),
    _operation(_write_pieces, "write"),
    _operation(_write_text, "write"),
    _operation(_write_atomic, "atomic_write"),
    _operation(_open_write, "write"),
    _operation(_open_write_atomic, "atomic_write"),
    _operation(_move_to, "move"),
    _operation(_copy_to, "copy"),
)
"""What makes a file."""

DELETING: Final = _operation(_delete, "delete")
DELETING_FOLDERS: Final = _operation(_delete_folder, "delete")

ASKING: Final = (_operation(_exists), _operation(_is_file), _operation(_is_folder))

LISTING: Final = (
    _operation(_list_files, "list"),
    _operation(_list_all_files, "list", "recursive_list"),
    _operation(_list_folders, "list"),
    _operation(_iter_children, "list"),
    _operation(_walk, "list"),
)

SUMMING: Final = _operation(_get_folder_info, "metadata")

ON_FILES: Final = (*READING, *WRITING, DELETING)
ON_FOLDERS: Final = (*LISTING, SUMMING)
EVERYTHING: Final = (*ON_FILES, *ON_FOLDERS, *ASKING, DELETING_FOLDERS)
