"""In a notebook: cells with ``await`` and cells that block, as IPython and as Jupyter's kernel run them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.system.support import files, script, temporaries

pytest.importorskip("IPython")

SHELL = """
import asyncio, sys, textwrap
from traitlets.config import Config

config = Config()
config.HistoryManager.enabled = False
from IPython.core.interactiveshell import InteractiveShell

def make():
    return InteractiveShell.instance(config=config, colors="nocolor")

def check(result):
    result.raise_error()  # the shell would print it and go on
    assert result.success
    return result.result
"""

CELLS = """
CELLS = [
    '''
    from remote_store import AsyncStore, NotFound, Store, open_async_store, open_store
    from remote_store.backends import LocalBackend, MemoryBackend
    BIG = bytes(range(256)) * 8192
    backend = LocalBackend(root)
    blocking, asynchronous = Store(backend), AsyncStore(backend)
    ''',
    # blocking
    '''
    blocking.write("blocking", b"1")
    with blocking.open_write("blocking big") as stream:
        stream.write(BIG)
    assert blocking.read_bytes("blocking big") == BIG
    names = [info.name for info in blocking.list_files()]
    assert sorted(names) == ["blocking", "blocking big"]
    ''',
    # awaiting
    '''
    await asynchronous.write("awaited", b"2")
    async with asynchronous.open_write("awaited big") as stream:
        await stream.write(BIG)
    async with await asynchronous.read("awaited big") as stream:
        assert b"".join([chunk async for chunk in stream]) == BIG
    names = [info.name async for info in asynchronous.list_files()]
    assert len(names) == 4
    ''',
    # both, and each sees what the other did
    '''
    assert await asynchronous.read_bytes("blocking") == b"1"
    assert blocking.read_bytes("awaited") == b"2"
    await asynchronous.copy("blocking", "copy")
    blocking.move("copy", "moved")
    assert [info.name async for info in asynchronous.glob("m*")] == ["moved"]
    ''',
    # a stream and a listing that are opened in one cell and used in later ones
    '''
    stream = await asynchronous.read("awaited big")
    reading = blocking.open_read("blocking big")
    listing = blocking.list_files()
    first = next(listing)
    head = await stream.read(1000)
    ''',
    '''
    assert head + await stream.read() == BIG
    assert reading.read() == BIG
    assert len({first.name, *(info.name for info in listing)}) == 5
    ''',
    '''
    await stream.aclose()
    reading.close()
    await asynchronous.read_bytes("moved")
    ''',
    # an error ends one cell and harms no other
    '''
    try:
        await asynchronous.read_bytes("missing")
    except NotFound as error:
        assert error.path == "missing"
    try:
        blocking.read_bytes("missing")
    except NotFound as error:
        assert error.path == "missing"
    ''',
    '''
    async with open_async_store("memory://") as memory:
        await memory.write("a", b"3")
        assert await memory.read_bytes("a") == b"3"
    with open_store(f"file://{root}") as other:
        assert other.read_bytes("blocking") == b"1"
    ''',
    '''await asynchronous.read_bytes("blocking")''',
]
LAST = b"1"
CELLS = [textwrap.dedent(cell) for cell in CELLS]
"""

LEFT = {"blocking", "blocking big", "awaited", "awaited big", "moved"}


@pytest.mark.spec("GEN-007", "RUN-016", "STORE-010")
def test_ipython(tmp_path: Path) -> None:
    """A loop runs only while a cell is awaited, and not while a blocking cell runs."""
    script(
        SHELL
        + CELLS
        + """
shell = make()
shell.user_ns["root"] = sys.argv[1]
for cell in CELLS:
    last = check(shell.run_cell(cell))
assert last == LAST
""",
        tmp_path,
    )
    assert files(tmp_path) == LEFT
    assert temporaries(tmp_path) == []


@pytest.mark.spec("GEN-007", "RUN-016", "STORE-010")
def test_ipython_with_trio(tmp_path: Path) -> None:
    """``%autoawait trio`` runs each cell with ``await`` in a ``trio.run`` of its own."""
    script(
        SHELL
        + CELLS
        + """
shell = make()
shell.user_ns["root"] = sys.argv[1]
check(shell.run_cell("%autoawait trio"))
check(shell.run_cell("import trio; await trio.sleep(0)"))
for cell in CELLS:
    last = check(shell.run_cell(cell))
assert last == LAST
""",
        tmp_path,
    )
    assert files(tmp_path) == LEFT


@pytest.mark.spec("GEN-007", "RUN-016")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_kernel(loop: str, tmp_path: Path) -> None:
    """Jupyter's kernel runs all cells, blocking ones too, inside one loop that runs all the time."""
    script(
        SHELL
        + CELLS
        + """
import uvloop

async def kernel():
    shell = make()
    shell.user_ns["root"] = sys.argv[1]
    ticks = 0

    async def heartbeat():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    beating = asyncio.create_task(heartbeat())
    for cell in CELLS:
        before = ticks
        last = check(await shell.run_cell_async(cell, transformed_cell=shell.transform_cell(cell)))
        while ticks < before + 3:  # the loop goes on
            await asyncio.sleep(0)
    assert last == LAST
    beating.cancel()

with asyncio.Runner(loop_factory=uvloop.new_event_loop if sys.argv[2] == "uvloop" else None) as runner:
    runner.run(kernel())
""",
        tmp_path,
        loop,
    )
    assert files(tmp_path) == LEFT
    assert temporaries(tmp_path) == []


@pytest.mark.spec("GEN-007", "RUN-016", "LOC-018")
def test_interrupting_a_cell(tmp_path: Path) -> None:
    """The kernel's interrupt key is a Ctrl-C: the cell ends, and the next one works."""
    script(
        SHELL
        + """
import signal

async def kernel():
    shell = make()
    shell.user_ns["root"] = sys.argv[1]

    async def run(cell):
        cell = textwrap.dedent(cell)
        return await shell.run_cell_async(cell, transformed_cell=shell.transform_cell(cell))

    check(await run('''
        import os, signal
        from remote_store import Store
        from remote_store.backends import LocalBackend
        store = Store(LocalBackend(root))

        def endless():
            for number in range(1_000_000):
                yield b"x" * 100_000
                if number == 50:
                    os.kill(os.getpid(), signal.SIGINT)
        '''))
    shell.showtraceback = lambda *args, **options: None  # it would print the interrupt
    result = await run('store.write("endless", endless())')
    assert isinstance(result.error_in_exec, KeyboardInterrupt), result
    check(await run('assert not store.exists("endless"); store.write("after", b"1")'))

signal.signal(signal.SIGINT, signal.default_int_handler)
loop = asyncio.new_event_loop()
loop.run_until_complete(kernel())
loop.close()
""",
        tmp_path,
    )
    assert files(tmp_path) == {"after"}
    assert temporaries(tmp_path) == []
