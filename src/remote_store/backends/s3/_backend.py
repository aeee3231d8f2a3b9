"""``S3Backend``: the contract in terms of the coroutines beside it, each operation one leaf."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal, TypeVar, cast

from ..._runtime.tasks import soon
from ..._types import whole
from ...backend import Backend, Pages, PartWriter, Reader, Writer
from ...capabilities import Capability, CapabilitySet
from ...errors import InvalidPath, NotFound
from ...models import FileInfo, WriteOptions, WriteResult
from . import _change, _options
from ._api import Api
from ._download import Download
from ._errors import NAME
from ._listing import S3Pages
from ._objects import info_of_headers
from ._options import MIB, Options
from ._parts import S3Parts, begin_upload, drop, forget_empty, refuse_taken
from ._reader import S3Reader, read_whole
from ._sweep import sweep
from ._upload import S3Writer, Upload, put
from ._write_options import NONE, parameters_of

T = TypeVar("T")
_ALL: Final = CapabilitySet(Capability)


class S3Backend(Backend):
    """Objects in a bucket of Amazon S3, or of a server that speaks its protocol.

    Nothing is asked of the server before the first operation. Folders are what names have
    before a slash: they come with the first file below them and go with the last.

    Args:
        bucket: name of the bucket, which has to exist.
        endpoint_url: the server, as ``https://host:port``; None is Amazon's.
        key: access key id. Without it the standard chain is asked: environment, shared
            files, single sign-on, web identity, container, instance.
        secret: secret access key.
        region_name: region of the bucket.
        client_options: further options, of aiobotocore's ``create_client`` or of its
            ``AioConfig``; explicit arguments win over them.
        session_token: token of temporary credentials.
        profile: profile of the shared files to use.
        anon: sign nothing, for public buckets.
        part_size: bytes of one part of a large upload or download, 5 MiB to 5 GiB; parts grow where an
            object needs more than the 10,000 that there may be.
        concurrency: requests at once for one large upload, download, copy or deletion. Each
            holds up to ``part_size`` bytes in memory; 1 reads large objects as one stream.
        hot_path: make plain requests (GET, HEAD, PUT, DELETE, parts and listings) without
            aiobotocore's own machinery, at a fraction of its processor time. It is left
            where it is not understood: other signatures, sessions of your own, handlers
            on the client's events. ``"aiohttp"`` sends such requests through aiobotocore's
            HTTP client, as it is done by itself where a proxy is configured.
        write_options: what to store beside each file, where a write does not say otherwise:
            a storage class or an encryption, say. Copies take these two from here as well.
        conditional_writes: whether the server honours the conditions of ``overwrite=False``
            and ``if_match``. None finds out before the first such write, by a small object
            of its own (Amazon's servers are known to). Without them ``overwrite=False`` can
            only look first, and two that create a file at the same time may both succeed.
            True says nothing of deletions: the first ``move`` finds that out in any case.
        sse_customer_key: a key of your own (32 bytes, or their base64 as text) with which the
            server encrypts what it keeps (SSE-C). It is sent with each request and kept
            nowhere: what is lost with it stays lost. Amazon takes it over TLS only.

    Raises:
        ValueError: an argument makes no sense, by itself or beside another.
    """

    def __init__(
        self,
        bucket: str,
        *,
        endpoint_url: str | None = None,
        key: str | None = None,
        secret: str | None = None,
        region_name: str | None = None,
        client_options: Mapping[str, Any] | None = None,
        session_token: str | None = None,
        profile: str | None = None,
        anon: bool = False,
        part_size: int = 8 * MIB,
        concurrency: int = 4,
        hot_path: bool | Literal["aiohttp"] = True,
        write_options: WriteOptions | Mapping[str, Any] = NONE,
        conditional_writes: bool | None = None,
        sse_customer_key: bytes | str | None = None,
    ) -> None:
        self._options = Options(
            bucket, endpoint_url, key, secret, session_token, region_name, profile, anon,
            dict(client_options or {}), part_size, concurrency, hot_path, _usual(write_options),
            conditional_writes, sse_customer_key,
        )  # fmt: skip
        self._api = Api(self._options, self.name)

    @property
    def name(self) -> str:
        return NAME

    @property
    def capabilities(self) -> CapabilitySet:
        lost = self._api.conditions.lost
        if self._options.sse_customer_key is not None or self._options.anon:
            # Who has only the URL could not use it; or nothing would sign it.
            lost = lost | {Capability.PRESIGN}
        return CapabilitySet(set(_ALL) - lost) if lost else _ALL

    async def probe(self) -> CapabilitySet:
        await self._api.leaf(self._probe)
        return self.capabilities

    async def _probe(self) -> None:
        await self._ping()
        for name in ("put", "copy", "complete"):
            await self._api.conditions.known(name)

    def __repr__(self) -> str:
        where = f", endpoint_url={self._options.endpoint_url!r}" if self._options.endpoint_url else ""
        return f"{type(self).__name__}({self._options.bucket!r}{where})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._options)

    # -- questions -------------------------------------------------------------

    async def is_file(self, path: str) -> bool:
        return bool(path) and await self._api.leaf(self._api.head, path) is not None

    async def is_folder(self, path: str) -> bool:
        return await self._api.leaf(self._is_folder, path)

    async def exists(self, path: str) -> bool:
        return await self._api.leaf(self._exists, path)

    async def _is_folder(self, path: str) -> bool:
        try:
            return await self._api.has_below(path) if path else await self._ping()
        except (NotFound, InvalidPath):  # a name that cannot be sent is not there
            return False

    async def _exists(self, path: str) -> bool:
        return (bool(path) and await self._api.head(path) is not None) or await self._is_folder(path)

    async def get_file_info(self, path: str) -> FileInfo:
        return await self._api.leaf(self._file_info, path)

    async def _file_info(self, path: str) -> FileInfo:
        headers = await self._api.head(path)
        if headers is None:
            raise await self._api.missing(path)
        return info_of_headers(path, headers)

    async def ping(self) -> None:
        await self._api.leaf(self._ping)

    async def _ping(self) -> bool:
        await self._api.request("list_objects_v2", None, {"MaxKeys": 1})
        return True

    # -- content ---------------------------------------------------------------

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        return await self._api.leaf(self._read_whole, path, start, length)

    @property
    def stream_memory(self) -> int:
        return self._options.part_size * (self._options.concurrency + 1)

    def within_memory(self, size: int, *, part_size: int | None = None) -> Backend:
        options = self._options.within(size, part_size)
        if options == self._options:
            return self
        return self._with(_options=options, _api=self._api.sharing(options))

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        return S3Reader(await self._api.leaf(self._open_read, path, start, length, undo=_close_download))

    async def _open_read(self, path: str, start: int, length: int | None) -> Download:
        download = self._download(path, start, length)
        await download.open()
        return download

    async def _read_whole(self, path: str, start: int, length: int | None) -> bytes:
        return await read_whole(self._download(path, start, length, whole=True))

    def _download(self, path: str, start: int, length: int | None, *, whole: bool = False) -> Download:
        """Return a download, which is read to its end at once if it is wanted ``whole``."""
        return Download(self._api, path, start, length)

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        if data.nbytes > self._options.part_size:
            return await super().write_bytes(path, data, overwrite=overwrite, atomic=atomic, options=options)
        return await self._api.leaf(put, self._api, path, whole(data), overwrite, options or NONE)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        upload = await self._api.leaf(self._open_write, path, overwrite, options or NONE)
        return S3Writer(self._api, path, upload)

    async def _open_write(self, path: str, overwrite: bool, options: WriteOptions) -> Upload:
        await refuse_taken(self._api, path, overwrite, options.if_match)
        return Upload(self._api, path, overwrite, options=options)

    # -- content in parts ------------------------------------------------------

    @property
    def part_size(self) -> int:
        return self._options.part_size

    async def open_parts(
        self,
        path: str,
        *,
        size: int,
        overwrite: bool = False,
        options: WriteOptions | None = None,
        token: str | None = None,
    ) -> PartWriter:
        wanted = options or NONE
        if token is None:
            undo = partial(drop, self._options, path)
            begun: str = await self._api.leaf(self._begin_parts, path, size, overwrite, wanted, undo=undo)
            token = begun
        return S3Parts(self._api, path, overwrite, wanted.if_match, token)

    async def _begin_parts(self, path: str, size: int, overwrite: bool, options: WriteOptions) -> str:
        await refuse_taken(self._api, path, overwrite, options.if_match)
        return await begin_upload(self._api, path, size, options)

    async def forget_parts(self, path: str, since: datetime) -> int:
        return await self._api.leaf(forget_empty, self._api, path, since)

    # -- changes ---------------------------------------------------------------

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self._api.leaf(_change.delete, self._api, path, missing_ok)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self._api.leaf(_change.delete_folder, self._api, path, recursive, missing_ok)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        return await self._api.leaf(_change.move, self._api, src, dst, overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        result, _ = await self._api.leaf(_change.copy, self._api, src, dst, overwrite)
        return result

    def copies_from(self, source: Backend) -> bool:
        return source is self or (isinstance(source, S3Backend) and self._options.reaches(source._options))

    async def copy_from(self, source: Backend, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        if source is self or not self.copies_from(source):
            return await super().copy_from(source, src, dst, overwrite=overwrite)
        assert isinstance(source, S3Backend)
        result, _ = await self._api.leaf(_change.copy, self._api, src, dst, overwrite, source._api)
        return result

    async def sweep_uploads(self, folder: str = "", *, older_than: float = 604800) -> int:
        """Delete what killed processes left behind: parts of uploads, and small objects of the backend's own.

        Args:
            folder: the folder below which uploads are looked for; none is the whole bucket.
            older_than: seconds since an upload was begun, by the server's clock. One that is under
                way for longer is ended, too, and fails.

        Returns:
            How many were deleted.
        """
        return await self._api.leaf(sweep, self._api, folder.strip("/"), older_than)

    # -- listing ---------------------------------------------------------------

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        return S3Pages(self._api, path, recursive, files, folders)

    # -- identity --------------------------------------------------------------

    @property
    def location(self) -> str:
        url = self._options.endpoint_url or self._options.client_options.get("endpoint_url") or ""
        return f"s3://{self._options.bucket} {url}".rstrip()

    def to_key(self, native: str) -> str:
        root = f"s3://{self._options.bucket}"
        if native == root:
            return ""
        return native[len(root) + 1 :].removesuffix("/") if native.startswith(f"{root}/") else native

    async def presign(self, path: str, *, method: str, expires: int, content_type: str | None = None) -> str:
        return await self._api.leaf(self._api.presign, path, method, expires, content_type)

    def unwrap(self, type_hint: type[T]) -> T:
        from aiobotocore.client import AioBaseClient

        if type_hint is AioBaseClient and (client := self._api.of_this_loop()) is not None:
            return cast(T, client)
        return super().unwrap(type_hint)

    @classmethod
    def from_url(cls, url: str) -> tuple[Backend, str]:
        options, root = _options.from_url(url)
        return cls(**options), root

    async def aclose(self) -> None:
        await self._api.shielded_leaf(self._api.aclose)  # or connections would stay open


def _usual(given: WriteOptions | Mapping[str, Any]) -> WriteOptions:
    """Return the options of all writes, checked now and not at the first write."""
    try:
        options = given if isinstance(given, WriteOptions) else WriteOptions(**given)
        parameters_of(options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"write_options: {error}") from error
    if options.if_match is not None:
        raise ValueError("write_options: if_match belongs to a single write")
    return options


def _close_download(download: Download) -> None:
    soon(download.loop, download.close)


def _rebuild(cls: type[S3Backend], options: Options) -> S3Backend:
    backend = cls.__new__(cls)
    backend._options = options
    backend._api = Api(options, backend.name)
    return backend
