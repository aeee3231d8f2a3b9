"""A mirror replaces what has changed, on servers with conditions and on those that ignore them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.backends.s3.support import quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import Store, TransferOptions, sync
from remote_store.backends import MemoryBackend

MIB = 1024 * 1024


Connect = Callable[[], Store]


@pytest.fixture(params=["seaweedfs", "rclone", "moto"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Give a store on a server that honours all conditions, none, and not those of uploads in parts.

    Each one is new, and so has still to find out.
    """
    server: S3Server = request.getfixturevalue(request.param)
    buckets = Buckets(server)
    bucket = buckets.new()
    yield lambda: Store(quick(bucket, server.endpoint_url, part_size=5 * MIB, conditional_writes=None))
    buckets.close()


@pytest.mark.spec("XFER-027")
def test_changed_files_are_replaced(connect: Connect) -> None:
    options = TransferOptions(large_file_threshold=MIB)
    with Store(MemoryBackend()) as source:
        for version in (b"1", b"22"):
            source.write("small", version, overwrite=True)
            source.write("large", version * 6 * MIB, overwrite=True)
            with connect() as target:
                assert sync(source, "", target, "", options=options).done == 2
                assert target.read_bytes("small") == version
                assert target.read_bytes("large") == version * 6 * MIB
