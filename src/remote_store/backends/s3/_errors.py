"""Codes of the protocol and failures of the network, as errors of this library.

By code and by type, never by the text of a message. ``sdd/specs/s3.md`` has the table.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ...errors import (
    BackendUnavailable,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)

NAME: Final = "s3"


class Row(NamedTuple):
    """What a code becomes: a class of error, what to do, and whether it may pass by itself."""

    kind: type[RemoteStoreError]
    advice: str
    retryable: bool | None = None


_BUCKET: Final = "there is no such bucket; create it, or correct its name, endpoint_url or region_name"
_LOGIN: Final = "the server refuses the credentials; correct key and secret, or the environment or profile"
_EXPIRED: Final = "the credentials have expired; get new ones"
_RIGHTS: Final = "these credentials may not do this; grant them the right, or use others"
_REGION: Final = "the bucket is in another region; pass its region_name"
_BUSY: Final = "the server is overloaded or has failed; try again later"
_FEWER: Final = "too many requests; make fewer at once, or try again later"
_NAME: Final = "the server does not take this name"
_NO_CONNECTION: Final = (
    "no connection within connect_timeout; check endpoint_url and the network, or set connect_timeout,"
    " and retries for the number of tries, in client_options"
)
_SILENT: Final = (
    "the server said nothing for read_timeout; try again later, or set read_timeout,"
    " and retries for the number of tries, in client_options"
)
_NONE_FREE: Final = (
    "all connections are held by streams that are open and were not read for read_timeout; close some, read"
    " fewer at once, or set max_pool_connections in client_options"
)

CODES: Final[dict[str, Row]] = {
    "NoSuchKey": Row(NotFound, "there is no such object"),
    "NoSuchVersion": Row(NotFound, "there is no such version of the object"),
    "NotFound": Row(NotFound, "there is no such object"),
    "NoSuchBucket": Row(NotFound, _BUCKET),
    "AccessDenied": Row(PermissionDenied, _RIGHTS),
    "AllAccessDisabled": Row(PermissionDenied, _RIGHTS),
    "AccountProblem": Row(PermissionDenied, "there is a problem with the account; see its notices"),
    "InvalidAccessKeyId": Row(PermissionDenied, _LOGIN),
    "SignatureDoesNotMatch": Row(PermissionDenied, _LOGIN),
    "InvalidToken": Row(PermissionDenied, _LOGIN),
    "InvalidSecurity": Row(PermissionDenied, _LOGIN),
    "NotSignedUp": Row(PermissionDenied, _LOGIN),
    "ExpiredToken": Row(PermissionDenied, _EXPIRED),
    "TokenRefreshRequired": Row(PermissionDenied, _EXPIRED),
    "RequestExpired": Row(PermissionDenied, _EXPIRED),
    "RequestTimeTooSkewed": Row(
        RemoteStoreError, "this machine's clock and the server's differ too much; set the clock"
    ),
    "PermanentRedirect": Row(RemoteStoreError, _REGION),
    "TemporaryRedirect": Row(BackendUnavailable, _REGION),
    "AuthorizationHeaderMalformed": Row(RemoteStoreError, _REGION),
    "IllegalLocationConstraintException": Row(RemoteStoreError, _REGION),
    "SlowDown": Row(BackendUnavailable, _FEWER),
    "SlowDownRead": Row(BackendUnavailable, _FEWER),
    "SlowDownWrite": Row(BackendUnavailable, _FEWER),
    "Throttling": Row(BackendUnavailable, _FEWER),
    "ThrottlingException": Row(BackendUnavailable, _FEWER),
    "ThrottledException": Row(BackendUnavailable, _FEWER),
    "KMS.ThrottlingException": Row(BackendUnavailable, _FEWER),
    "RequestThrottled": Row(BackendUnavailable, _FEWER),
    "RequestThrottledException": Row(BackendUnavailable, _FEWER),
    "RequestLimitExceeded": Row(BackendUnavailable, _FEWER),
    "TooManyRequestsException": Row(BackendUnavailable, _FEWER),
    "BandwidthLimitExceeded": Row(BackendUnavailable, _FEWER),
    "InternalError": Row(BackendUnavailable, _BUSY),
    "ServiceUnavailable": Row(BackendUnavailable, _BUSY),
    "RequestTimeout": Row(BackendUnavailable, _BUSY),
    "OperationAborted": Row(BackendUnavailable, "another operation on it is under way; try again later"),
    "ConditionalRequestConflict": Row(
        BackendUnavailable, "another write of the same object is under way; try again"
    ),
    "KeyTooLongError": Row(InvalidPath, "the name is too long for this server"),
    "XMinioInvalidObjectName": Row(InvalidPath, _NAME),
    "XMinioParentIsObject": Row(InvalidPath, "a parent of this path is an object on this server"),
    "InvalidObjectName": Row(InvalidPath, _NAME),
    "BadDigest": Row(RemoteStoreError, "the content arrived damaged and was not stored; try again", True),
    "XAmzContentChecksumMismatch": Row(
        RemoteStoreError, "the content arrived damaged and was not stored; try again", True
    ),
    "InvalidObjectState": Row(RemoteStoreError, "the object is archived; restore it first"),
    "NotImplemented": Row(RemoteStoreError, "this server does not know this request"),
    "EntityTooLarge": Row(RemoteStoreError, "the content is larger than the server takes"),
    "QuotaExceeded": Row(RemoteStoreError, "the storage is full"),
}

SKEWED: Final = frozenset(("RequestTimeTooSkewed",))
EXPIRED: Final = frozenset(code for code, row in CODES.items() if row.advice is _EXPIRED)
"""Codes of answers after which another clock, or other credentials, may help."""

STATUSES: Final[dict[int, Row]] = {
    301: Row(RemoteStoreError, _REGION),
    400: Row(RemoteStoreError, "the server does not understand the request"),
    401: Row(PermissionDenied, _LOGIN),
    403: Row(PermissionDenied, _RIGHTS),
    404: Row(NotFound, "there is no such object"),
    408: Row(BackendUnavailable, _BUSY),
    409: Row(BackendUnavailable, "another operation on it is under way; try again later"),
    412: Row(PreconditionFailed, "the object changed meanwhile; look at it again"),
    429: Row(BackendUnavailable, _FEWER),
    500: Row(BackendUnavailable, _BUSY),
    502: Row(BackendUnavailable, _BUSY),
    503: Row(BackendUnavailable, _BUSY),
    504: Row(BackendUnavailable, _BUSY),
    509: Row(BackendUnavailable, _FEWER),
}
"""For codes that are not in the table, and for HEAD, whose answer has no code."""

TYPES: Final[dict[str, Row]] = {
    "NoCredentialsError": Row(
        PermissionDenied,
        "no credentials were found; pass key and secret, set up the environment or a profile,"
        " or pass anon=True for a public bucket",
    ),
    "PartialCredentialsError": Row(PermissionDenied, "the credentials are incomplete; give all of them"),
    "CredentialRetrievalError": Row(PermissionDenied, "the credentials could not be fetched; log in again"),
    "TokenRetrievalError": Row(PermissionDenied, "the credentials could not be fetched; log in again"),
    "SSOError": Row(PermissionDenied, "the credentials could not be fetched; log in again"),
    "ProfileNotFound": Row(PermissionDenied, "there is no such profile; correct its name"),
    "SSLError": Row(
        BackendUnavailable,
        "no secure connection; check the certificate, or pass verify=PATH of a CA",
        False,
    ),
    "ConnectTimeoutError": Row(BackendUnavailable, _NO_CONNECTION),
    "ConnectionTimeoutError": Row(BackendUnavailable, _NO_CONNECTION),  # aiohttp's
    "NoneFree": Row(BackendUnavailable, _NONE_FREE),  # our own
    "EndpointConnectionError": Row(
        BackendUnavailable, "the server cannot be reached; check endpoint_url and the network"
    ),
    "ProxyConnectionError": Row(BackendUnavailable, "the proxy cannot be reached; check its address"),
    "ReadTimeoutError": Row(BackendUnavailable, _SILENT),
    "TimeoutError": Row(BackendUnavailable, _SILENT),
    "ServerTimeoutError": Row(BackendUnavailable, _SILENT),  # aiohttp's
    "HTTPClientError": Row(BackendUnavailable, "the connection broke; try again"),
    "ConnectionError": Row(BackendUnavailable, "the server cannot be reached; check the network"),
    "IncompleteReadError": Row(BackendUnavailable, "the connection broke; try again"),
    "FlexibleChecksumError": Row(RemoteStoreError, "the content arrived damaged; read it again", True),
    "Damaged": Row(RemoteStoreError, "the content arrived damaged; read it again", True),  # our own
    "ClientError": Row(BackendUnavailable, "the connection broke; try again"),  # aiohttp's
    "OSError": Row(BackendUnavailable, "the connection broke; try again"),
    "InvalidEndpointDiscoveryConfigurationError": Row(RemoteStoreError, "check client_options"),
    "ParamValidationError": Row(RemoteStoreError, "check client_options"),
    "BotoCoreError": Row(RemoteStoreError, "check the options of the backend"),
    "TypeError": Row(RemoteStoreError, "check client_options"),
    "RecursionError": Row(  # of the SDK, which follows a redirect by asking there where to go
        RemoteStoreError, "the server sends requests elsewhere without saying where; check endpoint_url"
    ),
    "ValueError": Row(RemoteStoreError, "check endpoint_url and client_options"),
}
"""By the name of a class or of the nearest of its bases: the types are those of three packages."""


def status_of(error: BaseException | None) -> int:
    """Return the HTTP status behind an error of this library or of botocore; 0 if there is none."""
    response = _response(error) or _response(getattr(error, "__cause__", None))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status if isinstance(status, int) else 0


def code_of(error: BaseException | None) -> str:
    """Return the protocol's code behind an error; empty if there is none."""
    response = _response(error) or _response(getattr(error, "__cause__", None))
    return str(response.get("Error", {}).get("Code", ""))


def date_of(error: BaseException | None) -> str:
    """Return the server's time at the answer behind an error, as the answer has it; empty if it has none."""
    return str(_response(error).get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))


def _response(error: BaseException | None) -> dict[str, Any]:
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def translated(error: Exception, key: str | None, bucket: str) -> RemoteStoreError:
    """Return the error to raise for one of aiobotocore's; raise it ``from`` the original."""
    if isinstance(error, RemoteStoreError):
        return error
    code = code_of(error)
    row = CODES.get(code) or (STATUSES.get(status_of(error)) if code else _by_type(type(error)))
    if row is None:
        row = Row(RemoteStoreError, "the server answered with an error")
    said = code if code and not code.isdigit() else type(error).__name__
    detail = str(_response(error).get("Error", {}).get("Message", "")) if code else str(error)
    if isinstance(error, RecursionError):
        said, detail = "endless redirects", ""
    text = f"{row.advice} ({said}{f': {detail}' if detail else ''}; bucket {bucket!r})"
    return row.kind(text, path=key, backend=NAME, retryable=row.retryable)


def _by_type(kind: type[BaseException]) -> Row | None:
    return next((TYPES[base.__name__] for base in kind.__mro__ if base.__name__ in TYPES), None)
