"""What killed processes left on the server: uploads that nobody will complete, and objects of our own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from ..._runtime.tasks import Tasks
from ...errors import NotFound, RemoteStoreError
from ._api import Api
from ._conditions import PROBE
from ._errors import NAME, code_of
from ._listing import UNSHOWN
from ._objects import told
from ._upload import forget_upload

_OURS: Final = re.compile(f"{re.escape(PROBE)}[0-9a-f]{{16}}|{UNSHOWN.pattern}")
_BEGINNING: Final = ".remote-store-"
"""Of all of these names."""
_MARKERS: Final = ("KeyMarker", "UploadIdMarker")
PAGE: Final = 1000  # the most a server gives


async def sweep(api: Api, folder: str, age: float) -> int:
    """Have the server forget what is older than some seconds by its own clock; return how many there were."""
    tasks = Tasks()
    count = 0
    try:
        async for upload_id, key, seconds in uploads(api, f"{folder}/" if folder else ""):
            if seconds >= age:
                await tasks.fewer_than(api.options.concurrency)
                tasks.start(forget_upload, api, key, upload_id)
                count += 1
        await tasks.fewer_than(1)
    finally:
        await tasks.stop()
    return count if folder else count + await _sweep_objects(api, age)


async def uploads(api: Api, prefix: str) -> AsyncIterator[tuple[str, str, float]]:
    """Give name, key and age of each unfinished upload of a key with the prefix."""
    place: dict[str, str] = {}
    while True:
        answer = await _page(api, {"Prefix": prefix, "MaxUploads": PAGE, **place})
        for upload in answer.get("Uploads", ()):
            key = told(upload, "Key", prefix)
            if key.startswith(prefix):
                yield told(upload, "UploadId", key), key, _age(answer, upload.get("Initiated"))
        after = {name: answer[f"Next{name}"] for name in _MARKERS if answer.get(f"Next{name}")}
        if not answer.get("IsTruncated") or after == place:
            return
        place = after


async def _page(api: Api, parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        return await _asked(api, parameters)
    except RemoteStoreError as error:
        if code_of(error) != "500":  # so botocore calls what it cannot read
            raise
    # A key that is no text of XML, most likely. All others are better had as they are: some
    # servers say that they quote the keys, and do not.
    answer = await _asked(api, {**parameters, "EncodingType": "url"})
    for upload in answer.get("Uploads", ()):
        upload["Key"] = unquote_plus(told(upload, "Key", None))
    if answer.get("NextKeyMarker"):
        answer["NextKeyMarker"] = unquote_plus(answer["NextKeyMarker"])
    return answer


async def _asked(api: Api, parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        return await api.request("list_multipart_uploads", None, parameters)
    except NotFound as error:
        if code_of(error) != "NoSuchUpload":  # so some servers say that there is none
            raise
        return {}


async def _sweep_objects(api: Api, age: float) -> int:
    count, place = 0, dict[str, str]()
    while True:
        # The first kind of listing, for it goes by the client, which tells the time.
        answer = await api.request("list_objects", None, {"Prefix": _BEGINNING, "MaxKeys": PAGE, **place})
        found = answer.get("Contents", ())
        for entry in found:
            key = told(entry, "Key", None)
            if _OURS.fullmatch(key) and _age(answer, entry.get("LastModified")) >= age:
                await api.request("delete_object", key)
                count += 1
        after = {"Marker": found[-1]["Key"]} if found else place
        if not answer.get("IsTruncated") or after == place:
            return count
        place = after


def _age(answer: dict[str, Any], since: datetime | None) -> float:
    """Return the seconds from a time to that of the answer."""
    if since is None:
        raise RemoteStoreError(
            "the server does not tell the age of what it lists, so nothing is known to be old", backend=NAME
        )
    # Dates are cut to seconds, so what is new can seem to be of the future.
    return max(0.0, (_now(answer) - since).total_seconds())


def _now(answer: dict[str, Any]) -> datetime:
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        now = parsedate_to_datetime(date)
    except (ValueError, TypeError) as error:
        raise RemoteStoreError(
            "the server does not tell its time, so nothing is known to be old", backend=NAME
        ) from error
    return now if now.tzinfo is not None else now.replace(tzinfo=UTC)  # so "-0000" is read
