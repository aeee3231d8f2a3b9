"""Answers that are no listing: a page of a proxy, a login, half a page. None is an empty folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.backends.s3.support import Asked, Proxy, Reply, quick
from tests.runtime.support import run

from remote_store import RemoteStoreError, Store, sync
from remote_store.backends import MemoryBackend

ENTRY = b"<Contents><Key>d/a</Key><Size>1</Size></Contents>"
NO_LISTING = {
    "nothing": b"",
    "a page": b"<html><body>please log in</body></html>",
    "a page with a type": b"<!DOCTYPE html><html><body>please log in</body></html>",
    "another answer": b"<ListAllMyBucketsResult></ListAllMyBucketsResult>",
    "half a listing": b"<ListBucketResult></ListBucketResult>",
}
ANONYMOUS = {"anon": True, "key": None, "secret": None}
WAYS: list[dict[str, Any]] = [{}, {"hot_path": "aiohttp"}, {"hot_path": False}, ANONYMOUS]


@pytest.fixture(params=WAYS, ids=str)
def store(fake: Proxy, request: pytest.FixtureRequest) -> Iterator[Store]:
    with Store(quick("bucket", fake.url, **request.param)) as opened:
        yield opened


def answers(fake: Proxy, page: bytes) -> None:
    """Let listings be answered with a page; there is no object."""

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        return Reply(404) if asked.method == "HEAD" else Reply(200, page, [("Content-Type", "text/html")])

    fake.hook = hook


ASK: dict[str, Callable[[Store], object]] = {
    "list": lambda store: list(store.list_files("")),
    "a folder": lambda store: list(store.list_files("d")),
    "recursive": lambda store: list(store.list_files("", recursive=True)),
    "exists": lambda store: store.exists("d"),
    "info": lambda store: store.get_file_info("d"),
    "delete": lambda store: store.delete_folder("d", recursive=True),
    "ping": lambda store: store.ping(),
}


@pytest.mark.spec("S3-029", "S3-071")
@pytest.mark.parametrize("page", NO_LISTING)
def test_an_answer_that_is_no_listing_is_no_empty_folder(fake: Proxy, store: Store, page: str) -> None:
    answers(fake, NO_LISTING[page])
    for ask in ASK.values():
        with pytest.raises(RemoteStoreError, match="the answer is no listing") as caught:
            ask(store)
        assert (type(caught.value), caught.value.retryable) == (RemoteStoreError, False)


@pytest.mark.spec("S3-071")
def test_nothing_is_deleted_because_a_proxy_answers(fake: Proxy, store: Store) -> None:
    answers(fake, NO_LISTING["a page"])
    with Store(MemoryBackend()) as target:
        target.write("keep/me.txt", b"1")
        with pytest.raises(RemoteStoreError, match="no listing"):
            sync(store, "", target, "", delete=True)
        assert target.exists("keep/me.txt")


@pytest.mark.spec("S3-029", "S3-071")
def test_a_page_that_says_there_is_more_and_not_where_is_not_the_last(fake: Proxy, store: Store) -> None:
    answers(fake, b"<ListBucketResult><IsTruncated>true</IsTruncated>" + ENTRY + b"</ListBucketResult>")
    for name in ("list", "recursive", "delete"):
        with pytest.raises(RemoteStoreError, match="NextContinuationToken") as caught:
            ASK[name](store)
        assert type(caught.value) is RemoteStoreError


@pytest.mark.spec("S3-071")
@pytest.mark.parametrize("page", NO_LISTING)
def test_no_upload_is_forgotten_because_a_proxy_answers(fake: Proxy, page: str) -> None:
    """Which of a key's uploads are empty is asked before they are aborted."""
    upload = b"<Upload><Key>f</Key><UploadId>u</UploadId><Initiated>2026-11-27T06:00:00Z</Initiated></Upload>"
    uploads = (
        b"<ListMultipartUploadsResult><Bucket>bucket</Bucket>" + upload + b"</ListMultipartUploadsResult>"
    )

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        date = [("Date", "Fri, 27 Nov 2026 06:00:01 GMT")]
        return Reply(200, uploads if asked.operation == "GET uploads" else NO_LISTING[page], date)

    async def main() -> None:
        backend = quick("bucket", fake.url)
        for fake.hook in (hook, lambda asked, ask: Reply(200, NO_LISTING[page])):
            with pytest.raises(RemoteStoreError, match="no listing"):
                await backend.forget_parts("f", datetime(2026, 1, 1, tzinfo=UTC))
        await backend.aclose()

    run("asyncio", main)
    assert not [asked for asked in fake.asked if asked.method == "DELETE"]
