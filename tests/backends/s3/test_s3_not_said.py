"""Answers that do not say that what was asked was done, and ones that lead nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.backends.s3.support import MIB, Asked, Hook, Proxy, Reply, error_reply, quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import BackendUnavailable, NotFound, RemoteStoreError, Store, WriteOptions
from remote_store.backends import S3Backend

WAYS: list[Any] = [True, "aiohttp", False]
ETAG = [("ETag", '"1"'), ("Last-Modified", "Fri, 27 Nov 2026 06:00:00 GMT")]
PAGE = "<html><body>please log in</body></html>"
ENTRY = "<Contents><Key>d/a</Key><Size>1</Size></Contents>"
LARGE = bytes(9 * MIB)
ways = pytest.mark.parametrize("hot_path", WAYS)


def listing(content: str, more: str = "<IsTruncated>false</IsTruncated>") -> Reply:
    return Reply(200, f"<?xml version='1.0'?><ListBucketResult>{more}{content}</ListBucketResult>".encode())


def ran(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await main()

    asyncio.run(limited())


# -- copies, writes and deletions ----------------------------------------------------------


@pytest.mark.spec("S3-067")
@ways
@pytest.mark.parametrize("body", [PAGE, "", "<?xml version='1.0'?>\n ", "<CopyObjectResult/>"])
def test_a_move_whose_copy_is_not_confirmed_keeps_the_source(fake: Proxy, hot_path: Any, body: str) -> None:
    def hook(asked: Asked, ask: object) -> Reply:
        return Reply(200, headers=ETAG, length=5) if asked.method == "HEAD" else Reply(200, body.encode())

    fake.hook = hook
    with Store(quick("b", fake.url, hot_path=hot_path, conditional_writes=False)) as store:
        for call in (store.copy, store.move):
            with pytest.raises(RemoteStoreError):
                call("f", "g", overwrite=True)
    assert "PUT copy" in fake.operations()
    assert "DELETE" not in fake.operations()


@pytest.mark.spec("S3-067")
@ways
@pytest.mark.parametrize("chunked", [False, True])
def test_a_page_of_something_else_is_no_written_file(fake: Proxy, hot_path: Any, chunked: bool) -> None:
    fake.hook = lambda asked, ask: Reply(200, PAGE.encode(), chunked=chunked)
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        with pytest.raises(RemoteStoreError, match="no ETag"):
            store.write("f", b"x", overwrite=True)
        fake.hook = lambda asked, ask: Reply(200, b"")
        assert store.write("f", b"x", overwrite=True).etag is None


@pytest.mark.spec("S3-067", "S3-066")
@ways
@pytest.mark.parametrize("there", [False, True])
def test_a_completion_that_is_not_confirmed(proxy: Proxy, bucket: str, hot_path: Any, there: bool) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if asked.operation != "POST uploadId":
            return ask()
        if there:
            ask()
        return Reply(200, PAGE.encode())

    with Store(quick(bucket, proxy.url, hot_path=hot_path, part_size=5 * MIB)) as store:
        proxy.hook = hook
        if there:
            assert store.write("f", [LARGE], overwrite=True).etag == store.get_file_info("f").etag
        else:
            with pytest.raises(RemoteStoreError, match="no ETag"):
                store.write("f", [LARGE], overwrite=True)


@pytest.mark.spec("S3-024")
@ways
@pytest.mark.parametrize(
    "body",
    [PAGE, "", "<DeleteResult/>", "<DeleteResult><Deleted><Key>d/a</Key></Deleted></DeleteResult>"],
)
def test_a_batch_of_which_nothing_is_told(fake: Proxy, hot_path: Any, body: str) -> None:
    page = listing(ENTRY + ENTRY.replace("d/a", "d/b"))
    fake.hook = lambda asked, ask: page if asked.method == "GET" else Reply(200, body.encode())
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        with pytest.raises(RemoteStoreError):
            store.delete_folder("d", recursive=True)


@pytest.mark.spec("S3-077")
@ways
def test_a_second_commit_stores_the_same(fake: Proxy, hot_path: Any) -> None:
    async def main() -> None:
        backend = quick("b", fake.url, hot_path=hot_path)
        fake.hook = lambda asked, ask: error_reply(503, "SlowDown")
        writer = await backend.open_write("f", overwrite=True)
        await writer.write(b"hello")
        with pytest.raises(BackendUnavailable):
            await writer.commit()
        fake.hook = lambda asked, ask: Reply(200, b"", ETAG)
        assert (await writer.commit()).size == 5
        await backend.aclose()

    ran(main)
    assert [asked.body for asked in fake.asked][-2:] == [b"hello"] * 2


@pytest.mark.spec("S3-077")
def test_a_cancelled_write_cannot_be_committed(proxy: Proxy, bucket: str) -> None:
    async def main() -> None:
        backend = quick(bucket, proxy.url, part_size=5 * MIB, concurrency=1)
        writer = await backend.open_write("f", overwrite=True)
        task = asyncio.create_task(writer.write(bytes(21 * MIB)))
        while "PUT uploadId partNumber" not in proxy.operations():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(RemoteStoreError, match="not whole"):
            await writer.commit()
        await writer.abort()
        assert not await backend.exists("f")
        await backend.aclose()

    ran(main)


@pytest.mark.spec("S3-076")
def test_nothing_of_an_empty_object_in_the_words_of_older_servers(fake: Proxy) -> None:
    range_of_none = ("Content-Range", "bytes 0--1/0")
    fake.hook = lambda asked, ask: Reply(206, b"", [*ETAG, range_of_none])
    with Store(quick("b", fake.url)) as store:
        assert store.read_bytes("f", length=4) == b""
        with pytest.raises(RemoteStoreError, match="another part"):
            store.read_bytes("f", start=1, length=4)


@pytest.mark.spec("S3-022")
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_copy_into_a_bucket_that_is_not_there(fake: Proxy, overwrite: bool) -> None:
    def hook(asked: Asked, ask: object) -> Reply:
        if asked.method == "HEAD":
            return Reply(200, headers=ETAG, length=5) if asked.target.startswith("/src/") else Reply(404)
        return error_reply(404, "NoSuchBucket")

    fake.hook = hook

    async def main() -> None:
        source, target = (quick(name, fake.url) for name in ("src", "dst"))
        with pytest.raises(NotFound, match="no such bucket") as caught:
            await target.copy_from(source, "f", "g", overwrite=overwrite)
        assert caught.value.path == "g"
        await source.aclose()
        await target.aclose()

    ran(main)


@pytest.mark.spec("S3-023")
def test_a_move_onto_itself_changes_nothing(bucket: str, seaweedfs_url: str) -> None:
    async def main() -> None:
        backend = quick(bucket, seaweedfs_url)
        written = await backend.write_bytes("f", memoryview(b"content"))
        assert (await backend.move("f", "f")).etag == written.etag
        assert await backend.read_bytes("f") == b"content"
        with pytest.raises(NotFound):
            await backend.move("g", "g", overwrite=True)
        await backend.aclose()

    ran(main)


# -- listings -----------------------------------------------------------------------------


@pytest.mark.spec("S3-067")
@ways
@pytest.mark.parametrize(
    "entry",
    ["<Contents><Key>d/a</Key></Contents>", "<Contents><Size>1</Size></Contents>"],
    ids=["no size", "no key"],
)
def test_an_entry_that_lacks_something(fake: Proxy, hot_path: Any, entry: str) -> None:
    fake.hook = lambda asked, ask: listing(entry)
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        for _ in range(2):
            with pytest.raises(RemoteStoreError):
                list(store.list_files("d"))
        if "Key" not in entry:
            with pytest.raises(RemoteStoreError):
                store.delete_folder("d", recursive=True)


@pytest.mark.spec("S3-071")
@ways
def test_a_listing_that_does_not_go_on_ends(fake: Proxy, hot_path: Any) -> None:
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    done = Reply(200, b"<DeleteResult><Deleted><Key>d/a</Key></Deleted></DeleteResult>")
    fake.hook = lambda asked, ask: listing(ENTRY, more) if asked.method == "GET" else done

    def all_of(store: Store) -> None:
        list(store.list_files("d"))

    calls: list[Callable[[Store], None]] = [all_of, lambda store: store.delete_folder("d", recursive=True)]
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        for call in calls:
            with pytest.raises(RemoteStoreError, match="does not go on"):
                call(store)


OLD = "<Initiated>2026-11-01T00:00:00.000Z</Initiated>"
DATE = "Fri, 27 Nov 2026 10:00:00 GMT"


def unfinished(upload: str, date: str) -> Hook:
    head = "<ListMultipartUploadsResult><Bucket>b</Bucket><IsTruncated>false</IsTruncated>"
    body = f"{head}<Upload>{upload}</Upload></ListMultipartUploadsResult>".encode()
    return lambda asked, ask: Reply(200, body, [("Date", date)]) if asked.method == "GET" else Reply(204)


@pytest.mark.spec("S3-046")
@pytest.mark.parametrize(
    ("upload", "date"),
    [
        ("<Key>d/k</Key><UploadId>u</UploadId>", DATE),
        (f"<Key>d/k</Key>{OLD}", DATE),
        (f"<UploadId>u</UploadId>{OLD}", DATE),
        (f"<Key>d/k</Key><UploadId>u</UploadId>{OLD}", "garbage"),
        (f"<Key>d/k</Key><UploadId>u</UploadId>{OLD}", "Fri, 27 Nov 2026 10:00:00 -0000"),
    ],
    ids=["no age", "no upload", "no key", "no date", "a date without a zone"],
)
def test_uploads_of_which_too_little_is_told(fake: Proxy, upload: str, date: str) -> None:
    fake.hook = unfinished(upload, date)

    async def main() -> None:
        backend = quick("b", fake.url)
        if date.endswith("-0000"):
            assert await backend.sweep_uploads("d", older_than=0) == 1
        else:
            with pytest.raises(RemoteStoreError):
                await backend.sweep_uploads("d", older_than=0)
        await backend.aclose()

    ran(main)


# -- others -------------------------------------------------------------------------------


@pytest.mark.spec("S3-039")
def test_a_probe_is_tried_three_times_however_many_wait(fake: Proxy) -> None:
    def hook(asked: Asked, ask: object) -> Reply:
        if asked.method == "HEAD":
            return Reply(404)
        return error_reply(403, "AccessDenied") if asked.method == "DELETE" else Reply(200, b"", ETAG)

    fake.hook = hook

    async def main() -> None:
        backend = quick("b", fake.url, conditional_writes=None)
        for _ in range(5):
            await asyncio.gather(*(backend.write_bytes(f"f{i}", memoryview(b"x")) for i in range(8)))
        await backend.aclose()

    ran(main)
    assert fake.operations().count("DELETE") == 3


@pytest.mark.spec("S3-045")
@ways
def test_an_encryption_key_goes_with_completions_and_lists_of_parts(
    proxy: Proxy, bucket: str, hot_path: Any
) -> None:
    name = "x-amz-server-side-encryption-customer-key"

    async def main() -> None:
        backend = quick(bucket, proxy.url, hot_path=hot_path, sse_customer_key=bytes(range(32)))
        writer = await backend.open_parts("f", size=10)
        with pytest.raises(RemoteStoreError):
            await writer.commit([])
        await writer.confirmed([])
        await writer.abort()
        await backend.aclose()

    ran(main)
    wanted = [asked for asked in proxy.asked if asked.operation in ("POST uploadId", "GET uploadId")]
    assert len(wanted) == 2
    assert all(asked.header(name) for asked in wanted)


@pytest.mark.spec("S3-026")
@ways
def test_a_redirect_that_says_not_where(fake: Proxy, hot_path: Any) -> None:
    fake.hook = lambda asked, ask: Reply(302, b"")
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        for call in (store.exists, store.read_bytes, lambda path: store.write(path, b"x", overwrite=True)):
            with pytest.raises(RemoteStoreError, match="check endpoint_url") as caught:
                call("f")
            assert "recursion" not in str(caught.value).lower()


@pytest.mark.spec("S3-068")
@pytest.mark.parametrize("content", [b"x", [LARGE]], ids=["small", "parts"])
@pytest.mark.parametrize("version", ["a\r\nx: y", "\u00fc", "a\n"])
def test_a_version_that_is_no_header(moto: S3Server, version: str, content: Any) -> None:
    buckets = Buckets(moto)
    with Store(S3Backend(buckets.new(), **moto.options)) as store:
        with pytest.raises(ValueError, match="if_match"):
            store.write("f", content, overwrite=True, options=WriteOptions(if_match=version))
    buckets.close()
