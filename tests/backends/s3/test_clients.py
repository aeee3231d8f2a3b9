"""One client for each loop, closed at the latest with it, and nobody hears of it."""

from __future__ import annotations

import textwrap

import pytest
from tests.backends.support import script
from tests.services import KEY, SECRET, S3Server

PRELUDE = """
import asyncio, gc, os, sys, threading, time
import anyio, trio
from remote_store import AsyncStore, Store
from remote_store.backends import S3Backend

url, bucket, key, secret = sys.argv[1:]

def made():
    return S3Backend(bucket, endpoint_url=url, key=key, secret=secret, region_name="us-east-1")

async def use(store, name="f"):
    await store.write(name, b"x" * 100, overwrite=True)
    assert await store.read_bytes(name) == b"x" * 100
    assert [str(info.path) async for info in store.list_files()]
"""

SCRIPTS = {
    "two loops, one after the other": """
        store = AsyncStore(made())
        for _ in range(2):
            asyncio.run(use(store))
    """,
    "closed": """
        async def main():
            async with AsyncStore(made()) as store:
                await use(store)
        asyncio.run(main())
        trio.run(main)
        asyncio.run(main())
    """,
    "closed by who has been cancelled": """
        async def main():
            backend = made()
            store = AsyncStore(backend)
            await use(store)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await store.aclose()
            assert backend._api.of_this_loop() is None
        asyncio.run(main())
        trio.run(main)
    """,
    "closed and used again by another backend": """
        async def main():
            for _ in range(3):
                store = AsyncStore(made())
                await use(store)
                await store.aclose()
        asyncio.run(main())
    """,
    "never closed": """
        async def main():
            await use(AsyncStore(made()))
        asyncio.run(main())
    """,
    "never closed, and held until the end": """
        store = AsyncStore(made())
        asyncio.run(use(store))
    """,
    "never closed, blocking": """
        store = Store(made())
        store.write("g", b"x", overwrite=True)
        assert store.read_bytes("g") == b"x"
    """,
    "never closed, blocking, in a thread": """
        def work():
            Store(made()).write("g", b"x", overwrite=True)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    """,
    "never closed, trio": """
        store = AsyncStore(made())
        trio.run(use, store)
        trio.run(use, store)
    """,
    "dropped while its loop goes on": """
        async def main():
            for _ in range(3):
                await use(AsyncStore(made()))
                gc.collect()
                await asyncio.sleep(0.05)
        asyncio.run(main())
    """,
    "dropped, blocking": """
        for _ in range(3):
            Store(made()).write("g", b"x", overwrite=True)
            gc.collect()
    """,
    "two loops at once": """
        store = AsyncStore(made())
        def work(name):
            asyncio.run(use(store, name))
        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    """,
    "all at once, closed by one": """
        backend, ready, end = made(), threading.Barrier(3), threading.Event()
        async def work(name):
            await use(AsyncStore(backend), name)
            ready.wait()
            while not end.is_set():
                await asyncio.sleep(0.001)
        threads = [threading.Thread(target=asyncio.run, args=(work(name),)) for name in "ab"]
        [thread.start() for thread in threads]
        ready.wait()
        Store(backend).close()
        end.set()
        [thread.join() for thread in threads]
    """,
    "a loop that is left with a stream open": """
        store = AsyncStore(made())
        async def main():
            await store.write("large", bytes(3_000_000), overwrite=True)
            stream = await store.read("large")
            assert await stream.read(10) == bytes(10)
        asyncio.run(main())
        asyncio.run(use(store))
    """,
    "a first operation that is cancelled": """
        async def main():
            store = AsyncStore(made())
            with anyio.move_on_after(0.01):
                await use(store)
            await use(store)
        asyncio.run(main())
    """,
    "after a fork": """
        store = Store(made())
        store.write("g", b"x", overwrite=True)
        child = os.fork()
        if not child:
            assert store.read_bytes("g") == b"x"
            store.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert store.read_bytes("g") == b"x"
        store.close()
    """,
    "a fork while something is written": """
        from remote_store.backends.s3 import _upload
        _upload.LOOKS = 1
        store = Store(made())
        stream = store.open_write("h", overwrite=True).__enter__()
        stream.write(bytes(20 << 20))
        child = os.fork()
        if not child:
            del stream
            gc.collect()
            time.sleep(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        stream.__exit__(None, None, None)
        assert store.get_file_info("h").size == 20 << 20
        store.close()
    """,
    "after a fork, asyncio": """
        store = AsyncStore(made())
        asyncio.run(use(store))
        child = os.fork()
        if not child:
            asyncio.run(use(store, "c"))
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        asyncio.run(use(store))
    """,
}


@pytest.mark.spec("S3-007")
@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_is_said_at_the_end(name: str, seaweedfs: S3Server, bucket: str) -> None:
    source = PRELUDE + textwrap.dedent(SCRIPTS[name])
    assert script(source, seaweedfs.endpoint_url, bucket, KEY, SECRET) == ""


@pytest.mark.spec("S3-001", "S3-007")
def test_a_backend_that_was_never_used(seaweedfs: S3Server) -> None:
    source = f"""{PRELUDE}
Store(made()).close()
asyncio.run(AsyncStore(made()).aclose())
made()
assert "aiobotocore" not in sys.modules and "botocore" not in sys.modules
"""
    assert script(source, seaweedfs.endpoint_url, "bucket", KEY, SECRET) == ""
