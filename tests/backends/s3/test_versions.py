"""Buckets that keep old versions, on two servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.backends.s3.support import MIB, quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import NotFound, PreconditionFailed, Store

OLD, NEW = b"old!" * (2 * MIB), b"new" * 5


@pytest.fixture(params=["seaweedfs", "moto"])
def versioned(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Any, str]]:
    """Give a store on a bucket with versions, botocore's client, and the bucket's name."""
    server: S3Server = request.getfixturevalue(request.param)
    buckets = Buckets(server)
    name = f"versioned-{request.node.name.partition('[')[0].replace('_', '-')[-40:]}"
    buckets._client.create_bucket(Bucket=name)
    buckets._client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    with Store(quick(name, server.endpoint_url)) as store:
        yield store, buckets._client, name
    buckets.close()


@pytest.mark.spec("S3-020")
def test_each_write_is_a_version(versioned: tuple[Store, Any, str]) -> None:
    store, client, bucket = versioned
    first = store.write("f", b"first")
    second = store.write("f", b"second", overwrite=True)
    assert len({first.version, second.version, None}) == 3
    assert store.get_file_info("f").extra["version_id"] == second.version
    old = client.get_object(Bucket=bucket, Key="f", VersionId=first.version)["Body"].read()
    assert (old, store.read_bytes("f")) == (b"first", b"second")
    with pytest.raises(PreconditionFailed):
        store.write("f", b"third", if_match=first.etag)
    assert store.write("f", b"third", if_match=second.etag).version not in (None, second.version)


@pytest.mark.spec("S3-013", "S3-015")
def test_a_stream_goes_on_in_the_version_it_was_opened_in(versioned: tuple[Store, Any, str]) -> None:
    store, _, _ = versioned
    store.write("f", OLD)
    with store.read("f") as stream:
        assert stream.read(4) == b"old!"
        store.write("f", NEW, overwrite=True)
        stream.seek(4 * MIB)  # asks again
        assert stream.read() == OLD[4 * MIB :]
        store.delete("f")
        stream.seek(0)
        assert stream.read(8) == b"old!old!"


@pytest.mark.spec("S3-020")
def test_what_is_deleted_is_gone_for_all_questions(versioned: tuple[Store, Any, str]) -> None:
    store, client, bucket = versioned
    kept = store.write("a/f", b"x")
    store.delete("a/f")
    assert not store.exists("a/f")
    assert not store.exists("a")
    assert list(store.list_files(recursive=True)) == []
    with pytest.raises(NotFound):
        store.read_bytes("a/f")
    with pytest.raises(NotFound):
        store.delete("a/f")
    assert client.get_object(Bucket=bucket, Key="a/f", VersionId=kept.version)["Body"].read() == b"x"
    store.write("a/f", b"again")  # a marker of a deletion is no file in the way
    assert store.read_bytes("a/f") == b"again"
    store.delete_folder("a", recursive=True)
    assert not store.exists("a")


@pytest.mark.spec("S3-023")
def test_a_move_keeps_the_versions_of_the_source(versioned: tuple[Store, Any, str]) -> None:
    store, client, bucket = versioned
    before = store.write("f", b"x")
    store.move("f", "g")
    assert store.read_bytes("g") == b"x"
    assert not store.exists("f")
    assert client.get_object(Bucket=bucket, Key="f", VersionId=before.version)["Body"].read() == b"x"


@pytest.mark.spec("S3-068")
def test_a_version_may_be_given_with_the_quotes_of_http(bucket: str, seaweedfs_url: str) -> None:
    with Store(quick(bucket, seaweedfs_url, part_size=5 << 20)) as store:
        for content in (b"x", [bytes(11 << 20)]):
            etag = store.write("f", content, overwrite=True).etag
            etag = store.write("f", content, if_match=f'"{etag}"').etag
            with store.open_write("f", if_match=f'"{etag}"') as stream:
                stream.write(b"y")
            with pytest.raises(PreconditionFailed):
                store.write("f", b"z", if_match='"another"')
