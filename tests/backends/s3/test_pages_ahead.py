"""The next page of a listing is asked for while the caller works on the last."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.backends.s3.support import Asked, Proxy, Reply, error_reply, quick
from tests.backends.s3.test_s3_connections import cancelled_when
from tests.runtime.support import WORLDS, pause, run, until, wait_for

from remote_store import AsyncStore, BackendUnavailable, Store

PAGES = 5
pytestmark = pytest.mark.spec("S3-025")


def paged(asked: Asked, ask: Callable[[], Reply]) -> Reply:
    """Answer with page after page, of two keys each."""
    number = number_of(asked)
    keys = "".join(
        f"<Contents><Key>{number}-{each}</Key><LastModified>2026-11-24T00:00:00.000Z</LastModified>"
        f'<ETag>"1"</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>'
        for each in "ab"
    )
    more = number < PAGES - 1
    token = f"<NextContinuationToken>{number + 1}</NextContinuationToken>" if more else ""
    body = f"<IsTruncated>{str(more).lower()}</IsTruncated>{keys}{token}"
    page = f'<?xml version="1.0"?><ListBucketResult><Name>bucket</Name>{body}</ListBucketResult>'
    return Reply(200, page.encode(), [("Content-Type", "application/xml")])


def number_of(asked: Asked) -> int:
    _, found, rest = asked.target.partition("continuation-token=")
    return int(rest.split("&")[0]) if found else 0


def numbers(fake: Proxy) -> list[int]:
    return [number_of(asked) for asked in fake.asked]


ALL = [f"{number}-{each}" for number in range(PAGES) for each in "ab"]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("hot_path", [True, False])
def test_how_far_ahead(fake: Proxy, world: str, hot_path: bool) -> None:
    fake.hook = paged

    async def main() -> None:
        async with AsyncStore(quick("bucket", fake.url, hot_path=hot_path)) as store:
            entries = store.list_files()
            names = [(await anext(entries)).name for _ in range(2)]
            await pause(0.05)
            assert numbers(fake) == [0]
            names.append((await anext(entries)).name)
            await until(lambda: numbers(fake) == [0, 1, 2])
            await pause(0.05)
            assert numbers(fake) == [0, 1, 2]
            names += [info.name async for info in entries]
            assert names == ALL
            assert numbers(fake) == [0, 1, 2, 3, 4]

    run(world, main)


def test_blocking(fake: Proxy) -> None:
    fake.hook = paged
    with Store(quick("bucket", fake.url)) as store:
        assert [info.name for info in store.list_files()] == ALL
    assert numbers(fake) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("dropped", [True, False])
def test_a_listing_that_is_left_ends_the_request_ahead(fake: Proxy, world: str, dropped: bool) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = paged(asked, ask)
        reply.silent = number_of(asked) == 2
        return reply

    fake.hook = hook

    async def main() -> None:
        alone = {"max_pool_connections": 1, "read_timeout": 1000}  # the next listing gets no other chance
        async with AsyncStore(quick("bucket", fake.url, alone)) as store:
            entries = store.list_files()
            for _ in range(3):
                await anext(entries)
            await until(lambda: numbers(fake) == [0, 1, 2])
            if dropped:
                del entries
                gc.collect()
            else:
                await entries.aclose()
            fake.hook = paged
            assert [info.name async for info in store.list_files()] == ALL

    run(world, main)


@pytest.mark.parametrize("world", WORLDS)
def test_who_is_cancelled_finds_the_same_page_again(fake: Proxy, world: str) -> None:
    waiting, go_on = threading.Event(), threading.Event()

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if number_of(asked) == 2:
            waiting.set()
            assert go_on.wait(20)
        return paged(asked, ask)

    fake.hook = hook

    async def main() -> None:
        async with AsyncStore(quick("bucket", fake.url)) as store:
            backend: Any = store._scope.backend
            pages = backend.list_pages("", recursive=True)
            names = [info.name for _ in range(2) for info in await pages.__anext__()]
            await cancelled_when(waiting, pages.__anext__)
            go_on.set()
            names += [info.name async for page in pages for info in page]
            assert names == ALL
        assert numbers(fake) == [0, 1, 2, 3, 4]

    run(world, main)


def test_an_error_comes_with_its_page(fake: Proxy) -> None:
    broken = True

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        return error_reply(503, "SlowDown") if number_of(asked) == 2 and broken else paged(asked, ask)

    fake.hook = hook

    async def main() -> None:
        nonlocal broken
        async with AsyncStore(quick("bucket", fake.url)) as store:
            backend: Any = store._scope.backend
            pages = backend.list_pages("", recursive=True)
            names = [info.name for _ in range(2) for info in await pages.__anext__()]
            with pytest.raises(BackendUnavailable):
                await pages.__anext__()
            broken = False
            names += [info.name async for page in pages for info in page]
            assert names == ALL
            abandoned = backend.list_pages("", recursive=True)
            broken = True
            for _ in range(2):
                await abandoned.__anext__()
            await asyncio.sleep(0.05)  # its failure is nobody's

    asyncio.run(main())
    wait_for(lambda: not fake.open)
