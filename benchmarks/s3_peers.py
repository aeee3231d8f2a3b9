"""The libraries that speak to S3, each brought to the same few calls.

A peer gives ``get``, ``put`` and ``head`` of a key, ``list``, and for large objects
``download`` and ``upload``, which never hold the whole object unless the library cannot do otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from benchmarks import s3_async_peers as with_await
from benchmarks import s3_blocking_peers as blocking
from benchmarks.harness import OURS, PUBLISHED


class Peer(NamedTuple):
    """A line of a table: the process that measures it, and how it is opened."""

    process: str
    opened: Callable[..., Any]
    blocking: bool = False


BY_AIOHTTP: Final = f"{OURS}, aiohttp"
BLOCKING: Final = f"{OURS}, blocking"
PEERS: Final = {
    OURS: Peer(OURS, with_await.ours),
    BY_AIOHTTP: Peer(OURS, partial(with_await.ours, hot_path="aiohttp")),
    BLOCKING: Peer(OURS, blocking.ours_blocking, blocking=True),
    "aiobotocore": Peer("aiobotocore", with_await.aiobotocore),
    "boto3": Peer("boto3", blocking.boto3, blocking=True),
    "s3fs": Peer("s3fs", with_await.s3fs),
    "obstore": Peer("obstore", with_await.obstore),
    "obstore, threads": Peer("obstore", blocking.obstore_threads, blocking=True),
    "OpenDAL": Peer("OpenDAL", with_await.opendal),
    "pyarrow": Peer("pyarrow", blocking.pyarrow, blocking=True),
    PUBLISHED: Peer(PUBLISHED, blocking.published, blocking=True),
}
