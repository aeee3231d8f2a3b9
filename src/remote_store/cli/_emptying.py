"""What goes from the source of mv, and what stays there, and why."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from .._sync import Store
from ..errors import DirectoryNotEmpty, InvalidPath, PermissionDenied
from ..models import RemoteFolder
from ..paths import RemotePath
from ..transfer.plan import Version
from ._moving import in_target, version_at
from ._places import Place

AT_ONCE: Final = 16
"""Files that are deleted at once."""


def emptied(source: Place, target: Place, copied: Mapping[str, Version | None]) -> dict[str, str]:
    """Delete what has arrived at the target, and the folders that hold nothing then.

    Returns:
        What stays, and why.
    """
    emptying = _Emptying(source, target, set(_parents(copied)))
    with ThreadPoolExecutor(AT_ONCE) as pool:  # far away each takes several round trips
        left = pool.map(partial(_deleted, source.store), copied, copied.values())
        for path, why in zip(copied, left, strict=True):
            if why:
                emptying.keep(path, why)
    if source.path not in copied and source.store.is_folder(source.path):
        emptying.folders()
    return emptying.stays


def _deleted(store: Store, path: str, before: Version | None) -> str:
    """Delete a file if it still is the version that was copied; return why not."""
    try:
        now = version_at(store, path)
        if before is None:
            came = "it came while files were moved, and stays; run the command again to move it"
            return came if now is not None else ""
        if now is not None and not now.is_same(before):
            return "it was changed while it was moved, and stays; run the command again with --overwrite"
        store.delete(path, missing_ok=True)  # if none is seen, it may be a link to a file that has just gone
    except PermissionDenied as error:
        return f"it was copied, but stays: {error.message}"
    return ""


def _parents(paths: Mapping[str, object]) -> set[str]:
    """Return the folders that hold files, at any depth."""
    found: set[str] = set()
    for path in paths:
        above = path.rpartition("/")[0]
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found


class _Emptying:
    """Deletes folders, the deepest first.

    Args:
        source: the folder that was moved.
        target: where it was moved.
        moved: the folders from which files have arrived there.

    Attributes:
        stays: what does, and why.
    """

    def __init__(self, source: Place, target: Place, moved: set[str]) -> None:
        self._source, self._target, self._moved = source, target, moved
        self.stays: dict[str, str] = {}
        self._held: set[str] = set()

    def keep(self, path: str, why: str) -> None:
        """Note what stays; so do the folders that hold it, which need no reason of their own."""
        self.stays.setdefault(path, why)
        self._held |= _parents({path: why})

    def folders(self) -> None:
        """Delete the folders that hold nothing."""
        found = [RemotePath(self._source.path)]  # as listed: no text may be able to name one
        for folder in found:  # it grows; parents come first
            for entry in self._source.store.iter_children(folder):
                if not isinstance(entry, RemoteFolder):
                    self.keep(
                        str(entry.path), "it came while files were moved, and stays; move it by another run"
                    )
                elif entry.is_link:
                    self.keep(str(entry.path), "it is a link to a folder, which is not moved, and stays")
                else:
                    found.append(entry.path)
        for folder in reversed(found):
            if str(folder) not in self._held and (why := self._folder(folder)):
                self.keep(str(folder), why)

    def _folder(self, folder: RemotePath) -> str:
        """Delete a folder if nothing is in it, and nothing is lost with it; return why not."""
        source, target = self._source, self._target
        there = RemotePath._of(in_target(str(folder), source, target))
        if str(folder) not in self._moved and not target.store.is_folder(there):
            return "it is a folder without files, which is not copied, and stays"
        try:
            source.store.delete_folder(folder, missing_ok=True)
        except DirectoryNotEmpty:
            return (
                "it stays, for it holds what is not moved: a link that leads nowhere or outside, a pipe, a"
                " socket, or a file that somebody is writing"
            )
        except InvalidPath:
            return "it is a link to a folder; the files there were moved, and the link stays"
        except PermissionDenied as error:
            return f"it was moved, but stays: {error.message}"
        return ""
