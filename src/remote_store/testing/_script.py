"""What a ``FaultyBackend`` goes by: faults, where they are due, and what they do to data."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from .._async._walk import compile_pattern
from ..errors import BackendUnavailable, RemoteStoreError

Kind: TypeAlias = Literal["error", "short_read", "truncate", "flip", "delay", "stall"]

_KINDS: Final[tuple[str, ...]] = get_args(Kind)
_READS: Final = frozenset(("read_bytes", "reader.read"))
_FITS: Final = {
    "short_read": frozenset(("reader.read",)),
    "truncate": _READS,
    "flip": _READS | {"write_bytes", "writer.write", "parts.write"},
}
"""Faults of the data strike only where data passes; the others strike everywhere."""
_SECONDS: Final = {"delay": 0.1, "stall": 60.0}

OPERATIONS: Final = frozenset(
    (
        "is_file", "is_folder", "exists", "get_file_info", "get_folder_info", "ping", "probe", "presign",
        "open_read", "read_bytes", "open_write", "write_bytes",
        "open_parts", "forget_parts",
        "delete", "delete_folder", "move", "copy", "list_pages", "aclose",
        "reader.read", "reader.seek", "reader.aclose",
        "writer.write", "writer.commit", "writer.abort",
        "parts.confirmed", "parts.write", "parts.commit", "parts.abort", "parts.aclose",
        "pages.next", "pages.aclose",
    )
)  # fmt: skip
"""Where a fault can strike: calls of the backend, and of the sessions that it opens.

``list_pages`` is the moment when the first page of a listing is asked for, ``pages.next``
each page, and ``reader.read`` each portion, by ``read`` or ``readinto``.
"""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        operation: one of ``OPERATIONS``, or ``"*"`` for all of them.
        kind: what happens.
            ``"error"`` raises before anything is done. What closes or aborts is done all the
            same, so that a test leaks nothing.
            ``"short_read"`` gives fewer bytes than asked for, and right ones.
            ``"truncate"`` ends the content early, as if that were all of it.
            ``"flip"`` changes one bit of what is read or written.
            ``"delay"`` waits first. ``"stall"`` waits until it is cancelled or the time is
            up, and then raises BackendUnavailable.
        at: the first call that is struck, counted from 1 among the calls of this operation
            and path.
        times: how many calls are struck from there on; None is all of them.
        path: only calls for this path, or for paths that match this pattern (as in
            ``Store.glob``), are struck and counted. Either path of move and copy will do.
        probability: the chance of each such call to be struck, above 0; None is always.
        error: what ``"error"`` raises: an exception, or a class, which is given a message
            and, if it is one of this library's, path and backend. Give a class where more
            than one call is struck.
        seconds: how long to wait before it strikes; by default 0.1 for ``"delay"`` and 60 for ``"stall"``.
        size: the bytes that remain of a short or truncated read; by default drawn from the seed.

    Raises:
        ValueError: the script makes no sense, so it would never strike.
    """

    operation: str
    kind: Kind = "error"
    at: int = 1
    times: int | None = 1
    path: str | None = None
    probability: float | None = None
    error: BaseException | type[BaseException] = BackendUnavailable
    seconds: float | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        if self.operation != "*" and self.operation not in OPERATIONS:
            known = ", ".join(sorted(OPERATIONS))
            raise ValueError(f"unknown operation {self.operation!r}; there are: *, {known}")
        if self.kind not in _KINDS:
            raise ValueError(f"unknown kind {self.kind!r}; there are: {', '.join(_KINDS)}")
        if self.operation != "*" and self.operation not in _FITS.get(self.kind, OPERATIONS):
            places = ", ".join(sorted(_FITS[self.kind]))
            raise ValueError(f"{self.kind!r} cannot strike {self.operation!r}; it can strike: *, {places}")
        self._check_numbers()
        if self.path is not None:
            compile_pattern(self.path)

    def _check_numbers(self) -> None:
        if self.at < 1 or (self.times is not None and self.times < 1):
            raise ValueError("calls are counted from 1: at and times must be 1 or more")
        if self.probability is not None and not 0 < self.probability <= 1:
            raise ValueError(f"probability must be above 0 and at most 1, not {self.probability}")
        if (self.seconds or 0) < 0 or (self.size or 0) < 0:
            raise ValueError("seconds and size must not be negative")

    def concerns(self, operation: str, paths: tuple[str, ...]) -> bool:
        """Return True if this fault can strike such a call."""
        if self.operation not in (operation, "*") or operation not in _FITS.get(self.kind, OPERATIONS):
            return False
        if self.path is None:
            return True
        matches = compile_pattern(self.path)
        return any(path == self.path or matches(path) for path in paths)

    @property
    def waits(self) -> float:
        """Seconds to wait when this fault strikes."""
        return self.seconds if self.seconds is not None else _SECONDS.get(self.kind, 0.0)


class Record(NamedTuple):
    """One call that a ``FaultyBackend`` has seen.

    Attributes:
        operation: one of ``OPERATIONS``.
        path: the key, the source's for move and copy; None where no path is involved.
        number: how many calls of this operation there have been, this one included.
        fault: what struck it, or None.
    """

    operation: str
    path: str | None
    number: int
    fault: Fault | None


class Due:
    """One fault of a script, and how far it has got."""

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault, self._seed = fault, seed
        self._seen = self._struck = 0

    def strike(self, *, free: bool) -> Hit | None:
        """Count a call; return the hit if it is to be struck, and no other fault has it yet."""
        self._seen += 1
        spent = self.fault.times is not None and self._struck >= self.fault.times
        if not free or spent or self._seen < self.fault.at:
            return None
        dice = random.Random(f"{self._seed}/{self._seen}")  # noqa: S311 - has to be repeatable, not secret
        if self.fault.probability is not None and dice.random() >= self.fault.probability:
            return None
        self._struck += 1
        return Hit(self.fault, dice)


class Hit:
    """A fault that strikes one call, with the dice for its place."""

    def __init__(self, fault: Fault, dice: random.Random) -> None:
        self.fault, self._dice = fault, dice

    def error(self, message: str, path: str | None, backend: str) -> BaseException | None:
        """Return what the struck call raises, if it raises."""
        if self.fault.kind not in ("error", "stall"):
            return None
        error = self.fault.error if self.fault.kind == "error" else BackendUnavailable
        if isinstance(error, BaseException):
            return error
        if issubclass(error, RemoteStoreError):
            return error(message, path=path, backend=backend)
        return error(message)

    def spoiled(self, data: bytes) -> bytes:
        """Return the data as the fault leaves it."""
        if not data:
            return data
        if self.fault.kind == "truncate":
            return data[: self._fewer(len(data), least=0)]
        if self.fault.kind == "flip":
            changed = bytearray(data)
            changed[self._dice.randrange(len(data))] ^= 1 << self._dice.randrange(8)
            return bytes(changed)
        return data

    def asked(self, n: int) -> int:
        """Return how many of n bytes to ask for."""
        return self._fewer(n, least=1) if self.fault.kind == "short_read" and n > 1 else n

    def _fewer(self, n: int, *, least: int) -> int:
        size = self.fault.size if self.fault.size is not None else self._dice.randrange(least, n)
        return max(least, min(size, n - 1))
