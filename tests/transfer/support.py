"""Transfers in each world by one call, and stores to move files between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.runtime.support import WORLDS, run

import remote_store
from remote_store import AsyncStore, Backend, Store, aio
from remote_store.backends import MemoryBackend

WAYS = [*WORLDS, "blocking"]


def call(way: str, name: str, *arguments: Any, **options: Any) -> Any:
    """Call a function of the library, with stores on the backends among the arguments.

    Iterators come back as lists.
    """
    if way == "blocking":
        opened = [Store(each) if isinstance(each, Backend) else each for each in arguments]
        result = getattr(remote_store, name)(*opened, **options)
        return list(result) if name.endswith("many") else result

    async def main() -> Any:
        opened = [AsyncStore(each) if isinstance(each, Backend) else each for each in arguments]
        result = getattr(aio, name)(*opened, **options)
        return [item async for item in result] if name.endswith("many") else await result

    return run(way, main)


def memory(files: dict[str, bytes] | None = None) -> MemoryBackend:
    """Return a backend with files."""
    backend = MemoryBackend()
    store = Store(backend)
    for path, content in (files or {}).items():
        store.write(path, content)
    return backend


def content(backend: Backend, path: str = "") -> dict[str, bytes]:
    """Return all files below a path, by name."""
    store = Store(backend)
    return {str(info.path): store.read_bytes(info.path) for info in store.list_files(path, recursive=True)}


async def slowly(items: list[Any], step: Callable[[], Any]) -> AsyncIterator[Any]:
    """Give items one by one."""
    for item in items:
        await step()
        yield item
