"""A bucket, and a server in front of it that a test can spoil."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.backends.s3.support import Proxy, nothing_unfinished, quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import Store


@pytest.fixture
def bucket(buckets: Buckets) -> Iterator[str]:
    """Give the name of a bucket, in which no test leaves parts of uploads."""
    name = buckets.new()
    yield name
    try:
        nothing_unfinished(buckets, name)
    finally:
        buckets.drop(name)


@pytest.fixture
def proxy(seaweedfs: S3Server) -> Iterator[Proxy]:
    """Give a server that passes everything on to the real one, until its hook does otherwise."""
    made = Proxy(seaweedfs.endpoint_url)
    yield made
    made.close()


@pytest.fixture
def fake() -> Iterator[Proxy]:
    """Give a server that only says what its hook says."""
    made = Proxy()
    yield made
    made.close()


@pytest.fixture
def seaweedfs_url(seaweedfs: S3Server) -> str:
    """Give the address of the real server, for what has to go past the proxy."""
    return seaweedfs.endpoint_url


@pytest.fixture(params=[None, b"old"], ids=["absent", "old"])
def before(request: pytest.FixtureRequest, bucket: str, seaweedfs_url: str) -> bytes | None:
    """Give what is under the name before: nothing, or an older object."""
    content: bytes | None = request.param
    if content is not None:
        with Store(quick(bucket, seaweedfs_url)) as store:
            store.write("f", content)
    return content


@pytest.fixture
def undone(bucket: str, before: bytes | None, seaweedfs_url: str) -> Iterator[list[bytes | None]]:
    """Check at the end that nothing is left; give what may be under the name then, for a test to add to."""
    allowed = [before]
    yield allowed
    with Store(quick(bucket, seaweedfs_url)) as store:
        assert (store.read_bytes("f") if store.exists("f") else None) in allowed
