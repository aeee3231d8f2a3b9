"""When requests go straight to the connections, when they do not, and that nobody can tell."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.httpsession import AIOHTTPSession
from tests.backends.s3.support import Asked, Proxy, Reply, error_reply, quick
from tests.services import S3Server

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.backends.s3 import _transports
from remote_store.backends.s3._transports import transport_for
from remote_store.backends.s3._wire import OPERATIONS, Wire

pytestmark = pytest.mark.spec("S3-030")
LARGE = bytes(range(256)) * 50_000  # 12.8 MB: three parts of the smallest size


@pytest.fixture
def by_wire(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the operations that succeed without aiobotocore."""
    made: list[str] = []
    request = Wire.request

    async def counted(wire: Wire, operation: str, parameters: Any) -> Any:
        answer = await request(wire, operation, parameters)
        if isinstance(answer, dict):
            made.append(operation)
        return answer

    monkeypatch.setattr(Wire, "request", counted)
    return made


def use(store: Store) -> None:
    """Make every plain request, and some that are not."""
    store.write("a/small", b"small")
    store.write("a/large", LARGE)
    assert store.read_bytes("a/small") == b"small"
    assert store.read_bytes("a/large", start=5, length=10) == LARGE[5:15]
    assert store.get_file_info("a/small").size == 5
    assert [info.name for info in store.list_files("a")] == ["large", "small"]
    store.copy("a/small", "a/copy")
    store.delete("a/copy")
    store.delete_folder("a", recursive=True)


@pytest.fixture
def transports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the kinds of transports that are made."""
    made: list[str] = []

    async def noted(*args: Any) -> Any:
        transport = await transport_for(*args)
        made.append(type(transport).__name__)
        return transport

    monkeypatch.setattr(_transports, "transport_for", noted)
    return made


@pytest.mark.parametrize(("hot_path", "kind"), [(True, "Pool"), ("aiohttp", "ByAiohttp")])
@pytest.mark.parametrize("tls", [False, True])
def test_plain_requests_go_straight(
    seaweedfs: S3Server,
    bucket: str,
    by_wire: list[str],
    transports: list[str],
    hot_path: Any,
    kind: str,
    tls: bool,
) -> None:
    url, client = (seaweedfs.tls_url, {"verify": seaweedfs.ca_file}) if tls else (seaweedfs.endpoint_url, {})
    with Store(quick(bucket, url, client, part_size=5 << 20, hot_path=hot_path)) as store:
        use(store)
    assert set(by_wire) == set(OPERATIONS)
    assert transports == [kind]


@pytest.mark.parametrize(
    "client", [{"proxies": {"http": "http://127.0.0.1:9"}}, {"connector_args": {"use_dns_cache": False}}]
)
def test_what_our_own_client_does_not_know_goes_by_aiohttp(
    seaweedfs: S3Server, bucket: str, transports: list[str], client: dict[str, Any]
) -> None:
    with Store(quick(bucket, seaweedfs.endpoint_url, client)) as store:
        if "proxies" in client:  # nobody listens there
            with pytest.raises(BackendUnavailable, match="proxy"):
                store.write("f", b"x")
        else:
            store.write("f", b"x")
    assert transports == ["ByAiohttp"]


def test_a_certificate_need_not_be_checked(seaweedfs: S3Server, bucket: str, by_wire: list[str]) -> None:
    with Store(quick(bucket, seaweedfs.tls_url, {"verify": False})) as store:
        assert store.write("f", b"x", overwrite=True).size == 1
    assert by_wire == ["put_object"]


class OwnSession(AIOHTTPSession):
    """An HTTP session class of the user's own."""


@pytest.mark.parametrize(
    ("client", "options"),
    [
        ({}, {"hot_path": False}),
        ({"http_session_cls": OwnSession}, {}),
    ],
    ids=["switched off", "own session"],
)
def test_what_is_not_understood_is_left_to_the_client(
    seaweedfs: S3Server, bucket: str, by_wire: list[str], client: dict[str, Any], options: dict[str, Any]
) -> None:
    with Store(quick(bucket, seaweedfs.endpoint_url, client, part_size=5 << 20, **options)) as store:
        use(store)
    assert by_wire == []


@pytest.mark.parametrize(
    ("client", "options", "authorization"),
    [
        ({}, {"anon": True, "key": None, "secret": None}, "None"),
        ({"signature_version": "s3"}, {}, "AWS test"),
    ],
    ids=["anonymous", "old signature"],
)
def test_other_signatures_are_left_to_the_client(
    fake: Proxy, by_wire: list[str], client: dict[str, Any], options: dict[str, Any], authorization: str
) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"content", [("ETag", '"1"')])
    with Store(quick("bucket", fake.url, client, **options)) as store:
        assert store.read_bytes("a") == b"content"
    assert by_wire == []
    assert str(fake.asked[0].header("authorization")).startswith(authorization)


def test_a_bucket_of_s3_express_is_left_to_the_client(fake: Proxy, by_wire: list[str]) -> None:
    login = b"<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>t</SessionToken>"
    login += b"<Expiration>2099-01-01T00:00:00Z</Expiration>"
    session = b"<CreateSessionResult><Credentials>" + login + b"</Credentials></CreateSessionResult>"

    def hook(asked: Asked, ask: object) -> Reply:
        return Reply(200, session if "session" in asked.target else b"content", [("ETag", '"1"')])

    fake.hook = hook
    with Store(quick("bucket--usw2-az1--x-s3", fake.url, region_name="us-west-2")) as store:
        for _ in range(2):
            assert store.read_bytes("a") == b"content"
    assert by_wire == []
    assert fake.asked[-1].header("x-amz-s3session-token") == "t"


@pytest.mark.parametrize("register", ["register", "register_first", "register_last"])
def test_a_handler_of_the_clients_events_sees_all_requests(
    seaweedfs: S3Server, bucket: str, by_wire: list[str], register: str
) -> None:
    seen: list[str] = []

    async def main() -> None:
        async with AsyncStore(quick(bucket, seaweedfs.endpoint_url)) as store:
            await store.write("a", b"x")
            events: Any = store.unwrap(AioBaseClient).meta.events
            getattr(events, register)("before-call.s3", lambda model, **_: seen.append(model.name))
            await store.read_bytes("a")
            await store.delete("a")

    asyncio.run(main())
    assert by_wire == ["put_object"]
    assert seen == ["GetObject", "HeadObject", "DeleteObject"]


MISTAKES: dict[str, tuple[Callable[[Store], object], type[RemoteStoreError]]] = {
    "missing": (lambda store: store.read_bytes("missing"), NotFound),
    "no facts": (lambda store: store.get_file_info("missing"), NotFound),
    "taken": (lambda store: store.write("file", b"new"), AlreadyExists),
    "no source": (lambda store: store.move("missing", "new"), NotFound),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_both_ways_raise_the_same(seaweedfs: S3Server, bucket: str, mistake: str) -> None:
    call, kind = MISTAKES[mistake]
    said = []
    for hot_path in (True, False):
        with Store(quick(bucket, seaweedfs.endpoint_url, hot_path=hot_path)) as store:
            store.write("file", b"old", overwrite=True)
            with pytest.raises(kind) as caught:
                call(store)
            said.append((type(caught.value), str(caught.value), caught.value.__cause__ is not None))
    assert said[0] == said[1]


@pytest.mark.parametrize("hot_path", [True, "aiohttp", False])
@pytest.mark.parametrize("tries", [1, 3])
def test_an_answer_that_is_no_success_is_the_first_try_of_the_client(
    fake: Proxy, hot_path: Any, tries: int
) -> None:
    fake.hook = lambda asked, ask: error_reply(503, "SlowDown")
    with Store(quick("bucket", fake.url, {"retries": {"total_max_attempts": tries}}, hot_path=hot_path)) as s:
        with pytest.raises(BackendUnavailable, match="SlowDown"):
            s.read_bytes("a")
        assert fake.operations() == ["GET"] * tries
        fake.hook = lambda asked, ask: error_reply(403, "AccessDenied")
        with pytest.raises(PermissionDenied, match="AccessDenied"):
            s.read_bytes("a")
    assert fake.operations() == ["GET"] * (tries + 1)


def test_a_missing_object_is_not_asked_for_again(fake: Proxy) -> None:
    fake.hook = lambda asked, ask: Reply(404)
    with Store(quick("bucket", fake.url)) as store:
        assert not store.is_file("a")
    assert fake.operations() == ["HEAD"]


def test_a_small_write_is_one_request_that_waits_for_nothing(fake: Proxy) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"", [("ETag", '"1"')])
    for hot_path in (True, False):
        with Store(quick("bucket", fake.url, hot_path=hot_path)) as store:
            assert store.write("a", b"content").etag == "1"
    assert fake.operations() == ["PUT", "PUT"]
    assert [asked.header("expect") for asked in fake.asked] == [None, None]
    digest = base64.b64encode(zlib.crc32(b"content").to_bytes(4, "big")).decode()
    assert [asked.header("x-amz-checksum-crc32") for asked in fake.asked] == [digest, digest]


def test_a_redirect_is_left_to_the_client_and_learnt(fake: Proxy, by_wire: list[str]) -> None:
    def hook(asked: Any, ask: Any) -> Reply:
        here = "/eu-west-1/" in (asked.header("authorization") or "")
        if here:
            return Reply(200, b"content", [("ETag", '"1"')])
        return error_reply(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"})

    fake.hook = hook
    with Store(quick("bucket", fake.url, {"retries": {"total_max_attempts": 3}})) as store:
        for _ in range(3):
            assert store.read_bytes("a") == b"content"
    assert by_wire  # after the redirect was learnt
    assert len(fake.asked) <= 6


def test_a_connection_that_the_server_has_closed_is_replaced(proxy: Proxy, bucket: str) -> None:
    with Store(quick(bucket, proxy.url)) as store:
        store.write("a", b"content")
        for connection in list(proxy.open):
            connection.shutdown(2)
        assert store.read_bytes("a") == b"content"


@pytest.mark.parametrize(
    "text",
    ["Tue, 24 Nov 2026 08:09:10 GMT", "Tue, 24 Nov 2026 08:09:10 +0000", "24 nov 2026 10:09:10 +0200"],
)
def test_every_form_of_a_time_is_read(fake: Proxy, text: str) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"", [("ETag", '"1"'), ("Last-Modified", text)])
    for hot_path in (True, False):
        with Store(quick("bucket", fake.url, hot_path=hot_path)) as store:
            assert store.get_file_info("a").modified_at == datetime(2026, 11, 24, 8, 9, 10, tzinfo=UTC)


AGENTS: list[tuple[dict[str, Any], str]] = [
    ({}, "remote-store"),
    ({"user_agent": "ours/1"}, "ours/1"),
    ({"user_agent_extra": "team/reports"}, "remote-store team/reports"),
    ({"user_agent_appid": "our app"}, "remote-store app/our-app"),
    ({"config": {"user_agent": "a", "user_agent_extra": "c", "user_agent_appid": "b"}}, "a c"),
]


@pytest.mark.spec("S3-075")
@pytest.mark.parametrize(("client", "agent"), AGENTS)
def test_servers_are_told_who_asks(fake: Proxy, by_wire: list[str], client: Any, agent: str) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"content", [("ETag", '"1"')])
    for hot_path in (True, "aiohttp", False):
        with Store(quick("bucket", fake.url, client, hot_path=hot_path)) as store:
            assert store.read_bytes("a") == b"content"
    assert by_wire == ["get_object"] * 2
    said = [asked.header("user-agent") or "" for asked in fake.asked]
    assert said[:2] == [agent] * 2
    for part in agent.split():
        assert part == "remote-store" or part in said[2].split()


@pytest.mark.spec("S3-075")
@pytest.mark.parametrize("name", ["read_timeout", "connect_timeout"])
def test_a_time_limit_of_none_is_none(fake: Proxy, by_wire: list[str], name: str) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"content", [("ETag", '"1"')])
    for hot_path in (True, "aiohttp", False):
        with Store(quick("bucket", fake.url, {name: None}, hot_path=hot_path)) as store:
            assert store.read_bytes("a") == b"content"
    assert by_wire == ["get_object"] * 2
