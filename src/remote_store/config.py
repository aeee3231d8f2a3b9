"""Configuration as values: which backends there are, and which stores stand on them.

A configuration is built in code, or read from a mapping or a TOML file. Nothing
from the environment is mixed in, but for the references that the mapping or file
itself names: ``${VAR}``, ``${VAR:-default}``, and ``$${`` for a literal ``${``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ._secrets import expand, masked

if TYPE_CHECKING:
    from pathlib import Path

CONFIG_VARIABLE: Final = "REMOTE_STORE_CONFIG"
FILE_NAME: Final = "remote-store.toml"


@dataclass(frozen=True)
class BackendConfig:
    """How to build one backend.

    Attributes:
        type: a built-in or registered backend type, such as ``"local"``.
        options: keyword arguments of that backend's constructor. Secrets among
            them are masked in ``repr``.
    """

    type: str
    options: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"BackendConfig(type={self.type!r}, options={masked(self.options)!r})"


@dataclass(frozen=True)
class StoreProfile:
    """One named store: a backend and the folder of it that the store may see.

    Attributes:
        backend: the name of a backend in the same configuration.
        root_path: folder inside the backend; ``""`` is all of it.
        options: free for the application's own use; the library ignores them.
    """

    backend: str
    root_path: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = masked(self.options)
        return f"StoreProfile(backend={self.backend!r}, root_path={self.root_path!r}, options={shown!r})"


@dataclass(frozen=True)
class RegistryConfig:
    """Backends by name, and stores by name."""

    backends: dict[str, BackendConfig] = field(default_factory=dict)
    stores: dict[str, StoreProfile] = field(default_factory=dict)

    def validate(self) -> None:
        """Check that every store names a backend that is configured.

        Raises:
            ValueError: one does not; the message names the store, the missing
                backend and those there are.
        """
        for name, profile in self.stores.items():
            if profile.backend not in self.backends:
                known = ", ".join(sorted(self.backends)) or "none"
                raise ValueError(
                    f"store {name!r} names the backend {profile.backend!r}, which is not configured;"
                    f" configured backends: {known}"
                )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RegistryConfig:
        """Build a configuration from nested mappings, as JSON, YAML or TOML give them.

        The shape is ``{"backends": {name: {"type": ..., "options": {...}}},
        "stores": {name: {"backend": ..., "root_path": ...}}}``. Unknown keys are
        left alone, unless they look like a slip of the pen for a known one.

        Raises:
            TypeError: a section or an entry is not a mapping, or a value has the wrong type.
            KeyError: an entry lacks ``type`` or ``backend``.
            ValueError: a key is misspelt, or a referenced environment variable is not set.
        """
        _mapping(data, "the configuration", required=True)
        _check_keys(data, ("backends", "stores"), "the configuration")
        backends = _mapping(data.get("backends"), "'backends'")
        stores = _mapping(data.get("stores"), "'stores'")
        return cls(
            backends={str(name): _backend(str(name), entry) for name, entry in backends.items()},
            stores={str(name): _profile(str(name), entry) for name, entry in stores.items()},
        )

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> RegistryConfig:
        """Read a TOML file of the shape that ``from_dict`` takes.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not TOML; otherwise as ``from_dict``.
        """
        import tomllib  # here, so that importing the package does not pay for a parser it may never use

        with open(path, "rb") as file:
            try:
                data = tomllib.load(file)
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ValueError(f"{os.fspath(path)} is not valid TOML: {error}") from error
        return cls.from_dict(data)


def usual_file() -> Path | None:
    """Return the configuration file that is taken where none is named; None if there is none."""
    from pathlib import Path  # here, as above

    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    candidates = (Path(FILE_NAME), home / "remote-store" / FILE_NAME)
    return next((file for file in candidates if file.is_file()), None)


def _backend(name: str, entry: object) -> BackendConfig:
    where = f"backend {name!r}"
    given = _mapping(entry, where, required=True)
    _check_keys(given, ("type", "options"), where)
    return BackendConfig(_text(given, "type", where), _options(given, where))


def _profile(name: str, entry: object) -> StoreProfile:
    where = f"store {name!r}"
    given = _mapping(entry, where, required=True)
    _check_keys(given, ("backend", "root_path", "options"), where)
    root = _text(given, "root_path", where) if given.get("root_path") is not None else ""
    return StoreProfile(_text(given, "backend", where), root, _options(given, where))


def _options(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    options = _mapping(entry.get("options"), f"'options' of {where}")
    return {str(key): expand(value, f"option {key!r} of {where}") for key, value in options.items()}


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    if key not in entry:
        raise KeyError(f"{where} has no {key!r}; add it")
    value = entry[key]
    if not isinstance(value, (str, int, float)):  # a scalar from a config file is taken as its text
        raise TypeError(f"{key!r} of {where} must be text, not {type(value).__name__}")
    return str(expand(str(value), f"{key!r} of {where}"))


def _mapping(value: object, what: str, *, required: bool = False) -> Mapping[str, Any]:
    if value is None and not required:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} must be a mapping, not {type(value).__name__}")
    return value


def _check_keys(entry: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    import difflib  # here, as above

    for key in entry:
        near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.75)
        if key not in known and near:
            raise ValueError(f"unknown key {key!r} in {where}; did you mean {near[0]!r}?")
