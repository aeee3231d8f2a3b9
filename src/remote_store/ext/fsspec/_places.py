"""Where a path of the file system leads: a store, and a path in it.

Over one store, paths are the store's own. Over a configuration their first component is the
name of a store, as buckets come first in the paths of S3.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from fsspec.utils import tokenize

from ... import _runtime
from ..._async import AsyncRegistry, AsyncStore, open_async_store
from ..._sync import Store
from ...backend import Backend
from ...config import CONFIG_VARIABLE, FILE_NAME, RegistryConfig, usual_file
from ...errors import InvalidPath, NotFound
from ...paths import RemotePath
from .._paths import exact, said
from .._places import async_store, recipe


@dataclass(frozen=True, slots=True)
class Place:
    """A path of the file system.

    Attributes:
        store: the store it is in.
        key: the path in the store; "" is all of it.
        prefix: what stands before the store's paths in the file system's, "" or "NAME/".
    """

    store: AsyncStore
    key: str
    prefix: str

    @property
    def name(self) -> str:
        """The path, as the file system says it."""
        return said(self.key, self.prefix) if self.key else self.prefix.rstrip("/")

    @property
    def path(self) -> RemotePath:
        """The path in the store, for what no text names as well."""
        return RemotePath._of(self.key)

    async def real(self) -> tuple[str, str]:
        """Return what is equal for the same place, whatever store or link leads there: storage, and name."""
        scope = self.store._scope
        return await scope.backend.place(scope.folder_key(self.key))


class Places(Protocol):
    """The stores of one file system."""

    identity: str | None
    """Tells file systems apart that were made from objects; None where their arguments do."""
    portable: bool
    """True if they can be found in another process."""

    def find(self, path: str) -> Place | None:
        """Return where a path leads; None for the folder that all stores are in.

        Raises:
            InvalidPath: the path is malformed, or not the one text for where it would lead.
            NotFound: there is no such store.
        """

    def listed(self, path: str) -> Place | None:
        """Return where a path leads that was listed, which may be one that ``find`` refuses."""

    def names(self) -> list[str]:
        """Return the names of the stores."""


class OneStore:
    """A store, and nothing around it."""

    def __init__(self, store: AsyncStore, identity: str | None = None, portable: bool = True) -> None:
        self._store, self.identity, self.portable = store, identity, portable

    def find(self, path: str) -> Place | None:
        return Place(self._store, exact(path), "")

    def listed(self, path: str) -> Place | None:
        key = path[1:] if path.startswith("//") else path
        return Place(self._store, key.removesuffix("/"), "")

    def names(self) -> list[str]:
        return []


class ConfiguredStores:
    """All stores of a configuration."""

    identity: str | None = None
    portable = True

    def __init__(self, config: RegistryConfig) -> None:
        self._config, self._registry = config, _shared_registry(config)

    def find(self, path: str) -> Place | None:
        return self.listed(exact(path))

    def listed(self, path: str) -> Place | None:
        name, _, key = path.partition("/")
        if not name:
            return None
        if name not in self._config.stores:
            known = ", ".join(self.names()) or "none"
            raise NotFound(f"there is no store {name!r}; configured stores: {known}", path=path)
        return Place(self._registry.get_store(name), key.removesuffix("/"), f"{name}/")

    def names(self) -> list[str]:
        return sorted(self._config.stores)


def places_of(store: object, config: object) -> Places:
    """Return the stores that the arguments of a file system name.

    Raises:
        TypeError, ValueError: they name none, or make no sense.
    """
    if store is None:
        return ConfiguredStores(_config_of(config))
    if config is not None:
        raise ValueError("give either store or config, not both")
    if isinstance(store, str):
        return OneStore(_shared_store(store))
    if not isinstance(store, (AsyncStore, Store)):
        raise TypeError(f"store must be a store or a URL, not {type(store).__name__}")
    found = async_store(store)
    backend = found._scope.backend
    made = recipe(backend)
    return OneStore(found, tokenize(made or _name(backend), found._scope.root), made is not None)


def inside(places: Places, path: str) -> Place:
    """Return where a path leads; it has to be in a store.

    Raises:
        InvalidPath: it is malformed, or names the folder that all stores are in.
    """
    place = places.find(path)
    if place is None:
        raise InvalidPath("the path names no store; begin it with the name of a store", path=path)
    return place


def _config_of(config: object) -> RegistryConfig:
    if isinstance(config, RegistryConfig):
        return config
    if isinstance(config, Mapping):
        return RegistryConfig.from_dict(config)
    if config is None:
        config = usual_file()
        if config is None:
            raise ValueError(
                f"there is no configuration: make {FILE_NAME} here, set {CONFIG_VARIABLE}, or pass config"
                " or store; fsspec.open() and most libraries take them as storage_options"
            )
    if not isinstance(config, (str, os.PathLike)):
        raise TypeError(f"config must be a file, a mapping or RegistryConfig, not {type(config).__name__}")
    return RegistryConfig.from_toml(config)


# Who opens a file by URL makes a file system each time; the connections outlive it.
_lock: Final = _runtime.Lock()
_registries: Final[list[tuple[RegistryConfig, AsyncRegistry]]] = []
_stores: Final[dict[str, AsyncStore]] = {}
_names: Final[WeakKeyDictionary[Backend, str]] = WeakKeyDictionary()


def _name(backend: Backend) -> str:
    """Return a name of the backend's own, which no later one gets, as its address may be."""
    with _lock:
        return _names.setdefault(backend, uuid.uuid4().hex)


def _shared_registry(config: RegistryConfig) -> AsyncRegistry:
    with _lock:
        for known, registry in _registries:
            if known == config:
                return registry
        made = AsyncRegistry(config)
        _registries.append((config, made))
        return made


def _shared_store(url: str) -> AsyncStore:
    with _lock:
        if url not in _stores:
            _stores[url] = open_async_store(url)
        return _stores[url]


def close_shared() -> None:
    """Close all stores that file systems have opened; new file systems open new ones.

    Raises:
        Exception: one could not be closed; the others are. Of several, they are together in a group.
    """
    closing: list[Any] = []
    with _lock:
        closing += [registry for _, registry in _registries]
        closing += _stores.values()
        _registries.clear()
        _stores.clear()
    failures: list[Exception] = []
    for each in closing:
        try:
            _runtime.drive(each.aclose())
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
    if len(failures) > 1:
        raise ExceptionGroup("several stores could not be closed", failures)
    if failures:
        raise failures[0]
