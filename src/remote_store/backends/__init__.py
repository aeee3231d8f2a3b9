"""The backends. Each is imported when it is first named, and its SDK when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .local import LocalBackend as LocalBackend
    from .memory import MemoryBackend as MemoryBackend
    from .s3 import S3Backend as S3Backend
    from .s3_pyarrow import S3PyArrowBackend as S3PyArrowBackend
    from .sftp import HostKeyPolicy as HostKeyPolicy
    from .sftp import SFTPBackend as SFTPBackend
    from .sftp import load_private_key as load_private_key

_MODULES = {
    "HostKeyPolicy": ".sftp",
    "LocalBackend": ".local",
    "MemoryBackend": ".memory",
    "S3Backend": ".s3",
    "S3PyArrowBackend": ".s3_pyarrow",
    "SFTPBackend": ".sftp",
    "load_private_key": ".sftp",
}

__all__ = [
    "HostKeyPolicy",
    "LocalBackend",
    "MemoryBackend",
    "S3Backend",
    "S3PyArrowBackend",
    "SFTPBackend",
    "load_private_key",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        from importlib import import_module

        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
