"""Content on its way up by Arrow: under a name of its own first, and from there by the server's copy.

Arrow's stream knows no way back: closing it, and dropping it as well, stores what it has got.
So it never has the name that counts. The copy makes the object visible, whole and under its condition.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from ..._runtime import Lock
from ..._runtime.tasks import begun, detached, ended
from ...errors import BackendUnavailable, PermissionDenied, RemoteStoreError
from ...models import WriteOptions, WriteResult
from ..s3._api import Api
from ..s3._change import copied
from ..s3._listing import HIDDEN
from ..s3._upload import Upload, forget_upload
from ._files import ArrowFailed, ArrowFiles

if TYPE_CHECKING:
    from pyarrow import NativeFile
    from pyarrow.fs import S3FileSystem


GRACE: Final = 2.0
"""Seconds that who gives up an upload waits for Arrow."""


class ArrowUpload(Upload):
    """An upload whose parts go through Arrow. Content of less than a part is one plain request."""

    def __init__(self, api: Api, files: ArrowFiles, key: str, overwrite: bool, options: WriteOptions) -> None:
        super().__init__(api, key, overwrite, options=options)
        self._files = files
        self._stage: Stage | None = None

    async def _send(self) -> None:
        body = self._held.taken()
        if self._stage is None:
            self._stage = Stage(self._files, self._key)
        await self._stage.write(self._api, body)

    async def commit(self) -> WriteResult:
        """Make the object visible."""
        if self._stage is None:
            return await super().commit()
        self._refuse_broken()
        if self._held:
            await self._send()
        given = await self._stage.stored(self._api, self.size)
        told = {"MetadataDirective": "REPLACE", "TaggingDirective": "REPLACE", **self._headers}
        result = await copied(self._api, given, self.size, self._key, self._overwrite, told, self._headers)
        try:
            await self._stage.discard(self._api)  # who is cancelled here aborts, which does the same
        except RemoteStoreError:
            detached(_discard_later, self._stage, self._api)  # the object is there: this is no failure of it
        self.ended = True
        return result

    async def abort(self) -> None:
        """Delete what was stored on the way; harmless after ``commit``.

        Arrow cannot be told to stop. Where it waits for a silent server this goes on without
        who is cancelled.
        """
        self._held.clear()
        if self._stage is None or self.ended:
            return
        discarding = begun(self._stage.discard, self._api)
        await ended(discarding, GRACE)
        if discarding.done():
            discarding.result()
        else:
            discarding.cancel()
            detached(_discard_later, self._stage, self._api)
        self.ended = True

    def drop(self) -> None:
        """Do what ``abort`` does, for who cannot wait."""
        if self._stage is not None and not self.ended:
            detached(_discard_later, self._stage, self._api)


async def _discard_later(stage: Stage, theirs: Api) -> None:
    api = Api(theirs.options)  # nobody would close a client that the other makes for this loop
    try:
        await stage.discard(api)
    finally:
        await api.aclose()


class Stage:
    """An object under a name of its own, which no listing shows, and the stream that stores it."""

    def __init__(self, files: ArrowFiles, key: str) -> None:
        self.name = f"{HIDDEN}{token_hex(16)}"
        self._files, self._key = files, key
        self._stream: NativeFile | None = None
        self._parts = 0
        self._turn = Lock()  # a call that nobody waits for any more may still be under way
        self._over = False  # such a call may also get its turn after the clean-up: it must begin nothing
        self._found: dict[str, Any] | None = None
        self._is_stored = False  # a stream that failed to close says that it is closed

    async def write(self, api: Api, body: memoryview) -> None:
        """Take the next part."""
        if self._stream is None:
            await self._try(api, self._open, await self._files.current(), api.bucket)
        await self._try(api, self._write, body, api.options.concurrency)

    def _open(self, system: S3FileSystem | None, bucket: str) -> None:
        if system is None:
            raise ArrowFailed("Arrow cannot reach the bucket as the client does")
        # Kept here and not returned: who is cancelled now has to find it, and close it.
        self._stream = system.open_output_stream(f"{bucket}/{self.name}")

    def _write(self, body: memoryview, at_once: int) -> None:
        assert self._stream is not None
        self._stream.write(body)
        self._parts += 1
        if self._parts % at_once == 0:
            self._stream.flush()  # waits: without it Arrow takes all there is into memory

    async def stored(self, api: Api, size: int) -> dict[str, object]:
        """Have Arrow store all of it; return what a copy is to be made of."""
        await self._try(api, self._close)
        self._found = found = await self._ask(api, "head_object", {})
        if found["ContentLength"] != size:
            raise RemoteStoreError(
                "Arrow has stored something else than it was given; try again",
                path=self._key,
                retryable=True,
            )
        return {
            "CopySource": {"Bucket": api.bucket, "Key": self.name},
            "CopySourceIfMatch": found["ETag"],
        }

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._is_stored = True

    def _in_turn(self, call: Callable[..., None], *args: object) -> None:
        with self._turn:
            if self._over:
                raise ArrowFailed("nobody waits for this")
            call(*args)

    def _give_up(self) -> None:
        with self._turn:
            self._over = True
            self._close()

    async def _try(self, api: Api, call: Callable[..., None], *args: object) -> None:
        try:
            await self._files.threads.call_and_leave(self._in_turn, call, *args)
        except (OSError, ValueError) as error:  # Arrow's own errors are of these kinds
            # The same right is needed for this request, whose errors have codes.
            await self._ask(api, "put_object", {"Body": b""})
            raise BackendUnavailable(f"Arrow could not write ({error}); try again", path=self._key) from error

    async def discard(self, api: Api) -> None:
        """Delete the object, and what would become one. Arrow's stream is closed then."""
        if not self._is_stored:
            await self._forget_uploads(api)  # nothing can come of it any more, and Arrow gives up sooner
            try:
                await self._files.threads.call_and_leave(self._give_up)
            except (OSError, ValueError):
                await self._forget_uploads(api)
        if self._found is not None:
            await self._delete(api, self._found)
            return
        while (found := await api.head(self.name)) is not None and await self._delete(api, found):
            pass  # below it there may be an older version: that of a request which was to tell what is wrong

    async def _delete(self, api: Api, found: dict[str, Any]) -> bool:
        """Delete the version that was found, for good; return True if the bucket has versions."""
        version = found.get("VersionId")
        if version is not None:
            try:
                await self._ask(api, "delete_object", {"VersionId": version})
            except PermissionDenied:
                pass  # a right of its own: without it, the versions stay
            else:
                return True
        await self._ask(api, "delete_object", {})
        return False

    async def _ask(self, api: Api, operation: str, parameters: dict[str, object]) -> dict[str, Any]:
        """Make a request about the object; its errors are about the one that is to be."""
        try:
            return await api.request(operation, self.name, parameters)
        except RemoteStoreError as error:
            error.path = self._key
            raise

    async def _forget_uploads(self, api: Api) -> None:
        try:
            found = await api.request("list_multipart_uploads", None, {"Prefix": self.name})
            for upload in found.get("Uploads", ()):
                await forget_upload(api, self.name, upload["UploadId"])
        except RemoteStoreError:
            pass  # it may not be allowed: then closing stores something, which is deleted
