"""Several files at once by fsspec: who is cancelled, or interrupted, leaves nothing that goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pytest
from tests.runtime.support import descriptors

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.ext._together import together
from remote_store.ext.fsspec import RemoteStoreFileSystem
from remote_store.wrapper import BackendWrapper

NAMES = [f"f{n}" for n in range(40)]


class Held(BackendWrapper):
    """A backend that notes what was begun, and lets nothing end while it is held."""

    def __init__(self) -> None:
        super().__init__(MemoryBackend())
        self.free = True
        self.begun: list[str] = []
        self.reached = threading.Event()

    async def _pass(self, path: str) -> None:
        self.begun.append(path)
        self.reached.set()
        while not self.free:
            await asyncio.sleep(0.002)

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self._pass(path)
        await super().delete(path, missing_ok=missing_ok)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> Any:
        await self._pass(src)
        return await super().copy(src, dst, overwrite=overwrite)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> Any:
        await self._pass(src)
        return await super().move(src, dst, overwrite=overwrite)

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        await self._pass(path)
        return await super().read_bytes(path, start=start, length=length)

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Any:
        await self._pass(path)
        return await super().open_read(path, start=start, length=length)

    async def get_file_info(self, path: str) -> Any:
        await self._pass(path)
        return await super().get_file_info(path)

    async def write_bytes(self, path: str, *args: Any, **options: Any) -> Any:
        await self._pass(path)
        return await super().write_bytes(path, *args, **options)

    async def open_write(self, path: str, **options: Any) -> Any:
        await self._pass(path)
        return await super().open_write(path, **options)


def calls(fs: RemoteStoreFileSystem, folder: Path) -> dict[str, Callable[[], Any]]:
    """Return each call that is about several files, by its name."""
    here = [str(folder / name) for name in NAMES]
    return {
        "rm": partial(fs._rm, NAMES),
        "copy": partial(fs._copy, NAMES, [f"c/{name}" for name in NAMES]),
        "mv": partial(fs._mv, NAMES, [f"c/{name}" for name in NAMES]),
        "cat": partial(fs._cat, NAMES),
        "cat_ranges": partial(fs._cat_ranges, NAMES, 0, 1),
        "sizes": partial(fs._sizes, NAMES),
        "pipe": partial(fs._pipe, dict.fromkeys(NAMES, b"2")),
        "get": partial(fs._get, NAMES, [f"{path}-got" for path in here]),
        "put": partial(fs._put, here, NAMES),
    }


@pytest.mark.spec("FSS-026")
@pytest.mark.parametrize("name", calls(RemoteStoreFileSystem(store="memory://"), Path()))
@pytest.mark.parametrize("batch_size", [8, -1])
def test_nothing_goes_on_after_a_cancellation(tmp_path: Path, name: str, batch_size: int) -> None:
    for each in NAMES:
        (tmp_path / each).write_bytes(b"1")

    async def main() -> None:
        backend = Held()
        fs = RemoteStoreFileSystem(store=AsyncStore(backend), asynchronous=True, batch_size=batch_size)
        await fs._pipe(dict.fromkeys(NAMES, b"1"))
        before, backend.free = asyncio.all_tasks(), False
        backend.begun.clear()
        task = asyncio.ensure_future(calls(fs, tmp_path)[name]())
        most = 8 if batch_size == 8 else len(NAMES)
        while len(backend.begun) < most:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert asyncio.all_tasks() == before
        backend.free = True
        await asyncio.sleep(0.02)
        assert len(backend.begun) == most
        assert await fs._find("") == sorted(NAMES)

    asyncio.run(main())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)


@pytest.mark.spec("FSS-026", "RUN-014")
@pytest.mark.parametrize("name", ["rm", "get", "put"])
def test_nothing_goes_on_after_ctrl_c(tmp_path: Path, name: str) -> None:
    for each in NAMES:
        (tmp_path / each).write_bytes(b"1")
    backend = Held()
    fs = RemoteStoreFileSystem(store=Store(backend), batch_size=4)
    fs.pipe(dict.fromkeys(NAMES, b"1"))
    backend.begun.clear()
    backend.reached.clear()
    backend.free = False

    def interrupt() -> None:
        backend.reached.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    call = calls(fs, tmp_path)[name]
    with pytest.raises(KeyboardInterrupt):
        getattr(fs, name)(*call.args)  # type: ignore[attr-defined]
    thread.join()
    begun, backend.free = len(backend.begun), True
    assert begun <= 4
    assert fs.find("") == sorted(NAMES)
    assert len(backend.begun) == begun
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)


@pytest.mark.spec("FSS-026")
def test_a_local_file_whose_opening_is_cancelled_is_closed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # its opening lasts until somebody writes to it

    async def main() -> None:
        fs = RemoteStoreFileSystem(store=AsyncStore(MemoryBackend()), asynchronous=True)
        task = asyncio.ensure_future(fs._put_file(str(pipe), "a"))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(0)
        writer = os.open(pipe, os.O_RDWR)
        await asyncio.wait([task])
        os.close(writer)
        assert task.cancelled()
        assert not descriptors(tmp_path)

    asyncio.run(main())


@pytest.mark.spec("FSS-026")
def test_the_first_failure_stops_the_rest() -> None:
    async def main() -> None:
        backend = Held()
        fs = RemoteStoreFileSystem(store=AsyncStore(backend), asynchronous=True, batch_size=1)
        await fs._pipe({"a": b"1", "b": b"2", "c": b"3"})
        backend.begun.clear()
        with pytest.raises(FileNotFoundError):
            await fs._rm(["a", "aa-missing", "b", "c"])
        assert backend.begun == ["a", "aa-missing"]
        found = await fs._cat_ranges(["c", "missing"], [0, 0], [1, 1])
        assert (found[0], type(found[1]).__name__) == (b"3", "NotFound")
        with pytest.raises(ValueError, match="batch_size must be 1 or more, or -1, not -2"):
            await fs._cat(["c"], batch_size=-2)
        with pytest.raises(ValueError, match="max_gap"):
            await fs._cat_ranges(["c"], [0], [1], max_gap=9)

    asyncio.run(main())


@pytest.mark.spec("FSS-026")
@pytest.mark.parametrize("fails", [True, False])
def test_nothing_is_begun_once_it_is_over(fails: bool) -> None:
    """Neither before who waits hears of the failure, nor by who does not let itself be cancelled."""

    async def main() -> None:
        begun: list[int] = []
        released = asyncio.Event()

        async def call(number: int) -> None:
            begun.append(number)
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()
            if fails and number == 0:
                raise KeyError(number)

        task = asyncio.ensure_future(together([partial(call, n) for n in range(20)], 4))
        await asyncio.sleep(0.01)
        if fails:
            released.set()
        else:
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or isinstance(task.exception(), KeyError)
        assert begun == [0, 1, 2, 3]

    asyncio.run(main())


@pytest.mark.spec("FSS-026")
@pytest.mark.parametrize("name", ["rm", "cp", "get"])
def test_files_are_asked_at_once_whether_they_are_folders(tmp_path: Path, name: str) -> None:
    class Slow(MemoryBackend):
        now = most = 0

        async def is_folder(self, path: str) -> bool:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.005)
            self.now -= 1
            return await super().is_folder(path)

    async def main() -> None:
        backend = Slow()
        fs = RemoteStoreFileSystem(store=AsyncStore(backend), asynchronous=True, batch_size=4)
        await fs._pipe({f"d/{n}": b"1" for n in range(8)})
        calls = {
            "rm": partial(fs._rm, "d", recursive=True, maxdepth=1),
            "cp": partial(fs._copy, "d/*", "e/"),
            "get": partial(fs._get, "d/*", f"{tmp_path}/"),
        }
        await calls[name]()
        assert backend.most == 4
        left = {"rm": [], "cp": [f"{folder}/{n}" for folder in "de" for n in range(8)]}
        assert await fs._find("") == left.get(name, [f"d/{n}" for n in range(8)])

    asyncio.run(main())


@pytest.mark.spec("FSS-026")
def test_what_fsspec_is_told_of_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        backend = Held()
        fs = RemoteStoreFileSystem(store=AsyncStore(backend), asynchronous=True)
        backend.free = False
        task = asyncio.ensure_future(fs._pipe(dict.fromkeys(NAMES, b"1")))
        await asyncio.sleep(0.05)
        assert len(backend.begun) == 3
        task.cancel()
        await asyncio.wait([task])

    monkeypatch.setitem(fsspec.config.conf, "gather_batch_size", 3)
    asyncio.run(main())


@pytest.mark.spec("FSS-027")
def test_a_folder_whose_making_is_cancelled_is_empty(tmp_path: Path) -> None:
    async def main() -> None:
        store = AsyncStore(LocalBackend(tmp_path))
        fs = RemoteStoreFileSystem(store=store, asynchronous=True)
        for turns in range(30):
            task = asyncio.ensure_future(fs._mkdir(f"d{turns}"))
            for _ in range(turns):
                await asyncio.sleep(0.0002)
            task.cancel()
            await asyncio.wait([task])
            assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    asyncio.run(main())


@pytest.mark.spec("FSS-027")
def test_a_folder_that_cannot_be_made_leaves_no_file() -> None:
    class Failing(MemoryBackend):
        name = "another"  # in memory nothing is written for a folder

        async def write_bytes(self, path: str, *args: Any, **options: Any) -> Any:
            await super().write_bytes(path, *args, **options)
            raise OSError("the answer did not come")

    async def main() -> None:
        fs = RemoteStoreFileSystem(store=AsyncStore(Failing()), asynchronous=True)
        with pytest.raises(OSError, match="the answer did not come"):
            await fs._mkdir("d")
        assert await fs._find("") == []

    asyncio.run(main())
