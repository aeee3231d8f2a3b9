"""What happens in a transfer, step by step."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TypeAlias

from ..errors import RemoteStoreError


class EventKind(enum.Enum):
    """What a ``TransferEvent`` tells."""

    PLANNED = "planned"
    """A file was found; ``size`` bytes are to be moved."""
    STARTED = "started"
    """Work on it has begun."""
    BYTES = "bytes"
    """``size`` more bytes of it have been handed to the target."""
    RETRIED = "retried"
    """It failed by ``error`` and is tried again; ``size`` bytes that were handed over do not count any more.
    Those of parts that have arrived, and are gone on with, do. Where an attempt finds that parts of those
    before are of no use, it tells so by one of these, and goes on."""
    DONE = "done"
    """It is there; it has ``size`` bytes."""
    SKIPPED = "skipped"
    """Nothing was done, for the reason in ``detail``."""
    FAILED = "failed"
    """It was given up because of ``error``."""


@dataclass(frozen=True, slots=True)
class TransferEvent:
    """One step of one file.

    Attributes:
        kind: what happened.
        path: the file, as its source names it; for deletions, the file that goes.
        size: bytes; what they mean depends on the kind.
        error: why it failed, for ``RETRIED`` and ``FAILED``.
        detail: for ``SKIPPED`` the reason, in a dry run what would be done and why; for ``DONE`` how it
            was moved and checked, such as ``"streamed, verified by the storage"``.
    """

    kind: EventKind
    path: str
    size: int = 0
    error: RemoteStoreError | None = None
    detail: str = ""


OnEvent: TypeAlias = Callable[[TransferEvent], object] | None


class Ended(Exception):
    """An ``on_event`` has ended the program, or was interrupted. Holds the error, which no task may raise."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


def is_awaited(on_event: OnEvent) -> bool:
    """Return True if it is a coroutine function, or an object that is called like one."""
    call = getattr(on_event, "__call__", None)  # noqa: B004 - of an object the method tells, not the object
    return iscoroutinefunction(on_event) or iscoroutinefunction(call)
