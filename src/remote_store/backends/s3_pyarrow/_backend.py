"""``S3PyArrowBackend``: the S3 backend, with Arrow where large content comes down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar

from ...errors import PreconditionFailed
from ...models import WriteOptions
from ..s3 import S3Backend
from ..s3._api import Api
from ..s3._download import Download
from ..s3._options import MIB, Options
from ..s3._reader import read_whole
from ..s3._upload import Upload
from ..s3._write_options import NONE
from ._download import ArrowDownload
from ._files import ArrowFiles
from ._mapping import check
from ._upload import ArrowUpload

T = TypeVar("T")
NAME: Final = "s3-pyarrow"


class S3PyArrowBackend(S3Backend):
    """Objects in a bucket of Amazon S3, with large content read by ``pyarrow.fs.S3FileSystem``.

    A drop-in for ``S3Backend``: the same arguments, the same errors, the same guarantees. Arrow is
    told everything that aiobotocore is told, and the same credentials, when they are renewed, too.

    Args:
        bucket: name of the bucket; this and all that is not named here is as for ``S3Backend``.
        threads: threads at most in which Arrow is called; further reads queue.
        arrow_from: content of up to so many bytes comes by a plain request, and so do the first
            bytes of a stream; the rest comes by Arrow, in ranges of ``part_size``,
            ``concurrency`` of them at once. With 0 everything does.
        arrow_writes: send content of more than ``part_size`` by Arrow, too: under a name of its
            own, from which the server copies it. This costs the server the work twice; without
            it all writes are as for ``S3Backend``.

    Raises:
        ValueError: an argument makes no sense, or cannot be said to Arrow.
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
        threads: int = 8,
        arrow_from: int = 8 * MIB,
        arrow_writes: bool = False,
    ) -> None:
        super().__init__(
            bucket, endpoint_url=endpoint_url, key=key, secret=secret, region_name=region_name,
            client_options=client_options, session_token=session_token, profile=profile, anon=anon,
            part_size=part_size, concurrency=concurrency, hot_path=hot_path, write_options=write_options,
            conditional_writes=conditional_writes, sse_customer_key=sse_customer_key,
        )  # fmt: skip
        if threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        if arrow_from < 0:
            raise ValueError(f"arrow_from must be 0 or more bytes, not {arrow_from}")
        check(self._options)
        self._set_up(threads, arrow_from, arrow_writes)

    def _set_up(self, *own: Any) -> None:
        self._own = own
        threads, self._arrow_from, self._arrow_writes = own
        self._files = ArrowFiles(self._api, threads)

    @property
    def name(self) -> str:
        return NAME

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._options, self._own)

    def _download(self, path: str, start: int, length: int | None, *, whole: bool = False) -> Download:
        return ArrowDownload(self._api, self._files, self._arrow_from, path, start, length, whole)

    async def _read_whole(self, path: str, start: int, length: int | None) -> bytes:
        try:
            return await super()._read_whole(path, start, length)
        except PreconditionFailed:
            # Nothing has been given away yet, so the new version will do: a plain request has one.
            return await read_whole(Download(self._api, path, start, length))

    async def _open_write(self, path: str, overwrite: bool, options: WriteOptions) -> Upload:
        upload = await super()._open_write(path, overwrite, options)
        # Not every server takes if_match for a copy.
        by_arrow = self._arrow_writes and options.if_match is None
        if not by_arrow or await self._files.current() is None:
            return upload
        return ArrowUpload(self._api, self._files, path, overwrite, options)

    async def ping(self) -> None:
        """Check that the storage answers, and that Arrow takes the options."""
        await super().ping()
        await self._api.leaf(self._files.current)

    def unwrap(self, type_hint: type[T]) -> T:
        system = self._files.latest
        if system is not None and type(system) is type_hint:
            return system
        return super().unwrap(type_hint)

    async def aclose(self) -> None:
        self._files.forget()
        await super().aclose()


def _rebuild(cls: type[S3PyArrowBackend], options: Options, own: tuple[Any, ...]) -> S3PyArrowBackend:
    backend = cls.__new__(cls)
    backend._options = options
    backend._api = Api(options, backend.name)
    backend._set_up(*own)
    return backend
