"""The one way down: a client for each loop, and every request and every error through one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ... import _runtime
from ..._runtime.per_loop import PerLoop
from ...errors import InvalidPath, NotFound, RemoteStoreError
from ._conditions import Conditions
from ._connection import Connection, connect
from ._errors import NAME, code_of, status_of, translated
from ._options import Options

if TYPE_CHECKING:
    from aiobotocore.client import AioBaseClient

T = TypeVar("T")

_WITH_KEY: Final = frozenset(
    (
        "get_object", "head_object", "put_object", "create_multipart_upload", "upload_part",
        "upload_part_copy", "copy_object", "complete_multipart_upload", "list_parts",
    )
)  # fmt: skip
"""Requests that read or write content which an encryption key of the user's own may protect."""
_LISTINGS: Final = {
    "list_objects_v2": frozenset(("IsTruncated",)),
    "list_objects": frozenset(("IsTruncated",)),
    # Here some servers leave that out where there is no more.
    "list_multipart_uploads": frozenset(("Bucket", "Uploads")),
    "list_parts": frozenset(("UploadId", "Parts")),
}
"""Of what a listing tells at least one. botocore reads one without entries out of any other page, too."""


class Api:
    """Requests to one bucket. Its coroutines need a running asyncio loop; its leaves bring one.

    Args:
        options: the bucket and the way to it.
        name: the backend that errors name.
    """

    def __init__(self, options: Options, name: str = NAME) -> None:
        self.options, self._name = options, name
        self.bucket = options.bucket
        # Not a method of this object: what makes the clients must not keep it alive.
        self._connections = PerLoop(partial(connect, options), Connection.aclose)
        self._conditions: Conditions | None = None

    @property
    def conditions(self) -> Conditions:
        """What is known of the server's way with conditions."""
        if self._conditions is None:
            # By an object of its own, so that what is found out does not keep this one alive.
            self._conditions = Conditions(self._probing(), self.options.conditional_writes)
        return self._conditions

    def _probing(self) -> Api:
        other = Api.__new__(Api)
        other.options, other.bucket, other._name = self.options, self.bucket, self._name
        other._connections, other._conditions = self._connections, None
        return other

    def sharing(self, options: Options) -> Api:
        """Return this with other sizes of streams, over the same connections."""
        other = self._probing()
        other.options, other._conditions = options, self.conditions
        return other

    async def leaf(
        self, call: Callable[..., Awaitable[T]], *args: Any, undo: Callable[[T], Any] | None = None
    ) -> T:
        """Run one of these coroutines on a loop, wherever the caller stands."""
        try:
            return await _runtime.on_asyncio(call, *args, undo=undo)
        except RemoteStoreError as error:
            error.backend = self._name
            raise

    async def shielded_leaf(self, call: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Run one to its end although the task is being cancelled."""
        try:
            return await _runtime.shielded_on_asyncio(call, *args)
        except RemoteStoreError as error:
            error.backend = self._name
            raise

    async def connection(self) -> Connection:
        """Return the running loop's connection to the server."""
        try:
            return await self._connections.get()
        except Exception as error:  # as in ``request``
            raise translated(error, None, self.bucket) from error

    async def client(self) -> AioBaseClient:
        """Return the running loop's client."""
        return (await self.connection()).client

    async def request(
        self,
        operation: str,
        key: str | None,
        parameters: Mapping[str, Any] | None = None,
        *,
        refused: RemoteStoreError | None = None,
    ) -> dict[str, Any]:
        """Make one request about a key, or about the bucket if it is None; return the parsed answer.

        ``refused`` is raised where a condition of the request does not hold.
        """
        wanted = {"Bucket": self.bucket, **self._customer_key(operation), **(parameters or {})}
        if key is not None:
            wanted["Key"] = key
        _require_text(key or wanted.get("Prefix", ""), key)
        try:
            connection = await self._connections.get()
            answer = await connection.request(operation, wanted)
        except Exception as error:  # the types are those of three packages; all are translated
            if refused is not None and status_of(error) == 412:
                raise refused from error
            raise translated(error, key, self.bucket) from error
        if operation in _LISTINGS:
            _require_listing(answer, _LISTINGS[operation], key)
        return answer

    def _customer_key(self, operation: str) -> Mapping[str, str]:
        """Return the encryption key that the bucket's owner keeps, for requests that need it."""
        key = self.options.customer_key
        if not key or operation not in _WITH_KEY:
            return {}
        if "copy" in operation:
            return {**key, **{f"CopySource{name}": value for name, value in key.items()}}
        return key

    async def sends_checksums(self) -> bool:
        """Return True if requests are to carry checksums, as the client is configured."""
        config: Any = (await self.client()).meta.config
        return bool(config.request_checksum_calculation != "when_required")

    async def presign(self, key: str, method: str, expires: int, content_type: str | None) -> str:
        """Return a URL that is signed for one request; nothing is asked of the server."""
        parameters = {"Bucket": self.bucket, "Key": key}
        if content_type is not None:
            parameters["ContentType"] = content_type
        _require_text(key, key)
        client: Any = await self.client()
        try:
            url: str = await client.generate_presigned_url(
                f"{method.lower()}_object", Params=parameters, ExpiresIn=expires
            )
        except Exception as error:  # as in ``request``
            raise translated(error, key, self.bucket) from error
        return url

    async def head(self, key: str) -> dict[str, Any] | None:
        """Return an object's headers; None if there is no such object."""
        try:
            return await self.request("head_object", key, {"ChecksumMode": "ENABLED"})
        except NotFound:
            return None
        except InvalidPath:
            return None  # a name that the server cannot store is not there

    async def has_below(self, folder: str) -> bool:
        """Return True if the folder holds something, or is marked by an object of its name and a slash."""
        answer = await self.request("list_objects_v2", None, {"Prefix": f"{folder}/", "MaxKeys": 1})
        return bool(answer.get("Contents") or answer.get("CommonPrefixes"))

    async def missing(self, key: str, *, cause: BaseException | None = None) -> RemoteStoreError:
        """Return the error for an object that is not there: NotFound, or InvalidPath where a folder is."""
        if code_of(cause) == "NoSuchBucket":
            return translated(_exception(cause), key, self.bucket)
        if await self.has_below(key):
            return InvalidPath("this is a folder, not a file", path=key, backend=NAME)
        return NotFound("there is no such file", path=key, backend=NAME)

    def of_this_loop(self) -> AioBaseClient | None:
        """Return the running loop's client if it has been made; for who has a loop and cannot wait."""
        try:
            connection = self._connections.peek()
        except RuntimeError:
            return None  # no asyncio loop runs here
        return connection.client if connection is not None else None

    async def aclose(self) -> None:
        """Close the clients of all loops."""
        if self._conditions is not None:
            await self._conditions.aclose()
        await self._connections.aclose()


def _exception(cause: BaseException | None) -> Exception:
    assert isinstance(cause, Exception)
    return cause


def _require_listing(answer: Mapping[str, Any], told: frozenset[str], path: str | None) -> None:
    """Refuse what is no listing: a page of a proxy, say, which would look like an empty one."""
    if told.isdisjoint(answer):
        raise RemoteStoreError(
            "the answer is no listing; check endpoint_url, and whether something else than an S3 server"
            " answers there",
            path=path,
            backend=NAME,
        )


def _require_text(name: str, path: str | None) -> None:
    """Refuse a name that has no bytes (lone surrogates), which no server can store."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InvalidPath(
            "the name cannot be sent: it is no Unicode text", path=path, backend=NAME
        ) from error
