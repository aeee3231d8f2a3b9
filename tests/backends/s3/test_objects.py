"""Objects and folders of them: what is told, what is kept, and how many requests it takes."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import anyio
import pytest
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, error_reply, quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import NotFound, PreconditionFailed, RemoteStoreError, Store
from remote_store.backends.s3 import _change
from remote_store.backends.s3._api import Api
from remote_store.backends.s3._objects import checksum_of
from remote_store.backends.s3._options import Options
from remote_store.backends.s3._upload import Upload


@pytest.fixture
def store(proxy: Proxy, bucket: str) -> Iterator[Store]:
    with Store(quick(bucket, proxy.url, part_size=5 * MIB)) as made:
        yield made


@pytest.fixture
def boto(buckets: Buckets) -> Any:
    return buckets._client


@pytest.mark.spec("S3-020", "S3-017")
def test_a_small_object_is_one_request(store: Store, proxy: Proxy) -> None:
    result = store.write("a/b.csv", b"content")
    crc = f"crc32:{zlib.crc32(b'content'):08x}"
    assert (str(result.path), result.size, result.checksum) == ("a/b.csv", 7, crc)
    assert proxy.operations() == ["PUT"]
    assert proxy.asked[0].header("expect") is None
    assert proxy.asked[0].header("content-type") == "text/csv"
    info = store.get_file_info("a/b.csv")
    assert (info.name, info.size, info.content_type, info.checksum) == ("b.csv", 7, "text/csv", crc)
    assert info.etag == result.etag
    assert info.etag
    assert '"' not in info.etag
    assert info.modified_at is not None
    assert info.modified_at.utcoffset() is not None
    (listed,) = store.list_files("a")
    assert (listed.path, listed.size, listed.etag) == (info.path, 7, info.etag)


@pytest.mark.spec("S3-017")
@pytest.mark.parametrize("size", [0, 5 * MIB, 5 * MIB + 1, 12 * MIB])
@pytest.mark.parametrize("stream", [False, True])
def test_content_goes_up_in_one_request_or_in_parts(
    size: int, stream: bool, store: Store, proxy: Proxy
) -> None:
    content = bytes(size)
    result = store.write("f", iter([content[: size // 3], content[size // 3 :]]) if stream else content)
    assert result.size == size
    puts = [asked for asked in proxy.asked if asked.method in ("PUT", "POST")]
    if size <= 5 * MIB and not stream:
        assert [asked.operation for asked in puts] == ["PUT"]
    elif size > 5 * MIB:
        parts = -(-size // (5 * MIB))
        kinds = [asked.operation for asked in puts]
        assert kinds == ["POST uploads", *["PUT uploadId partNumber"] * parts, "POST uploadId"]
        digest = f"crc32:{zlib.crc32(content):08x}"
        assert store.get_file_info("f").checksum == digest
        assert result.checksum == digest
    assert not [asked for asked in puts if asked.header("expect")]
    assert len(store.read_bytes("f")) == size


@pytest.mark.spec("S3-017")
@pytest.mark.parametrize(
    "part_size",
    [
        5 * MIB,
        8 * MIB,
        64 * MIB,
        5 * 1024 * MIB,
    ],
)
def test_ten_thousand_parts_hold_five_tebibytes(part_size: int) -> None:
    async def sizes() -> list[int]:
        upload = Upload(Api(Options("bucket", part_size=part_size)), "f", overwrite=True)
        found = []
        for number in range(10_000):
            upload._count = number
            found.append(upload.part_size)
        return found

    found = anyio.run(sizes)
    assert found[0] == part_size
    assert found == sorted(found)
    assert sum(found) >= 5 << 40
    used = next(count for count, total in enumerate(accumulate(found), 1) if total >= 5 << 40)
    assert found[used - 1] <= 5 * 1024 * MIB  # the largest part that there may be


@pytest.mark.spec("S3-020")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.json", "application/json"),
        ("a.TXT", "text/plain"),
        ("a.csv.gz", None),
        ("a.unheard", None),
        ("a", None),
    ],
)
def test_the_media_type_follows_the_name(name: str, kind: str | None, store: Store, proxy: Proxy) -> None:
    store.write(name, b"x")
    with store.open_write(f"large/{name}") as stream:
        stream.write(bytes(6 * MIB))
    said = [
        asked.header("content-type") for asked in proxy.asked if asked.operation in ("PUT", "POST uploads")
    ]
    assert [value if value != "application/octet-stream" else None for value in said] == [kind, kind]


@pytest.mark.spec("S3-020")
def test_what_another_program_has_noted_is_told(store: Store, boto: Any, bucket: str) -> None:
    boto.put_object(
        Bucket=bucket, Key="f", Body=b"x", Metadata={"who": "me"}, CacheControl="no-store", ContentType="a/b"
    )
    info = store.get_file_info("f")
    assert info.content_type == "a/b"
    assert (info.extra["metadata"], info.extra["cache_control"]) == ({"who": "me"}, "no-store")


@pytest.mark.spec("S3-020")
def test_a_checksum_of_checksums_is_none() -> None:
    text = base64.b64encode(b"\1\2\3\4").decode()
    assert checksum_of({"ChecksumCRC32": text}) == "crc32:01020304"
    assert checksum_of({"ChecksumCRC32": text, "ChecksumType": "FULL_OBJECT"}) == "crc32:01020304"
    assert checksum_of({"ChecksumCRC32": text, "ChecksumType": "COMPOSITE"}) is None
    assert checksum_of({"ChecksumCRC32": f"{text}-2"}) is None
    assert checksum_of({"ChecksumCRC32": "ab"}) is None, "this is no base64"
    assert checksum_of({}) is None


@pytest.mark.spec("S3-022")
@pytest.mark.parametrize("in_parts", [False, True])
def test_a_copy_keeps_media_type_and_metadata(
    in_parts: bool, store: Store, boto: Any, bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_parts:
        monkeypatch.setattr(_change, "WHOLE_COPY", 5 * MIB)
        monkeypatch.setattr(_change, "COPY_PART", 5 * MIB)
    content = bytes(range(256)) * (12 * MIB // 256)
    kept = {"Metadata": {"who": "me"}, "ContentType": "a/b", "CacheControl": "no-store"}
    boto.put_object(Bucket=bucket, Key="f.txt", Body=content, **kept, Tagging="team=sales&a%20b=c%26d")
    result = store.copy("f.txt", "g.csv")
    assert result.size == len(content)
    parts = proxy.operations().count("PUT uploadId partNumber copy")
    assert parts == (3 if in_parts else 0)
    assert store.read_bytes("g.csv") == content
    info = store.get_file_info("g.csv")
    assert (info.content_type, info.extra["metadata"]) == ("a/b", {"who": "me"})
    assert info.extra["cache_control"] == "no-store"
    tags = {tag["Key"]: tag["Value"] for tag in boto.get_object_tagging(Bucket=bucket, Key="g.csv")["TagSet"]}
    assert tags == {"team": "sales", "a b": "c&d"}
    assert not [asked for asked in proxy.asked if len(asked.body) > MIB]


@pytest.mark.spec("S3-022")
@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("hot_path", [False, True])
@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ((412, "PreconditionFailed"), PreconditionFailed, "the source changed"),
        ((404, "NoSuchKey"), NotFound, "the source is gone"),
    ],
)
def test_a_copy_names_a_source_that_changes_or_goes(
    in_parts: bool, hot_path: bool, code: tuple[int, str], kind: type[Exception], text: str,
    bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(_change, "WHOLE_COPY", 5 * MIB if in_parts else 8 * MIB)
    monkeypatch.setattr(_change, "COPY_PART", 5 * MIB)

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        return error_reply(*code) if "copy" in asked.operation else ask()

    with Store(quick(bucket, proxy.url, hot_path=hot_path)) as store:
        store.write("f", bytes(6 * MIB))
        proxy.hook = hook
        with pytest.raises(kind, match=text) as caught:
            store.copy("f", "g", overwrite=True)
    assert isinstance(caught.value, RemoteStoreError)
    assert caught.value.path == "f"
    assert caught.value.retryable is (code[0] == 412)


@pytest.mark.spec("S3-065")
def test_a_file_that_comes_while_its_empty_folder_is_deleted_stays(
    store: Store, proxy: Proxy, boto: Any, bucket: str, buckets: Buckets
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if asked.operation == "GET list-type":
            boto.put_object(Bucket=bucket, Key="d/new", Body=b"precious")
        return reply

    boto.put_object(Bucket=bucket, Key="d/", Body=b"")
    proxy.hook = hook
    store.delete_folder("d")
    assert buckets.keys(bucket) == ["d/new"]


@pytest.mark.spec("S3-020")
def test_a_listing_tells_the_time_that_a_look_tells(rclone: S3Server) -> None:
    buckets = Buckets(rclone)
    with Store(quick(buckets.new(), rclone.endpoint_url)) as store:
        for number in range(3):
            store.write(f"f{number}", b"x", overwrite=True)
        for info in store.list_files(""):
            assert store.get_file_info(info.path).modified_at == info.modified_at
    buckets.close()


@pytest.mark.spec("S3-015")
def test_parts_of_no_bytes(store: Store) -> None:
    store.write("f", b"12345")
    store.write("empty", b"")
    for name, start, length in [
        ("f", 5, None),
        ("f", 9, 2),
        ("f", 2, 0),
        ("empty", 0, None),
        ("empty", 3, 3),
    ]:
        assert store.read_bytes(name, start=start, length=length) == b""
        with store.read(name, start=start, length=length) as stream:
            assert stream.read() == b""
    for start, length in [(0, 0), (5, None), (3, 3)]:
        with pytest.raises(NotFound):
            store.read_bytes("missing", start=start, length=length)
        with pytest.raises(NotFound):
            store.read("missing", start=start, length=length)


@pytest.mark.spec("S3-015")
def test_a_seek_asks_again_from_there(store: Store, proxy: Proxy) -> None:
    content = bytes(range(256)) * (4 * MIB // 256)
    store.write("f", content)
    proxy.asked.clear()
    with store.read("f", start=10) as stream:
        for position in (3 * MIB, 7, 2 * MIB + 1):
            stream.seek(position)
            assert stream.read(5) == content[10 + position :][:5]
    ranges = [asked.header("range") for asked in proxy.asked]
    assert ranges[0] == "bytes=10-"
    assert all(asked.header("if-match") for asked in proxy.asked[1:])
    assert [text.partition("-")[0] for text in ranges[1:] if text] == [
        f"bytes={10 + position}" for position in (3 * MIB, 7, 2 * MIB + 1)
    ]
