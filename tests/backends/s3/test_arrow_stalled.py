"""A server that falls silent while Arrow waits for it: who is cancelled goes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from tests.backends.s3.arrow import CONTENT, OneObject, arrow, by_arrow
from tests.backends.s3.support import MIB, Asked, Proxy, Reply
from tests.s3_buckets import Buckets

from remote_store import AsyncStore
from remote_store.backends.s3_pyarrow import _upload

PATIENCE = {"read_timeout": 8}


@pytest.mark.spec("S3PA-018")
@pytest.mark.parametrize("arrow_from", [0, MIB])
def test_a_read_that_is_cancelled_waits_for_no_server(fake: Proxy, arrow_from: int) -> None:
    one, waiting = OneObject(CONTENT * 3), threading.Event()

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if by_arrow(asked) and asked.method == "GET":
            waiting.set()
            return Reply(silent=True)
        return one(asked, ask)

    fake.hook = hook

    async def main() -> float:
        async with AsyncStore(arrow("bucket", fake.url, client=PATIENCE, arrow_from=arrow_from)) as store:
            task = asyncio.ensure_future(store.read_bytes("f"))
            await asyncio.to_thread(waiting.wait, 30)
            begun = time.monotonic()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        return begun

    begun = asyncio.run(main())  # the loop, too, ends at once
    assert time.monotonic() - begun < PATIENCE["read_timeout"] / 2


@pytest.mark.spec("S3PA-018")
def test_a_write_that_is_cancelled_waits_a_moment_and_is_undone_later(
    bucket: str, buckets: Buckets, proxy: Proxy
) -> None:
    waiting = threading.Event()

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if by_arrow(asked) and asked.operation == "PUT uploadId partNumber":
            waiting.set()
            return Reply(silent=True)
        return ask()

    proxy.hook = hook

    async def main() -> float:
        backend = arrow(bucket, proxy.url, client={"read_timeout": 5}, arrow_writes=True)
        async with AsyncStore(backend) as store:
            task = asyncio.ensure_future(store.write("f", bytes(12 * MIB)))
            await asyncio.to_thread(waiting.wait, 30)
            begun = time.monotonic()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            return time.monotonic() - begun

    assert asyncio.run(main()) < _upload.GRACE + 2
    proxy.hook = lambda asked, ask: ask()
    end = time.monotonic() + 40
    while buckets.keys(bucket) or buckets.unfinished(bucket):
        assert time.monotonic() < end, (buckets.keys(bucket), buckets.unfinished(bucket))
        time.sleep(0.1)
