"""When two stores are the same place, for libraries that compare file systems."""

from __future__ import annotations

from typing import Any

from .._async import AsyncStore
from .._sync import Store
from ..backend import Backend


def same_place(one: AsyncStore, other: AsyncStore) -> bool:
    """Return True if two stores are equal, or would be made in the same way after pickling.

    A store that travelled to another process and back has another backend object, and is
    the same place still.
    """
    if one == other:
        return True
    first, second = one._scope, other._scope
    made = recipe(first.backend)
    return first.root == second.root and made is not None and made == recipe(second.backend)


def recipe(backend: Backend) -> Any:
    """Return what the backend is pickled as; None where it does not say so itself."""
    return None if type(backend).__reduce__ is object.__reduce__ else backend.__reduce__()


def async_store(store: AsyncStore | Store) -> AsyncStore:
    """Return the store behind either face. Raises TypeError for anything else."""
    if isinstance(store, Store):
        return store._inner
    if isinstance(store, AsyncStore):
        return store
    raise TypeError(f"a Store or an AsyncStore is needed here, not {type(store).__name__}")
