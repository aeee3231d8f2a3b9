"""``FaultyBackend``: a storage that fails as the script says, at the same place every time.

    faulty = FaultyBackend(
        MemoryBackend(),
        [
            Fault("read_bytes", at=3),                                   # the third call fails
            Fault("reader.read", "flip", path="data/**"),                # one bit arrives changed
            Fault("*", "delay", times=None, probability=0.1),            # a tenth of all calls is slow
            Fault("writer.commit", error=PermissionDenied, times=2),     # refused twice, then done
        ],
        seed=7,
    )
    store = Store(faulty)

Chances and places are drawn from the seed, the fault and the number of the call alone: the
same calls with the same seed go wrong in the same way, on asyncio, on trio and blocking.
``log`` tells afterwards what was called and what struck.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from .. import _runtime
from .._async._walk import compile_pattern
from .._types import Buffer
from ..backend import Backend, Pages, Reader, Writer
from ..errors import BackendUnavailable, RemoteStoreError
from ..models import Entry, FileInfo, FolderInfo, WriteResult
from ..wrapper import BackendWrapper, PagesWrapper, ReaderWrapper, WriterWrapper

Kind: TypeAlias = Literal["error", "short_read", "truncate", "flip", "delay", "stall"]

_KINDS: Final[tuple[str, ...]] = get_args(Kind)
_READS: Final = frozenset(("read_bytes", "reader.read"))
_FITS: Final = {
    "short_read": frozenset(("reader.read",)),
    "truncate": _READS,
    "flip": _READS | {"write_bytes", "writer.write"},
}
"""Faults of the data strike only where data passes; the others strike everywhere."""
_SECONDS: Final = {"delay": 0.1, "stall": 60.0}

OPERATIONS: Final = frozenset(
    (
        "is_file", "is_folder", "exists", "get_file_info", "get_folder_info", "ping",
        "open_read", "read_bytes", "open_write", "write_bytes",
        "delete", "delete_folder", "move", "copy", "list_pages", "aclose",
        "reader.read", "reader.seek", "reader.aclose",
        "writer.write", "writer.commit", "writer.abort",
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
        seconds: how long to wait; by default 0.1 for ``"delay"`` and 60 for ``"stall"``.
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


class FaultyBackend(BackendWrapper):
    """A backend that behaves as ``inner`` does, but for the faults of its script.

    Where several faults fit a call, the first of the script that is due strikes, and the
    others count the call. May be used from many tasks and threads at once, as any backend.

    Args:
        inner: the backend that does the work.
        faults: the script; ``script`` adds to it.
        seed: what chances and places are drawn from.
    """

    def __init__(self, inner: Backend, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        super().__init__(inner)
        self.seed = seed
        self.log: list[Record] = []
        self._lock = _runtime.Lock()
        self._calls: Counter[str] = Counter()
        self._script: list[_Due] = []
        self.script(*faults)

    def script(self, *faults: Fault) -> None:
        """Add faults. Each counts its calls from now on."""
        for fault in faults:
            if not isinstance(fault, Fault):
                raise TypeError(f"a script is made of Fault objects, not {type(fault).__name__}")
        with self._lock:
            for fault in faults:
                self._script.append(_Due(fault, f"{self.seed}/{len(self._script)}"))

    def _note(self, operation: str, paths: tuple[str, ...]) -> _Hit | None:
        with self._lock:
            hit = None
            for due in self._script:
                if due.fault.concerns(operation, paths):
                    hit = due.strike(free=hit is None) or hit
            self._calls[operation] += 1
            fault = hit.fault if hit is not None else None
            self.log.append(Record(operation, next(iter(paths), None), self._calls[operation], fault))
            return hit

    async def _pass(self, operation: str, *paths: str) -> _Hit | None:
        """Note a call and let its fault strike; return what is left to do to the data."""
        hit = self._note(operation, paths)
        if hit is None:
            return None
        fault, path = hit.fault, next(iter(paths), None)
        if fault.waits:
            await _runtime.sleep(fault.waits)
        if fault.kind == "stall":
            raise BackendUnavailable(
                f"scripted stall: no answer within {fault.waits} seconds", path=path, backend=self.name
            )
        if fault.kind == "error":
            raise self._raised(fault.error, operation, path)
        return hit

    def _raised(
        self, error: BaseException | type[BaseException], operation: str, path: str | None
    ) -> BaseException:
        if isinstance(error, BaseException):
            return error
        message = f"scripted fault in {operation}"
        if issubclass(error, RemoteStoreError):
            return error(message, path=path, backend=self.name)
        return error(message)

    # -- questions -------------------------------------------------------------

    async def is_file(self, path: str) -> bool:
        await self._pass("is_file", path)
        return await super().is_file(path)

    async def is_folder(self, path: str) -> bool:
        await self._pass("is_folder", path)
        return await super().is_folder(path)

    async def exists(self, path: str) -> bool:
        await self._pass("exists", path)
        return await super().exists(path)

    async def get_file_info(self, path: str) -> FileInfo:
        await self._pass("get_file_info", path)
        return await super().get_file_info(path)

    async def get_folder_info(self, path: str) -> FolderInfo:
        await self._pass("get_folder_info", path)
        return await super().get_folder_info(path)

    async def ping(self) -> None:
        await self._pass("ping")
        await super().ping()

    # -- content ---------------------------------------------------------------

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        await self._pass("open_read", path)
        return _FaultyReader(await super().open_read(path, start=start, length=length), self, path)

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        hit = await self._pass("read_bytes", path)
        data = await super().read_bytes(path, start=start, length=length)
        return data if hit is None else hit.spoiled(data)

    async def open_write(self, path: str, *, overwrite: bool = False, atomic: bool = False) -> Writer:
        await self._pass("open_write", path)
        return _FaultyWriter(await super().open_write(path, overwrite=overwrite, atomic=atomic), self, path)

    async def write_bytes(
        self, path: str, data: memoryview, *, overwrite: bool = False, atomic: bool = False
    ) -> WriteResult:
        hit = await self._pass("write_bytes", path)
        if hit is not None:
            data = memoryview(hit.spoiled(bytes(data)))
        return await super().write_bytes(path, data, overwrite=overwrite, atomic=atomic)

    # -- changes ---------------------------------------------------------------

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self._pass("delete", path)
        await super().delete(path, missing_ok=missing_ok)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self._pass("delete_folder", path)
        await super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        await self._pass("move", src, dst)
        return await super().move(src, dst, overwrite=overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        await self._pass("copy", src, dst)
        return await super().copy(src, dst, overwrite=overwrite)

    # -- the rest ----------------------------------------------------------------

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        pages = super().list_pages(path, recursive=recursive, files=files, folders=folders)
        return _FaultyPages(pages, self, path)

    async def aclose(self) -> None:
        try:
            await self._pass("aclose")
        finally:
            await super().aclose()


class _Due:
    """One fault of a script, and how far it has got."""

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault, self._seed = fault, seed
        self._seen = self._struck = 0

    def strike(self, *, free: bool) -> _Hit | None:
        """Count a call; return the hit if it is to be struck, and no other fault has it yet."""
        self._seen += 1
        spent = self.fault.times is not None and self._struck >= self.fault.times
        if not free or spent or self._seen < self.fault.at:
            return None
        dice = random.Random(f"{self._seed}/{self._seen}")  # noqa: S311 - has to be repeatable, not secret
        if self.fault.probability is not None and dice.random() >= self.fault.probability:
            return None
        self._struck += 1
        return _Hit(self.fault, dice)


class _Hit:
    """A fault that strikes one call, with the dice for its place."""

    def __init__(self, fault: Fault, dice: random.Random) -> None:
        self.fault, self._dice = fault, dice

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


class _FaultyReader(ReaderWrapper):
    def __init__(self, inner: Reader, backend: FaultyBackend, path: str) -> None:
        super().__init__(inner)
        self._backend, self._path = backend, path
        self._ended = False

    async def read(self, n: int) -> bytes:
        hit = await self._backend._pass("reader.read", self._path)
        if self._ended:
            return b""
        if hit is None:
            return await super().read(n)
        self._ended = hit.fault.kind == "truncate"
        return hit.spoiled(await super().read(hit.asked(n)))

    async def readinto(self, buffer: memoryview) -> int:
        # By way of read: what a fault leaves must not show in the rest of the buffer.
        data = await self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def seek(self, position: int) -> None:
        await self._backend._pass("reader.seek", self._path)
        await super().seek(position)
        self._ended = False

    async def aclose(self) -> None:
        try:
            await self._backend._pass("reader.aclose", self._path)
        finally:
            await super().aclose()


class _FaultyWriter(WriterWrapper):
    def __init__(self, inner: Writer, backend: FaultyBackend, path: str) -> None:
        super().__init__(inner)
        self._backend, self._path = backend, path

    async def write(self, data: Buffer) -> None:
        hit = await self._backend._pass("writer.write", self._path)
        await super().write(data if hit is None else hit.spoiled(bytes(data)))

    async def commit(self) -> WriteResult:
        await self._backend._pass("writer.commit", self._path)
        return await super().commit()

    async def abort(self) -> None:
        try:
            await self._backend._pass("writer.abort", self._path)
        finally:
            await super().abort()


class _FaultyPages(PagesWrapper):
    def __init__(self, inner: Pages, backend: FaultyBackend, path: str) -> None:
        super().__init__(inner)
        self._backend, self._path = backend, path
        self._begun = False

    async def __anext__(self) -> list[Entry]:
        if not self._begun:
            self._begun = True
            await self._backend._pass("list_pages", self._path)
        await self._backend._pass("pages.next", self._path)
        return await super().__anext__()

    async def aclose(self) -> None:
        try:
            await self._backend._pass("pages.aclose", self._path)
        finally:
            await super().aclose()
