"""How fast a store is: what ``bench`` does, one measure after the other.

Every measure ends by itself: after so many files or bytes, or so many seconds, whichever is
first. What was written stays below the one folder that the caller gives, and removes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from .._sync import Store, read_many, write_many
from ..transfer import TransferOptions

SMALL: Final = 4096
"""Bytes of a small file."""
PIECE: Final = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much is measured: small files, bytes of a large one, streams at once, seconds for each measure."""

    count: int
    size: int
    concurrency: int
    seconds: float


@dataclass
class Measure:
    """What came out.

    Attributes:
        what: what was done.
        at_once: how many calls were under way at once.
        files, bytes: how much was done, altogether.
        seconds: how long it took, altogether.
        calls: the seconds of each call, where they were made one after the other.
    """

    what: str
    at_once: int = 1
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    calls: list[float] = field(default_factory=list)

    def part(self, percent: int) -> float | None:
        """Return the seconds that so many of a hundred calls did not pass; None without calls."""
        ordered = sorted(self.calls)
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None

    def rate(self, amount: int) -> float:
        """Return how much was done in a second; 0.0 where no time passed."""
        return amount / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows."""
        told = asdict(self)
        del told["calls"]
        return {
            **told,
            "median_seconds": self.part(50),
            "p95_seconds": self.part(95),
            "files_per_second": self.rate(self.files),
            "bytes_per_second": self.rate(self.bytes),
        }


class Measuring:
    """Measures a store; the files come into being at its root."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store, self._limits = store, limits
        self._stopped = threading.Event()
        self._piece = os.urandom(PIECE)  # what is random is not made smaller on its way
        self._small = self._piece[:SMALL]
        self._end = 0.0
        self._written: list[str] = []

    def all(self) -> Iterator[Measure]:
        """Measure one thing after the other, as the results are asked for.

        Raises:
            RemoteStoreError: the store does not do what is asked of it.
        """
        several = self._limits.concurrency
        self._store.write("first", self._small)  # connects
        yield self._one_by_one("write 4 KiB", self._write, self._names("small"))
        yield self._one_by_one("stat", self._look, list(self._written))
        yield self._one_by_one("read 4 KiB", self._read, list(self._written))
        yield self._many("write 4 KiB", self._written_many())
        yield self._many("read 4 KiB", self._read_many())
        yield self._list()
        yield self._one_by_one("delete", self._delete, list(self._written))
        for at_once in dict.fromkeys((1, several)):
            yield self._streams("upload", at_once, self._upload)
            yield self._streams("download", at_once, self._download)

    # -- small files: how long one call takes, and how many go at once --------------------------

    def _names(self, folder: str) -> Iterator[str]:
        return (f"{folder}/{number:06}" for number in range(self._limits.count))

    def _one_by_one(self, what: str, call: Callable[[str], int], names: Iterable[str]) -> Measure:
        measure = Measure(what)
        for name in self._in_time(names):
            begun = time.perf_counter()
            measure.bytes += call(name)
            measure.calls.append(time.perf_counter() - begun)
        measure.files, measure.seconds = len(measure.calls), sum(measure.calls)
        return measure

    def _write(self, name: str) -> int:
        self._written.append(name)
        return self._store.write(name, self._small).size

    def _look(self, name: str) -> int:
        self._store.get_file_info(name)
        return 0

    def _read(self, name: str) -> int:
        return len(self._store.read_bytes(name))

    def _delete(self, name: str) -> int:
        self._store.delete(name)
        return 0

    def _many(self, what: str, sizes: Iterable[int]) -> Measure:
        measure, begun = Measure(what, self._limits.concurrency), time.perf_counter()
        for size in sizes:
            measure.files += 1
            measure.bytes += size
        measure.seconds = time.perf_counter() - begun
        return measure

    def _written_many(self) -> Iterator[int]:
        items = ((name, self._small) for name in self._in_time(self._names("many")))
        return (result.size for result in write_many(self._store, items, options=self._options()))

    def _read_many(self) -> Iterator[int]:
        names = self._in_time(list(self._written))
        return (len(data) for _, data in read_many(self._store, names, options=self._options()))

    def _options(self) -> TransferOptions:
        return TransferOptions(concurrency=self._limits.concurrency)

    def _list(self) -> Measure:
        measure, begun = Measure("list"), time.perf_counter()
        measure.files = sum(1 for _ in self._in_time(self._store.list_files(recursive=True)))
        measure.seconds = time.perf_counter() - begun
        return measure

    def _in_time(self, items: Iterable[Any]) -> Iterator[Any]:
        """Give items until the time is up, but one in any case."""
        end = time.perf_counter() + self._limits.seconds
        for item in items:
            yield item
            if time.perf_counter() > end:
                return

    # -- large files: bytes in a second, in one stream and in several ------------------------------

    def _streams(self, what: str, at_once: int, call: Callable[[str], int]) -> Measure:
        """Move one large file in each of so many threads."""
        self._end = (begun := time.perf_counter()) + self._limits.seconds
        with ThreadPoolExecutor(at_once) as threads:
            names = [f"large/{at_once}-{number}" for number in range(at_once)]
            try:
                moved = list(threads.map(call, names))
            except BaseException:  # Ctrl-C too: the others are not to go on behind our back
                self._stopped.set()
                raise
        return Measure(what, at_once, at_once, sum(moved), time.perf_counter() - begun)

    def _upload(self, name: str) -> int:
        return self._store.write(name, self._pieces()).size

    def _pieces(self) -> Iterator[memoryview]:
        left = self._limits.size
        while left > 0 and self._goes_on():
            yield memoryview(self._piece)[:left]
            left -= PIECE

    def _download(self, name: str) -> int:
        size = 0
        with self._store.read(name) as stream:
            while self._goes_on() and (data := stream.read(PIECE)):
                size += len(data)
        return size

    def _goes_on(self) -> bool:
        """Return whether there is time for another piece.

        Raises:
            InterruptedError: all of it was stopped; what is half written is to go.
        """
        if self._stopped.is_set():
            raise InterruptedError("stopped")
        return time.perf_counter() < self._end
