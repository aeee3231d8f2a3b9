"""Checksums of whole objects, computed while they are read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final, Protocol

from ..._crc import crc32

Crc = Callable[[bytes, int], int]
_found: Final[dict[str, Crc]] = {}
"""Functions of awscrt, where that is installed."""


class Damaged(Exception):
    """What came is not what the server keeps."""


class _Sum(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _RunningCrc:
    def __init__(self, function: Crc, size: int) -> None:
        self._function, self._size, self._value = function, size, 0

    def update(self, data: bytes) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def load_optional() -> None:
    """Look for the checksums that need code in C which Python does not have. The first time may take long."""
    try:
        checksums = import_module("awscrt.checksums")
    except ImportError:
        return
    for name in ("crc64nvme", "crc32c"):
        if hasattr(checksums, name):  # not in all versions
            _found[name] = getattr(checksums, name)


def _optional(name: str, size: int) -> _Sum | None:
    return _RunningCrc(_found[name], size) if name in _found else None


_KINDS: Final[dict[str, Callable[[], _Sum | None]]] = {
    "ChecksumCRC32": lambda: _RunningCrc(crc32, 4),
    "ChecksumCRC64NVME": partial(_optional, "crc64nvme", 8),
    "ChecksumCRC32C": partial(_optional, "crc32c", 4),
    "ChecksumSHA1": partial(hashlib.sha1, usedforsecurity=False),
    "ChecksumSHA256": hashlib.sha256,
}
"""In the order of what they cost."""


class Check:
    """Compares what is read, from the first byte to the last, with the checksum that the server told."""

    def __init__(self, running: _Sum, wanted: bytes) -> None:
        self._running, self._wanted, self._count = running, wanted, 0

    def add(self, at: int, pieces: Iterable[bytes], size: int) -> None:
        """Take what was read at a position. Raises Damaged at the end of an object of that size.

        Who reads with gaps, or something again, gets no answer.
        """
        if at != self._count:
            return
        for data in pieces:
            self._running.update(data)
            self._count += len(data)
        if self._count == size and self._running.digest() != self._wanted:
            raise Damaged("the checksum of the content is another than the server's")


def check_of(headers: Mapping[str, Any]) -> Check | None:
    """Return a check of the object that an answer has all of; None if it tells no sum that we know."""
    if headers.get("ContentRange") or headers.get("ChecksumType") == "COMPOSITE":
        return None
    for field, made in _KINDS.items():
        text = headers.get(field)
        if text and "-" not in text and (running := made()) is not None:
            try:
                return Check(running, base64.b64decode(text))
            except ValueError:
                continue  # no base64: there is nothing to compare with
    return None


def in_base64(crc: int) -> str:
    """Return a CRC-32 as S3 writes it."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()
