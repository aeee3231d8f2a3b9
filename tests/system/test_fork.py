"""After a fork, and in the children of ``multiprocessing``, everything works, here and there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.system.support import files, forks, script, temporaries

USE = """
import asyncio, faulthandler, gc, multiprocessing, os, pathlib, signal, sys, threading, traceback
import trio, warnings
from concurrent.futures import ProcessPoolExecutor
from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend, MemoryBackend

warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
BIG = bytes(range(256)) * 8192
faulthandler.register(signal.SIGALRM, chain=True)

def use_blocking(store, name):
    store.write(name, b"1" + name.encode(), overwrite=True)
    with store.open_write(name + " big", overwrite=True) as stream:
        stream.write(BIG)
    with store.read(name + " big") as stream:
        assert stream.read() == BIG
    assert name in {info.name for info in store.list_files()}

async def use_async(store, name):
    await store.write(name, b"1" + name.encode(), overwrite=True)
    await asyncio.gather(*(many(store, f"{name} {n}") for n in range(12))) if "asyncio" in name else None
    async with await store.read(name) as stream:
        assert b"".join([chunk async for chunk in stream]) == b"1" + name.encode()
    assert name in {info.name async for info in store.list_files()}

async def many(store, name):
    await store.write(name, iter([b"a", b"b"]), overwrite=True)
    assert await store.read_bytes(name) == b"ab"

def use(blocking, asynchronous, name):
    use_blocking(blocking, f"{name} blocking")
    asyncio.run(use_async(asynchronous, f"{name} asyncio"))
    trio.run(use_async, asynchronous, f"{name} trio")

def in_child(call, leave=os._exit):
    pid = os.fork()
    if not pid:
        signal.alarm(30)  # whoever hangs says where, and dies
        try:
            call()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        leave(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "the child failed or hung"
"""


@pytest.mark.spec("RUN-020", "GEN-007")
@forks
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_child_and_parent_go_on_with_the_same_stores(kind: str, tmp_path: Path) -> None:
    script(
        USE
        + """
backend = LocalBackend(sys.argv[2]) if sys.argv[1] == "local" else MemoryBackend()
blocking, asynchronous = Store(backend), AsyncStore(backend)
use(blocking, asynchronous, "parent")
for turn in range(3):
    in_child(lambda: use(blocking, asynchronous, f"child {turn}"))
    in_child(lambda: use(blocking, asynchronous, f"leaving child {turn}"), leave=sys.exit)
    use(blocking, asynchronous, f"parent {turn}")
in_child(lambda: in_child(lambda: use(blocking, asynchronous, "grandchild")))
assert blocking.exists("child 1 trio") == blocking.exists("grandchild trio") == (sys.argv[1] == "local")
""",
        kind,
        tmp_path,
    )


@pytest.mark.spec("RUN-020", "GEN-007")
@forks
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_forks_while_other_threads_are_at_work(kind: str, tmp_path: Path) -> None:
    script(
        USE
        + """
backend = LocalBackend(sys.argv[2]) if sys.argv[1] == "local" else MemoryBackend()
blocking, asynchronous = Store(backend), AsyncStore(backend)
stop = threading.Event()

def work(number):
    while not stop.is_set():
        if number % 2:
            use_blocking(blocking, f"worker {number}")
        else:
            asyncio.run(use_async(asynchronous, f"worker {number} asyncio"))

use(blocking, asynchronous, "first")  # Python itself cannot fork while a module is being imported
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
try:
    for turn in range(10):
        in_child(lambda: use(blocking, asynchronous, f"child {turn}"))
finally:
    stop.set()
    for thread in threads:
        thread.join()
use(blocking, asynchronous, "parent")
""",
        kind,
        tmp_path,
        traced=False,
    )


@pytest.mark.spec("RUN-020", "LOC-016", "STR-013")
@forks
@pytest.mark.parametrize("leave", ["sys.exit", "os._exit"])
def test_a_blocking_writer_that_is_open_across_a_fork(leave: str, tmp_path: Path) -> None:
    script(
        USE
        + """
root = pathlib.Path(sys.argv[1])
backend = LocalBackend(root)
store = Store(backend)

def write():
    for number in range(40):
        yield BIG
        in_child(child, LEAVE) if number == 20 else None  # the file is half written

def child():
    global stream
    assert asyncio.run(backend.sweep_temporaries()) == 0, "the parent's files are not dead"
    use_blocking(store, "child")
    stream = None
    gc.collect()

with store.open_write("new/folder/target") as stream:
    stream.write(BIG)
    in_child(child, LEAVE)
    assert asyncio.run(backend.sweep_temporaries()) == 0
    stream.write(BIG)
    assert not store.exists("new/folder/target")
assert store.read_bytes("new/folder/target") == BIG * 2

stream = None
store.write_atomic("other/target", write())
assert store.read_bytes("other/target") == BIG * 40
""".replace("LEAVE", leave),
        tmp_path,
    )
    assert temporaries(tmp_path) == []
    assert files(tmp_path) == {"new/folder/target", "other/target", "child", "child big"}


@pytest.mark.spec("RUN-020", "STR-013", "STR-008")
@forks
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_fork_inside_a_loop_while_streams_are_open(loop: str, tmp_path: Path) -> None:
    """The child does without the loop: loops do not survive forks. Its blocking store works."""
    script(
        USE
        + """
store, blocking = AsyncStore(LocalBackend(sys.argv[2])), Store(LocalBackend(sys.argv[2]))

async def main():
    await store.write("source", BIG)
    async with await store.read("source") as stream, store.open_write("new/target") as written:
        holder = [stream, written]
        head = await stream.read(1000)
        await written.write(BIG)

        def child():
            holder.clear()
            gc.collect()
            use_blocking(blocking, "child")

        in_child(child)
        assert head + await stream.read() == BIG
        await written.write(BIG)
    assert await store.read_bytes("new/target") == BIG * 2
    await use_async(store, "parent")

asyncio.run(main()) if sys.argv[1] == "asyncio" else trio.run(main)
""",
        loop,
        tmp_path,
    )
    assert temporaries(tmp_path) == []


@pytest.mark.spec("RUN-020", "GEN-007", "STORE-010")
@pytest.mark.parametrize(
    "method", [pytest.param("fork", marks=forks), "spawn", pytest.param("forkserver", marks=forks)]
)
def test_children_of_multiprocessing(method: str, tmp_path: Path) -> None:
    """The backend is pickled, or inherited; the children's stores are their own."""
    root = tmp_path / "root"
    script(
        USE
        + """
def work(backend, number):
    use(Store(backend), AsyncStore(backend), f"process {number}")
    return os.getpid()

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    backend = LocalBackend(sys.argv[2], durable=True)
    use(Store(backend), AsyncStore(backend), "parent")
    children = [context.Process(target=work, args=(backend, number)) for number in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(50)
        assert child.exitcode == 0
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert os.getpid() not in set(pool.map(work, [backend] * 4, range(2, 6)))
    use(Store(backend), AsyncStore(backend), "parent again")
""",
        method,
        root,
        folder=tmp_path,
    )
    assert {f"process {number} trio" for number in range(6)} <= files(root)
    assert temporaries(root) == []


@pytest.mark.spec("RUN-020")
@forks
def test_children_of_multiprocessing_inherit_the_store(tmp_path: Path) -> None:
    script(
        USE
        + """
backend = LocalBackend(sys.argv[1])
blocking, asynchronous = Store(backend), AsyncStore(backend)

def work(number):
    use(blocking, asynchronous, f"process {number}")

use(blocking, asynchronous, "parent")
context = multiprocessing.get_context("fork")
with context.Pool(2) as pool:
    pool.map(work, range(4))
    pool.close()
    pool.join()
use(blocking, asynchronous, "parent again")
""",
        tmp_path,
    )
    assert {f"process {number} blocking" for number in range(4)} <= files(tmp_path)
