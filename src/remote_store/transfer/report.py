"""The sum of all events of a transfer."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..errors import RemoteStoreError
from .events import EventKind, TransferEvent

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that did not arrive.

    Attributes:
        path: the file, as its source names it.
        error: why.
    """

    path: str
    error: RemoteStoreError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        path: the file, as its source names it.
        kind: ``DONE``, ``SKIPPED`` or ``FAILED``.
        size: its bytes; 0 for deletions.
        attempts: how often it was tried.
        detail: how it was moved and checked, why it was skipped, or what failed.
    """

    path: str
    kind: EventKind
    size: int
    attempts: int
    detail: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON knows."""
        found = {name: getattr(self, name) for name in ("path", "size", "attempts", "detail")}
        return {**found, "kind": self.kind.value}


@dataclass(slots=True)
class TransferReport:
    """What a transfer did. ``add`` an event, and it is counted; so a report can be kept while it runs.

    Failures are kept one by one, all else as numbers: a report of a million files is small, unless
    outcomes are asked for.

    Attributes:
        planned, done, skipped, failed: files.
        planned_bytes: size of the files that were found, in bytes.
        done_bytes: size of those that are there, in bytes.
        moved_bytes: all bytes handed to the target, those of streams that failed half-way too; a file
            that moves whole counts when it has arrived.
        retries: attempts that failed and were made again, or that had to begin anew, without parts
            that were lost.
        seconds: time from the first event to the last.
        failures: the files that did not arrive, and why.
        outcomes: what became of each file, in the order of their ends; None unless ``keep_outcomes``
            asks for it. A report that is made with an empty list keeps them.
    """

    planned: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    planned_bytes: int = 0
    done_bytes: int = 0
    moved_bytes: int = 0
    retries: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    outcomes: list[Outcome] | None = None
    _began: float | None = field(default=None, repr=False, compare=False)
    _retried: Counter[str] = field(default_factory=Counter, repr=False, compare=False)

    def add(self, event: TransferEvent) -> None:
        """Count an event."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        self.seconds = now - self._began
        if event.kind is EventKind.BYTES:
            self.moved_bytes += event.size
        elif event.kind is EventKind.PLANNED:
            self.planned += 1
            self.planned_bytes += event.size
        elif event.kind is EventKind.DONE:
            self.done += 1
            self.done_bytes += event.size
        elif event.kind is EventKind.SKIPPED:
            self.skipped += 1
        elif event.kind is EventKind.RETRIED:
            self.retries += 1
        elif event.kind is EventKind.FAILED and event.error is not None:
            self.failed += 1
            self.failures.append(Failure(event.path, event.error))
        if self.outcomes is not None:
            self._keep(event, self.outcomes)

    def _keep(self, event: TransferEvent, outcomes: list[Outcome]) -> None:
        if event.kind is EventKind.RETRIED:
            self._retried[event.path] += 1
        elif event.kind in (EventKind.DONE, EventKind.SKIPPED, EventKind.FAILED):
            attempts = self._retried.pop(event.path, 0) + 1
            detail = event.detail if event.error is None else str(event.error)
            outcomes.append(Outcome(event.path, event.kind, event.size, attempts, detail))

    @property
    def bytes_per_second(self) -> float:
        """Bytes that arrived per second; 0.0 where no time passed."""
        return self.done_bytes / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows."""
        numbers = {
            name: getattr(self, name)
            for name in (
                "planned", "done", "skipped", "failed", "planned_bytes", "done_bytes", "moved_bytes",
                "retries", "seconds",
            )
        }  # fmt: skip
        failures = [
            {"path": each.path, "error": type(each.error).__name__, "message": str(each.error)}
            for each in self.failures
        ]
        found = {**numbers, "bytes_per_second": self.bytes_per_second, "failures": failures}
        if self.outcomes is not None:
            found["outcomes"] = [each.as_dict() for each in self.outcomes]
        return found

    def save(self, path: str | Path) -> None:
        """Write the report as JSON. Raises OSError."""
        Path(path).write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")

    def __str__(self) -> str:
        rows = [
            ("done", self.done, human(self.done_bytes)),
            ("skipped", self.skipped, ""),
            ("failed", self.failed, ""),
            ("retries", self.retries, ""),
        ]
        lines = [f"{name:<8}{count:>10,}  {size}".rstrip() for name, count, size in rows]
        lines.append(f"{'time':<8}{self.seconds:>8.1f} s  {human(self.bytes_per_second)}/s")
        lines += [f"  {each.path}: {each.error.message}" for each in self.failures[:20]]
        if len(self.failures) > 20:
            lines.append(f"  and {len(self.failures) - 20:,} more failures")
        return "\n".join(lines)


class TransferFailed(RemoteStoreError):
    """Some files of a transfer failed; the others are there.

    Attributes:
        report: what was done, with the failures one by one.
    """

    def __init__(self, message: str = "", *, report: TransferReport | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.report = report or TransferReport()


def human(size: float) -> str:
    """Return a number of bytes for people."""
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("the last unit takes everything")
