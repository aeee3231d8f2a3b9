"""``AsyncRegistry``: stores by name, from a configuration."""

from __future__ import annotations

from types import NoneType
from typing import Self

from .. import _runtime
from .._secrets import quotes_secret
from ..backend import Backend
from ..backends._known import backend_class
from ..config import BackendConfig, RegistryConfig
from ..paths import normalize
from ._scope import Lifetime
from ._store import AsyncStore


class AsyncRegistry:
    """Hands out the stores of a configuration, and closes their backends in the end.

    A backend is made when the first store on it is asked for, once, and shared by all
    stores on it. After closing, the registry can be used again and makes new ones.

    Args:
        config: backends and stores; None is an empty configuration.

    Raises:
        ValueError: a store names a backend that is not configured.
    """

    def __init__(self, config: RegistryConfig | None = None) -> None:
        if not isinstance(config, (RegistryConfig, NoneType)):
            raise TypeError(
                f"config must be a RegistryConfig, not {type(config).__name__}; from_dict() makes one"
            )
        self._config = config if config is not None else RegistryConfig()
        self._config.validate()
        self._lock = _runtime.Lock()
        self._open: dict[str, tuple[Backend, Lifetime]] = {}

    def get_store(self, name: str) -> AsyncStore:
        """Return a new store object for a configured name. No I/O but what the backend's constructor does.

        Raises:
            KeyError: there is no such store; the message lists those there are.
            ValueError: the backend's type is unknown, needs an extra that is not
                installed, or does not take the configured options.
        """
        profile = self._config.stores.get(name)
        if profile is None:
            known = ", ".join(sorted(self._config.stores)) or "none"
            raise KeyError(f"there is no store {name!r}; configured stores: {known}")
        root = normalize(profile.root_path)
        with self._lock:
            if profile.backend not in self._open:
                backend = _build(profile.backend, self._config.backends[profile.backend])
                self._open[profile.backend] = (backend, Lifetime())
            backend, life = self._open[profile.backend]
        return AsyncStore._borrow(backend, root, life)

    async def aclose(self) -> None:
        """Close every backend that was made, all of them even if some fail.

        Stores handed out before are closed with them. Closing twice is fine.

        Raises:
            Exception: the error of the one backend that failed to close.
            ExceptionGroup: the errors of several that failed.
        """
        failures: list[Exception] = []
        for _, life in list(self._open.values()):
            life.closed = True
        while entry := self._take():  # one by one: a cancelled closing can be taken up again
            backend, life = entry
            life.closed = True
            try:
                await backend.aclose()
            except Exception as error:  # noqa: BLE001 - all are closed first, and all failures raised below
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup("several backends failed to close", failures)

    def _take(self) -> tuple[Backend, Lifetime] | None:
        with self._lock:
            return self._open.popitem()[1] if self._open else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __eq__(self, other: object) -> bool:
        return self._config == other._config if isinstance(other, AsyncRegistry) else NotImplemented

    def __hash__(self) -> int:
        return hash((frozenset(self._config.backends), frozenset(self._config.stores)))

    def __repr__(self) -> str:
        return f"AsyncRegistry(stores={sorted(self._config.stores)!r})"


def _build(name: str, config: BackendConfig) -> Backend:
    kind = backend_class(config.type)
    try:
        return kind(**config.options)
    except TypeError as error:
        given = ", ".join(sorted(config.options)) or "none"
        raise ValueError(
            f"backend {name!r} of type {config.type!r} does not take the configured options;"
            f" given: {given}. {_advice(kind, config)}"
        ) from (None if quotes_secret(str(error), config.options) else error)


def _advice(kind: type[Backend], config: BackendConfig) -> str:
    from inspect import Parameter, signature  # takes a while, and is for this only

    known = signature(kind).parameters
    unknown = sorted(config.options.keys() - known.keys())
    if not unknown or any(each.kind is Parameter.VAR_KEYWORD for each in known.values()):
        return f"See the arguments of {kind.__name__}"
    return f"It does not know {', '.join(unknown)}, but: {', '.join(known) or 'no options'}"
