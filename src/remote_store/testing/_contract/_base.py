"""What all parts of the contract stand on: how the storage is made, and the four ways to use it."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Final, TypeVar

import anyio
import pytest

from ..._async import AsyncStore
from ..._sync import Store
from ...backend import CHUNK_SIZE, Backend
from ...capabilities import Capability
from ...models import FileInfo
from ...paths import PathLike
from .._blocking import driven, face_of
from .._ways import LOOPS, WAYS

T = TypeVar("T")

TEXT: Final = bytes(range(256)) * 4
LARGE: Final = Random(20).randbytes(2 * CHUNK_SIZE + 12_345)  # noqa: S311 - test data
"""More than two chunks, and no multiple of anything."""

HOW: Final = ("write", "write_atomic", "open_write", "open_write_atomic")
"""The names of the four ways to store a file; see ``ContractBase.put``."""


def assert_same(got: bytes | bytearray, expected: bytes, *where: object) -> None:
    """Compare content, and say in a line where it differs.

    Either side may be large where a backend is broken, and pytest explains ``==`` by a
    diff, computed whole where ``CI`` is set: for megabytes that takes minutes.
    """
    if got != expected:
        pairs = enumerate(zip(got, expected, strict=False))
        at = next((at for at, (one, other) in pairs if one != other), min(len(got), len(expected)))
        here = slice(max(at - 4, 0), at + 16)
        pytest.fail(
            f"{len(got)} bytes instead of {len(expected)}, different from byte {at} on:"
            f" {got[here]!r} instead of {expected[here]!r} {where or ''}"
        )


class ContractBase:
    """Makes the storage for each test; the parts of the contract derive from it."""

    pytestmark = pytest.mark.anyio

    odd_names: ClassVar[tuple[str, ...]] = (
        " ", "  two  spaces  ", "...", ".hidden", "~", "a..b", "-", "--help", "#", "a?b", "a*b", "[x]", "{y}",
        "%", "%2F", "%41", "a%b+c", "&amp;", "<tag>", "a:b", "a|b", '"', "'", "`$HOME`", "a;b", "a,b", "a=b",
        "@", "!", "^", "tab\there", "line\nbreak", "ends in newline\n", "ends in return\r", "\x01\x1f\x7f",
        "caf\u00e9", "n\u0303", "\u65e5\u672c", "\u05e9\u05dc", "\U0001f600", "\u200b", "\u2028", "\ufeff",
        "CON", "x" * 200,
    )  # fmt: skip
    """File names that have to come back as they were given. Leave out what your storage refuses."""

    more_than_a_page: ClassVar[int] = 1100
    """So many files certainly come as several pages of a listing."""

    creators: ClassVar[int] = 32
    """How many create the same file at the same time."""

    rounds: ClassVar[int] = 3
    """How often each race is run."""

    looks_before_writing: ClassVar[bool] = True
    """Whether a write sees a folder of its target's name, or a file above it, and refuses.

    False for object stores: there both are legal, and looking would cost a request for each.
    """

    running: str
    """The way in which this test runs."""
    folder: Path
    """What ``make_backend`` got."""

    # -- for you to define ---------------------------------------------------------

    def make_backend(self, tmp_path: Path) -> Backend:
        """Return a new backend over empty storage that no other test uses.

        Args:
            tmp_path: an empty folder of this test's own, for whoever has use for one.
        """
        raise NotImplementedError("say what to test: define make_backend(self, tmp_path) -> Backend")

    def make_second(self, backend: Backend, tmp_path: Path) -> Backend:
        """Return another backend object over the same storage, for races and round trips.

        Args:
            backend: what ``make_backend`` returned. This is the answer where storage
                belongs to one object, as in memory.
            tmp_path: what ``make_backend`` got.
        """
        return backend

    def count_held(self, backend: Backend) -> int:
        """Return how many things (files, connections, locks) the backend holds open now.

        By default the open files below ``tmp_path`` are counted, where the system tells.
        """
        below = str(self.folder)
        return sum(target.startswith(below) for target in _open_files())

    # -- fixtures --------------------------------------------------------------------

    @pytest.fixture(params=WAYS)
    def way(self, request: pytest.FixtureRequest) -> str:
        """Give the way to run, for each of the four; override it to run fewer."""
        return str(request.param)

    @pytest.fixture
    def anyio_backend(self, way: str) -> tuple[str, dict[str, Any]]:
        """Tell anyio's plugin which loop to run."""
        return LOOPS[way]

    @pytest.fixture
    def prepared(self) -> None:
        """Do nothing. Override it with what has to happen before ``make_backend``."""

    @pytest.fixture
    def raw(self, way: str, prepared: object, tmp_path: Path, request: pytest.FixtureRequest) -> Backend:
        """Give the backend as it was made."""
        self.running = way
        self.folder = tmp_path / "storage"
        self.folder.mkdir()
        backend = self.make_backend(self.folder)
        for capability in getattr(request.function, "__needs__", ()):
            _require(backend, capability)
        return backend

    @pytest.fixture(autouse=True)
    async def _closed_at_the_end(self, anyio_backend: object, raw: Backend) -> AsyncGenerator[None, None]:
        yield
        await self.used(raw).aclose()

    @pytest.fixture
    def backend(self, raw: Backend) -> Backend:
        """Give the backend, to be called as the way demands."""
        return self.used(raw)

    @pytest.fixture
    async def second(self, anyio_backend: object, raw: Backend) -> AsyncGenerator[Backend, None]:
        """Give another backend object over the same storage."""
        second = self.make_second(raw, self.folder)
        yield second
        if second is not raw:
            await self.used(second).aclose()

    @pytest.fixture
    def store(self, raw: Backend) -> AsyncStore:
        """Give a store of the whole storage, in the face that the way demands."""
        return self.open(raw)

    @pytest.fixture
    def inner(self, raw: Backend) -> AsyncStore:
        """Give a store of one folder of the storage."""
        return self.open(raw, "outer/in ner")

    # -- what tests ask for ------------------------------------------------------------

    @property
    def blocking(self) -> bool:
        """True if the test runs through the blocking face."""
        return self.running == "blocking"

    def open(self, backend: Backend, root: PathLike = "") -> AsyncStore:
        """Return a new store, in the face that the way demands."""
        return face_of(Store(backend, root)) if self.blocking else AsyncStore(backend, root)

    def used(self, backend: Backend) -> Backend:
        """Return a backend to be called as the way demands."""
        return driven(backend) if self.blocking else backend

    async def released(self, raw: Backend, before: int) -> None:
        """Fail unless the backend soon holds no more than before.

        A worker thread may let go of a result a moment after the task has got it.
        """
        gc.collect(1)  # a cycle may hold what was dropped just now; a full collection takes too long
        end = time.monotonic() + 5
        while (held := self.count_held(raw)) > before:
            assert time.monotonic() < end, f"{held - before} more open than before"
            await anyio.sleep(0.005)

    def plain(self, stream: Any) -> Any:
        """Return a stream as the face has it: the blocking one in the blocking way."""
        return stream.plain if self.blocking else stream

    def skip_unless_able(self, store: AsyncStore, how: str) -> None:
        """Skip the test if the backend cannot store a file in one of the four ways of ``HOW``."""
        _require(store, Capability.ATOMIC_WRITE if how.endswith("atomic") else Capability.WRITE)

    async def skip_unless_exclusive(self, store: AsyncStore) -> None:
        """Skip the test if ``overwrite=False`` can only look first, and the storage says so."""
        if Capability.EXCLUSIVE_CREATE not in await store.probe():
            pytest.skip("the backend has no EXCLUSIVE_CREATE capability")

    def skip_unless_it_looks(self) -> None:
        """Skip the test on storage where a file and a folder may have the same name."""
        if not self.looks_before_writing:
            pytest.skip("this storage lets files and folders have the same name, and does not look")

    async def put(
        self, store: AsyncStore, how: str, path: PathLike, data: bytes, *, overwrite: bool = False
    ) -> None:
        """Store a file in one of the four ways of ``HOW``; skip the test if the backend cannot."""
        self.skip_unless_able(store, how)
        atomic = how.endswith("atomic")
        if how.startswith("open_write"):
            async with store.open_write(path, overwrite=overwrite, atomic=atomic) as stream:
                await stream.write(data)
        elif atomic:
            await store.write_atomic(path, data, overwrite=overwrite)
        else:
            await store.write(path, data, overwrite=overwrite)


def _require(backend: Backend | AsyncStore, capability: Capability) -> None:
    if capability not in backend.capabilities:
        pytest.skip(f"the backend has no {capability.name} capability")


def _open_files() -> Iterable[str]:
    folder = "/proc/self/fd"
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        try:
            yield os.readlink(f"{folder}/{name}")
        except OSError:
            pass  # the descriptor that lists them is closed by now


async def all_of(items: AsyncIterable[T]) -> list[T]:
    """Return the items of a listing or stream."""
    return [item async for item in items]


async def paths_of(infos: AsyncIterable[FileInfo]) -> list[str]:
    """Return the paths in a listing, sorted."""
    return sorted([str(info.path) async for info in infos])


async def fill(store: AsyncStore, *paths: str) -> None:
    """Write a file at each path; its content is the path."""
    for path in paths:
        await store.write(path, path.encode())


async def all_at_once(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T | Exception]:
    """Make calls in tasks of their own and return what each returned or raised."""
    outcomes: dict[int, T | Exception] = {}

    async def make(number: int, call: Callable[[], Awaitable[T]]) -> None:
        try:
            outcomes[number] = await call()
        except Exception as error:  # noqa: BLE001 - the test looks at every outcome
            outcomes[number] = error

    async with anyio.create_task_group() as group:
        for number, call in enumerate(calls):
            group.start_soon(make, number, call)
    return [outcomes[number] for number in sorted(outcomes)]
