"""What the tests of Arrow's data path share: who asked for what, and a server of one object."""

from __future__ import annotations

from typing import Any

from tests.backends.s3.support import MIB, Asked, Proxy, Reply, error_reply
from tests.services import KEY, SECRET

from remote_store.backends import S3PyArrowBackend

FIRST = MIB
"""Bytes that come by a plain request."""
PART = 5 * MIB
CONTENT = bytes(range(251)) * (8 * MIB // 251)


def arrow(bucket: str, url: str, client: dict[str, Any] | None = None, **options: Any) -> S3PyArrowBackend:
    """Return a backend that asks once, does not wait long, and soon leaves reading to Arrow."""
    usual = {"retries": {"total_max_attempts": 1}, "connect_timeout": 2, "read_timeout": 10}
    login = {"key": KEY, "secret": SECRET, "region_name": "us-east-1"}
    known = {"conditional_writes": True, "part_size": PART, "arrow_from": FIRST}
    return S3PyArrowBackend(
        bucket, endpoint_url=url, client_options={**usual, **(client or {})}, **(login | known | options)
    )


def by_arrow(asked: Asked) -> bool:
    """Return True if Arrow's client makes this request."""
    return "aws-sdk-cpp" in (asked.header("user-agent") or "")


def ranges(proxy: Proxy) -> list[str | None]:
    """Return the ranges that Arrow asked for, sorted."""
    return sorted(
        (each.header("range") for each in proxy.asked if by_arrow(each) and each.method == "GET"), key=str
    )


class OneObject:
    """A server with one object, whatever its name is; a hook for a proxy that has no server behind it."""

    def __init__(self, content: bytes, etag: str = "one") -> None:
        self.content, self.etag = content, etag

    def __call__(self, asked: Asked, ask: object) -> Reply:
        headers = [("ETag", f'"{self.etag}"'), ("Last-Modified", "Wed, 25 Nov 2026 10:00:00 GMT")]
        if asked.method == "HEAD":
            return Reply(200, b"", headers, length=len(self.content))
        if asked.method != "GET" or "list-type" in asked.target:
            return Reply(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        if (wanted := asked.header("if-match")) is not None and wanted != f'"{self.etag}"':
            return error_reply(412, "PreconditionFailed")
        if (part := asked.header("range")) is None:
            return Reply(200, self.content, headers)
        first, _, last = part.removeprefix("bytes=").partition("-")
        body = self.content[int(first) : int(last) + 1 if last else None]
        end = int(first) + len(body) - 1
        return Reply(206, body, [*headers, ("Content-Range", f"bytes {first}-{end}/{len(self.content)}")])
