"""The libraries, opened on a folder: once per process, and imported only there."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obstore.store import LocalStore
    from opendal import AsyncOperator, Operator

    from remote_store import AsyncStore, Store


@cache
def store(folder: str) -> Store:
    """Return our blocking store, or the published one: the names are the same."""
    from remote_store import Store
    from remote_store.backends import LocalBackend

    return Store(LocalBackend(folder))


@cache
def async_store(folder: str) -> AsyncStore:
    from remote_store import AsyncStore
    from remote_store.backends import LocalBackend

    return AsyncStore(LocalBackend(folder))


@cache
def published_async_store(folder: str) -> Any:
    """Return the async store of the published package, whose local files are its blocking ones."""
    from importlib import import_module

    from remote_store.backends import LocalBackend

    aio = import_module("remote_store.aio")
    return aio.AsyncStore(aio.SyncBackendAdapter(LocalBackend(folder)))


@cache
def obstore(folder: str) -> LocalStore:
    from obstore.store import LocalStore

    return LocalStore(folder)


@cache
def opendal(folder: str) -> Operator:
    from opendal import Operator

    return Operator("fs", root=folder)


@cache
def opendal_async(folder: str) -> AsyncOperator:
    from opendal import AsyncOperator

    return AsyncOperator("fs", root=folder)


@cache
def fsspec() -> Any:
    from fsspec.implementations.local import LocalFileSystem

    return LocalFileSystem()
