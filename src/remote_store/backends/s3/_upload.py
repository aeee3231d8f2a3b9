"""One object on its way up: one request if it is small, else parts in flight.

An object appears when its request, or the completion of its parts, has succeeded. Until
then there is nothing under its name, and an upload that fails leaves nothing behind.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from ... import _runtime
from ..._crc import crc32, joined
from ..._runtime.tasks import Task, Tasks, detached, dropped_at_exit, soon, unbroken
from ..._types import Buffer
from ...backend import Writer
from ...errors import NotFound, RemoteStoreError
from ...models import WriteOptions, WriteResult
from ._api import Api
from ._checks import in_base64
from ._errors import NAME
from ._finish import completed, refusal, stored
from ._gathered import Gathered
from ._objects import guessed_type, receipt_of, result_of, told
from ._write_options import NONE, parameters_of

PARTS_OF_A_SIZE: Final = 900
"""After so many parts they double: 10,000 of them, the most there may be, reach beyond 5 TiB."""
LARGEST_PART: Final = 5 << 30
OF_THE_WHOLE: Final = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}

LOOK_SECONDS: Final = 0.01
LOOKS: Final = 1000
"""How often it is looked whether the parts of a dropped upload have ended."""


def stored_beside(api: Api, key: str, options: WriteOptions) -> dict[str, Any]:
    """Return what a request that stores an object says of it: the options, and the guessed media type."""
    usual = api.options.write_options
    if options is NONE and usual is NONE:
        return guessed_type(key)
    return {**guessed_type(key), **parameters_of(options.over(usual))}


async def put(
    api: Api, key: str, data: bytes | memoryview, overwrite: bool, options: WriteOptions = NONE
) -> WriteResult:
    """Store a whole object with one request."""
    beside, if_match = stored_beside(api, key, options), options.if_match
    refused = refusal(key, overwrite, if_match)
    condition = await api.conditions.parameters("put", key, if_match=if_match, refused=refused)
    answer = await stored(api, "put_object", key, {"Body": data, **beside, **condition}, refused)
    return result_of(key, len(data), answer)


class Upload:
    """Gathers content into parts. Its coroutines run on the loop on which it was made."""

    def __init__(
        self,
        api: Api,
        key: str,
        overwrite: bool,
        headers: Mapping[str, Any] | None = None,
        options: WriteOptions = NONE,
    ) -> None:
        self._api, self._key, self._overwrite, self._options = api, key, overwrite, options
        self._headers = stored_beside(api, key, options) if headers is None else headers
        self._held = Gathered()
        self._begun: Task[dict[str, Any]] | None = None
        self._parts: dict[int, dict[str, Any]] = {}
        self._crcs: dict[int, tuple[int, int]] | None = None  # where the server keeps one of the whole
        self._by_server = headers is not None
        self._count = 0
        self._stopped: Task[None] | None = None
        self._tasks = Tasks()
        self.size = 0
        self.ended = self._broken = False

    @property
    def part_size(self) -> int:
        """Size of the next part."""
        return min(self._api.options.part_size << (self._count // PARTS_OF_A_SIZE), LARGEST_PART)

    async def write(self, data: Buffer) -> None:
        """Take all of the data; send what fills a part."""
        self._broken = True  # until all of it is taken
        view = memoryview(data)
        while view:
            piece = view[: self.part_size - len(self._held)]
            self._held.add(piece, self.part_size)
            view = view[len(piece) :]
            if len(self._held) == self.part_size:
                await self._send()
        self.size += memoryview(data).nbytes
        self._broken = False

    async def _send(self) -> None:
        """Put what is held on its way as the next part, when there is room for one more."""
        await self.upload_id()
        self._count += 1
        self._tasks.start(self._put_part, self._count, self._held.taken())
        await self._tasks.fewer_than(self._api.options.concurrency)  # the one to be filled now counts, too

    async def _put_part(self, number: int, body: memoryview) -> None:
        parameters: dict[str, Any] = {"UploadId": await self.upload_id(), "PartNumber": number, "Body": body}
        if self._crcs is not None:
            crc = await _runtime.in_thread(crc32, body)  # of megabytes: not on the loop
            self._crcs[number] = crc, len(body)
            parameters["ChecksumCRC32"] = in_base64(crc)
        self.keep(number, await self._api.request("upload_part", self._key, parameters))

    def keep(self, number: int, answer: Mapping[str, Any]) -> None:
        """Note what the server said about a part; the completion has to repeat it."""
        self._parts[number] = {"PartNumber": number, **receipt_of(answer, self._key)}

    async def upload_id(self) -> str:
        """Return the server's name for this upload, begun now if it is not yet."""
        if self._begun is None:
            # Never cancelled, for what it begins has to be ended.
            self._begun = self._tasks.spawn(self._begin)
        answer = await unbroken(self._begun)
        return told(answer, "UploadId", self._key)

    async def _begin(self) -> dict[str, Any]:
        checksum = {} if self._by_server or not await self._api.sends_checksums() else OF_THE_WHOLE
        answer = await self._api.request("create_multipart_upload", self._key, {**self._headers, **checksum})
        if checksum and answer.get("ChecksumType") == checksum["ChecksumType"]:
            self._crcs = {}  # not all servers know that kind; who does not say so would compare another one
        return answer

    async def commit(self) -> WriteResult:
        """Make the object visible."""
        self._refuse_broken()
        if self._begun is None:
            result = await self._put()
        else:
            if self._held:
                await self._send()
            await self._tasks.fewer_than(1)
            result = await self.complete()
        self.ended = True
        return result

    def _refuse_broken(self) -> None:
        if self._broken:
            raise RemoteStoreError(
                "a write failed or was cancelled, so the content is not whole; begin again", path=self._key,
                backend=NAME,
            )  # fmt: skip

    async def _put(self) -> WriteResult:
        content = self._held.content  # it stays: who commits again after a failure stores the same
        return await put(self._api, self._key, content, self._overwrite, self._options)

    async def complete(self) -> WriteResult:
        """Make one object of the parts."""
        if_match = self._options.if_match
        refused = refusal(self._key, self._overwrite, if_match)
        condition = await self._api.conditions.parameters(
            "complete", self._key, if_match=if_match, refused=refused
        )
        parts = [self._parts[number] for number in sorted(self._parts)]
        stated = {**self._checksum(), **condition}
        result = await completed(
            self._api, self._key, await self.upload_id(), parts, self.size, stated, refused
        )
        self.ended = True
        return result

    def _checksum(self) -> dict[str, str]:
        if self._crcs is None:
            return {}
        whole = joined(self._crcs[number] for number in sorted(self._crcs))
        return {"ChecksumCRC32": in_base64(whole), "ChecksumType": "FULL_OBJECT"}

    async def abort(self) -> None:
        """Stop what is under way and have the server forget the parts; harmless after ``commit``."""
        self._held.clear()
        if self.ended:
            return
        await self._tasks.stop()
        if self._begun is not None:
            try:
                upload_id = await self.upload_id()
            except RemoteStoreError:
                return  # never begun
            await forget_upload(self._api, self._key, upload_id)
        self.ended = True

    def drop(self) -> None:
        """Do what ``abort`` does, for who cannot wait: in any thread, while the loop runs or after."""
        if self._begun is not None and not self.ended:
            soon(self._tasks.loop, self._stop)
            detached(self._forget_later)

    def _stop(self) -> None:
        self._stopped = self._tasks.spawn(self._tasks.stop)

    async def _forget_later(self) -> None:
        # A part that arrives after its upload was forgotten would stay on the server.
        for _ in range(LOOKS):
            if self._tasks.loop.is_closed() or self._has_stopped():
                break
            await _runtime.sleep(LOOK_SECONDS)
        begun = self._begun
        if begun is not None and begun.done() and not begun.cancelled() and not begun.exception():
            api = Api(self._api.options)  # nobody would close a client that the other makes for this loop
            try:
                await forget_upload(api, self._key, told(begun.result(), "UploadId", self._key))
            finally:
                await api.aclose()

    def _has_stopped(self) -> bool:
        stopped, begun = self._stopped, self._begun
        return (
            stopped is not None and stopped.done() and not stopped.cancelled()
            and begun is not None and begun.done()
        )  # fmt: skip


async def forget_upload(api: Api, key: str, upload_id: str) -> None:
    """Have the server forget the parts of an upload."""
    try:
        await api.request("abort_multipart_upload", key, {"UploadId": upload_id})
    except NotFound:
        pass  # completed or aborted already


class S3Writer(Writer):
    """An upload as a session: each call is one leaf."""

    def __init__(self, api: Api, key: str, upload: Upload) -> None:
        self._api, self._upload, self._process = api, upload, os.getpid()
        dropped_at_exit(upload)

    async def write(self, data: Buffer) -> None:
        await self._api.leaf(self._upload.write, data)

    async def commit(self) -> WriteResult:
        return await self._api.leaf(self._upload.commit)

    async def abort(self) -> None:
        await self._api.shielded_leaf(self._upload.abort)

    def __del__(self) -> None:
        if getattr(self, "_process", None) == os.getpid():  # a copy that a fork made ends nothing
            self._upload.drop()
