"""The library and its process: imports, forks, and the interpreter's exit."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.support import script, temporaries, tree

import remote_store
from remote_store._runtime import _background, _workers

SOURCES = Path(remote_store.__file__).parent
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")

FORK = """
import os, sys, warnings, signal
warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
signal.alarm(50)  # kills whoever hangs

def in_child(call):
    pid = os.fork()
    if not pid:
        signal.alarm(20)
        code = 1
        try:
            call()
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "the child failed or hung"
"""

EVERY_WAY = """
import asyncio, threading, trio
from remote_store import AsyncStore, Store, _runtime
from remote_store.backends import LocalBackend, MemoryBackend

async def use(store, name):
    await store.write(name, b"1", overwrite=True)
    await store.write(name, iter([b"12", b"34"]), overwrite=True)
    assert await store.read_bytes(name) == b"1234"
    assert name in [info.name async for info in store.list_files()]

async def loop_name():
    await asyncio.sleep(0)
    return threading.current_thread().name

def every_way(backend, name="file"):
    store = AsyncStore(backend)
    asyncio.run(use(store, name))
    trio.run(use, store, name)
    _runtime.drive(use(store, name))
    assert _runtime.drive(_runtime.on_asyncio(loop_name)) == "remote-store-loop"
    assert trio.run(_runtime.on_asyncio, loop_name) == "remote-store-loop"
"""


# -- imports -----------------------------------------------------------------------------------


def imported(file: Path) -> Iterator[str]:
    """Yield what a module imports, by its full name, wherever in the module it does."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


@pytest.mark.spec("RUN-021")
def test_only_the_runtime_knows_of_loops_and_threads() -> None:
    forbidden = {
        "asyncio",
        "trio",
        "sniffio",
        "threading",
        "_thread",
        "anyio",
        "concurrent",
        "multiprocessing",
    }
    free = {"_runtime", "_http", "_sftp", "testing", "_tools"}
    free |= {"cli", "ext"}  # they stand above the library, and call it as programs do
    checked = 0
    for file in sorted(SOURCES.rglob("*.py")):
        if file.relative_to(SOURCES).parts[0] not in free:
            checked += 1
            found = {name.partition(".")[0] for name in imported(file)} & forbidden
            if file.parent.name == "transfer":
                found -= {"anyio"}  # it stands on either loop, and is imported when a transfer begins
            assert not found, f"{file.relative_to(SOURCES)} imports {found}"
    assert checked > 20
    assert {"asyncio", "threading"} <= {
        name for file in (SOURCES / "_runtime").glob("*.py") for name in imported(file)
    }


@pytest.mark.spec("RUN-022")
@pytest.mark.parametrize(
    "use",
    [
        "",
        "remote_store.Store, remote_store.AsyncStore, remote_store.Registry",
        # A program that only uses local files, blocking, never loads an event loop either.
        "remote_store.open_store('file://' + sys.argv[1]).write('a', b'1')",
        "remote_store.open_store('memory://').write('a', b'1')",
    ],
)
def test_importing_loads_no_loop_and_no_optional_package(use: str, tmp_path: Path) -> None:
    script(
        f"""
        import sys
        before = set(sys.modules)
        import remote_store
        {use}
        loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
        print(len(loaded))
        unwanted = loaded & set(
            "asyncio trio anyio sniffio outcome uvloop aiofiles aiobotocore botocore boto3 pyarrow asyncssh"
            " azure typer rich click aiohttp httpx requests concurrent multiprocessing pytest"
            " hypothesis fsspec numpy zarr".split()
        )
        assert not unwanted, unwanted
        threads = [thread.name for thread in __import__("threading").enumerate()]
        assert not [name for name in threads if name.startswith("remote")]
        """,
        tmp_path,
    )


# -- fork ---------------------------------------------------------------------------------------


@pytest.mark.spec("RUN-020", "GEN-007")
@forks
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_a_forked_child_works_in_every_way(kind: str, tmp_path: Path) -> None:
    script(
        FORK
        + EVERY_WAY
        + """
backend = LocalBackend(sys.argv[2]) if sys.argv[1] == "local" else MemoryBackend()
every_way(backend)
from remote_store._runtime._workers import workers
from remote_store._runtime._background import background
loop = background._loop

def child():
    assert workers.threads == workers.busy() == 0, "the pool is the parent's"
    assert background._loop is None, "the background loop is the parent's"
    every_way(backend, "of the child")
    assert background._loop is not loop
    in_child(lambda: every_way(backend, "of the grandchild"))

for _ in range(3):
    in_child(child)
every_way(backend)
assert background._loop is loop
""",
        kind,
        tmp_path,
    )


@pytest.mark.spec("RUN-020")
@forks
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_forks_at_any_moment(kind: str, tmp_path: Path) -> None:
    """Other threads use the pool, the loop and the store while this one forks."""
    script(
        FORK
        + EVERY_WAY
        + """
backend = LocalBackend(sys.argv[2]) if sys.argv[1] == "local" else MemoryBackend()
every_way(backend)  # a fork in the middle of a first import would stop any Python program
stop = threading.Event()

def hammer(number):
    store = AsyncStore(backend)
    async def loop():
        while not stop.is_set():
            await use(store, f"hammer {number}")
    if number == 0:
        asyncio.run(loop())
    elif number == 1:
        trio.run(loop)
    else:
        while not stop.is_set():
            _runtime.drive(use(store, f"hammer {number}"))
            _runtime.drive(_runtime.on_asyncio(loop_name))

threads = [threading.Thread(target=hammer, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
try:
    for turn in range(12):
        in_child(lambda: every_way(backend, f"child {turn}"))
finally:
    stop.set()
for thread in threads:
    thread.join()
""",
        kind,
        tmp_path,
    )


@pytest.mark.spec("RUN-020", "MEM-001")
@forks
def test_a_lock_that_another_thread_held_does_not_stop_the_child(tmp_path: Path) -> None:
    """The moment of ``test_forks_at_any_moment`` that is hit once in a thousand times."""
    script(
        FORK
        + """
import threading
from remote_store import Store
from remote_store.backends import MemoryBackend

backend = MemoryBackend()
store = Store(backend)
store.write("a", b"1")
held, release = threading.Event(), threading.Event()

def hold():
    with backend._lock:
        held.set()
        release.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()

def child():
    signal.alarm(3)
    store.write("b", b"1")

try:
    in_child(child)
finally:
    release.set()
    thread.join()
"""
    )


@pytest.mark.spec("RUN-020")
@forks
def test_no_resource_of_the_parents_loops() -> None:
    script(
        FORK
        + """
import asyncio
from remote_store import _runtime
from remote_store._runtime.per_loop import PerLoop

closed, made = [], []

async def make():
    made.append(object())
    return made[-1]

async def close(resource):
    closed.append(resource)

holder = PerLoop(make, close)
parents = _runtime.drive(_runtime.on_asyncio(holder.get))

def child():
    mine = _runtime.drive(_runtime.on_asyncio(holder.get))
    assert mine is not parents
    _runtime.drive(holder.aclose())
    assert closed == [mine]

in_child(child)
assert _runtime.drive(_runtime.on_asyncio(holder.get)) is parents
_runtime.drive(holder.aclose())
assert closed == [parents]
"""
    )


@pytest.mark.spec("RUN-020")
@forks
def test_a_child_does_not_touch_its_parents_unfinished_writes(tmp_path: Path) -> None:
    script(
        FORK
        + """
import gc
from remote_store import Store
from remote_store.backends import LocalBackend

store = Store(LocalBackend(sys.argv[1]))
stream = store.open_write("new/file")
stream.__enter__()
stream.write(b"x" * 100_000)

def child():
    global stream
    del stream
    gc.collect()
    assert store.unwrap(__import__("pathlib").Path).joinpath("new").is_dir()

in_child(child)
pid = os.fork()
if not pid:
    sys.exit(0)  # with all that the interpreter does at its end
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
stream.write(b"y")
stream.__exit__(None, None, None)
assert store.read_bytes("new/file") == b"x" * 100_000 + b"y"
""",
        tmp_path,
    )
    assert temporaries(tmp_path) == []


@pytest.mark.spec("RUN-020", "GEN-007")
@forks
@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_a_fork_inside_a_running_loop(world: str, tmp_path: Path) -> None:
    script(
        FORK
        + EVERY_WAY
        + """
backend = LocalBackend(sys.argv[2])

def child():
    with Store(backend) as store:
        store.write("of the child", b"1", overwrite=True)
        assert store.read_bytes("of the child") == b"1"
        assert "of the child" in [info.name for info in store.list_files()]

async def main():
    store = AsyncStore(backend)
    await use(store, "a")
    in_child(child)
    await use(store, "b")

asyncio.run(main()) if sys.argv[1] == "asyncio" else trio.run(main)
""",
        world,
        tmp_path,
    )


@pytest.mark.spec("RUN-020")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@forks
def test_multiprocessing(method: str, tmp_path: Path) -> None:
    """The backend travels by pickle, the work is done in several children."""
    program = tmp_path / "program.py"
    program.write_text(
        """
import multiprocessing, sys, warnings
warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
"""
        + EVERY_WAY
        + """
def work(backend, number):
    every_way(backend, f"file {number}")

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    backend = LocalBackend(sys.argv[2])
    every_way(backend)
    children = [context.Process(target=work, args=(backend, number)) for number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(40)
    assert [child.exitcode for child in children] == [0, 0, 0]
    every_way(backend)
"""
    )
    script(program, method, tmp_path / "root")
    assert set(tree(tmp_path / "root")) == {"file", "file 0", "file 1", "file 2"}


# -- the interpreter's exit ------------------------------------------------------------------------


@pytest.mark.spec("RUN-010")
def test_the_grace_is_five_seconds() -> None:
    assert _workers.EXIT_GRACE == _background.EXIT_GRACE == 5


@pytest.mark.spec("RUN-010")
def test_a_write_in_flight_gets_to_its_end(tmp_path: Path) -> None:
    script(
        """
        import asyncio, os, sys, threading, time
        from remote_store import AsyncStore
        from remote_store.backends import LocalBackend

        started = threading.Event()
        write = os.write

        def slow(fd, data):
            started.set()
            time.sleep(0.5)
            return write(fd, data)

        os.write = slow
        store = AsyncStore(LocalBackend(sys.argv[1]))
        threading.Thread(target=lambda: asyncio.run(store.write("a", b"whole")), daemon=True).start()
        started.wait()
        """,
        tmp_path,
    )
    assert tree(tmp_path) == {"a": b"whole"}


@pytest.mark.spec("RUN-010")
def test_work_that_hangs_does_not_hang_the_exit() -> None:
    script(
        """
        import asyncio, threading, time
        from remote_store import _runtime
        from remote_store._runtime import _background, _workers

        _workers.EXIT_GRACE = _background.EXIT_GRACE = 0.2
        hanging = threading.Event()

        def hang():
            hanging.set()
            time.sleep(1000)

        async def never():
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    pass

        threading.Thread(target=lambda: _runtime.drive(_runtime.on_asyncio(never)), daemon=True).start()
        threading.Thread(target=lambda: asyncio.run(_runtime.in_thread(hang)), daemon=True).start()
        hanging.wait()
        """
    )


@pytest.mark.spec("RUN-010", "RUN-012")
def test_work_on_the_background_loop_cleans_up_at_exit(tmp_path: Path) -> None:
    script(
        """
        import asyncio, sys, threading
        from remote_store import _runtime

        begun = threading.Event()

        async def work():
            begun.set()
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(0.1)
                open(sys.argv[1], "w").close()

        def call():
            try:
                _runtime.drive(_runtime.on_asyncio(work))
            except asyncio.CancelledError:
                pass

        threading.Thread(target=call, daemon=True).start()
        begun.wait()
        """,
        tmp_path / "cleaned",
    )
    assert (tmp_path / "cleaned").exists()


@pytest.mark.spec("RUN-010", "RUN-016")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("way", ["blocking", "asyncio", "trio", "loop"])
def test_use_in_a_function_that_runs_at_exit(way: str, when: str, tmp_path: Path) -> None:
    """Registered before the library's own, it runs after them; and the other way round."""
    script(
        """
import atexit, sys

def at_exit():
    store = AsyncStore(LocalBackend(sys.argv[3]))
    if sys.argv[1] == "blocking":
        _runtime.drive(use(store, "at exit"))
    elif sys.argv[1] == "asyncio":
        asyncio.run(use(store, "at exit"))
    elif sys.argv[1] == "trio":
        trio.run(use, store, "at exit")
    else:
        assert _runtime.drive(_runtime.on_asyncio(loop_name)) == "remote-store-loop"
        _runtime.drive(use(store, "at exit"))

if sys.argv[2] == "before":
    atexit.register(at_exit)
"""
        + EVERY_WAY
        + """
if sys.argv[2] == "after":
    atexit.register(at_exit)
every_way(LocalBackend(sys.argv[3]))
""",
        way,
        when,
        tmp_path,
    )
    assert tree(tmp_path)["at exit"] == b"1234"


@pytest.mark.spec("RUN-010", "STR-008")
def test_what_is_left_open_at_exit_makes_no_noise(tmp_path: Path) -> None:
    script(
        """
        import asyncio, io, sys
        from remote_store import AsyncStore, Store
        from remote_store.backends import LocalBackend

        store = Store(LocalBackend(sys.argv[1]))
        for number in range(1500):
            store.write(f"folder/{number}", b"1")
        listing = store.list_files("folder")
        next(listing)
        walk = store.walk()
        next(walk)
        reading = store.read("folder/1")
        reading.read(0)
        text = io.TextIOWrapper(store.open_read("folder/2"))
        writing = store.open_write("new 1/file")
        writing.__enter__()
        writing.write(b"x" * 1_000_000)
        asynchronous = AsyncStore(LocalBackend(sys.argv[1]))

        async def main():
            global stream, files, content
            stream = await asynchronous.read("folder/1")
            files = asynchronous.list_files("folder")
            await anext(files)
            content = asynchronous.open_write("new 2/other")
            await content.__aenter__()

        asyncio.run(main())
        """,
        tmp_path,
    )
    assert temporaries(tmp_path) == []
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.spec("RUN-010")
@pytest.mark.parametrize(
    "end", ["sys.exit(0)", "raise SystemExit", "os._exit(0)", "os.kill(os.getpid(), 15)"]
)
def test_every_way_to_end(end: str, tmp_path: Path) -> None:
    done = script(
        EVERY_WAY
        + f"""
import os, sys
every_way(LocalBackend(sys.argv[1]))
{end}
""",
        tmp_path,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == (-15 if "kill" in end else 0)


@pytest.mark.spec("RUN-010", "RUN-002")
@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_ctrl_c_in_a_loop_waits_for_the_thread(world: str, tmp_path: Path) -> None:
    script(
        """
        import asyncio, os, signal, sys, threading, time, trio
        from remote_store import AsyncStore
        from remote_store.backends import LocalBackend

        write = os.write

        def slow(fd, data):
            if data.nbytes > 1:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                time.sleep(0.3)
            return write(fd, data)

        os.write = slow
        store = AsyncStore(LocalBackend(sys.argv[2]))

        async def main():
            try:
                await store.write("a", iter([b"x" * 1000]))
            finally:
                found = os.listdir(sys.argv[2])
                assert found in ([], ["a"]), found
            await (asyncio.sleep(0) if sys.argv[1] == "asyncio" else trio.sleep(0))

        try:
            asyncio.run(main()) if sys.argv[1] == "asyncio" else trio.run(main)
        except KeyboardInterrupt:
            print("interrupted")
        """,
        world,
        tmp_path,
    )
    assert temporaries(tmp_path) == []
