"""The plain requests, straight to the connections of aiobotocore's own client.

aiobotocore takes about 1.5 ms of processor time for a request and 100 ms for a page of a
listing, in a thousand small steps. So GET, HEAD, PUT, DELETE, UploadPart and ListObjectsV2
are built, signed and sent here. All else is left to the client: credentials, addresses
and regions, other requests, and every answer that is no success, which is handed to it.

Imported once the SDK is known to be there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

import aiohttp

from ... import _runtime
from ..._crc import crc32
from ..._http import NoneFree
from . import _list_xml
from ._checks import in_base64
from ._clock import Clock
from ._first_try import FirstTry
from ._headers import headers_of
from ._signing import EMPTY, UNSIGNED, Credentials, Signer, query_string, quoted_path, stamp_of
from ._transports import Base, Reply, Transport

USER_AGENT: Final = "remote-store"
_NOT_IN_APP_ID: Final = re.compile(r"[^\w!#$%&'*+\-.^`|~]", re.ASCII)
LONG: Final = 1 << 20
"""Bytes from which on sums of a body are computed in a worker thread."""


class Operation(NamedTuple):
    """How an operation's parameters become a request."""

    method: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    constant: Mapping[str, str] = {}
    """What the query always holds."""


_CONDITIONS: Final = {"IfMatch": "if-match", "IfNoneMatch": "if-none-match"}
_CUSTOMER_KEY: Final = {
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "SSECustomerKey": "x-amz-server-side-encryption-customer-key",
    "SSECustomerKeyMD5": "x-amz-server-side-encryption-customer-key-md5",
}
_READING: Final = {
    **_CONDITIONS, **_CUSTOMER_KEY, "Range": "range", "ChecksumMode": "x-amz-checksum-mode",
}  # fmt: skip
_BESIDE: Final = {
    "ContentType": "content-type",
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "StorageClass": "x-amz-storage-class",
    "Tagging": "x-amz-tagging",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}
_VERSION: Final = {"VersionId": "versionId"}
OPERATIONS: Final = {
    "get_object": Operation("GET", _VERSION, _READING),
    "head_object": Operation("HEAD", _VERSION, _READING),
    "put_object": Operation("PUT", {}, {**_CONDITIONS, **_CUSTOMER_KEY, **_BESIDE}),
    "delete_object": Operation("DELETE", _VERSION, {"IfMatch": "if-match"}),
    "upload_part": Operation(
        "PUT",
        {"UploadId": "uploadId", "PartNumber": "partNumber"},
        {**_CUSTOMER_KEY, "ChecksumCRC32": "x-amz-checksum-crc32"},
    ),
    "list_objects_v2": Operation(
        "GET",
        {"Prefix": "prefix", "Delimiter": "delimiter", "MaxKeys": "max-keys",
         "ContinuationToken": "continuation-token"},
        {},
        {"list-type": "2", "encoding-type": "url"},
    ),
}  # fmt: skip
_GET: Final = OPERATIONS["get_object"]
_CRC: Final = "x-amz-checksum-crc32"


def agent_of(given: str | None, config: Any) -> str:
    """Return what we call ourselves, or what the user says instead, with what the configuration adds."""
    app_id = "" if given else config.user_agent_appid  # of the environment, too
    named = f"app/{_NOT_IN_APP_ID.sub('-', app_id)}" if app_id else ""
    return " ".join(filter(None, (given or USER_AGENT, named, config.user_agent_extra)))


class Checks(NamedTuple):
    """Whether checksums are sent and asked for, as the client is configured."""

    send: bool
    ask: bool


class Wire:
    """Plain requests to one bucket, which is in one region."""

    def __init__(
        self,
        transport: Transport,
        base: Base,
        credentials: Callable[[], Awaitable[Credentials | None]],
        checks: Checks,
        clock: Clock,
        agent: str = USER_AGENT,
    ) -> None:
        self._transport, self._base, self._credentials, self._checks = transport, base, credentials, checks
        self.region = base.region
        self._unsigned = checks.send and base.scheme == "https"  # TLS and the checksum are enough
        self._signer = Signer(base.region)
        self._clock, self._agent = clock, agent
        self._second, self._written = 0, ""

    async def request(
        self, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any] | FirstTry | None:
        """Make a request and return the answer in botocore's words.

        What came instead of a success is returned for the client to go on from; None is what only
        the client can do, or can make sense of.
        """
        plain = OPERATIONS.get(operation)
        if plain is None:
            return None
        built = self._built(plain, parameters)
        if built is None:
            return None
        path, query, headers = built
        body: bytes = parameters.get("Body", b"")
        if plain.method != "PUT":
            headers["x-amz-content-sha256"] = EMPTY
        elif len(body) <= LONG or (self._unsigned and _CRC in headers):
            self._seal(body, headers)
        else:  # milliseconds in which the loop would stand still
            await _runtime.in_thread(self._seal, body, headers)
        credentials = await self._credentials()
        if credentials is None:
            return None
        request = plain.method, self._base.host, path, query
        signed = self._signer.sign(credentials, request, headers, self._stamp())
        signed["accept-encoding"] = "identity"
        signed["user-agent"] = self._agent
        target = f"{path}?{query}" if query else path
        payload = body if plain.method == "PUT" else None
        try:
            reply = await self._transport.send(plain.method, target, signed, payload)
            try:
                return await self._answer(operation, parameters, reply)
            except BaseException:
                reply.close()  # nobody else will
                raise
        except NoneFree:
            raise  # the client has connections of its own, but this is for the user to mend
        except _NO_ANSWER as error:
            return FirstTry(error=error)
        except ValueError:
            return None  # an answer that makes no sense

    def _stamp(self) -> str:
        """Return the time; the text of a second is made once."""
        second = int(self._clock.now())
        if second != self._second:
            self._second, self._written = second, stamp_of(second)
        return self._written

    def _built(
        self, plain: Operation, parameters: Mapping[str, Any]
    ) -> tuple[str, str, dict[str, str]] | None:
        query, headers = dict(plain.constant), dict[str, str]()
        for name, value in parameters.items():
            if name in plain.query:
                query[plain.query[name]] = str(value)
            elif name in plain.headers:
                headers[plain.headers[name]] = value
            elif name == "Metadata":
                headers.update((f"x-amz-meta-{name}", text) for name, text in value.items())
            elif name not in ("Bucket", "Key", "Body"):
                return None  # something that only the client knows
        key = parameters.get("Key")
        if plain is _GET and self._checks.ask and "range" not in headers:
            headers.setdefault("x-amz-checksum-mode", "ENABLED")
        path = f"{self._base.path}/{quoted_path(key)}" if key is not None else self._base.path or "/"
        return path, query_string(query), headers

    def _seal(self, body: bytes, headers: dict[str, str]) -> None:
        """Add the checksum of a body, and what stands for it in the signature."""
        if self._checks.send and _CRC not in headers:
            headers[_CRC] = in_base64(crc32(body))
        headers["x-amz-content-sha256"] = UNSIGNED if self._unsigned else hashlib.sha256(body).hexdigest()

    async def _answer(
        self, operation: str, parameters: Mapping[str, Any], reply: Reply
    ) -> dict[str, Any] | FirstTry:
        if operation == "get_object" and 200 <= reply.status < 300:
            answer = headers_of(reply)
            answer["Body"] = reply
            if reply.status not in (200, 206):  # for the reader to refuse, as with the client's answers
                answer["ResponseMetadata"] = {"HTTPStatusCode": reply.status}
            return answer
        content = await reply.read_all()
        if operation == "head_object" and reply.status == 404:
            raise Missing
        if reply.status == 412 and not _CONDITIONS.keys().isdisjoint(parameters):
            raise Refused
        if not 200 <= reply.status < 300:
            return FirstTry(reply.status, reply.headers, content)
        return _list_xml.parse(content) if operation == "list_objects_v2" else headers_of(reply)


class Missing(Exception):
    """There is no such object: the answer to HEAD says no more than that, whoever asks."""

    response: Final = {"Error": {"Code": "404", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 404}}


class Refused(Exception):
    """A condition of the request does not hold: there is no more to be learnt about that either."""

    response: Final = {
        "Error": {"Code": "PreconditionFailed", "Message": "a condition does not hold"},
        "ResponseMetadata": {"HTTPStatusCode": 412},
    }


_NO_ANSWER: Final = (aiohttp.ClientError, OSError)
