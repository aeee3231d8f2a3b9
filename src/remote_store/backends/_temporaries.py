"""The names of temporary files, which no listing shows and no caller may use: one form for all backends."""

from __future__ import annotations

import os
import re
from typing import Final

from ..errors import InvalidPath

MARK: Final = ".~remote-store-"
_UNFINISHED: Final = ".tmp"
_ASIDE: Final = ".old"
_PATTERN: Final = re.compile(re.escape(MARK) + r"[0-9a-f]{16}\.(tmp|old)\Z")


def new_name() -> str:
    """Return an unused name; its length does not depend on the target's."""
    return f"{MARK}{os.urandom(8).hex()}{_UNFINISHED}"


def new_aside() -> str:
    """Return an unused name for a folder that holds a file while that is being replaced."""
    return f"{MARK}{os.urandom(8).hex()}{_ASIDE}"


def is_temporary(name: str) -> bool:
    """Return True if a name is one of ours."""
    return name.startswith(MARK) and _PATTERN.match(name) is not None


def is_aside(name: str) -> bool:
    """Return True if a name is that of a folder with a file that was to be replaced: no rubbish."""
    return name.endswith(_ASIDE) and is_temporary(name)


def refuse_reserved(key: str, backend: str) -> None:
    """Raise InvalidPath if any component of a key is such a name."""
    if MARK in key and any(is_temporary(part) for part in key.split("/")):
        raise InvalidPath("names of this form are reserved for temporary files", path=key, backend=backend)
