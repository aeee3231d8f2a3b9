"""What the headers of an answer say, in botocore's words.

Imported once the SDK is known to be there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ._transports import Reply

_ANSWER: Final = {
    "etag": "ETag",
    "content-length": "ContentLength",
    "last-modified": "LastModified",
    "content-type": "ContentType",
    "x-amz-version-id": "VersionId",
    "x-amz-storage-class": "StorageClass",
    "x-amz-checksum-type": "ChecksumType",
    "x-amz-checksum-crc32": "ChecksumCRC32",
    "x-amz-checksum-crc32c": "ChecksumCRC32C",
    "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
    "x-amz-checksum-sha1": "ChecksumSHA1",
    "x-amz-checksum-sha256": "ChecksumSHA256",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-tagging-count": "TagCount",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-range": "ContentRange",
}
_MONTHS: Final = {
    "Jan": "01", "Feb": "02", "Mar": "03", "Apr": "04", "May": "05", "Jun": "06",
    "Jul": "07", "Aug": "08", "Sep": "09", "Oct": "10", "Nov": "11", "Dec": "12",
}  # fmt: skip


def headers_of(reply: Reply) -> dict[str, Any]:
    """Return what an answer's headers say, in botocore's words."""
    found: dict[str, Any] = {}
    metadata: dict[str, str] = {}
    for name, value in reply.headers:
        field = _ANSWER.get(name)
        if field is not None:
            found[field] = value
        elif name.startswith("x-amz-meta-"):
            metadata[name[11:]] = value
    if "ContentLength" in found:
        found["ContentLength"] = int(found["ContentLength"])
    if "LastModified" in found:
        found["LastModified"] = _time(found["LastModified"])
    if metadata:
        found["Metadata"] = metadata
    return found


def _time(text: str) -> datetime:
    """Return the time of a header (RFC 9110, section 5.6.7)."""
    try:  # the usual form, without the ten times longer way of what takes every form
        if text[3:5] == ", " and text[25:] == " GMT":
            return datetime.fromisoformat(
                f"{text[12:16]}-{_MONTHS[text[8:11]]}-{text[5:7]}T{text[17:25]}+00:00"
            )
    except (KeyError, ValueError):
        pass
    time = parsedate_to_datetime(text)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)  # "-0000"
