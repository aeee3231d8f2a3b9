"""What happens in a transfer, step by step."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
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
    """It failed by ``error`` and is tried again; the ``size`` bytes of that attempt do not count."""
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
            was moved and checked, such as ``"streamed, verified by storage"``.
    """

    kind: EventKind
    path: str
    size: int = 0
    error: RemoteStoreError | None = None
    detail: str = ""


OnEvent: TypeAlias = Callable[[TransferEvent], object] | None
