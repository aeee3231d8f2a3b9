"""Errors for who asks in the builtins' words: a folder where a file is wanted, and the reverse."""

from __future__ import annotations

from typing import NoReturn

from ...errors import InvalidPath
from .._errors import IsAFolder, NotAFolder
from ._places import Place

__all__ = ["IsAFolder", "NotAFolder", "refuse"]


async def refuse(place: Place, error: InvalidPath) -> NoReturn:
    """Raise an error about a place anew, as the builtin that says it best; it was well-formed text."""
    store, key = place.store, place.key
    if await store.is_folder(key):
        raise IsAFolder("this is a folder, not a file", path=place.name, backend=error.backend) from error
    parent = key.rpartition("/")[0]
    while parent:
        if await store.is_file(parent):
            text = f"{parent!r} is a file, so nothing can be below it"
            raise NotAFolder(text, path=place.name, backend=error.backend) from error
        parent = parent.rpartition("/")[0]
    raise error
