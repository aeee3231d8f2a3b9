"""How often a request is made: as often as was allowed, and once more where something was mended first."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from tests.backends.s3.support import Asked, Proxy, Reply, error_reply, quick
from tests.backends.s3.test_presign import fetched
from tests.runtime.support import wait_for
from tests.services import KEY, SECRET

from remote_store import BackendUnavailable, PermissionDenied, RemoteStoreError, Store
from remote_store.backends import S3Backend
from remote_store.backends.s3 import _clock

ways = pytest.mark.parametrize("hot_path", [True, "aiohttp", False])
HOUR = timedelta(hours=1)


def found(asked: Asked) -> Reply:
    return Reply(200, b"content" if asked.method == "GET" else b"", [("ETag", '"1"')])


def tries(count: int, **more: Any) -> dict[str, Any]:
    return {"retries": {"total_max_attempts": count}, **more}


# -- no answer ---------------------------------------------------------------------------------


@pytest.mark.spec("S3-047")
@ways
@pytest.mark.parametrize("count", [1, 2])
def test_silence_is_waited_for_as_often_as_allowed(fake: Proxy, hot_path: Any, count: int) -> None:
    fake.hook = lambda asked, ask: Reply(silent=True)
    with Store(quick("bucket", fake.url, tries(count, read_timeout=0.3), hot_path=hot_path)) as store:
        with pytest.raises(BackendUnavailable, match=r"read_timeout.*in client_options") as caught:
            store.read_bytes("a")
    assert (caught.value.retryable, caught.value.path) == (True, "a")
    assert caught.value.__cause__ is not None
    wait_for(lambda: len(fake.asked) >= count)  # the last may have been given up before it was read there
    assert fake.operations() == ["GET"] * count


@pytest.fixture
def mute() -> Iterator[tuple[str, Callable[[], int]]]:
    """Give the address of a server that takes connections and does not shake hands, and their number."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        taken: list[socket.socket] = []

        def count() -> int:
            try:
                while True:
                    taken.append(server.accept()[0])
            except BlockingIOError:
                return len(taken)

        yield f"https://127.0.0.1:{server.getsockname()[1]}", count
        for each in taken:
            each.close()


@pytest.mark.spec("S3-047")
@ways
@pytest.mark.parametrize("allowed", [1, 2])
def test_a_connection_is_waited_for_as_often_as_allowed(
    mute: tuple[str, Callable[[], int]], hot_path: Any, allowed: int
) -> None:
    url, count = mute
    with Store(quick("bucket", url, tries(allowed, connect_timeout=0.5), hot_path=hot_path)) as store:
        with pytest.raises(BackendUnavailable, match=r"connect_timeout.*in client_options"):
            store.read_bytes("a")
    assert count() <= allowed  # fewer, where it took that long to begin one


# -- another region ----------------------------------------------------------------------------

ELSEWHERE: dict[str, Reply] = {
    "301": error_reply(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"}),
    "307": error_reply(307, "TemporaryRedirect", **{"x-amz-bucket-region": "eu-west-1"}),
    "400": Reply(
        400,
        b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
        [("x-amz-bucket-region", "eu-west-1")],
    ),
    "400 without a body": Reply(400, headers=[("x-amz-bucket-region", "eu-west-1")]),
}
OPERATIONS: dict[str, Callable[[Store], object]] = {
    "read": lambda store: store.read_bytes("a"),
    "write": lambda store: store.write("a", b"x", overwrite=True),
    "look": lambda store: store.get_file_info("a"),
}


@pytest.mark.spec("S3-048")
@ways
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("how", ELSEWHERE)
def test_another_region_is_learnt_with_one_request(
    fake: Proxy, how: str, operation: str, hot_path: Any
) -> None:
    if how == "400 without a body" and operation != "look":
        return  # only the answer to HEAD has none

    def hook(asked: Asked, ask: object) -> Reply:
        here = "/eu-west-1/" in (asked.header("authorization") or "")
        return found(asked) if here else ELSEWHERE[how]

    fake.hook = hook
    with Store(quick("bucket", fake.url, tries(2), hot_path=hot_path)) as store:
        OPERATIONS[operation](store)
        assert len(fake.asked) == 2
        for more in OPERATIONS.values():
            more(store)
        assert len(fake.asked) == 2 + len(OPERATIONS)


# -- a wrong clock -----------------------------------------------------------------------------


@pytest.fixture
def late(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the clock that requests are signed with back by an hour."""
    now, seconds = botocore.auth.get_current_datetime, _clock.time.time  # type: ignore[attr-defined]
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: now(*a, **k) - HOUR)

    class Time:
        @staticmethod
        def time() -> float:
            return float(seconds() - HOUR.total_seconds())

    monkeypatch.setattr(_clock, "time", Time)


@pytest.mark.spec("S3-049")
@ways
def test_the_servers_time_is_taken(
    late: None, bucket: str, proxy: Proxy, seaweedfs_url: str, hot_path: Any
) -> None:
    with Store(quick(bucket, proxy.url, part_size=5 << 20, hot_path=hot_path)) as store:
        assert not store.is_file("a")
        first = len(proxy.asked)
        store.write("a", b"content")
        store.write("b", bytes(6 << 20))
        assert store.read_bytes("a") == b"content"
        store.copy("a", "c")
        url = store.presign("a")
        assert fetched(url) == b"content"
        assert [info.name for info in store.list_files()] == ["a", "b", "c"]
    assert 2 <= first <= 3  # refused, asked why, and asked again
    refused = [asked for asked in proxy.asked[first:] if not _is_right(asked)]
    assert not refused


def _is_right(asked: Asked) -> bool:
    stamp = asked.header("x-amz-date")
    if stamp is None:
        return True  # a presigned URL
    signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return abs(datetime.now(UTC) - signed) < HOUR / 2


@pytest.mark.spec("S3-049")
@ways
@pytest.mark.parametrize(("off", "asked"), [(HOUR, 2), (timedelta(0), 1), (None, 1)])
def test_a_time_that_is_refused_again_is_an_error(
    fake: Proxy, hot_path: Any, off: timedelta | None, asked: int
) -> None:
    reply = error_reply(403, "RequestTimeTooSkewed")
    if off is not None:
        date = datetime.now(UTC) + off
        reply.headers.append(("Date", format_datetime(date, usegmt=True)))
    fake.hook = lambda asked, ask: reply
    with Store(quick("bucket", fake.url, hot_path=hot_path)) as store:
        with pytest.raises(RemoteStoreError, match="set the clock"):
            store.read_bytes("a")
    assert len(fake.asked) == asked


# -- expired credentials -----------------------------------------------------------------------


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Give what writes the shared file of credentials, the only place where there are any."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    def write(token: str) -> None:
        text = f"aws_access_key_id={KEY}\naws_secret_access_key={SECRET}\naws_session_token={token}"
        (tmp_path / "credentials").write_text(f"[default]\n{text}\n")

    return write


@pytest.mark.spec("S3-050")
@ways
@pytest.mark.parametrize("operation", OPERATIONS)
def test_expired_credentials_are_looked_for_again(
    fake: Proxy, login: Callable[[str], None], operation: str, hot_path: Any
) -> None:
    valid = "first"

    def hook(asked: Asked, ask: object) -> Reply:
        if asked.header("x-amz-security-token") == valid:
            return found(asked)
        return Reply(400) if asked.method == "HEAD" else error_reply(400, "ExpiredToken")

    fake.hook = hook
    login("first")
    options: Any = {"key": None, "secret": None, "hot_path": hot_path}
    with Store(quick("bucket", fake.url, **options)) as store:
        store.read_bytes("a")
        with pytest.raises(PermissionDenied, match="get new ones"):
            valid = "second"  # which nobody has yet
            OPERATIONS[operation](store)
        login("second")
        OPERATIONS[operation](store)
        before = len(fake.asked)
        for more in OPERATIONS.values():
            more(store)
        assert len(fake.asked) == before + len(OPERATIONS)


@pytest.mark.spec("S3-004", "S3-050")
@pytest.mark.parametrize("minutes", [5, 300], ids=["about to expire", "expired early"])
def test_credentials_of_a_container_are_fetched_again(
    fake: Proxy, login: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    given = [("second", 300), ("first", minutes)]
    tokens: list[str | None] = []

    def hook(asked: Asked, ask: object) -> Reply:
        if asked.target == "/login":
            token, valid = given.pop()
            expiry = (datetime.now(UTC) + timedelta(minutes=valid)).strftime("%Y-%m-%dT%H:%M:%SZ")
            key = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": token, "Expiration": expiry}
            return Reply(200, json.dumps(key).encode())
        tokens.append(asked.header("x-amz-security-token"))
        refused = len(tokens) > 1 and tokens[-1] == "first"
        return error_reply(400, "ExpiredToken") if refused else found(asked)

    fake.hook = hook
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{fake.url}/login")
    options: Any = {"key": None, "secret": None}
    with Store(quick("bucket", fake.url, **options)) as store:
        for _ in range(3):
            assert store.read_bytes("a") == b"content"
    assert tokens == (["second"] * 3 if minutes == 5 else ["first", "first", "second", "second"])


@pytest.mark.spec("S3-050")
@ways
def test_credentials_that_were_given_cannot_be_renewed(fake: Proxy, hot_path: Any) -> None:
    fake.hook = lambda asked, ask: error_reply(400, "ExpiredToken")
    with Store(quick("bucket", fake.url, session_token="t", hot_path=hot_path)) as store:
        with pytest.raises(PermissionDenied, match="get new ones"):
            store.read_bytes("a")
    assert len(fake.asked) == 1


# -- HEAD --------------------------------------------------------------------------------------


@pytest.mark.spec("S3-051")
@ways
def test_a_question_that_is_refused_tells_why(bucket: str, seaweedfs_url: str, hot_path: Any) -> None:
    wrong = S3Backend(
        bucket,
        endpoint_url=seaweedfs_url,
        key=KEY,
        secret="wrong",
        region_name="us-east-1",
        hot_path=hot_path,
    )
    with Store(wrong) as store:
        with pytest.raises(PermissionDenied, match="correct key and secret"):
            store.is_file("a")


@pytest.mark.spec("S3-051")
def test_what_even_reading_does_not_tell_stays_as_it_was(fake: Proxy) -> None:
    told = [Reply(200, b"c", [("ETag", '"1"')]), Reply(404), Reply(403), Reply(500)]

    def hook(asked: Asked, ask: object) -> Reply:
        return Reply(403) if asked.method == "HEAD" else told.pop()

    fake.hook = hook
    with Store(quick("bucket", fake.url)) as store:
        while told:
            with pytest.raises(PermissionDenied, match="grant them the right"):
                store.is_file("a")
    assert fake.operations() == ["HEAD", "GET"] * 4
    assert fake.asked[1].header("range") == "bytes=0-0"
