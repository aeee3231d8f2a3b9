"""Facts of an object: headers and listing entries as values of this library."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from mimetypes import MimeTypes
from typing import Any, Final

from ...errors import RemoteStoreError
from ...models import FileInfo, WriteResult
from ...paths import RemotePath
from ._errors import NAME

_CHECKSUMS: Final = {
    "ChecksumCRC64NVME": "crc64nvme",
    "ChecksumCRC32C": "crc32c",
    "ChecksumCRC32": "crc32",
    "ChecksumSHA256": "sha256",
    "ChecksumSHA1": "sha1",
}
_EXTRA: Final = {
    "VersionId": "version_id",
    "StorageClass": "storage_class",
    "Metadata": "metadata",
    "CacheControl": "cache_control",
    "ContentDisposition": "content_disposition",
    "ContentEncoding": "content_encoding",
    "ContentLanguage": "content_language",
    "ServerSideEncryption": "server_side_encryption",
    "SSEKMSKeyId": "ssekms_key_id",
    "PartsCount": "parts_count",
}

_TYPES: Final = MimeTypes()
"""Python's own table: the same on all machines, whatever their files say."""


def info_of_headers(key: str, headers: dict[str, Any]) -> FileInfo:
    """Return the facts that the answer to HEAD or GET tells."""
    path = RemotePath._of(key)
    extra = {name: headers[field] for field, name in _EXTRA.items() if headers.get(field)}
    return FileInfo(
        path,
        path.name,
        size_of(headers, key),
        in_utc(headers.get("LastModified")),
        checksum_of(headers),
        headers.get("ContentType"),
        extra,
        etag=etag_of(headers),
    )


def info_of_entry(entry: dict[str, Any]) -> FileInfo:
    """Return the facts that a line of a listing tells."""
    key = entry["Key"]
    kind = entry.get("StorageClass")
    time = in_utc(entry.get("LastModified"))
    if time is not None and time.microsecond:
        time = time.replace(microsecond=0)  # as HEAD tells it: two looks at one object are to be equal
    return FileInfo._listed(
        RemotePath._of(key),
        key.rpartition("/")[2],
        entry["Size"],
        time,
        {"storage_class": kind} if kind else {},
        etag_of(entry),
    )


def result_of(key: str, size: int, answer: dict[str, Any]) -> WriteResult:
    """Return what the server said about an object that it has stored."""
    return WriteResult(
        RemotePath._of(key), size, etag_of(answer), checksum_of(answer), answer.get("VersionId")
    )


def etag_of(answer: dict[str, Any]) -> str | None:
    """Return the version token without the quotes of HTTP; None if the server gave none."""
    return bare(answer.get("ETag") or "") or None


def bare(etag: str) -> str:
    """Return a version token without the quotes of HTTP."""
    return etag.strip('"')


def told(answer: Mapping[str, Any], name: str, key: str | None) -> str:
    """Return what an answer has to tell.

    Raises:
        RemoteStoreError: it does not; the server speaks the protocol badly.
    """
    if value := answer.get(name):
        return str(value)
    raise RemoteStoreError(
        f"the server's answer has no {name}, without which this cannot be done", path=key, backend=NAME
    )


def size_of(answer: Mapping[str, Any], key: str) -> int:
    """Return how long an object is. Raises RemoteStoreError if the answer does not say so."""
    if "ContentLength" in answer:
        return int(answer["ContentLength"])
    raise RemoteStoreError("the server does not say how long the file is", path=key, backend=NAME)


def keys_of(answer: Mapping[str, Any], path: str) -> list[str]:
    """Return the keys of a page. Raises RemoteStoreError if an entry has none."""
    return [told(entry, "Key", path) for entry in answer.get("Contents", ())]


def next_token(answer: Mapping[str, Any], last: str | None, path: str) -> str:
    """Return where the next page begins; a server that says where this one did would never end."""
    token = told(answer, "NextContinuationToken", path)
    if token == last:
        raise RemoteStoreError(
            "the server's listing does not go on: each page names itself as the next", path=path, backend=NAME
        )
    return token


def receipt_of(answer: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return what the server said about a part; the completion has to repeat it."""
    said = {name: value for name, value in answer.items() if name.startswith("Checksum")}
    return {"ETag": told(answer, "ETag", key), **said}


def checksum_of(answer: dict[str, Any]) -> str | None:
    """Return the digest of the whole content as ``"algorithm:hex"``; None if there is none.

    A digest of the digests of parts (its text ends in a dash and their number) says
    nothing that a reader of the content could check.
    """
    if answer.get("ChecksumType") == "COMPOSITE":
        return None
    for field, algorithm in _CHECKSUMS.items():
        text = answer.get(field)
        if text and "-" not in text:
            try:
                return f"{algorithm}:{base64.b64decode(text).hex()}"
            except ValueError:
                continue  # no base64
    return None


def in_utc(time: datetime | None) -> datetime | None:
    """Return a time in UTC."""
    return time if time is None or time.tzinfo is UTC else time.astimezone(UTC)


def guessed_type(key: str) -> dict[str, str]:
    """Return the media type that a name suggests, as a request's parameter; nothing if it suggests none."""
    kind, encoding = _TYPES.guess_type(key, strict=False)
    return {"ContentType": kind} if kind is not None and encoding is None else {}
