"""A process that ends while something is being written: it ends, and undoes that."""

from __future__ import annotations

import pytest
from tests.runtime.support import script
from tests.s3_buckets import Buckets
from tests.services import S3Server

WRITE = """
import sys, asyncio
from remote_store import AsyncStore, Store
from remote_store.backends import S3Backend, S3PyArrowBackend

kind, how, bucket, url, key, secret = sys.argv[1:]
login = dict(endpoint_url=url, key=key, secret=secret, region_name="us-east-1", part_size=5 << 20)
if kind == "s3":
    backend = S3Backend(bucket, **login)
else:
    backend = S3PyArrowBackend(bucket, arrow_writes=True, **login)

async def write():
    global left
    left = AsyncStore(backend).open_write("f")
    await left.__aenter__()
    await left.write(bytes(12 << 20))

if how == "asyncio":
    asyncio.run(write())
elif how == "fsspec":
    from remote_store.ext.fsspec import RemoteStoreFileSystem
    left = RemoteStoreFileSystem(store=Store(backend)).open("f", "wb")
    left.write(bytes(12 << 20))
else:
    left = Store(backend).open_write("f")
    left.__enter__()
    left.write(bytes(12 << 20))
    if how == "error":
        raise ZeroDivisionError
"""


@pytest.mark.spec("S3-019", "S3PA-016", "RUN-027")
@pytest.mark.parametrize(
    ("kind", "how"),
    [("s3", "blocking"), ("s3", "error"), ("s3", "asyncio"), ("s3", "fsspec"), ("s3-pyarrow", "blocking")],
)
def test_the_end_of_the_process_undoes_what_is_unfinished(
    seaweedfs: S3Server, bucket: str, buckets: Buckets, kind: str, how: str
) -> None:
    options = seaweedfs.options
    login = (options["endpoint_url"], options["key"], options["secret"])
    done = script(WRITE, kind, how, bucket, *login, python=("-W", "ignore"), check=False)
    assert done.returncode == (1 if how == "error" else 0), done.stderr
    assert "Exception ignored" not in done.stderr
    assert buckets.keys(bucket) == []
    assert buckets.unfinished(bucket) == []
