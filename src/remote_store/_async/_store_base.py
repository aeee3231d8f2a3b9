"""What makes a store a store: what it stands on, who closes it, when two are equal."""

from __future__ import annotations

from typing import Self, TypeVar

from ..backend import Backend
from ..capabilities import Capability, CapabilitySet
from ..errors import InvalidPath
from ..paths import PathLike, normalize
from ._scope import Lifetime, Scope

T = TypeVar("T")


class StoreBase:
    """Identity and ownership. Part of ``AsyncStore``."""

    def __init__(self, backend: Backend, root_path: PathLike = "") -> None:
        if not isinstance(backend, Backend):
            raise TypeError(f"backend must be a Backend instance, not {type(backend).__name__}")
        self._scope = Scope(backend, normalize(root_path), Lifetime())
        self._owns = True

    @classmethod
    def _borrow(cls, backend: Backend, root: str, life: Lifetime) -> Self:
        store = cls.__new__(cls)
        store._scope = Scope(backend, root, life)
        store._owns = False
        return store

    @property
    def capabilities(self) -> CapabilitySet:
        """What the backend can do."""
        return self._scope.backend.capabilities

    def supports(self, capability: Capability) -> bool:
        """Return True if the backend has a capability."""
        return capability in self._scope.backend.capabilities

    def to_key(self, path: str) -> str:
        """Return the path in this store of a native name (a file system path, a URL). No I/O.

        Raises:
            InvalidPath: the name is outside of this store.
        """
        if not isinstance(path, str):
            raise TypeError(f"a native name must be str, not {type(path).__name__}")
        key = self._scope.backend.to_key(path)
        if self._scope.root and key != self._scope.root and not key.startswith(self._scope.prefix):
            raise InvalidPath(
                f"this is not below the store's root {self._scope.root!r}",
                path=path,
                backend=self._scope.backend.name,
            )
        return self._scope.relative(key)

    def unwrap(self, type_hint: type[T]) -> T:
        """Return the native object of this type behind the backend.

        Raises:
            CapabilityNotSupported: the backend has none.
        """
        if not isinstance(type_hint, type):
            raise TypeError(f"unwrap() needs a type, not {type_hint!r}")
        return self._scope.backend.unwrap(type_hint)

    async def aclose(self) -> None:
        """Close the backend, if this store owns it. Closing twice is fine."""
        if self._owns and not self._scope.life.closed:
            self._scope.life.closed = True
            await self._scope.backend.aclose()

    async def __aenter__(self) -> Self:
        self._scope.require_open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StoreBase):
            return NotImplemented
        return self._scope.backend is other._scope.backend and self._scope.root == other._scope.root

    def __hash__(self) -> int:
        return hash((id(self._scope.backend), self._scope.root))

    def __repr__(self) -> str:
        return f"AsyncStore(backend={self._scope.backend.name!r}, root_path={self._scope.root!r})"
