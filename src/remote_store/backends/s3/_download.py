"""One object on its way down, pinned by its ETag to the version it was opened in.

It begins as one stream. Who has read as much of that as one part is long, and has more
than a part before him, gets the rest in ranges, several at once: a single connection to
a storage far away gives less than the line does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from ..._http import Response
from ..._runtime.tasks import current_loop
from ...backend import CHUNK_SIZE
from ...errors import BackendUnavailable, NotFound, PermissionDenied, PreconditionFailed, RemoteStoreError
from ...sessions import placed
from ._ahead import Ahead, Fetch
from ._api import Api
from ._checks import Check, Damaged, check_of
from ._errors import NAME, status_of, translated
from ._fitting import changed, refuse_unfitting
from ._objects import size_of

RESUMES: Final = 3
"""How often a broken body is asked for again before that is an error; any progress starts the count anew."""


class Download:
    """A body that is read forwards, and asked for again where it breaks or where a seek leads.

    Its coroutines run on the loop on which it was opened.
    """

    def __init__(self, api: Api, key: str, start: int, length: int | None) -> None:
        self.api, self.key, self._start, self._length = api, key, start, length
        self._body: Any = None
        self._pin: dict[str, str] = {}
        self._check: Check | None = None
        self._damage: Exception | None = None
        self.headers: dict[str, Any] = {}
        self.position = 0  # where the caller stands
        self._body_from = self._body_at = 0  # where the body began, and where it stands
        self.size = 0
        self.loop = current_loop()

    async def open(self) -> None:
        """Ask for the part. Raises NotFound, or InvalidPath where a folder is."""
        try:
            await self._first_answer()
        except NotFound as error:
            raise await self.api.missing(self.key, cause=error) from error

    async def _first_answer(self) -> None:
        if self._length != 0:
            end = None if self._length is None else self._start + self._length
            try:
                answer = await self._get(self._start, end)
            except RemoteStoreError as error:
                if status_of(error) != 416:  # beyond the end, or of an empty object
                    raise
            else:
                self._body = answer.pop("Body")
                self._keep(answer, self._length_of(answer))
                self._check = check_of(answer)
                return
        self._keep(await self.api.request("head_object", self.key), 0)

    def _length_of(self, answer: Mapping[str, Any]) -> int:
        """Return how long an answer is. Raises RemoteStoreError if it does not say so."""
        try:
            return size_of(answer, self.key)
        except RemoteStoreError:
            self.close()
            raise

    def _keep(self, answer: dict[str, Any], size: int) -> None:
        self.headers, self.size = answer, size
        pin = {"IfMatch": answer["ETag"]} if answer.get("ETag") else {}
        if answer.get("VersionId", "null") != "null":
            pin["VersionId"] = answer["VersionId"]
        self._pin = pin

    async def _get(self, start: int, end: int | None) -> dict[str, Any]:
        ranged = {}
        if start or end is not None:
            ranged["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        pin = dict(self._pin)
        try:
            answer = await self._asked(ranged, pin)
        except PermissionDenied:
            if len(pin) < 2:
                raise
            # To name a version is a right of its own. The ETag tells the content as well; without the
            # version a stream ends where the object is replaced. The pin is shared by all ranges.
            self._pin.pop("VersionId", None)
            answer = await self._asked(ranged, {"IfMatch": pin["IfMatch"]})
        try:
            refuse_unfitting(answer, self.key, start, end, self._pin)
        except RemoteStoreError:
            answer["Body"].close()
            raise
        return answer

    async def _asked(self, ranged: Mapping[str, str], pin: Mapping[str, str]) -> dict[str, Any]:
        refused = changed(self.key) if pin else None  # without one there is no condition
        return await self.api.request("get_object", self.key, {**ranged, **pin}, refused=refused)

    async def read(self, n: int) -> bytes:
        """Return the next bytes, as many as asked for unless the end comes first."""
        return b"".join(await self.pieces(n))  # one piece is not copied

    async def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer, unless the end comes first; return how many bytes."""
        return placed(await self.pieces(len(buffer)), buffer)

    async def pieces(self, n: int) -> list[bytes]:
        """Return the next bytes as they came: who puts them somewhere need not have them joined."""
        self._refuse_damaged()
        pieces: list[bytes] = []
        count = min(n, self.size - self.position)
        if count <= 0:
            return pieces
        try:
            await self._gather(pieces, count)
        except BaseException:
            self.close()  # what was read of the piece is lost: the next read asks for it again
            raise
        self._compare(pieces)
        self.position += count
        return pieces

    def _compare(self, pieces: list[bytes]) -> None:
        if self._check is not None:
            try:
                self._check.add(self.position, pieces, self.size)
            except Damaged as error:
                self._damage = error
                self._refuse_damaged()

    def _refuse_damaged(self) -> None:
        """Raise, once the content has turned out to be damaged: who reads on would be given it after all."""
        if self._damage is not None:
            raise translated(self._damage, self.key, self.api.bucket) from self._damage

    async def _gather(self, pieces: list[bytes], count: int) -> None:
        """Add pieces that are so many bytes together, however often the body breaks and goes on."""
        tries = had = 0
        while True:
            try:
                await self._go_on(pieces, had, count)
            except RemoteStoreError:
                raise
            except Exception as error:  # of aiohttp, botocore or the system; all are translated
                self.close()
                failure = translated(error, self.key, self.api.bucket)
                got = sum(map(len, pieces))
                tries = tries + 1 if got == had else 1
                had = got
                if not isinstance(failure, BackendUnavailable):
                    self._damage = error  # the SDK's own check of checksums, most likely
                    raise failure from error
                if tries > RESUMES or not self._pin:  # without which the rest may be another version's
                    raise failure from error
            else:
                return

    async def _go_on(self, pieces: list[bytes], had: int, count: int) -> None:
        missing = count - had
        if missing and (self._body is None or self._body_at != self.position + had):
            await self._reopen(self.position + had)
        while missing:
            self._widen()
            found = await _pieces_of(self._body, missing)
            got = sum(map(len, found))
            if not got:
                raise ConnectionError("the body ended early")
            pieces += found
            self._body_at += got
            missing -= got
        if self._body is not None and self._body_at == self.size:
            await self._end()

    def _widen(self) -> None:
        """Go on in ranges where that is worth it."""
        options = self.api.options
        read, left = self._body_at - self._body_from, self.size - self._body_at
        wide = options.concurrency > 1 and read >= options.part_size < left and self._pin
        if wide and not isinstance(self._body, Ahead):
            self._go_wide(partial(_fetch, self.api, self.key, self._pin, self._start))

    def _go_wide(self, fetch: Fetch) -> None:
        """Read on in ranges from here."""
        self.close()
        options = self.api.options
        self._body = Ahead(fetch, self._body_at, self.size, options.part_size, options.concurrency)

    async def _reopen(self, position: int) -> None:
        self.close()
        if not self._pin:
            raise RemoteStoreError(
                "the server gives the file no ETag, so nothing tells whether the rest is of the same version;"
                " read it again from its beginning",
                path=self.key,
                backend=NAME,
            )
        try:
            answer = await self._get(self._start + position, self._start + self.size)
        except NotFound as error:
            raise PreconditionFailed(
                "the file was deleted while it was being read", path=self.key, backend=NAME
            ) from error
        self._body = answer["Body"]
        self._body_from = self._body_at = position

    @classmethod
    def of_range(cls, api: Api, key: str, pin: dict[str, str], start: int, length: int) -> Download:
        """Return the download of a part of a version, by its pin, that is known to have it."""
        download = cls(api, key, start, length)
        download._pin, download.size = pin, length
        return download

    async def _end(self) -> None:
        """See the end of the body: what checks it does so there, and the connection is free again."""
        await self._body.read(1)

    @property
    def step(self) -> int:
        """Bytes in which all of it is best read."""
        return CHUNK_SIZE

    def close(self) -> None:
        """Let go of the connection; it is closed if more of the body was to come."""
        body, self._body = self._body, None
        if body is not None:
            body.close()


async def _pieces_of(body: Any, n: int) -> Sequence[bytes]:
    """Return some of the next bytes of a body: our own client's are not joined, where nobody needs it."""
    found: Sequence[bytes] = await body.pieces(n) if isinstance(body, Response) else (await body.read(n),)
    return found


async def _fetch(api: Api, key: str, pin: dict[str, str], offset: int, start: int, end: int) -> deque[bytes]:
    """Return a range. No method, for a request that is under way must not keep a dropped stream alive."""
    download = Download.of_range(api, key, pin, offset + start, end - start)
    pieces: deque[bytes] = deque()
    try:
        while found := await download.pieces(CHUNK_SIZE):
            pieces += found
    finally:
        download.close()
    return pieces
