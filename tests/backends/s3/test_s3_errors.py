"""The table of errors, row by row, against a server that answers as told."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from tests.backends.s3.support import Proxy, Reply, error_reply, quick

from remote_store import (
    AlreadyExists,
    BackendUnavailable,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    Store,
)

ROWS: list[tuple[str, int, type[RemoteStoreError], bool, str]] = [
    ("NoSuchBucket", 404, NotFound, False, "no such bucket"),
    ("NoSuchVersion", 404, NotFound, False, "no such version"),
    ("NoSuchKey", 404, NotFound, False, "no such"),
    ("NotFound", 404, NotFound, False, "no such"),
    ("AccessDenied", 403, PermissionDenied, False, "grant them the right"),
    ("AllAccessDisabled", 403, PermissionDenied, False, "grant them the right"),
    ("AccountProblem", 403, PermissionDenied, False, "account"),
    ("InvalidAccessKeyId", 403, PermissionDenied, False, "correct key and secret"),
    ("SignatureDoesNotMatch", 403, PermissionDenied, False, "correct key and secret"),
    ("InvalidToken", 400, PermissionDenied, False, "correct key and secret"),
    ("InvalidSecurity", 403, PermissionDenied, False, "correct key and secret"),
    ("NotSignedUp", 403, PermissionDenied, False, "correct key and secret"),
    ("Unheard", 401, PermissionDenied, False, "correct key and secret"),
    ("ExpiredToken", 400, PermissionDenied, False, "get new ones"),
    ("TokenRefreshRequired", 400, PermissionDenied, False, "get new ones"),
    ("RequestExpired", 400, PermissionDenied, False, "get new ones"),
    ("RequestTimeTooSkewed", 403, RemoteStoreError, False, "set the clock"),
    ("PermanentRedirect", 301, RemoteStoreError, False, "region_name"),
    ("AuthorizationHeaderMalformed", 400, RemoteStoreError, False, "region_name"),
    ("IllegalLocationConstraintException", 400, RemoteStoreError, False, "region_name"),
    ("SlowDown", 503, BackendUnavailable, True, "make fewer"),
    *[
        (code, 400, BackendUnavailable, True, "make fewer")
        for code in (
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "KMS.ThrottlingException",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
        )
    ],
    *[(f"SlowDown{what}", 503, BackendUnavailable, True, "make fewer") for what in ("Read", "Write")],
    ("BandwidthLimitExceeded", 509, BackendUnavailable, True, "make fewer"),
    *[("Unheard", status, BackendUnavailable, True, "make fewer") for status in (429, 509)],
    ("InternalError", 500, BackendUnavailable, True, "try again"),
    ("ServiceUnavailable", 503, BackendUnavailable, True, "try again"),
    ("RequestTimeout", 400, BackendUnavailable, True, "try again"),
    ("OperationAborted", 409, BackendUnavailable, True, "try again"),
    ("ConditionalRequestConflict", 409, BackendUnavailable, True, "try again"),
    *[
        ("Unheard", status, BackendUnavailable, True, "try again")
        for status in (408, 409, 500, 502, 503, 504)
    ],
    ("KeyTooLongError", 400, InvalidPath, False, "too long"),
    ("InvalidObjectName", 400, InvalidPath, False, "name"),
    ("BadDigest", 400, RemoteStoreError, True, "try again"),
    ("XAmzContentChecksumMismatch", 400, RemoteStoreError, True, "try again"),
    ("PreconditionFailed", 412, PreconditionFailed, False, "changed meanwhile"),
    ("Unheard", 412, PreconditionFailed, False, "changed meanwhile"),
    ("Unheard", 400, RemoteStoreError, False, "Unheard"),
    ("Unheard", 418, RemoteStoreError, False, "Unheard"),
]

OPERATIONS: dict[str, Callable[[Store], object]] = {
    "write": lambda store: store.write("a/b", b"x", overwrite=True),
    "read_bytes": lambda store: store.read_bytes("a/b"),
    "list": lambda store: list(store.list_files("a/b")),
}


def answering(fake: Proxy, reply: Reply, hot_path: bool = True) -> Store:
    fake.hook = lambda asked, ask: reply
    return Store(quick("bucket", fake.url, hot_path=hot_path))


ELSEWHERE = {"x-amz-bucket-region": "eu-west-1"}
"""What S3 says with a 301; without it botocore asks for it, and asks for ever."""


def check(
    error: RemoteStoreError, kind: type[RemoteStoreError], retryable: bool, path: str | None = "a/b"
) -> None:
    assert (type(error), error.retryable, error.backend) == (kind, retryable, "s3")
    assert error.path == path
    assert error.__cause__ is not None
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.retryable) == (kind, str(error), retryable)
    assert again.__cause__ is not None


@pytest.mark.spec("S3-026")
@pytest.mark.parametrize(("code", "status", "kind", "retryable", "advice"), ROWS)
def test_a_code_becomes_the_error_of_its_row(
    fake: Proxy, code: str, status: int, kind: type[RemoteStoreError], retryable: bool, advice: str
) -> None:
    reply = error_reply(status, code, **(ELSEWHERE if status == 301 else {}))
    said = set()
    for hot_path in (True, False):
        with answering(fake, reply, hot_path) as store:
            with pytest.raises(RemoteStoreError) as caught:
                store.write("a/b", b"x", overwrite=True)
        check(caught.value, kind, retryable)
        assert advice in str(caught.value)
        assert code in str(caught.value)
        assert "as scripted" in str(caught.value)
        said.add(str(caught.value))
    assert len(said) == 1


@pytest.mark.spec("S3-026")
@pytest.mark.parametrize("operation", ["read_bytes", "list"])
@pytest.mark.parametrize(
    ("code", "status", "kind", "retryable"),
    [
        ("AccessDenied", 403, PermissionDenied, False),
        ("SlowDown", 503, BackendUnavailable, True),
        ("NoSuchBucket", 404, NotFound, False),
    ],
)
def test_reading_and_listing_raise_the_same(
    fake: Proxy, operation: str, code: str, status: int, kind: type[RemoteStoreError], retryable: bool
) -> None:
    with answering(fake, error_reply(status, code)) as store:
        with pytest.raises(RemoteStoreError) as caught:
            OPERATIONS[operation](store)
    check(caught.value, kind, retryable)


@pytest.mark.spec("S3-026")
def test_a_condition_that_fails_is_already_exists_without_overwrite(fake: Proxy) -> None:
    with answering(fake, error_reply(412, "PreconditionFailed")) as store:
        with pytest.raises(AlreadyExists) as caught:
            store.write("a/b", b"x")
    check(caught.value, AlreadyExists, False)


HEADS: list[tuple[int, type[RemoteStoreError], bool]] = [
    (301, RemoteStoreError, False),
    (400, RemoteStoreError, False),
    (401, PermissionDenied, False),
    (403, PermissionDenied, False),
    (429, BackendUnavailable, True),
    (500, BackendUnavailable, True),
    (503, BackendUnavailable, True),
]


@pytest.mark.spec("S3-026")
@pytest.mark.parametrize(("status", "kind", "retryable"), HEADS)
def test_an_answer_without_a_body_is_told_apart_by_its_status(
    fake: Proxy, status: int, kind: type[RemoteStoreError], retryable: bool
) -> None:
    with answering(fake, Reply(status, headers=list(ELSEWHERE.items()) if status == 301 else [])) as store:
        for ask in (store.is_file, store.exists, store.get_file_info):
            with pytest.raises(RemoteStoreError) as caught:
                ask("a/b")
            check(caught.value, kind, retryable)


@pytest.mark.spec("S3-026")
def test_404_without_a_body_is_a_missing_file(fake: Proxy) -> None:
    empty = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    with Store(quick("bucket", fake.url)) as store:
        fake.hook = lambda asked, ask: Reply(404) if asked.method == "HEAD" else Reply(200, empty)
        assert not store.exists("a/b")
        with pytest.raises(NotFound) as caught:
            store.get_file_info("a/b")
    assert (caught.value.path, caught.value.backend) == ("a/b", "s3")


BROKEN: dict[str, Reply] = {
    "reset before an answer": Reply(reset=True),
    "silence": Reply(silent=True),
    "closed in the middle of an error": Reply(500, b"<Error>" + b" " * 1000, cut=20),
    "no HTTP": Reply(cut=0, length=-1),
}


@pytest.mark.spec("S3-026")
@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_that_fails_is_unavailable(fake: Proxy, how: str, operation: str) -> None:
    fake.hook = lambda asked, ask: BROKEN[how]
    with Store(quick("bucket", fake.url, {"read_timeout": 0.3})) as store:
        with pytest.raises(BackendUnavailable) as caught:
            OPERATIONS[operation](store)
    check(caught.value, BackendUnavailable, True)


@pytest.mark.spec("S3-026")
@pytest.mark.parametrize("url", ["http://no-such-host.invalid", "http://127.0.0.1:9"])
def test_a_server_that_is_not_there_is_unavailable(url: str) -> None:
    with Store(quick("bucket", url)) as store:
        with pytest.raises(BackendUnavailable, match="check endpoint_url") as caught:
            store.read_bytes("a/b")
    check(caught.value, BackendUnavailable, True)


@pytest.mark.spec("S3-026")
@pytest.mark.parametrize("call", ["ping", "is_file"])
def test_ping_and_questions_raise_when_nobody_answers(fake: Proxy, call: str) -> None:
    async def main() -> None:
        backend = quick("bucket", fake.url, {"read_timeout": 0.3})
        ask: Any = {"ping": backend.ping, "is_file": lambda: backend.is_file("a")}[call]
        try:
            with pytest.raises(BackendUnavailable):
                await ask()
        finally:
            await backend.aclose()

    fake.hook = lambda asked, ask: Reply(silent=True)
    asyncio.run(main())


@pytest.mark.spec("S3-026")
@pytest.mark.parametrize(("status", "left"), [(503, 2), (500, 1)])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(fake: Proxy, status: int, left: int) -> None:
    def hook(asked: Any, ask: Any) -> Reply:
        busy = len(fake.asked) <= left
        return error_reply(status, "SlowDown") if busy else Reply(200, b"content", [("ETag", '"1"')])

    fake.hook = hook
    with Store(
        quick("bucket", fake.url, {"retries": {"mode": "standard", "total_max_attempts": 4}})
    ) as store:
        assert store.read_bytes("a") == b"content"
    assert len(fake.asked) > left
