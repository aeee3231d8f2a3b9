"""At the interpreter's end: work still works, what is open is let go of, and nothing is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.system.support import files, script, temporaries

KINDS = pytest.mark.parametrize("kind", ["local", "memory"])

IMPORTS = """
import asyncio, atexit, gc, io, os, signal, sys, threading, time, weakref
import trio
from remote_store import AsyncStore, Registry, Store, open_async_store, open_store
from remote_store.backends import LocalBackend, MemoryBackend

BIG = bytes(range(256)) * 8192

def make(kind, root):
    return LocalBackend(root) if kind == "local" else MemoryBackend()

async def use(store, name):
    await store.write(name, b"1", overwrite=True)
    await store.write_atomic(name, iter([b"12", b"34"]), overwrite=True)
    async with await store.read(name) as stream:
        assert b"".join([chunk async for chunk in stream]) == b"1234"
    assert name in [info.name async for info in store.list_files()]

def use_blocking(store, name):
    store.write(name, b"1", overwrite=True)
    with store.open_write(name, overwrite=True) as stream:
        stream.write(BIG)
    with store.read(name) as stream:
        assert stream.read() == BIG
    assert name in [info.name for info in store.list_files()]

def use_all(backend, name):
    use_blocking(Store(backend), f"{name} blocking")
    asyncio.run(use(AsyncStore(backend), f"{name} asyncio"))
    trio.run(use, AsyncStore(backend), f"{name} trio")
"""


@pytest.mark.spec("RUN-010", "RUN-016", "STORE-010")
@KINDS
@pytest.mark.parametrize("before", ["used before", "not used before"])
@pytest.mark.parametrize("order", ["runs first", "runs last"])
def test_use_in_atexit(order: str, before: str, kind: str, tmp_path: Path) -> None:
    """What is registered before the library is imported runs after the library's own."""
    at_exit = """
import atexit, sys

@atexit.register
def at_exit():
    use_all(backend, "at exit")
    open(sys.argv[2] + "/done", "w").close()
"""
    script(
        (at_exit if order == "runs last" else "")
        + IMPORTS
        + (at_exit if order == "runs first" else "")
        + """
backend = make(sys.argv[1], sys.argv[2])
if sys.argv[3] == "used before":
    use_all(backend, "before")
""",
        kind,
        tmp_path,
        before,
    )
    assert (tmp_path / "done").exists()
    assert temporaries(tmp_path) == []
    if kind == "local":
        assert (tmp_path / "at exit trio").read_bytes() == b"1234"


@pytest.mark.spec("RUN-010", "STORE-007")
@KINDS
def test_stores_are_closed_in_atexit_and_in_finalizers(kind: str, tmp_path: Path) -> None:
    script(
        IMPORTS
        + """
backend = make(sys.argv[1], sys.argv[2])
store = Store(backend)
use_blocking(store, "a")
atexit.register(store.close)

class Owner:
    store = Store(make(sys.argv[1], sys.argv[2]))

    def __del__(self):  # when modules are being torn down
        use_blocking(self.store, "in del")
        self.store.close()

owner = Owner()
owner.cycle = owner
weakref.finalize(store, use_blocking, Store(make(sys.argv[1], sys.argv[2])), "finalizer")
""",
        kind,
        tmp_path,
    )
    if kind == "local":
        assert files(tmp_path) == {"a", "in del", "finalizer"}


OPEN = """
backend = make(sys.argv[1], sys.argv[2])
blocking, asynchronous = Store(backend), AsyncStore(backend)
for number in range(1200):
    blocking.write(f"folder/{number}", b"1")
blocking.write("big", BIG)

def leave_open():
    reading = blocking.read("big")
    reading.read(10)
    text = io.TextIOWrapper(blocking.open_read("folder/2"))
    writing = blocking.open_write("new blocking/folder/file")
    writing.__enter__()
    writing.write(BIG)
    buffered = io.BufferedWriter(blocking.open_write("never entered/file"))
    listings = [blocking.list_files("folder"), blocking.walk(), blocking.glob("**"), blocking.iter_children()]
    for listing in listings:
        next(listing)
    return locals()

async def leave_open_async(name):
    chunks = await asynchronous.read("big")
    async for chunk in chunks:
        break
    writing = asynchronous.open_write(f"new {name}/folder/file")
    await writing.__aenter__()
    await writing.write(BIG)
    listings = [asynchronous.list_files("folder"), asynchronous.walk(), asynchronous.glob("**")]
    for listing in listings:
        async for item in listing:
            break
    return locals()
"""


@pytest.mark.spec("RUN-010", "STR-008", "STORE-042", "BE-014", "GEN-006")
@KINDS
@pytest.mark.parametrize(
    "kept",
    [
        "keep = [leave_open(), leave_open_async_all()]",
        "leave_open(), leave_open_async_all()",
        "keep = [leave_open(), leave_open_async_all()]; keep.append(keep)",
        "keeper.keep = [leave_open(), leave_open_async_all()]",
        "keeper.keep = [leave_open(), leave_open_async_all()]; keeper.keep.append(keeper)",
    ],
    ids=["global", "dropped", "cycle", "module", "module in a cycle"],
)
def test_what_is_open_at_exit(kept: str, kind: str, tmp_path: Path) -> None:
    script(
        "import sys, types; keeper = sys.modules['keeper'] = types.ModuleType('keeper')"
        + IMPORTS
        + OPEN
        + f"""
def leave_open_async_all():
    return [asyncio.run(leave_open_async("asyncio")), trio.run(leave_open_async, "trio")]

{kept}
""",
        kind,
        tmp_path,
    )
    assert temporaries(tmp_path) == []
    if kind == "local":
        assert files(tmp_path) == {"big"} | {f"folder/{number}" for number in range(1200)}
        assert {path.name for path in tmp_path.iterdir()} == {"big", "folder"}


@pytest.mark.spec("RUN-010", "STR-008", "STORE-042", "STORE-031", "STR-013")
@KINDS
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_exit_from_inside_a_loop(loop: str, kind: str, tmp_path: Path) -> None:
    """``sys.exit`` in the middle of reading, listing and writing, with other tasks at work."""
    script(
        IMPORTS
        + OPEN
        + """
async def hammer(name):
    while True:
        await use(asynchronous, name)

async def body():
    kept = await leave_open_async("async")
    kept.update(leave_open())
    async with await asynchronous.read("big") as stream, asynchronous.open_write("never") as writing:
        async for chunk in stream:
            async for info in asynchronous.list_files("folder"):
                sys.exit(0)

async def on_asyncio():
    tasks = [asyncio.create_task(hammer(f"task {n}")) for n in range(4)]
    await body()

async def on_trio():
    async with trio.open_nursery() as nursery:
        for n in range(4):
            nursery.start_soon(hammer, f"task {n}")
        await body()

try:
    asyncio.run(on_asyncio()) if sys.argv[3] == "asyncio" else trio.run(on_trio)
except* SystemExit:
    sys.exit(0)
""",
        kind,
        tmp_path,
        loop,
    )
    assert temporaries(tmp_path) == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("never", "new"))]


@pytest.mark.spec("RUN-010", "LOC-014")
@pytest.mark.parametrize("end", ["pass", "sys.exit(0)", "asyncio.run(use(AsyncStore(backend), 'last'))"])
def test_exit_while_other_threads_are_at_work(end: str, tmp_path: Path) -> None:
    """Daemon threads are stopped dead by Python: what they were writing is old or new, not torn."""
    script(
        IMPORTS
        + f"""
backend = make("local", sys.argv[1])
started = threading.Barrier(5)

def work(number):
    store = Store(backend) if number % 2 else AsyncStore(backend)
    started.wait()
    while True:
        if number % 2:
            store.write(f"file {{number}}", BIG, overwrite=True)
            store.write_atomic(f"file {{number}}", iter([BIG] * 4), overwrite=True)
        else:
            asyncio.run(store.write(f"file {{number}}", BIG, overwrite=True))

for number in range(4):
    threading.Thread(target=work, args=(number,), daemon=True).start()
started.wait()
time.sleep(0.1)
{end}
""",
        tmp_path,
    )
    for name in files(tmp_path) - {"last"}:
        assert (tmp_path / name).stat().st_size in (1 << 21, 1 << 23)


@pytest.mark.spec("RUN-010", "XFER-024")
def test_a_plan_that_is_left_lying(tmp_path: Path) -> None:
    """Its folders are listed ahead, on the background loop; nobody is told of that."""
    printed = script(
        IMPORTS
        + """
from remote_store import plan_sync
left, right = Store(make("local", sys.argv[1])), Store(MemoryBackend())
for number in range(40):
    left.write(f"{number}/f", b"")
lines = iter(plan_sync(left, "", right))
print(next(lines).path.endswith("/f"))
""",
        tmp_path,
    )
    assert printed == "True\n"
