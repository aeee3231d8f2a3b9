"""Every operation of a store, small and in many steps, for tests that cut them off at each point."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import aiofiles
import anyio
import pytest

from remote_store import AsyncStore, Store
from remote_store._async import _content, _read_stream, _write_stream
from remote_store._runtime import _leaves
from remote_store.backends import LocalBackend, MemoryBackend, memory
from remote_store.backends.local import _backend, _change, _listing, _read, _root, _session

STEP: Final = 1000
BIG: Final = bytes(range(250)) * 18  # four steps and a half
TREE: Final[dict[str, bytes | None]] = {
    "old": b"old content",
    "big": BIG,
    "dir": None,
    "dir/a": b"a",
    "dir/b": b"bb",
    "dir/c": b"ccc",
    "dir/sub": None,
    "dir/sub/d": b"dddd",
    "dir/sub/deep": None,
    "dir/sub/deep/e": b"eeeee",
}
Change = Literal["none", "whole", "copied", "partial"]


def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut everything that goes step by step into steps of a few hundred bytes or two entries."""
    for module in (_content, _read_stream, _write_stream):
        monkeypatch.setattr(module, "CHUNK_SIZE", STEP)
    monkeypatch.setattr("remote_store.backend.CHUNK_SIZE", STEP)
    monkeypatch.setattr(_read_stream, "READ_SIZE", STEP)
    monkeypatch.setattr(_leaves, "SMALL_HOP", 100)
    monkeypatch.setattr(_leaves, "SMALL_INLINE", 100)
    monkeypatch.setattr(_leaves, "SLICE_SECONDS", 0)
    monkeypatch.setattr(_change, "STEP_BYTES", STEP)
    monkeypatch.setattr(_listing, "PAGE_ENTRIES", 2)
    monkeypatch.setattr(memory, "PAGE", 2)
    for local in (_backend, _read, _session):
        monkeypatch.setattr(local, "WHOLE_LIMIT", 2 * STEP)
    monkeypatch.setattr(_backend, "IN_WORKER", 1)
    monkeypatch.setattr(_content, "_PULL_SECONDS", 1000)  # the same steps in each run
    monkeypatch.setattr(_root, "_RECHECK_SECONDS", 0)


def fill(store: Store) -> None:
    """Put the tree into a store."""
    for name, content in TREE.items():
        if content is not None:
            store.write(name, content)


def content_of(store: Store) -> dict[str, bytes | None]:
    """Return what is in a store: the content of each file, None for a folder."""
    found: dict[str, bytes | None] = {}
    for folder, names, files in store.walk():
        prefix = f"{folder}/" if folder.parts else ""
        found.update(dict.fromkeys(prefix + name for name in names))
        found.update({str(info.path): store.read_bytes(info.path) for info in files})
    return found


@dataclass(frozen=True)
class Operation:
    """One use of a store.

    Attributes:
        change: what it changes: nothing; something that is there wholly or not at all; the
            same in a new place before it goes from the old one; or many things one by one.
        only: the backend that has it, if not all.
        asyncio: that it needs asyncio.
    """

    name: str
    run: Callable[[AsyncStore, Any], Awaitable[object]]
    change: Change = "none"
    only: str = ""
    asyncio: bool = False
    prepare: Callable[[Path], Any] | None = None
    """Returns an async context manager with what the operation is given, made before it begins."""


OPERATIONS: Final[list[Operation]] = []


def operation(
    change: Change = "none",
    *,
    only: str = "",
    asyncio: bool = False,
    prepare: Callable[[Path], Any] | None = None,
) -> Callable[[Callable[[AsyncStore, Any], Awaitable[object]]], object]:
    def add(run: Callable[[AsyncStore, Any], Awaitable[object]]) -> object:
        OPERATIONS.append(Operation(run.__name__, run, change, only, asyncio, prepare))
        return run

    return add


# -- questions ---------------------------------------------------------------------------------


@operation()
async def exists(store: AsyncStore, _: Any) -> None:
    assert await store.exists("old")
    assert not await store.exists("new")


@operation()
async def is_file_and_is_folder(store: AsyncStore, _: Any) -> None:
    assert await store.is_file("dir/a")
    assert await store.is_folder("dir/sub")


@operation()
async def get_file_info(store: AsyncStore, _: Any) -> None:
    assert (await store.get_file_info("dir/b")).size == 2


@operation()
async def get_folder_info(store: AsyncStore, _: Any) -> None:
    assert (await store.get_folder_info("dir")).file_count == 5


@operation()
async def ping(store: AsyncStore, _: Any) -> None:
    await store.ping()


# -- reading -----------------------------------------------------------------------------------


@operation()
async def read_bytes(store: AsyncStore, _: Any) -> None:
    assert await store.read_bytes("old") == b"old content"


@operation()
async def read_bytes_of_a_big_file(store: AsyncStore, _: Any) -> None:
    assert await store.read_bytes("big") == BIG


@operation()
async def read_bytes_of_a_range(store: AsyncStore, _: Any) -> None:
    assert await store.read_bytes("big", start=1, length=3 * STEP) == BIG[1 : 3 * STEP + 1]


@operation()
async def read_bytes_of_a_short_range(store: AsyncStore, _: Any) -> None:
    assert await store.read_bytes("big", start=1, length=2 * STEP) == BIG[1 : 2 * STEP + 1]
    assert await store.read_bytes("big", start=len(BIG) - 9, length=2 * STEP) == BIG[-9:]


@operation()
async def read_text(store: AsyncStore, _: Any) -> None:
    assert await store.read_text("old") == "old content"


@operation()
async def read_and_iterate(store: AsyncStore, _: Any) -> None:
    async with await store.read("big") as stream:
        assert b"".join([chunk async for chunk in stream]) == BIG


@operation()
async def read_without_closing(store: AsyncStore, _: Any) -> None:
    stream = await store.read("big")
    assert await stream.read(10) == BIG[:10]


@operation()
async def read_piece_by_piece(store: AsyncStore, _: Any) -> None:
    async with await store.read("big", start=5) as stream:
        assert await stream.read(10) == BIG[5:15]
        buffer = bytearray(2 * STEP)
        assert await stream.readinto(buffer) == 2 * STEP
        assert await stream.read() == BIG[15 + 2 * STEP :]


@operation()
async def open_read_and_seek(store: AsyncStore, _: Any) -> None:
    async with await store.open_read("big") as stream:
        await stream.seek(-5, io.SEEK_END)
        assert await stream.read() == BIG[-5:]
        await stream.seek(3)
        assert await stream.read(4) == BIG[3:7]


@operation()
async def copy_to_a_blocking_sink(store: AsyncStore, _: Any) -> None:
    sink = io.BytesIO()
    async with await store.read("big") as stream:
        assert await stream.copy_to(sink) == len(BIG)
    assert sink.getvalue() == BIG


@operation("whole")
async def copy_to_a_write_stream(store: AsyncStore, _: Any) -> None:
    async with await store.read("big") as source, store.open_write("new") as sink:
        await source.copy_to(sink)


# -- writing -----------------------------------------------------------------------------------


@operation("whole")
async def write(store: AsyncStore, _: Any) -> None:
    await store.write("new", b"new content")


@operation("whole")
async def write_over(store: AsyncStore, _: Any) -> None:
    await store.write("old", b"new content", overwrite=True)


@operation("whole")
async def write_into_new_folders(store: AsyncStore, _: Any) -> None:
    await store.write("n/e/w/file", b"new content")


@operation("whole")
async def write_much(store: AsyncStore, _: Any) -> None:
    await store.write("n/new", BIG)


@operation("whole")
async def write_text(store: AsyncStore, _: Any) -> None:
    await store.write_text("old", "new content", overwrite=True)


@operation("whole")
async def write_a_file(store: AsyncStore, _: Any) -> None:
    await store.write("n/new", io.BytesIO(BIG))


@operation("whole")
async def write_a_file_over(store: AsyncStore, _: Any) -> None:
    await store.write("old", io.BytesIO(BIG), overwrite=True)


def pieces() -> Iterator[bytes]:
    yield from (BIG[:STEP], BIG[STEP : STEP + 5], b"", BIG[STEP + 5 :])


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        await anyio.sleep(0)
        yield piece


@operation("whole")
async def write_an_iterable(store: AsyncStore, _: Any) -> None:
    await store.write("n/new", pieces())


@operation("whole")
async def write_an_async_iterable(store: AsyncStore, _: Any) -> None:
    await store.write("n/new", async_pieces())


@operation("whole")
async def write_an_own_stream(store: AsyncStore, _: Any) -> None:
    async with await store.read("big") as stream:
        await store.write("n/new", stream)


def _big_file(folder: Path) -> Path:
    (folder / "source").write_bytes(BIG)
    return folder / "source"


@operation("whole", asyncio=True, prepare=lambda folder: aiofiles.open(_big_file(folder), "rb"))
async def write_an_aiofiles_file(store: AsyncStore, source: Any) -> None:
    await store.write("n/new", source)


class _AnyioFile:
    def __init__(self, folder: Path) -> None:
        self._path = _big_file(folder)

    async def __aenter__(self) -> anyio.AsyncFile[bytes]:
        self._file = await anyio.open_file(self._path, "rb")
        return self._file

    async def __aexit__(self, *exc_info: object) -> None:
        await self._file.aclose()


@operation("whole", prepare=_AnyioFile)
async def write_an_anyio_file(store: AsyncStore, source: Any) -> None:
    await store.write("n/new", source)


@operation("whole")
async def write_atomic(store: AsyncStore, _: Any) -> None:
    await store.write_atomic("n/new", b"new content")


@operation("whole")
async def write_atomic_over(store: AsyncStore, _: Any) -> None:
    await store.write_atomic("old", BIG, overwrite=True)


@operation("whole")
async def write_atomic_an_async_iterable(store: AsyncStore, _: Any) -> None:
    await store.write_atomic("n/new", async_pieces())


@operation("whole")
async def open_write(store: AsyncStore, _: Any) -> None:
    async with store.open_write("n/new") as stream:
        for piece in pieces():
            await stream.write(piece)


@operation("whole")
async def open_write_over(store: AsyncStore, _: Any) -> None:
    async with store.open_write("old", overwrite=True, atomic=True) as stream:
        await stream.write(BIG)
        await stream.write(b"and a little")


@operation()
async def open_write_and_fail(store: AsyncStore, _: Any) -> None:
    with pytest.raises(LookupError):
        async with store.open_write("n/new") as stream:
            await stream.write(BIG)
            raise LookupError


# -- changes -----------------------------------------------------------------------------------


@operation("whole")
async def delete(store: AsyncStore, _: Any) -> None:
    await store.delete("old")


@operation("partial")
async def delete_folder(store: AsyncStore, _: Any) -> None:
    await store.delete_folder("dir", recursive=True)


@operation("whole", only="local")
async def delete_an_empty_folder(store: AsyncStore, _: Any) -> None:
    await store.delete_folder("empty")


@operation("whole")
async def copy(store: AsyncStore, _: Any) -> None:
    await store.copy("big", "n/new")


@operation("whole")
async def copy_over(store: AsyncStore, _: Any) -> None:
    await store.copy("big", "old", overwrite=True)


@operation("whole")
async def move(store: AsyncStore, _: Any) -> None:
    await store.move("big", "n/new")


@operation("whole")
async def move_over(store: AsyncStore, _: Any) -> None:
    await store.move("big", "old", overwrite=True)


@operation("whole", only="local")
async def move_to_another_mount(store: AsyncStore, monkeypatch: Any) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_change, "_rename", lambda *args: False)
        await store.move("big", "n/new")


@operation(only="local")
async def sweep_temporaries(store: AsyncStore, _: Any) -> None:
    backend = store._scope.backend
    assert isinstance(backend, LocalBackend)
    assert await backend.sweep_temporaries() == 0


# -- listing -----------------------------------------------------------------------------------


@operation()
async def list_files(store: AsyncStore, _: Any) -> None:
    assert sorted([info.name async for info in store.list_files("dir")]) == ["a", "b", "c"]


@operation()
async def list_files_recursive(store: AsyncStore, _: Any) -> None:
    async with store.list_files(recursive=True) as listing:
        assert len([info async for info in listing]) == 7


@operation()
async def list_files_and_leave(store: AsyncStore, _: Any) -> None:
    async for _info in store.list_files(recursive=True):
        break


@operation()
async def list_folders(store: AsyncStore, _: Any) -> None:
    assert "dir" in [name async for name in store.list_folders()]


@operation()
async def iter_children(store: AsyncStore, _: Any) -> None:
    assert len([entry async for entry in store.iter_children("dir")]) == 4


@operation()
async def walk(store: AsyncStore, _: Any) -> None:
    assert sum([len(files) async for _, _, files in store.walk("dir")]) == 5


@operation()
async def glob(store: AsyncStore, _: Any) -> None:
    assert [str(info.path) async for info in store.glob("d*/s?b/*")] == ["dir/sub/d"]


@operation()
async def glob_at_any_depth(store: AsyncStore, _: Any) -> None:
    assert len([info async for info in store.glob("dir/**/[a-e]")]) == 5


BACKENDS: Final[dict[str, Callable[[Path], LocalBackend | MemoryBackend]]] = {
    "local": LocalBackend,
    "memory": lambda _: MemoryBackend(),
}


def prepared(kind: str, root: Path) -> LocalBackend | MemoryBackend:
    """Return a new backend with the tree in it, and its root's descriptor open."""
    backend = BACKENDS[kind](root)
    fill(Store(backend))
    if kind == "local":
        (root / "empty").mkdir()
    return backend


def check(
    change: Change, before: dict[str, Any], now: dict[str, Any], after: dict[str, Any], done: bool
) -> None:
    """Fail unless what is there now is what an operation that was cut off may leave."""
    if done or change == "none":
        assert now == (after if done else before)
    elif change == "whole":
        assert now in (before, after), "neither the old nor the new state"
    elif change == "copied":
        assert now in (before, after, {**before, **after}), "neither the old, the new nor both"
    else:
        assert now.items() <= before.items(), "something that was not there before"
        assert after.items() <= now.items(), "something is gone that had nothing to do with it"
