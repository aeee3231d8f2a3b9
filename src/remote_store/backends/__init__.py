"""The backends. Each is imported when it is first named, and its SDK when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .local import LocalBackend as LocalBackend
    from .memory import MemoryBackend as MemoryBackend

_MODULES = {"LocalBackend": ".local", "MemoryBackend": ".memory"}

__all__ = ["LocalBackend", "MemoryBackend"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        from importlib import import_module

        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
