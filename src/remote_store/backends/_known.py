"""Backend types by name: built in, registered by the program, or installed by other packages."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from ..backend import Backend

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

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


def require_whole(url: str) -> None:
    """Refuse a URL of which a parser leaves something out, for it would name another file.

    Raises:
        ValueError: it has a ``#``, a tab or a line break.
    """
    for lost, name in {"#": "#", "\t": "tab", "\n": "line break", "\r": "line break"}.items():
        if lost in url:
            raise ValueError(
                f"a store's URL has no fragment: write a {name} that is part of a name as %{ord(lost):02X}"
            )


def class_of_scheme(scheme: str) -> type[Backend]:
    """Return the class of the backend type that a URL scheme stands for.

    Raises:
        ValueError: the scheme is unknown, or the extra of its type is not installed.
    """
    type_name = _SCHEMES.get(scheme, scheme)
    if type_name not in _BUILTIN and type_name not in _known_types():
        names = {name: scheme for scheme, name in _SCHEMES.items()}
        known = ", ".join(sorted(names.get(name, name) for name in _known_types()))
        raise ValueError(
            f"a store's URL begins with a known scheme, as in file:///data; known schemes: {known}"
        )
    return backend_class(type_name)


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
    point = _entry_points().get(type_name)
    if point is None:
        known = ", ".join(sorted(_known_types()))
        raise ValueError(f"unknown backend type {type_name!r}; known types: {known}")
    cls: object = point.load()
    if not (isinstance(cls, type) and issubclass(cls, Backend)):
        raise ValueError(
            f"entry point {type_name!r} in group {ENTRY_POINTS!r} is no subclass of Backend: {cls!r}"
        )
    return cls


def _known_types() -> set[str]:
    return {*_BUILTIN, *_registered, *_entry_points()}


def _entry_points() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # slow to import, and rarely needed

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}
