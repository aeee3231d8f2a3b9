"""CRC-32 (RFC 1952, section 8): of bytes, and of content whose parts' CRC-32 are known.

A CRC is the remainder of a polynomial over GF(2), written with the highest power in the
lowest bit: what stands before n bytes more counts times x to the power of 8n.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

try:
    from zlib_ng.zlib_ng import crc32 as crc32  # four times as fast
except ImportError:
    from zlib import crc32 as crc32

_POLYNOMIAL: Final = 0xEDB88320
_ONE: Final = 1 << 31
_X: Final = 1 << 30


def joined(parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC-32 of content, given CRC-32 and size in bytes of each part of it, in order."""
    whole = 0
    for crc, size in parts:
        whole = _product(_power(8 * size), whole) ^ crc
    return whole


def _product(a: int, b: int) -> int:
    total = 0
    while a:
        if a & _ONE:
            total ^= b
        a = (a << 1) & 0xFFFFFFFF
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
    return total


@cache
def _power(exponent: int) -> int:
    """Return x to that power: parts of an upload are of few sizes."""
    result, square = _ONE, _X
    while exponent:
        if exponent & 1:
            result = _product(result, square)
        square = _product(square, square)
        exponent >>= 1
    return result
