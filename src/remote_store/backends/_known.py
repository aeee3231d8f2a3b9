"""Backend types by name: built in, registered by the program, or installed by other packages."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final, NamedTuple

from ..backend import Backend

ENTRY_POINTS: Final = "remote_store.backends"


class _Builtin(NamedTuple):
    module: str
    name: str
    extra: str = ""
    needs: tuple[str, ...] = ()


_BUILTIN: Final = {
    "memory": _Builtin(".memory", "MemoryBackend"),
    "local": _Builtin(".local", "LocalBackend"),
    "s3": _Builtin(".s3", "S3Backend", "s3", ("aiobotocore",)),
    "s3-pyarrow": _Builtin(".s3_pyarrow", "S3PyArrowBackend", "s3-pyarrow", ("aiobotocore", "pyarrow")),
    "sftp": _Builtin(".sftp", "SFTPBackend", "sftp", ("asyncssh",)),
    "azure": _Builtin(".azure", "AzureBackend", "azure", ("azure.storage.blob",)),
}
_SCHEMES: Final = {"file": "local"}
_registered: dict[str, type[Backend]] = {}


def register_backend(type_name: str, cls: type[Backend]) -> None:
    """Make a backend class known to all registries of this process under a type name.

    The last registration of a name wins, over built-in types too.

    Raises:
        TypeError: ``cls`` is no subclass of ``Backend``.
    """
    if not (isinstance(cls, type) and issubclass(cls, Backend)):
        raise TypeError(f"a backend must be a subclass of remote_store.Backend, not {cls!r}")
    _registered[str(type_name)] = cls


def type_of_scheme(scheme: str) -> str:
    """Return the backend type that a URL scheme stands for."""
    return _SCHEMES.get(scheme, scheme)


def backend_class(type_name: str) -> type[Backend]:
    """Return the class of a backend type.

    Raises:
        ValueError: the type is unknown, or its extra is not installed.
    """
    if type_name in _registered:
        return _registered[type_name]
    if type_name in _BUILTIN:
        return _load_builtin(type_name, _BUILTIN[type_name])
    return _load_installed(type_name)


def _load_builtin(type_name: str, builtin: _Builtin) -> type[Backend]:
    missing = [name for name in builtin.needs if not _installed(name)]
    if missing:
        raise ValueError(
            f"the {type_name!r} backend needs {' and '.join(missing)}:"
            f' pip install "remote-store[{builtin.extra}]"'
        )
    if not _installed(f"{__package__}{builtin.module}"):
        raise ValueError(
            f"the {type_name!r} backend is not part of this version of remote-store;"
            " upgrade with: pip install --upgrade remote-store"
        )
    found: type[Backend] = getattr(import_module(builtin.module, __package__), builtin.name)
    return found


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _load_installed(type_name: str) -> type[Backend]:
    from importlib.metadata import entry_points  # slow to import, and rarely needed

    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if type_name in found:
        cls: object = found[type_name].load()
        if not (isinstance(cls, type) and issubclass(cls, Backend)):
            raise ValueError(
                f"entry point {type_name!r} in group {ENTRY_POINTS!r} is no subclass of Backend: {cls!r}"
            )
        return cls
    known = ", ".join(sorted({*_BUILTIN, *_registered, *found}))
    raise ValueError(f"unknown backend type {type_name!r}; known types: {known}")
