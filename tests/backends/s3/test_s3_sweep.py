"""What killed processes left is found and deleted, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.backends.s3.support import Asked, Proxy, Reply, error_reply, quick
from tests.runtime.support import WORLDS, run
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import NotFound, RemoteStoreError
from remote_store._runtime import drive
from remote_store.backends import S3Backend
from remote_store.backends.s3 import _sweep
from remote_store.backends.s3._conditions import PROBE
from remote_store.backends.s3._listing import HIDDEN

pytestmark = pytest.mark.spec("S3-046")
NAMES = ["a/b c+%", "a/\u00fc", "a/x/y", "ab", "top"]


def left(backend: S3Backend, bucket: str, *more: str) -> None:
    """Leave what processes leave that are killed: uploads with a part, and objects of the backend's own."""

    async def main() -> None:
        for key in NAMES:
            begun = await backend._api.request("create_multipart_upload", key)
            part = {"UploadId": begun["UploadId"], "PartNumber": 1, "Body": b"x"}
            await backend._api.request("upload_part", key, part)
        for name in (f"{PROBE}{'0' * 16}", f"{HIDDEN}{'a' * 32}", f"{PROBE}mine", "other", *more):
            await backend._api.request("put_object", name, {"Body": b"probe"})

    run("asyncio", main)


@pytest.mark.parametrize("world", [*WORLDS, "blocking"])
def test_what_was_left_is_swept(
    bucket: str, buckets: Buckets, seaweedfs_url: str, world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sweep, "PAGE", 2)
    backend = quick(bucket, seaweedfs_url)
    left(backend, bucket, f"{PROBE}{'f' * 16}")  # on the second page of what is the backend's own
    counts: list[int] = []

    async def main() -> None:
        counts.append(await backend.sweep_uploads())
        counts.append(await backend.sweep_uploads("/a/", older_than=0))
        assert sorted(buckets.unfinished(bucket)) == ["ab", "top"]
        counts.append(await backend.sweep_uploads(older_than=0))
        counts.append(await backend.sweep_uploads(older_than=0))
        await backend.aclose()

    if world == "blocking":
        drive(main())
    else:
        run(world, main)
    assert counts == [0, 3, 5, 0]
    assert buckets.unfinished(bucket) == []
    assert sorted(buckets.keys(bucket)) == [f"{PROBE}mine", "other"]


def test_another_server(moto: S3Server) -> None:
    buckets = Buckets(moto)
    bucket = buckets.new()
    backend = quick(bucket, moto.endpoint_url)
    left(backend, bucket)
    assert drive(backend.sweep_uploads("a", older_than=0)) == 3
    assert drive(backend.sweep_uploads(older_than=0)) == 4
    assert buckets.unfinished(bucket) == []
    assert sorted(buckets.keys(bucket)) == [f"{PROBE}mine", "other"]
    drive(backend.aclose())
    buckets.close()


@pytest.mark.parametrize(("days", "count"), [(6, 0), (8, 7)])
def test_the_age_is_by_the_servers_clock(
    bucket: str, buckets: Buckets, proxy: Proxy, days: int, count: int
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        later = format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=True)
        kept = [(name, value) for name, value in reply.headers if name.lower() != "date"]
        reply.headers = [*kept, ("Date", later)]
        return reply

    backend = quick(bucket, proxy.url)
    left(backend, bucket)
    proxy.hook = hook
    assert drive(backend.sweep_uploads()) == count
    assert len(buckets.unfinished(bucket)) == (0 if count else len(NAMES))
    drive(backend.sweep_uploads(older_than=0))
    drive(backend.aclose())


def test_an_upload_that_ends_meanwhile_is_no_error(bucket: str, buckets: Buckets, proxy: Proxy) -> None:
    backend = quick(bucket, proxy.url)
    left(backend, bucket)

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        return error_reply(404, "NoSuchUpload") if asked.operation == "DELETE uploadId" else reply

    proxy.hook = hook
    assert drive(backend.sweep_uploads(older_than=0)) == 7
    drive(backend.aclose())


EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


def upload(key: str) -> bytes:
    facts = f"<Key>{key}</Key><UploadId>1</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated>"
    return f"<ListMultipartUploadsResult><Upload>{facts}</Upload></ListMultipartUploadsResult>".encode()


ERRORS: dict[str, tuple[Reply, type[RemoteStoreError], str]] = {
    "no bucket": (error_reply(404, "NoSuchBucket"), NotFound, "no such bucket"),
    "no time": (
        Reply(200, upload("k")),
        RemoteStoreError,
        "does not tell its time",
    ),
}


@pytest.mark.parametrize("how", ERRORS)
def test_what_cannot_be_swept_is_an_error(fake: Proxy, how: str) -> None:
    reply, kind, text = ERRORS[how]
    fake.hook = lambda asked, ask: reply
    backend = quick("bucket", fake.url)
    with pytest.raises(kind, match=text):
        drive(backend.sweep_uploads(older_than=0))
    drive(backend.aclose())
    assert len(fake.asked) == 1


def test_keys_that_xml_cannot_name(fake: Proxy) -> None:
    def hook(asked: Asked, ask: object) -> Reply:
        key = "a%01+b" if "encoding-type=url" in asked.target else "a&#1; b"
        body = upload(key) if asked.operation == "GET uploads" else EMPTY
        date = format_datetime(datetime.now(UTC), usegmt=True)
        return Reply(200, body if asked.method == "GET" else b"", [("Date", date)])

    fake.hook = hook
    backend = quick("bucket", fake.url)
    assert drive(backend.sweep_uploads(older_than=1)) == 1
    drive(backend.aclose())
    assert any(asked.target.startswith("/bucket/a%01%20b?uploadId=1") for asked in fake.asked)


def test_a_server_that_finds_no_upload(fake: Proxy) -> None:
    def hook(asked: Asked, ask: object) -> Reply:
        return error_reply(404, "NoSuchUpload") if asked.operation == "GET uploads" else Reply(200, EMPTY)

    fake.hook = hook
    backend = quick("bucket", fake.url)
    assert drive(backend.sweep_uploads(older_than=0)) == 0
    drive(backend.aclose())
