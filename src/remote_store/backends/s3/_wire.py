"""The plain requests, straight to the connections of aiobotocore's own client.

aiobotocore takes about 1.5 ms of processor time for a request and 100 ms for a page of a
listing, in a thousand small steps. So GET, HEAD, PUT, DELETE, UploadPart and ListObjectsV2
are built and signed here and go to the same aiohttp session. All else is left to the
client: making it, credentials, addresses and regions, other requests, and every answer
that is no success; such a request is made again there, with its retries and its errors.

Imported once the SDK is known to be there.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from aiohttp.payload import Payload
from yarl import URL

from . import _list_xml
from ._signing import EMPTY, UNSIGNED, Credentials, Signer, query_string, quoted_path

SLICE: Final = 1 << 18
"""What is written at once: a transport copies what the socket does not take."""


class Operation(NamedTuple):
    """How an operation's parameters become a request."""

    method: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    constant: Mapping[str, str] = {}
    """What the query always holds."""


_CONDITIONS: Final = {"IfMatch": "if-match", "IfNoneMatch": "if-none-match"}
_READING: Final = {**_CONDITIONS, "Range": "range", "ChecksumMode": "x-amz-checksum-mode"}
_VERSION: Final = {"VersionId": "versionId"}
OPERATIONS: Final = {
    "get_object": Operation("GET", _VERSION, _READING),
    "head_object": Operation("HEAD", _VERSION, _READING),
    "put_object": Operation("PUT", {}, {**_CONDITIONS, "ContentType": "content-type"}),
    "delete_object": Operation("DELETE", _VERSION, {"IfMatch": "if-match"}),
    "upload_part": Operation("PUT", {"UploadId": "uploadId", "PartNumber": "partNumber"}),
    "list_objects_v2": Operation(
        "GET",
        {"Prefix": "prefix", "Delimiter": "delimiter", "MaxKeys": "max-keys",
         "ContinuationToken": "continuation-token"},
        {},
        {"list-type": "2", "encoding-type": "url"},
    ),
}  # fmt: skip
_ANSWER: Final = {
    "etag": "ETag",
    "content-type": "ContentType",
    "x-amz-version-id": "VersionId",
    "x-amz-storage-class": "StorageClass",
    "x-amz-checksum-type": "ChecksumType",
    "x-amz-checksum-crc32": "ChecksumCRC32",
    "x-amz-checksum-crc32c": "ChecksumCRC32C",
    "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
    "x-amz-checksum-sha1": "ChecksumSHA1",
    "x-amz-checksum-sha256": "ChecksumSHA256",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-range": "ContentRange",
}


class Base(NamedTuple):
    """Where a bucket is, as aiobotocore worked it out."""

    scheme: str
    host: str
    path: str
    region: str


class HttpSession(AIOHTTPSession):
    """The client's own connections, with a way in for requests that are signed already."""

    async def _get_session(self, proxy_url: str | None) -> aiohttp.ClientSession:
        inherited: Any = super()  # its stubs leave out what is not public
        session: aiohttp.ClientSession = await inherited._get_session(proxy_url)
        _abort_what_is_cut_off(session.connector)
        return session

    async def send_signed(
        self, method: str, url: str, headers: Mapping[str, str], body: Payload | None
    ) -> aiohttp.ClientResponse:
        """Send a request and return the answer, its body not read yet."""
        inherited: Any = self  # its stubs leave out what is not public
        proxies = inherited._proxy_config
        proxy = proxies.proxy_url_for(url)
        session = await self._get_session(proxy)
        response: aiohttp.ClientResponse = await session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body,
            proxy=proxy,
            proxy_headers=proxies.proxy_headers_for(url),
            allow_redirects=False,
        )
        return response


def _abort_what_is_cut_off(connector: Any) -> None:
    """Have a connection that is closed half-way end at once.

    A cancelled upload would else go on flushing what is written already, beyond the end of
    its loop if that comes first.
    """
    if connector is None or hasattr(connector, "_plain_release"):
        return
    connector._plain_release = plain = connector._release

    def release(key: Any, protocol: Any, *, should_close: bool = False) -> None:
        transport = protocol.transport
        plain(key, protocol, should_close=should_close)
        if should_close and transport is not None and not connector.closed:
            transport.abort()

    connector._release = release


class Sliced(Payload):
    """Bytes that are written slice by slice."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._size = len(data)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: Any) -> None:
        view = memoryview(self._value)
        for start in range(0, len(view), SLICE):
            await writer.write(view[start : start + SLICE])


class Checks(NamedTuple):
    """Whether checksums are sent and asked for, as the client is configured."""

    send: bool
    ask: bool


class Wire:
    """Plain requests to one bucket."""

    def __init__(
        self,
        session: HttpSession,
        base: Base,
        credentials: Callable[[], Awaitable[Credentials]],
        checks: Checks,
    ) -> None:
        self._session, self._base, self._credentials, self._checks = session, base, credentials, checks
        self._signer = Signer(base.region)

    async def request(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Make a request and return the answer in botocore's words; None if that is better left to it."""
        plain = OPERATIONS.get(operation)
        if plain is None:
            return None
        built = self._built(plain, parameters)
        if built is None:
            return None
        path, query, headers = built
        body: bytes = parameters.get("Body", b"")
        headers["x-amz-content-sha256"] = self._seal(plain.method, body, headers)
        now = datetime.now(UTC)
        credentials = await self._credentials()
        signed = self._signer.sign(credentials, (plain.method, self._base.host, path, query), headers, now)
        del signed["host"]  # aiohttp says the same
        signed["accept-encoding"] = "identity"
        url = f"{self._base.scheme}://{self._base.host}{path}{'?' if query else ''}{query}"
        payload = Sliced(body) if plain.method == "PUT" else None
        response = await self._session.send_signed(plain.method, url, signed, payload)
        return await self._answer(operation, response)

    def _built(
        self, plain: Operation, parameters: Mapping[str, Any]
    ) -> tuple[str, str, dict[str, str]] | None:
        query, headers = dict(plain.constant), dict[str, str]()
        for name, value in parameters.items():
            if name in plain.query:
                query[plain.query[name]] = str(value)
            elif name in plain.headers:
                headers[plain.headers[name]] = value
            elif name not in ("Bucket", "Key", "Body"):
                return None  # something that only the client knows
        key = parameters.get("Key")
        path = f"{self._base.path}/{quoted_path(key)}" if key is not None else self._base.path or "/"
        return path, query_string(query), headers

    def _seal(self, method: str, body: bytes, headers: dict[str, str]) -> str:
        """Add the checksum of what is sent; return what stands for the body in the signature."""
        if method == "GET" and self._checks.ask and "range" not in headers:
            headers.setdefault("x-amz-checksum-mode", "ENABLED")
        if method != "PUT":
            return EMPTY
        if self._checks.send:
            headers["x-amz-checksum-crc32"] = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
            if self._base.scheme == "https":
                return UNSIGNED
        return hashlib.sha256(body).hexdigest()

    async def _answer(self, operation: str, response: aiohttp.ClientResponse) -> dict[str, Any] | None:
        if operation == "get_object" and response.status in (200, 206):
            headers = _headers(response)
            headers["Body"] = Body(response, headers)
            return headers
        try:
            content = await response.read()
        finally:
            response.release()
        if operation == "head_object" and response.status == 404:
            raise Missing
        if response.status in (301, 307, 308, 400):
            raise Elsewhere
        if not 200 <= response.status < 300:
            return None
        return _list_xml.parse(content) if operation == "list_objects_v2" else _headers(response)


def _headers(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return what an answer's headers say, in botocore's words."""
    found: dict[str, Any] = {}
    metadata: dict[str, str] = {}
    for name, value in response.headers.items():
        lower = name.lower()
        if lower in _ANSWER:
            found[_ANSWER[lower]] = value
        elif lower.startswith("x-amz-meta-"):
            metadata[lower[11:]] = value
    if metadata:
        found["Metadata"] = metadata
    if (length := response.headers.get("Content-Length")) is not None:
        found["ContentLength"] = int(length)
    if (modified := response.headers.get("Last-Modified")) is not None:
        found["LastModified"] = parsedate_to_datetime(modified)
    return found


class Elsewhere(Exception):
    """The bucket seems to be in another place, or to want another signature."""


class Missing(Exception):
    """There is no such object: the answer to HEAD says no more than that, whoever asks."""

    response: Final = {"Error": {"Code": "404", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 404}}


NETWORK_ERRORS: Final = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What is left to the client, which tries again; a ValueError is an answer that makes no sense."""


class Damaged(Exception):
    """What came is not what the server keeps."""


class Body:
    """The body of an answer, checked against the server's checksum at its end."""

    def __init__(self, response: aiohttp.ClientResponse, headers: Mapping[str, Any]) -> None:
        self._response = response
        wanted = headers.get("ChecksumCRC32", "")
        whole = response.status == 200 and headers.get("ChecksumType") != "COMPOSITE" and "-" not in wanted
        self._wanted = int.from_bytes(base64.b64decode(wanted), "big") if wanted and whole else None
        self._crc = 0

    async def read(self, n: int) -> bytes:
        """Return some of the next bytes, at most ``n``; ``b""`` is the end."""
        piece = await self._response.content.read(n)
        if self._wanted is not None:
            self._crc = zlib.crc32(piece, self._crc)
            if not piece and n and self._crc != self._wanted:
                raise Damaged("the checksum of the content is another than the server's")
        return piece

    def close(self) -> None:
        """Let go of the connection; it is closed if more was to come."""
        connection = self._response.connection
        self._response.close()
        if connection is not None:  # the loop is closed, and the response does nothing then
            connection.close()


def base_of(url: str, key: str, region: str) -> Base | None:
    """Return where the bucket is, read off the URL of a request for a key; None if that cannot be."""
    parts = urlsplit(url)
    path = f"/{quoted_path(key)}"
    if not parts.path.endswith(path):
        return None
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    host = parts.netloc.rpartition("@")[2].removesuffix(default)
    return Base(parts.scheme, host, parts.path[: -len(path)], region)
