"""What the user asks of a transfer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

MIB: Final = 1 << 20
HELD: Final = 48 * MIB
"""Bytes that a stream holds at most: parts on their way, and what is read ahead."""
COPIES: Final = 3
"""How often a file that moves whole may be in memory: as it came, joined, and in buffers of a connection."""
_ON_ERROR: Final = ("collect", "fail_fast")
_VERIFY: Final = ("none", "storage", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOptions:
    """How many files move at once, how much memory that may take, and what happens when one fails.

    Attributes:
        concurrency: most files under way at once; by default what suits the two storages.
        memory_limit: most bytes of content that are held at once, over all files. A file larger
            than ``large_file_threshold`` counts with what its streams hold, which is less where
            this is less; others count three times their size, for the buffers they go through.
        large_file_threshold: size in bytes from which a file is streamed, in parallel parts
            where the storage has them, instead of being moved whole in one request each way; a
            third of ``memory_limit`` where that is less.
        part_size: size in bytes of the parts of such a file, 5 MiB or more, where the storage takes parts:
            S3, and local disk under a journal. An eighth of ``memory_limit`` at most, and more where there
            would be too many; by default what the backend was made with.
        retries: how often a file is tried again after an error that may pass, with growing
            pauses between; the storages' own repetitions of single requests come before that.
        verify: ``"storage"`` compares a digest with what the storage says that it stored, where
            it says so; ``"full"`` reads each file back as well; ``"none"`` compares sizes only.
        on_error: ``"collect"`` goes on with the other files and raises ``TransferFailed`` at the
            end; ``"fail_fast"`` cancels the others and raises the first error.
        overwrite: replace files that are there; otherwise they are failures.
        skip_existing: leave files that are there alone, and count them as skipped.
        keep_outcomes: keep in the report what became of each file; that takes memory for each.
        dry_run: change nothing, and report what would be done; without ``overwrite`` each file is looked
            for at the target.

    Raises:
        ValueError: a value makes no sense.
        TypeError: a value is of another type.
    """

    concurrency: int | None = None
    memory_limit: int = 256 * MIB
    large_file_threshold: int = 8 * MIB
    part_size: int | None = None
    retries: int = 3
    verify: Literal["none", "storage", "full"] = "storage"
    on_error: Literal["collect", "fail_fast"] = "collect"
    overwrite: bool = False
    skip_existing: bool = False
    dry_run: bool = False
    keep_outcomes: bool = False

    @property
    def stream_memory(self) -> int:
        """Bytes that each of the two streams of a large file may hold."""
        return min(max(HELD, 3 * (self.part_size or 0)), self.memory_limit // 4)

    @property
    def whole_at_most(self) -> int:
        """Size in bytes up to which a file moves whole, so that it fits in the memory."""
        return min(self.large_file_threshold, self.memory_limit // COPIES)

    def __post_init__(self) -> None:
        if self.concurrency is not None:
            _at_least("concurrency", self.concurrency, 1)
        _at_least("memory_limit", self.memory_limit, MIB, "bytes: 1 MiB")
        _at_least("large_file_threshold", self.large_file_threshold, 0, "bytes: 0")
        if self.part_size is not None:
            _at_least("part_size", self.part_size, 5 * MIB, "bytes: 5 MiB")
        _at_least("retries", self.retries, 0)
        _one_of("verify", self.verify, _VERIFY)
        _one_of("on_error", self.on_error, _ON_ERROR)
        if self.overwrite and self.skip_existing:
            raise ValueError("overwrite and skip_existing exclude each other; give one of them")


def _at_least(name: str, value: Any, least: int, shown: str = "") -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be {shown or least} or more, not {value}")


def _one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, not {value!r}")
