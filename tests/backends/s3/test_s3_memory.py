"""Memory: however large the object or the listing is, a few parts or one page of it are held."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.backends.memory import added
from tests.backends.s3.support import Asked, Proxy, Reply
from tests.services import KEY, SECRET, S3Server

STREAMED = 1024
LIMIT, LISTING_LIMIT = 64.0, 32.0
PAGE, KEYS = 1000, 100_000

ways = pytest.mark.parametrize("way", ["blocking", "asyncio", "trio"])
pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc to look into"),
    pytest.mark.timeout(300),
]


def measure(way: str, job: str, bucket: str, options: dict[str, Any]) -> float:
    return added(way, job, "s3", {"bucket": bucket, **options}, STREAMED)


@pytest.mark.spec("S3-017", "STR-010")
@ways
def test_streams_hold_a_few_parts(seaweedfs: S3Server, bucket: str, way: str) -> None:
    assert measure(way, "write", bucket, seaweedfs.options) < LIMIT
    assert measure(way, "read", bucket, seaweedfs.options) < LIMIT


def page(asked: Asked) -> Reply:
    """Answer a listing of many keys, a thousand to a page."""
    if asked.method == "HEAD":
        return Reply(404)
    query = parse_qs(urlsplit(asked.target).query)
    if query.get("prefix") != ["many/"]:
        return Reply(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    first = int(query.get("continuation-token", ["0"])[0])
    entries = "".join(
        f"<Contents><Key>many/{number:06}</Key><LastModified>2026-11-24T01:02:03.000Z</LastModified>"
        f"<ETag>&quot;{number:032x}&quot;</ETag><Size>{number}</Size><StorageClass>STANDARD</StorageClass>"
        "</Contents>"
        for number in range(first, first + PAGE)
    )
    more = first + PAGE < KEYS
    end = f"<NextContinuationToken>{first + PAGE}</NextContinuationToken>" if more else ""
    body = (
        f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{entries}{end}</ListBucketResult>"
    )
    return Reply(200, body.encode())


@pytest.mark.spec("S3-025")
@pytest.mark.parametrize(
    ("way", "hot_path"), [("blocking", True), ("asyncio", True), ("trio", True), ("asyncio", False)]
)
def test_listings_hold_one_page(fake: Proxy, way: str, hot_path: bool) -> None:
    fake.hook = lambda asked, ask: page(asked)
    options = {"endpoint_url": fake.url, "key": KEY, "secret": SECRET, "hot_path": hot_path}
    assert measure(way, "list", "bucket", options) < LISTING_LIMIT
    assert sum("prefix=many" in asked.target for asked in fake.asked) == KEYS // PAGE
