"""Numbers, attributes and names as they stand in packets of SFTP version 3."""

from __future__ import annotations

import stat
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is an exception
from typing import Final, NamedTuple

INIT: Final = 1
VERSION: Final = 2
OPEN: Final = 3
CLOSE: Final = 4
READ: Final = 5
WRITE: Final = 6
LSTAT: Final = 7
FSTAT: Final = 8
FSETSTAT: Final = 10
OPENDIR: Final = 11
READDIR: Final = 12
REMOVE: Final = 13
MKDIR: Final = 14
RMDIR: Final = 15
REALPATH: Final = 16
STAT: Final = 17
RENAME: Final = 18
STATUS: Final = 101
HANDLE: Final = 102
DATA: Final = 103
NAME: Final = 104
ATTRS: Final = 105
EXTENDED: Final = 200
EXTENDED_REPLY: Final = 201

FLAG_READ: Final = 0x01
FLAG_WRITE: Final = 0x02
FLAG_CREATE: Final = 0x08
FLAG_EXCLUSIVE: Final = 0x20

OK: Final = 0
EOF: Final = 1
NO_SUCH_FILE: Final = 2
PERMISSION_DENIED: Final = 3
FAILURE: Final = 4
BAD_MESSAGE: Final = 5
NO_CONNECTION: Final = 6
CONNECTION_LOST: Final = 7
UNSUPPORTED: Final = 8

_SIZE: Final = 0x1
_OWNER: Final = 0x2
WITH_MODE: Final = 0x4
_TIMES: Final = 0x8
_EXTENDED: Final = 0x80000000

u32: Final = Struct(">I")
u64: Final = Struct(">Q")
u32u32: Final = Struct(">II")
u64u32: Final = Struct(">QI")
HEADER: Final = Struct(">IBI")
"""Length of what follows, type, number of the request."""


class Refused(Exception):
    """The server said no: a status that is no success.

    Attributes:
        code: the status, as the protocol numbers it.
        text: what the server says about it, for people.
    """

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code, text)
        self.code, self.text = code, text

    def __str__(self) -> str:
        return f"SFTP status {self.code}{f': {self.text}' if self.text else ''}"


class TooMany(Refused):
    """This side said no: as many files are open as the server allows."""

    def __init__(self, text: str) -> None:
        super().__init__(FAILURE, text)

    def __str__(self) -> str:
        return self.text


class Lost(Exception):
    """The channel is gone, or what comes over it is no SFTP."""


class Silent(Lost):
    """The server has not answered for as long as anybody waits: asking again would take as long again."""


class Attrs(NamedTuple):
    """Facts of a file; None where the server does not tell."""

    size: int | None
    mode: int | None
    mtime: int | None
    """Seconds since 1970, UTC."""

    @property
    def kind(self) -> int:
        """The type of the file, as ``stat.S_IFMT`` gives it; 0 if the server does not tell."""
        return stat.S_IFMT(self.mode or 0)


class Name(NamedTuple):
    """An entry of a folder."""

    name: bytes
    attrs: Attrs


def text(data: bytes) -> bytes:
    """Return a string as it stands in a packet."""
    return u32.pack(len(data)) + data


def read_text(body: bytes, at: int) -> tuple[bytes, int]:
    """Return the string that begins at a place, and the place behind it."""
    (length,) = u32.unpack_from(body, at)
    end = at + 4 + length
    if end > len(body):
        raise Lost("a packet ends within a string")
    return body[at + 4 : end], end


def read_attrs(body: bytes, at: int) -> tuple[Attrs, int]:
    """Return the attributes that begin at a place, and the place behind them."""
    (flags,) = u32.unpack_from(body, at)
    at += 4
    size = mode = mtime = None
    if flags & _SIZE:
        (size,) = u64.unpack_from(body, at)
        at += 8
    if flags & _OWNER:
        at += 8
    if flags & WITH_MODE:
        (mode,) = u32.unpack_from(body, at)
        at += 4
    if flags & _TIMES:
        _, mtime = u32u32.unpack_from(body, at)
        at += 8
    if flags & _EXTENDED:
        (count,) = u32.unpack_from(body, at)
        at += 4
        for _ in range(2 * count):
            _, at = read_text(body, at)
    return Attrs(size, mode, mtime), at


def _status(body: bytes) -> Refused | None:
    """Return what a status refuses; None for success. Some servers leave the text out."""
    (code,) = u32.unpack_from(body, 0)
    if code == OK:
        return None
    said = read_text(body, 4)[0].decode(errors="replace") if len(body) > 4 else ""
    return Refused(code, said)


def refusal(kind: int, body: bytes) -> Exception:
    """Return the error for an answer that is not of the kind that was asked for."""
    if kind != STATUS:
        return Lost(f"the server answers with a packet of type {kind} where another belongs")
    return _status(body) or Lost("the server answers with success where a result belongs")


def done(kind: int, body: bytes) -> None:
    """Read the answer to a request that has no result."""
    refused = _status(body) if kind == STATUS else refusal(kind, body)
    if refused is not None:
        raise refused


def handle(kind: int, body: bytes) -> bytes:
    """Read a handle."""
    if kind != HANDLE:
        raise refusal(kind, body)
    return read_text(body, 0)[0]


def data(most: int, kind: int, body: bytes) -> bytes:
    """Read a piece of a file, of which the body has no more than that; empty at the end."""
    if kind == DATA:
        if len(body) > most:
            raise Lost("the server gives more of a file than it was asked for")
        return body
    refused = refusal(kind, body)
    if isinstance(refused, Refused) and refused.code == EOF:
        return b""
    raise refused


def attrs(kind: int, body: bytes) -> Attrs:
    """Read attributes."""
    if kind != ATTRS:
        raise refusal(kind, body)
    return read_attrs(body, 0)[0]


def names(kind: int, body: bytes) -> list[Name] | None:
    """Read entries of a folder; None at its end."""
    if kind != NAME:
        refused = refusal(kind, body)
        if isinstance(refused, Refused) and refused.code == EOF:
            return None
        raise refused
    (count,) = u32.unpack_from(body, 0)
    at, found = 4, []
    for _ in range(count):
        name, at = read_text(body, at)
        (long_name,) = u32.unpack_from(body, at)  # a line for people: no program can rely on it
        facts, at = read_attrs(body, at + 4 + long_name)
        found.append(Name(name, facts))
    return found


def one_name(kind: int, body: bytes) -> bytes:
    """Read the single name of an answer."""
    found = names(kind, body)
    if not found:
        raise Lost("the server answers with no name where one belongs")
    return found[0].name


def extension(kind: int, body: bytes) -> bytes:
    """Read the answer of an extension, as it is."""
    if kind != EXTENDED_REPLY:
        raise refusal(kind, body)
    return body


MALFORMED: Final = (StructError, IndexError)
"""What reading a packet raises that ends too early."""
