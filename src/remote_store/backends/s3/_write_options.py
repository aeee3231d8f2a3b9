"""``WriteOptions`` in the words of S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from ...models import WriteOptions

_FIELDS: Final = {
    "content_type": "ContentType",
    "storage_class": "StorageClass",
    "cache_control": "CacheControl",
    "content_disposition": "ContentDisposition",
    "content_encoding": "ContentEncoding",
    "content_language": "ContentLanguage",
}
_NATIVE: Final = frozenset(
    (
        "ACL", "BucketKeyEnabled", "Expires", "GrantFullControl", "GrantRead", "GrantReadACP",
        "GrantWriteACP", "ObjectLockLegalHoldStatus", "ObjectLockMode", "ObjectLockRetainUntilDate",
        "SSEKMSEncryptionContext", "SSEKMSKeyId", "ServerSideEncryption", "WebsiteRedirectLocation",
    )
)  # fmt: skip
"""What both ways to store an object take. SSE-C is not among them: its key is needed to read, too."""
_OF_COPIES: Final = _NATIVE - {"Expires"} | {"StorageClass"}
NONE: Final = WriteOptions()


def parameters_of(options: WriteOptions) -> dict[str, Any]:
    """Return the parameters of PutObject and CreateMultipartUpload that say the same.

    Raises:
        ValueError: S3 cannot keep it.
    """
    found: dict[str, Any] = {
        name: header(field, value)
        for field, name in _FIELDS.items()
        if (value := getattr(options, field)) is not None
    }
    if options.metadata:
        found["Metadata"] = {
            _token(name): header(f"metadata {name!r}", value) for name, value in options.metadata.items()
        }
    if options.tags:
        found["Tagging"] = urlencode(dict(options.tags))
    return {**found, **_native(options.native)}


def of_copies(options: WriteOptions) -> dict[str, Any]:
    """Return the parameters of a copy: the rest is the source's."""
    return {name: value for name, value in parameters_of(options).items() if name in _OF_COPIES}


def _native(given: Mapping[str, object]) -> Mapping[str, object]:
    if unknown := sorted(given.keys() - _NATIVE):
        # Sent on, they would be left out in silence.
        raise ValueError(f"native options {unknown} are not known; known are {sorted(_NATIVE)}")
    return given


def header(field: str, value: str) -> str:
    """Return a value that a header carries as it is (RFC 9110, section 5.5)."""
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError(
            f"{field} must be printable ASCII without blanks at its ends for S3; encode it, by base64 say"
        )
    return value


def _token(name: str) -> str:
    if not name.isascii() or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ValueError(f"a metadata name must be ASCII letters, digits, '-', '_' and '.', not {name!r}")
    return name.lower()
