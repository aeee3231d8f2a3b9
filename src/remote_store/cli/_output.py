"""Names, sizes, times and JSON lines."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

from ..models import FileInfo, RemoteFolder

_UNITS: Final = ("", "K", "M", "G", "T", "P")
_BYTES: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def printable(text: str) -> str:
    """Return text without characters that a terminal would obey, or cannot show."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str) -> None:
    """Print a line that may hold names."""
    print(printable(text))


def say_json(value: dict[str, Any]) -> None:
    """Print a JSON object on a line of its own (RFC 8259); not ASCII is escaped."""
    print(json.dumps(value))


def human(size: int) -> str:
    """Return a number of bytes in powers of 1024, such as 1.5K."""
    amount = float(size)
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            return f"{size}" if not unit else f"{amount:.1f}{unit}"
        amount /= 1024
    raise AssertionError("the last unit takes everything")


def bytes_of(text: str) -> int:
    """Return a number of bytes that was written as 512, 10k, 1M or 2G, in powers of 1024.

    Raises:
        ValueError: it is no such number.
    """
    match = re.fullmatch(r"([0-9]+)([kmgt]?)", text.lower())
    if match is None:
        raise ValueError(f"a size is a number of bytes, or one with k, M, G or T, such as 1M, not {text!r}")
    return int(match[1]) * _BYTES[match[2]]


def time_of(moment: datetime | None) -> str:
    """Return a time as ISO 8601 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else "-"


def entry_as_dict(entry: FileInfo | RemoteFolder, path: str) -> dict[str, Any]:
    """Return what listings tell of a file or a folder, which is shown under this path."""
    if isinstance(entry, RemoteFolder):
        return {"type": "folder", "path": path, "is_link": entry.is_link}
    return {
        "type": "file",
        "path": path,
        "size": entry.size,
        "modified_at": entry.modified_at.isoformat() if entry.modified_at else None,
        "etag": entry.etag,
        "checksum": entry.checksum,
        "content_type": entry.content_type,
    }
