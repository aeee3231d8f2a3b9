"""What fsspec is told of files and folders."""

from __future__ import annotations

from typing import Any, TypeAlias

from ...models import Entry, FileInfo
from .._paths import said

Details: TypeAlias = dict[str, Any]
"""What fsspec knows of a file or folder: name, size, type and more."""


def of_folder(name: str) -> Details:
    return {"name": name, "size": 0, "type": "directory"}


def of_file(prefix: str, info: FileInfo) -> Details:
    found: Details = {"name": said(str(info.path), prefix), "size": info.size, "type": "file"}
    if info.modified_at is not None:
        found["mtime"] = info.modified_at.timestamp()
    for name in ("etag", "checksum", "content_type"):
        if (value := getattr(info, name)) is not None:
            found[name] = value
    return found


def of_entry(prefix: str, entry: Entry) -> Details:
    if isinstance(entry, FileInfo):
        return of_file(prefix, entry)
    found = of_folder(said(str(entry.path), prefix))
    return {**found, "islink": True} if entry.is_link else found


def split(path: str, listing: list[Details]) -> tuple[dict[str, Details], dict[str, Details]]:
    """Return the folders and the files of a listing by name; a file that was itself listed is ""."""
    folders, files = {}, {}
    for entry in listing:
        if entry["type"] == "directory":
            folders[last(entry)] = entry
        else:
            files["" if entry["name"] == path else last(entry)] = entry
    return folders, files


def last(entry: Details) -> str:
    """Return the last component of a name; "/" if it is empty, for "" would name the folder above."""
    return str(entry["name"]).rpartition("/")[2] or "/"
