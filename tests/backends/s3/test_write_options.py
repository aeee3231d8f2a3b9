"""Options of a write in the words of S3."""

from __future__ import annotations

from typing import Any

import pytest
from tests.backends.s3.support import Proxy, Reply, quick
from tests.services import S3Server

from remote_store import Store, WriteOptions
from remote_store.backends import S3Backend

LARGE = bytes(6 << 20)
FULL = WriteOptions(
    content_type="text/x-own",
    metadata={"Colour": "blue"},
    tags={"team": "a b", "cost": "1+1"},
    storage_class="STANDARD",
    cache_control="no-store",
    native={"ServerSideEncryption": "AES256"},
)
HEADERS = {
    "content-type": "text/x-own",
    "x-amz-meta-colour": "blue",
    "x-amz-tagging": "team=a+b&cost=1%2B1",
    "x-amz-storage-class": "STANDARD",
    "cache-control": "no-store",
    "x-amz-server-side-encryption": "AES256",
}


@pytest.mark.spec("S3-031", "S3-035")
@pytest.mark.parametrize("hot_path", [True, False])
@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_what_the_server_is_told(proxy: Proxy, bucket: str, hot_path: bool, content: bytes) -> None:
    with Store(quick(bucket, proxy.url, part_size=5 << 20, hot_path=hot_path)) as store:
        store.write("name.csv", content, options=FULL)
        info = store.get_file_info("name.csv")
    told = next(asked for asked in proxy.asked if asked.operation in ("PUT", "POST uploads"))
    assert {name: told.header(name) for name in HEADERS} == HEADERS
    assert (info.content_type, info.size) == ("text/x-own", len(content))
    assert info.extra["metadata"] == {"colour": "blue"}
    assert info.extra["cache_control"] == "no-store"
    made_by = "aiobotocore" if not hot_path or content is LARGE else "remote-store"
    assert str(told.header("user-agent")).startswith(made_by) or made_by == "aiobotocore"


@pytest.mark.spec("S3-031")
def test_tags_arrive(seaweedfs: S3Server, buckets: Any, bucket: str) -> None:
    with Store(quick(bucket, seaweedfs.endpoint_url)) as store:
        store.write("f", b"x", options=FULL)
    found = buckets._client.get_object_tagging(Bucket=bucket, Key="f")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == FULL.tags


BAD = {
    "metadata": (WriteOptions(metadata={"a": "caf\u00e9"}), "metadata 'a' must be printable ASCII"),
    "line break": (WriteOptions(content_type="a\r\nb"), "content_type must be printable ASCII"),
    "blanks": (WriteOptions(cache_control=" x"), "cache_control must be printable ASCII"),
    "a name": (WriteOptions(metadata={"a b": "x"}), "a metadata name must be ASCII letters"),
    "unknown": (WriteOptions(native={"ServerSideEncyption": "AES256"}), "are not known; known are"),
    "SSE-C": (WriteOptions(native={"SSECustomerKey": "secret-key"}), "are not known; known are"),
}


@pytest.mark.spec("S3-032", "S3-033", "S3-034")
@pytest.mark.parametrize("case", BAD)
def test_what_s3_cannot_keep(fake: Proxy, case: str) -> None:
    options, message = BAD[case]
    with Store(quick("bucket", fake.url)) as store:
        for content in (b"x", [LARGE, LARGE]):
            with pytest.raises(ValueError, match=message) as caught:
                store.write("f", content, overwrite=True, options=options)
            assert "secret-key" not in str(caught.value)
    assert fake.asked == []
    with pytest.raises(ValueError, match=f"write_options: .*{message}"):
        S3Backend("bucket", write_options=options)


@pytest.mark.spec("S3-034")
def test_the_usual_options(proxy: Proxy, bucket: str) -> None:
    usual = {
        "storage_class": "STANDARD",
        "metadata": {"a": "1"},
        "native": {"ServerSideEncryption": "AES256"},
    }
    with Store(quick(bucket, proxy.url, write_options=usual)) as store:
        store.write("f", b"x", options=WriteOptions(metadata={"b": "2"}))
        store.copy("f", "g")
        assert store.get_file_info("g").extra["metadata"] == {"a": "1", "b": "2"}
    told = [asked for asked in proxy.asked if asked.operation in ("PUT", "PUT copy")]
    assert len(told) == 2
    for asked in told:
        assert asked.header("x-amz-storage-class") == "STANDARD"
        assert asked.header("x-amz-server-side-encryption") == "AES256"


@pytest.mark.spec("S3-034")
@pytest.mark.parametrize(
    ("usual", "message"),
    [
        ({"colour": "blue"}, "unexpected keyword argument 'colour'"),
        ({"metadata": 5}, "metadata must be a mapping"),
        (WriteOptions(if_match="x"), "if_match belongs to a single write"),
    ],
)
def test_usual_options_that_make_no_sense(usual: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"write_options: .*{message}"):
        S3Backend("bucket", write_options=usual)


@pytest.mark.spec("STORE-049")
def test_a_condition_is_part_of_the_request(fake: Proxy) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"", [("ETag", '"new"')])
    with Store(quick("bucket", fake.url)) as store:
        store.write("f", b"x", if_match="old")
    assert [asked.header("if-match") for asked in fake.asked] == ['"old"']
