"""What an S3 backend is called: by URL, by key, in texts, and in another process."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest
import trio
from aiobotocore.client import AioBaseClient
from tests.backends.s3.support import quick
from tests.services import KEY, SECRET, S3Server

from remote_store import AsyncStore, CapabilityNotSupported, InvalidPath, Store, open_async_store, open_store
from remote_store.backends import S3Backend

openers = pytest.mark.parametrize("opener", [open_store, open_async_store])


@pytest.mark.spec("S3-005")
def test_texts_show_no_secret() -> None:
    options = {"bearer_token": SECRET, "proxies": {"http": f"http://me:{SECRET}@proxy"}}
    backend = quick("bucket", "http://host", options, session_token="t0ken")
    for text in (repr(backend), repr(backend._options), repr(Store(backend)), repr(vars(backend))):
        assert SECRET not in text
        assert "t0ken" not in text
    assert repr(backend) == "S3Backend('bucket', endpoint_url='http://host')"
    assert repr(S3Backend("bucket")) == "S3Backend('bucket')"


class Ours(S3Backend):
    """A backend of somebody's own."""


@pytest.mark.spec("S3-005")
def test_a_backend_is_the_same_after_pickling(seaweedfs: S3Server, bucket: str) -> None:
    backend = Ours(bucket, part_size=6 << 20, client_options={"read_timeout": 7}, **seaweedfs.options)
    with Store(backend) as store:
        store.write("f", b"x")  # so that there is a client, too, which cannot be pickled
        copies = [copy.copy(backend), copy.deepcopy(backend)]
        copies += [pickle.loads(pickle.dumps(backend, number)) for number in range(2, 6)]
        for other in copies:
            assert type(other) is Ours
            assert other._options == backend._options
    for other in copies:
        with Store(other) as store:
            assert store.read_bytes("f") == b"x"


@pytest.mark.spec("S3-006")
@pytest.mark.parametrize(
    ("rest", "root"),
    [
        ("", ""),
        ("/", ""),
        ("/folder", "folder"),
        ("/folder/deep/", "folder/deep"),
        ("/a%20b/%C3%BC", "a b/ü"),
    ],
)
@pytest.mark.parametrize("scheme", ["s3", "S3"])
def test_a_url_opens_a_folder(
    scheme: str, rest: str, root: str, seaweedfs: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    url = f"{scheme}://{bucket}{rest}?endpoint_url={seaweedfs.endpoint_url}&region_name=us-east-1"
    with open_store(url) as store:
        store.write("f", b"x", overwrite=True)
    with Store(S3Backend(bucket, **seaweedfs.options), root) as store:
        assert store.read_bytes("f") == b"x"


@pytest.mark.spec("S3-006")
@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("s3://", "s3://bucket/folder"),
        ("s3:///folder", "s3://bucket/folder"),
        (f"s3://me:{SECRET}@bucket/folder", "s3://bucket/folder"),
        ("s3://bucket:80/folder", "s3://bucket/folder"),
        ("s3://bucket/folder#part", "write a # that is part of a name as %23"),
        (f"s3://bucket?key={SECRET}", "'key' does not belong in a URL"),
        (f"s3://bucket?secret={SECRET}", "'secret' does not belong in a URL"),
        (f"s3://bucket?session_token={SECRET}", "'session_token' does not belong in a URL"),
        (f"s3://bucket?aws_secret_access_key={SECRET}", "does not belong in a URL"),
        (f"s3://bucket?endpoint_url=https://me:{SECRET}@host", "endpoint_url"),
        ("s3://bucket?endpoint_url=", "endpoint_url"),
        ("s3://bucket?colour=red", "unknown option 'colour'.*: anon, endpoint_url, profile, region_name"),
        ("s3://bucket?anon=yes", "option 'anon' must be true or false, not 'yes'"),
        ("s3://bucket?anon", "option 'anon' must be true or false, not ''"),
        ("s3://%20", "bucket must be the name"),
        ("s3://a%2Fb", "bucket must be the name"),
    ],
)
@openers
def test_a_url_that_does_not_fit(opener: Any, url: str, text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        opener(url)
    assert SECRET not in str(caught.value)


@pytest.mark.spec("S3-008")
def test_to_key() -> None:
    backend = S3Backend("bucket")
    for native, key in {
        "s3://bucket/f": "f",
        "s3://bucket/a/b.txt": "a/b.txt",
        "s3://bucket/a/": "a",
        "s3://bucket/": "",
        "s3://bucket/a b%20c": "a b%20c",
        "s3://bucket/a//b": "a//b",
        "s3://bucket//z": "/z",
        "s3://bucket": "",
        "s3://bucket2/f": "s3://bucket2/f",
        "s3://other/f": "s3://other/f",
        "a/b": "a/b",
        "": "",
        "\ud800\0": "\ud800\0",
    }.items():
        assert backend.to_key(native) == key
    assert Store(backend).child("a").to_key("s3://bucket/a/b.txt") == "b.txt"
    with pytest.raises(InvalidPath):
        Store(backend).child("a").to_key("s3://bucket/b.txt")


@pytest.mark.spec("S3-008")
def test_unwrap_gives_the_client_of_the_running_loop(seaweedfs: S3Server, bucket: str) -> None:
    async def main() -> None:
        async with AsyncStore(S3Backend(bucket, **seaweedfs.options)) as store:
            with pytest.raises(CapabilityNotSupported):
                store.unwrap(AioBaseClient)  # not made yet
            await store.write("f", b"x", overwrite=True)
            client: Any = store.unwrap(AioBaseClient)
            answer = await client.get_object(Bucket=bucket, Key="f")
            async with answer["Body"] as body:
                assert await body.read() == b"x"
            with pytest.raises(CapabilityNotSupported):
                store.unwrap(dict)

    asyncio.run(main())
    asyncio.run(main())


@pytest.mark.spec("S3-008")
def test_without_an_asyncio_loop_there_is_no_client(seaweedfs: S3Server, bucket: str) -> None:
    with Store(S3Backend(bucket, **seaweedfs.options)) as store:
        store.ping()
        with pytest.raises(CapabilityNotSupported):
            store.unwrap(AioBaseClient)

    async def main() -> None:
        async with AsyncStore(S3Backend(bucket, **seaweedfs.options)) as store:
            await store.ping()
            with pytest.raises(CapabilityNotSupported):
                store.unwrap(AioBaseClient)

    trio.run(main)
