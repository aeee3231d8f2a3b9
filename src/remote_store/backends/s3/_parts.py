"""An upload in parts that outlives its process: the server keeps the parts, the caller the token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ... import _runtime
from ..._crc import joined
from ..._runtime.tasks import Task, begun, detached, ended, unbroken
from ..._types import Buffer
from ...backend import Part, PartWriter
from ...errors import NotFound, RemoteStoreError
from ...models import WriteOptions, WriteResult
from ._api import Api
from ._checks import in_base64
from ._errors import NAME
from ._finish import completed, refusal
from ._objects import bare, etag_of, receipt_of, told
from ._options import Options
from ._sweep import uploads
from ._upload import LARGEST_PART, OF_THE_WHOLE, forget_upload, stored_beside

MOST_PARTS: Final = 10_000
MIB: Final = 1 << 20
ROUNDED: Final = 5.0
"""Seconds by which an upload may seem older: the server's dates are cut to seconds."""


def part_size_of(api: Api, size: int) -> int:
    """Return the size of parts, of which an object of this size needs no more than there may be."""
    least = -(-size // MOST_PARTS)
    return min(max(api.options.part_size, -(-least // MIB) * MIB), LARGEST_PART)


async def begin_upload(api: Api, key: str, size: int, options: WriteOptions) -> str:
    """Begin an upload; return its token: size of parts, whether the whole is summed, the server's name."""
    task = begun(_begin, api, key, size, options)
    try:
        return await unbroken(task)
    except BaseException:
        await _runtime.shielded_on_asyncio(_undo, task, api, key)
        raise


async def _begin(api: Api, key: str, size: int, options: WriteOptions) -> str:
    checksum = OF_THE_WHOLE if await api.sends_checksums() else {}
    answer = await api.request(
        "create_multipart_upload", key, {**stored_beside(api, key, options), **checksum}
    )
    summed = bool(checksum) and answer.get("ChecksumType") == checksum["ChecksumType"]
    return f"{part_size_of(api, size)} {int(summed)} {told(answer, 'UploadId', key)}"


async def _undo(task: Task[str], api: Api, key: str) -> None:
    await ended(task)
    if not task.cancelled() and task.exception() is None:
        await forget_upload(api, key, upload_id_of(task.result()))


def drop(options: Options, key: str, token: str) -> None:
    """Have the server forget an upload that nobody knows, for who cannot wait."""
    detached(_drop, options, key, token)


async def _drop(options: Options, key: str, token: str) -> None:
    api = Api(options)
    try:
        await forget_upload(api, key, upload_id_of(token))
    finally:
        await api.aclose()


def upload_id_of(token: str) -> str:
    """Return the server's name for an upload."""
    return token.split(" ", 2)[2]


async def forget_empty(api: Api, key: str, since: datetime) -> int:
    """Abort uploads of a key that were begun since then and have no part; return how many."""
    count = 0
    seconds = (datetime.now(UTC) - since).total_seconds() + ROUNDED
    async for upload_id, found, age in uploads(api, key):
        if found != key or age > seconds:
            continue
        try:
            answer = await api.request("list_parts", key, {"UploadId": upload_id, "MaxParts": 1})
        except NotFound:
            continue
        if not answer.get("Parts"):
            await forget_upload(api, key, upload_id)
            count += 1
    return count


class S3Parts(PartWriter):
    """An upload as a session: each call is one leaf."""

    def __init__(self, api: Api, key: str, overwrite: bool, if_match: str | None, token: str) -> None:
        self._api, self._key = api, key
        self._overwrite, self._if_match = overwrite, if_match
        self.token, self.at_once = token, api.options.concurrency
        try:
            part_size, summed, self._id = token.split(" ", 2)
            self.part_size, self._summed = int(part_size), summed == "1"
        except ValueError as error:
            raise NotFound("this is no token of an upload", path=key, backend=NAME) from error

    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        return await self._api.leaf(self._confirmed, parts)

    async def _confirmed(self, parts: Sequence[Part]) -> list[Part]:
        there: dict[int, tuple[int, str | None]] = {}
        more: dict[str, Any] = {}
        while True:
            answer = await self._api.request("list_parts", self._key, {"UploadId": self._id, **more})
            for part in answer.get("Parts", ()):
                there[part["PartNumber"]] = part["Size"], etag_of(part)
            if not answer.get("IsTruncated"):
                break
            more = {"PartNumberMarker": told(answer, "NextPartNumberMarker", self._key)}
        return [
            part for part in parts
            if there.get(part.number) == (part.size, etag_of(json.loads(part.receipt)))
        ]  # fmt: skip

    async def write(self, number: int, data: Buffer, crc32: int) -> Part:
        return await self._api.leaf(self._write, number, data, crc32)

    async def _write(self, number: int, data: Buffer, crc32: int) -> Part:
        body = data if isinstance(data, (bytes, bytearray)) else bytes(data)
        parameters: dict[str, Any] = {"UploadId": self._id, "PartNumber": number, "Body": body}
        if self._summed:
            parameters["ChecksumCRC32"] = in_base64(crc32)
        answer = await self._api.request("upload_part", self._key, parameters)
        return Part(number, len(body), crc32, json.dumps(receipt_of(answer, self._key)))

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        return await self._api.leaf(self._commit, sorted(parts))

    async def _commit(self, parts: Sequence[Part]) -> WriteResult:
        refused = refusal(self._key, self._overwrite, self._if_match)
        condition = await self._api.conditions.parameters(
            "complete", self._key, if_match=self._if_match, refused=refused
        )
        named = [{"PartNumber": part.number, **json.loads(part.receipt)} for part in parts]
        stated: dict[str, Any] = dict(condition)
        if self._summed:
            whole = joined((part.crc32, part.size) for part in parts)
            stated |= {"ChecksumCRC32": in_base64(whole), "ChecksumType": "FULL_OBJECT"}
        size = sum(part.size for part in parts)
        return await completed(self._api, self._key, self._id, named, size, stated, refused)

    async def abort(self) -> None:
        await self._api.shielded_leaf(forget_upload, self._api, self._key, self._id)


async def refuse_taken(api: Api, key: str, overwrite: bool, if_match: str | None) -> None:
    """Look whether the condition of a write holds now: who has much to send learns it before.

    Raises:
        AlreadyExists, PreconditionFailed: it does not.
    """
    refused: RemoteStoreError | None = refusal(key, overwrite, if_match)
    if refused is None:
        return
    found = await api.head(key)
    if (found is not None) if if_match is None else (found is None or etag_of(found) != bare(if_match)):
        raise refused
