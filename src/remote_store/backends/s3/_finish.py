"""The request that makes an object visible, and what is known where its answer is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import AlreadyExists, NotFound, PreconditionFailed, RemoteStoreError
from ...models import WriteResult
from ._api import Api
from ._errors import NAME, code_of
from ._objects import etag_of, result_of, told
from ._write_options import header


def refusal(key: str, overwrite: bool, if_match: str | None) -> RemoteStoreError | None:
    """Return the error to raise where that condition does not hold. Raises ValueError if it is none."""
    if if_match is not None:
        header("if_match", if_match)
        return PreconditionFailed(
            "the file is another version, or gone; read it again", path=key, backend=NAME
        )
    return None if overwrite else taken(key)


def taken(key: str) -> AlreadyExists:
    """Return the error for an object that is there and may not be replaced."""
    return AlreadyExists("the file exists; pass overwrite=True to replace it", path=key, backend=NAME)


async def stored(
    api: Api, operation: str, key: str, parameters: Mapping[str, Any], refused: RemoteStoreError | None
) -> dict[str, Any]:
    """Make the request that makes an object visible; ``refused`` is raised if its condition does not hold."""
    try:
        answer = await api.request(operation, key, parameters, refused=refused)
    except NotFound as error:
        if isinstance(refused, PreconditionFailed) and code_of(error) not in (
            "NoSuchBucket", "NoSuchUpload",
        ):  # fmt: skip
            raise refused from error  # If-Match with no object at all
        raise
    if operation == "put_object" and not _is_empty(answer):
        told(answer, "ETag", key)  # not the page of something else that answers there
    return answer


def _is_empty(answer: Mapping[str, Any]) -> bool:
    """Return True if an answer said that it has no body, as one that stored an object."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(answer.get("ContentLength", headers.get("content-length"))) == "0"


async def completed(
    api: Api,
    key: str,
    upload_id: str,
    parts: Sequence[Mapping[str, Any]],
    size: int,
    stated: Mapping[str, Any],
    refused: RemoteStoreError | None,
) -> WriteResult:
    """Make an object of the parts of an upload; ``stated`` is the checksum of the whole, and the condition.

    Raises:
        NotFound: there is no such upload, and nothing that it may have become.
    """
    parameters = {"UploadId": upload_id, "MultipartUpload": {"Parts": parts}, **stated}
    try:
        answer = await stored(api, "complete_multipart_upload", key, parameters, refused)
    except NotFound as error:
        if code_of(error) != "NoSuchUpload":
            raise
        found = await _become(api, key, parts, size, stated)
        if found is None:
            raise NotFound(
                "the server knows no such upload any more: it was given up by somebody else, or completed by"
                " a request whose answer was lost; look at what is there",
                path=key,
                backend=NAME,
            ) from error
        answer = found
    if not answer.get("ETag"):  # nothing says that the object was made
        answer = await _become(api, key, parts, size, stated) or answer
        told(answer, "ETag", key)
    return result_of(key, size, answer)


async def _become(
    api: Api, key: str, parts: Sequence[Mapping[str, Any]], size: int, stated: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the headers of the object that the parts have become; None if none is there that is the same."""
    try:
        found = await api.head(key)
    except RemoteStoreError:
        return None  # who may write may not always look
    if found is None or found.get("ContentLength") != size:
        return None
    checksum = stated.get("ChecksumCRC32")
    same = checksum is not None and found.get("ChecksumCRC32") == checksum
    return found if same or etag_of(found) == _etag_of_parts(parts) else None


def _etag_of_parts(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return the ETag of the whole, as servers make it where those of parts are MD5s; else an empty text."""
    try:
        digests = b"".join(bytes.fromhex(etag_of(dict(part)) or "") for part in parts)
    except ValueError:
        return ""
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
