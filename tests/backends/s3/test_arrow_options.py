"""One set of options for two libraries: what each is told, and what is refused."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from pyarrow.fs import S3FileSystem
from tests.backends.s3.arrow import CONTENT, FIRST, OneObject, arrow, by_arrow, ranges
from tests.backends.s3.support import MIB, Proxy, quick
from tests.runtime.support import run
from tests.services import S3Server

from remote_store import (
    AsyncStore,
    BackendConfig,
    Registry,
    RegistryConfig,
    RemoteStoreError,
    Store,
    StoreProfile,
    open_store,
)
from remote_store.backends import S3Backend, S3PyArrowBackend
from remote_store.backends.s3_pyarrow._mapping import arguments_of

LOGIN: dict[str, Any] = {"key": "k", "secret": "s", "region_name": "eu-west-1"}


def told(**options: Any) -> dict[str, Any]:
    """Return what Arrow is told."""

    async def main() -> dict[str, Any]:
        backend = S3PyArrowBackend("bucket", **options)
        try:
            found = await arguments_of(await backend._api.connection(), "bucket")
        finally:
            await backend.aclose()
        assert found is not None
        return found

    return run("asyncio", main)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep this machine's own settings out."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_CA_BUNDLE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.mark.spec("S3PA-001")
def test_it_takes_the_arguments_of_the_s3_backend() -> None:
    ours = inspect.signature(S3PyArrowBackend).parameters
    theirs = inspect.signature(S3Backend).parameters
    assert {name: ours[name] for name in theirs} == dict(theirs)
    assert set(ours) - set(theirs) == {"threads", "arrow_from", "arrow_writes"}


AMAZON = "s3.eu-west-1.amazonaws.com"
MAPPED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "login": ({}, {"access_key": "k", "secret_key": "s", "session_token": None}),
    "token": ({"session_token": "t"}, {"access_key": "k", "secret_key": "s", "session_token": "t"}),
    "Amazon": (
        {},
        {"scheme": "https", "force_virtual_addressing": True, "region": "eu-west-1"},
    ),
    "path style": (
        {"client_options": {"s3": {"addressing_style": "path"}}},
        {"endpoint_override": AMAZON, "force_virtual_addressing": False},
    ),
    "dual stack": (
        {"client_options": {"use_dualstack_endpoint": True}},
        {"endpoint_override": "s3.dualstack.eu-west-1.amazonaws.com", "force_virtual_addressing": True},
    ),
    "accelerated": (
        {"client_options": {"s3": {"use_accelerate_endpoint": True}}},
        {"endpoint_override": "s3-accelerate.amazonaws.com", "force_virtual_addressing": True},
    ),
    "server": (
        {"endpoint_url": "http://127.0.0.1:9000"},
        {"scheme": "http", "endpoint_override": "127.0.0.1:9000", "force_virtual_addressing": False},
    ),
    "virtual": (
        {"endpoint_url": "https://s3.test:9", "client_options": {"s3": {"addressing_style": "virtual"}}},
        {"scheme": "https", "endpoint_override": "s3.test:9", "force_virtual_addressing": True},
    ),
    "usual patience": (
        {},
        {"connect_timeout": 10.0, "request_timeout": 60.0, "retry_strategy": ("standard", 5)},
    ),
    "patience": (
        {
            "client_options": {
                "connect_timeout": 3,
                "read_timeout": 4,
                "retries": {"max_attempts": 2, "mode": "legacy"},
            }
        },
        {"connect_timeout": 3.0, "request_timeout": 4.0, "retry_strategy": ("legacy", 3)},
    ),
    "no limits": (
        {"client_options": {"connect_timeout": None, "read_timeout": None}},
        {"connect_timeout": 86_400.0, "request_timeout": 86_400.0},
    ),
    "configuration": (
        {"client_options": {"config": AioConfig(read_timeout=7)}},
        {"request_timeout": 7.0},
    ),
    "proxy": (
        {"client_options": {"proxies": {"https": "http://u:p%40@proxy.test:3128"}}},
        {
            "proxy_options": {
                "scheme": "http", "host": "proxy.test", "port": 3128, "username": "u", "password": "p@",
            }
        },
    ),
    "authority": ({"client_options": {"verify": "/ca.pem"}}, {"tls_ca_file_path": "/ca.pem"}),
}  # fmt: skip


@pytest.mark.spec("S3PA-007")
@pytest.mark.parametrize("name", MAPPED)
def test_arrow_is_told_what_aiobotocore_is_told(name: str) -> None:
    options, expected = MAPPED[name]
    found = told(**{**LOGIN, **options})
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.spec("S3PA-007")
def test_who_is_anonymous_is_so_for_both() -> None:
    found = told(anon=True, region_name="eu-west-1")
    assert found["anonymous"] is True
    assert "access_key" not in found


@pytest.mark.spec("S3PA-007")
def test_the_environment_holds_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:81")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/bundle.pem")
    found = told(**LOGIN)
    assert found["proxy_options"] == {"scheme": "http", "host": "proxy.test", "port": 81}
    assert found["tls_ca_file_path"] == "/bundle.pem"
    monkeypatch.setenv("NO_PROXY", "amazonaws.com")
    assert "proxy_options" not in told(**LOGIN)


REFUSED: dict[str, dict[str, Any]] = {
    "verify": {"client_options": {"verify": False}},
    "client_cert": {"client_options": {"client_cert": "/cert.pem"}},
    "proxies_config": {"client_options": {"config": {"proxies_config": {"proxy_ca_bundle": "/x"}}}},
    "http_session_cls": {"client_options": {"http_session_cls": object}},
    "connector_args": {"client_options": {"connector_args": {"limit_per_host": 1}}},
    "retries": {"client_options": {"config": AioConfig(retries={"mode": "adaptive"})}},
    "signature_version": {"client_options": {"signature_version": "s3"}},
    "endpoint_url": {"endpoint_url": "https://s3.test/below"},
    "sse_customer_key": {"sse_customer_key": bytes(32)},
    "threads": {"threads": 0},
    "arrow_from": {"arrow_from": -1},
}


@pytest.mark.spec("S3PA-008")
@pytest.mark.parametrize("name", REFUSED)
def test_what_arrow_cannot_be_told_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}"):
        S3PyArrowBackend("bucket", **REFUSED[name])


@pytest.mark.spec("S3PA-008")
def test_what_is_about_other_requests_is_no_matter() -> None:
    options = {
        "max_pool_connections": 3,
        "user_agent_extra": "us",
        "connector_args": {"keepalive_timeout": 3},
    }
    assert told(**LOGIN, client_options=options)["access_key"] == "k"


@pytest.mark.spec("S3PA-007")
def test_both_speak_tls_with_the_same_authority(seaweedfs: S3Server, bucket: str) -> None:
    backend = S3PyArrowBackend(bucket, **seaweedfs.tls_options, arrow_from=FIRST)
    if "tls_ca_file_path" not in str(S3FileSystem.__doc__):  # an older pyarrow
        with Store(backend) as store, pytest.raises(RemoteStoreError, match="verify"):
            store.ping()
        return
    with Store(quick(bucket, seaweedfs.endpoint_url)) as plain, Store(backend) as store:
        plain.write("f", CONTENT)
        assert store.read_bytes("f") == CONTENT
        system = backend._files.latest
        assert system is not None
        with system.open_input_file(f"{bucket}/f") as file:
            assert file.read_at(9, 0) == CONTENT[:9]


@pytest.mark.spec("S3PA-009")
def test_renewed_credentials_reach_arrow(fake: Proxy, tmp_path: Path) -> None:
    fake.hook = OneObject(CONTENT)
    answer = tmp_path / "answer.json"
    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {answer}\n")

    def renew(token: str) -> None:
        soon = datetime.now(UTC) + timedelta(minutes=5)  # so near that each use asks again
        login = {"AccessKeyId": "k", "SecretAccessKey": "s", "SessionToken": token}
        answer.write_text(json.dumps({"Version": 1, **login, "Expiration": soon.isoformat()}))

    backend = arrow("bucket", fake.url, key=None, secret=None, concurrency=1)

    async def main() -> None:
        async with AsyncStore(backend) as store, await store.read("f") as stream:
            renew("first")
            got = await stream.read(FIRST + MIB)
            renew("second")
            while piece := await stream.read(MIB):
                got += piece
            assert got == CONTENT

    renew("none")
    run("asyncio", main)
    tokens = [asked.header("x-amz-security-token") for asked in fake.asked if by_arrow(asked)]
    assert tokens == ["first", "first", "second", "second"]  # each opened the object, and read a range
    assert len(ranges(fake)) == 2


@pytest.mark.spec("S3PA-007")
def test_options_that_arrow_does_not_take_are_an_error(fake: Proxy) -> None:
    fake.hook = OneObject(CONTENT)
    backend = arrow("bucket", fake.url)
    backend._options.client_options["proxies"] = {"http": "gopher://127.0.0.1:1"}  # type: ignore[index]
    with Store(backend) as store, pytest.raises(RemoteStoreError):
        store.ping()


@pytest.mark.spec("S3PA-002")
def test_it_has_a_type_and_a_scheme_of_its_own(seaweedfs: S3Server, bucket: str) -> None:
    options = {"bucket": bucket, **seaweedfs.options, "threads": 2}
    config = RegistryConfig(
        backends={"cloud": BackendConfig("s3-pyarrow", options)}, stores={"reports": StoreProfile("cloud")}
    )
    with Registry(config) as registry:
        registry.get_store("reports").write("folder/f", b"1")
    with open_store(f"s3-pyarrow://{bucket}/folder?endpoint_url={seaweedfs.endpoint_url}&anon=true") as store:
        with pytest.raises(RemoteStoreError) as caught:
            store.read_bytes("f")
    assert caught.value.backend == "s3-pyarrow"
