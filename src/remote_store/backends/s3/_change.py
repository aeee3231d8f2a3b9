"""Copying, moving and deleting on the server's side. Coroutines for a running asyncio loop."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from ..._runtime.tasks import Tasks
from ...errors import DirectoryNotEmpty, InvalidPath, NotFound, PreconditionFailed, RemoteStoreError
from ...models import WriteResult
from ._api import Api
from ._batch import delete_batch
from ._errors import NAME, code_of
from ._finish import taken
from ._objects import keys_of, next_token, result_of, size_of, told
from ._upload import Upload
from ._write_options import of_copies

MIB: Final = 1 << 20
WHOLE_COPY: Final = 5 * 1024 * MIB
"""The largest object that a server copies with one request."""
COPY_PART: Final = 512 * MIB
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""Characters that a list of keys cannot name: not even escaped are they text of XML 1.0."""
_KEPT: Final = (
    "ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Metadata",
)  # fmt: skip
"""What is stored beside the content, but for tags."""


async def copy(
    api: Api, src: str, dst: str, overwrite: bool, source: Api | None = None
) -> tuple[WriteResult, str]:
    """Copy an object; return what the server said, and the ETag of the version that was copied.

    ``source`` asks about the bucket that the object is in, if that is another one.
    """
    source = source or api
    headers = await source.head(src)
    if headers is None:
        raise await source.missing(src)
    version = told(headers, "ETag", src)
    given = {"CopySource": {"Bucket": source.bucket, "Key": src}, "CopySourceIfMatch": version}
    usual = of_copies(api.options.write_options)
    size = size_of(headers, src)
    in_parts = {**await _kept(source, src, headers), **usual} if size > WHOLE_COPY else {}
    return await copied(api, given, size, dst, overwrite, usual, in_parts), version


async def _kept(source: Api, src: str, headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a copy in parts has to be told, as a copy in one request keeps it by itself."""
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    if str(headers.get("TagCount") or 0) != "0":  # it is not told to who may not read them
        answer = await source.request("get_object_tagging", src)
        kept["Tagging"] = urlencode([(tag["Key"], tag["Value"]) for tag in answer.get("TagSet", ())])
    return kept


async def copied(
    api: Api,
    given: Mapping[str, Any],
    size: int,
    dst: str,
    overwrite: bool,
    beside: Mapping[str, Any],
    in_parts: Mapping[str, Any],
) -> WriteResult:
    """Copy what is ``given``, of that size, under a name.

    ``beside`` is said about a copy in one request, and ``in_parts`` about one of a large object.
    """
    src = given["CopySource"]["Key"]
    if size > WHOLE_COPY:
        return await _copy_parts(api, size, given, dst, overwrite, in_parts)
    condition = await api.conditions.parameters(
        "copy", dst, if_match=None, refused=None if overwrite else taken(dst)
    )
    parameters = {**given, **condition, **beside}
    refused = RemoteStoreError("a condition does not hold", path=dst, backend=NAME)
    try:
        answer = await api.request("copy_object", dst, parameters, refused=refused)
    except NotFound as error:
        if code_of(error) == "NoSuchBucket":  # the target's
            raise
        raise _gone(src) from error
    except RemoteStoreError as error:
        if error is not refused:
            raise
        raise await _why_refused(api, src, dst, overwrite) from error.__cause__
    made: Mapping[str, Any] = answer.get("CopyObjectResult", {})
    told(made, "ETag", dst)  # or nothing says that the copy was made, and a move would lose the source
    return result_of(dst, size, {**answer, **made})


async def _why_refused(api: Api, src: str, dst: str, overwrite: bool) -> RemoteStoreError:
    """Tell the two conditions of a copy apart: the answer is the same for both."""
    if not overwrite and await api.head(dst) is not None:
        return taken(dst)
    return _changed(src)


def _changed(src: str) -> PreconditionFailed:
    return PreconditionFailed(
        "the source changed while it was copied; try again", path=src, backend=NAME, retryable=True
    )


def _gone(src: str) -> NotFound:
    return NotFound("the source is gone", path=src, backend=NAME)


async def _copy_parts(
    api: Api, size: int, given: Mapping[str, Any], dst: str, overwrite: bool, beside: Mapping[str, Any]
) -> WriteResult:
    src = given["CopySource"]["Key"]
    upload = Upload(api, dst, overwrite, beside)
    tasks = Tasks()

    async def part(number: int, start: int, end: int) -> None:
        parameters = {
            **given,
            "UploadId": await upload.upload_id(),
            "PartNumber": number,
            "CopySourceRange": f"bytes={start}-{end - 1}",
        }
        try:
            answer = await api.request("upload_part_copy", dst, parameters, refused=_changed(src))
        except NotFound as error:
            if code_of(error) in ("NoSuchUpload", "NoSuchBucket"):
                raise
            raise _gone(src) from error
        upload.keep(number, answer.get("CopyPartResult", {}))

    upload.size = size
    try:
        for number, start in enumerate(range(0, upload.size, COPY_PART), 1):
            await tasks.fewer_than(api.options.concurrency)
            tasks.start(part, number, start, min(start + COPY_PART, upload.size))
        await tasks.fewer_than(1)
        return await upload.complete()
    finally:
        await tasks.stop()
        await upload.abort()


async def move(api: Api, src: str, dst: str, overwrite: bool) -> WriteResult:
    """Copy, and delete the source if it is still what was copied."""
    if src == dst:
        headers = await api.head(src)
        if headers is None:
            raise await api.missing(src)
        return result_of(src, size_of(headers, src), headers)
    honoured = await api.conditions.known("delete")  # now: between copy and deletion others may write
    result, version = await copy(api, src, dst, overwrite)
    changed = PreconditionFailed(
        "the source was changed while it was moved: the target has the old version, the source was kept",
        path=src,
        backend=NAME,
    )
    if honoured is not True:  # looking shortly before is left
        found = await api.head(src)
        if found is not None and told(found, "ETag", src) != version:
            raise changed
    condition = {} if honoured is False else {"IfMatch": version}
    try:
        await api.request("delete_object", src, condition, refused=changed)
    except NotFound:
        pass  # somebody else has deleted it meanwhile
    except RemoteStoreError as error:
        if error is not changed or await api.head(src) is not None:
            raise
    return result


async def delete(api: Api, key: str, missing_ok: bool) -> None:
    """Delete an object. The protocol does not tell whether it was there, so that is asked first."""
    if await api.head(key) is None:
        error = await api.missing(key)
        if missing_ok and isinstance(error, NotFound):
            return
        raise error
    await api.request("delete_object", key)


async def delete_folder(api: Api, folder: str, recursive: bool, missing_ok: bool) -> None:
    """Delete what is below a folder, a thousand keys to a request; the folder goes with the last."""
    marker = f"{folder}/"
    found = await api.request("list_objects_v2", None, {"Prefix": marker, "MaxKeys": 2})
    keys = keys_of(found, folder)
    if not keys:
        await _refuse_missing(api, folder, missing_ok)
    elif not recursive and keys != [marker]:
        raise DirectoryNotEmpty(
            "the folder is not empty; pass recursive=True to delete all", path=folder, backend=NAME
        )
    elif recursive:
        await _delete_below(api, marker)
    else:
        await api.request("delete_object", marker)  # this alone: a file may have come meanwhile


async def _refuse_missing(api: Api, folder: str, missing_ok: bool) -> None:
    if await api.head(folder) is not None:
        raise InvalidPath("this is a file, not a folder; use delete()", path=folder, backend=NAME)
    if not missing_ok:
        raise NotFound("there is no such folder", path=folder, backend=NAME)


async def _delete_below(api: Api, prefix: str) -> None:
    tasks = Tasks()
    try:
        async for keys in _pages_of_keys(api, prefix):
            await tasks.fewer_than(api.options.concurrency)
            tasks.start(_delete_keys, api, keys)
        await tasks.fewer_than(1)
    finally:
        await tasks.stop()


async def _pages_of_keys(api: Api, prefix: str) -> AsyncIterator[list[str]]:
    more: dict[str, str] = {}
    while True:
        answer = await api.request("list_objects_v2", None, {"Prefix": prefix, **more})
        if keys := keys_of(answer, prefix):
            yield keys
        if not answer.get("IsTruncated"):
            return
        more = {"ContinuationToken": next_token(answer, more.get("ContinuationToken"), prefix)}


async def _delete_keys(api: Api, keys: list[str]) -> None:
    for key in keys:
        if _NOT_IN_XML.search(key):
            await api.request("delete_object", key)
    await delete_batch(api, [key for key in keys if not _NOT_IN_XML.search(key)])
