"""Answers that lack what they have to tell, and one that is lost."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, error_reply, quick
from tests.runtime.support import run
from tests.s3_buckets import Buckets

from remote_store import NotFound, RemoteStoreError, Store
from remote_store.backends.s3 import _change

Ask = Callable[[], Reply]
PAGE = b"<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>d/a</Key><Size>1</Size></Contents>"
PARTS = {"retries": {"total_max_attempts": 3}}
LARGE = bytes(11 * MIB)


def without(name: str) -> Callable[[Asked, Ask], Reply]:
    """Leave a header out of all answers, and an element out of all documents."""
    begun = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"

    def hook(asked: Asked, ask: Ask) -> Reply:
        nameless = (asked.operation, name) == ("POST uploads", "UploadId")  # nobody could end it
        reply = Reply(200, begun) if nameless else ask()
        reply.headers = [each for each in reply.headers if each[0].lower() != name.lower()]
        reply.body = reply.body.replace(f"{name}>".encode(), b"Other>")
        return reply

    return hook


@pytest.mark.spec("S3-067")
@pytest.mark.parametrize("hot_path", [False, True])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("ETag", lambda store: store.copy("f", "g")),
        ("ETag", lambda store: store.move("f", "g")),
        ("ETag", lambda store: store.write("g", [LARGE])),
        ("UploadId", lambda store: store.write("g", [LARGE])),
    ],
)
def test_what_an_answer_lacks_is_named(
    proxy: Proxy, bucket: str, hot_path: bool, name: str, call: Callable[[Store], Any]
) -> None:
    with Store(quick(bucket, proxy.url, part_size=5 * MIB, hot_path=hot_path)) as store:
        store.write("f", b"x")
        proxy.hook = without(name)
        with pytest.raises(RemoteStoreError, match=f"no {name}"):
            call(store)
        proxy.hook = lambda asked, ask: ask()
        assert not store.exists("g")


@pytest.mark.spec("S3-067")
def test_a_copied_part_without_an_etag(proxy: Proxy, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_change, "WHOLE_COPY", 5 * MIB)

    def hook(asked: Asked, ask: Ask) -> Reply:
        return without("ETag")(asked, ask) if "copy" in asked.operation else ask()

    with Store(quick(bucket, proxy.url, part_size=5 * MIB)) as store:
        store.write("f", LARGE)
        proxy.hook = hook
        with pytest.raises(RemoteStoreError, match="no ETag"):
            store.copy("f", "g")


@pytest.mark.spec("S3-067")
def test_a_page_that_does_not_say_where_the_next_begins(fake: Proxy) -> None:
    fake.hook = lambda asked, ask: Reply(200, PAGE + b"</ListBucketResult>" if asked.method == "GET" else b"")
    with Store(quick("bucket", fake.url)) as store:
        with pytest.raises(RemoteStoreError, match="no NextContinuationToken"):
            store.delete_folder("d", recursive=True)


def losing(proxy: Proxy, then: Callable[[], None] = lambda: None) -> None:
    """Lose the answer to a completion, as servers do that then know no such upload any more."""
    done: list[Asked] = []

    def hook(asked: Asked, ask: Ask) -> Reply:
        if asked.operation != "POST uploadId":
            return ask()
        done.append(asked)
        if len(done) > 1:
            return error_reply(404, "NoSuchUpload")
        reply = ask()
        then()
        return Reply(reset=True) if reply.status == 200 else reply

    proxy.hook = hook


@pytest.mark.spec("S3-066")
@pytest.mark.parametrize("checksum", ["when_supported", "when_required"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_upload_that_was_completed_after_all(
    proxy: Proxy, bucket: str, overwrite: bool, checksum: str
) -> None:
    client = {**PARTS, "request_checksum_calculation": checksum}
    with Store(quick(bucket, proxy.url, client, part_size=5 * MIB)) as store:
        losing(proxy)
        result = store.write("f", [LARGE], overwrite=overwrite)
        info = store.get_file_info("f")
        assert (result.size, result.etag, info.size) == (len(LARGE), info.etag, len(LARGE))


@pytest.mark.spec("S3-066", "BE-023")
def test_parts_that_were_completed_after_all(proxy: Proxy, bucket: str) -> None:
    async def main() -> None:
        backend = quick(bucket, proxy.url, PARTS)
        writer = await backend.open_parts("f", size=10)
        part = await writer.write(1, b"0123456789", zlib.crc32(b"0123456789"))
        losing(proxy)
        result = await writer.commit([part])
        info = await backend.get_file_info("f")
        assert (result.size, result.etag) == (10, info.etag)
        await backend.aclose()

    run("asyncio", main)


@pytest.mark.spec("S3-066")
@pytest.mark.parametrize("other", [b"another", bytes(11 * MIB - 1) + b"x"], ids=["size", "content"])
def test_an_upload_of_which_nothing_is_known(
    proxy: Proxy, bucket: str, buckets: Buckets, other: bytes
) -> None:
    losing(proxy, lambda: buckets._client.put_object(Bucket=bucket, Key="f", Body=other))
    with Store(quick(bucket, proxy.url, PARTS, part_size=5 * MIB)) as store:
        with pytest.raises(NotFound, match="look at what is there"):
            store.write("f", [LARGE], overwrite=True)
        assert store.read_bytes("f") == other


@pytest.mark.spec("S3-066")
def test_who_may_not_look_is_told_as_well(proxy: Proxy, bucket: str) -> None:
    losing(proxy)
    hook = proxy.hook
    proxy.hook = lambda asked, ask: (
        error_reply(403, "AccessDenied") if asked.method == "HEAD" else hook(asked, ask)
    )
    with Store(quick(bucket, proxy.url, PARTS, part_size=5 * MIB)) as store:
        with pytest.raises(NotFound, match="look at what is there"):
            store.write("f", [LARGE], overwrite=True)
