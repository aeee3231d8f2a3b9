"""What an S3 backend is made with, and what aiobotocore gets of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from botocore import UNSIGNED
from tests.backends.s3.support import Proxy, Reply, error_reply, quick
from tests.services import KEY, SECRET, S3Server

from remote_store import (
    BackendUnavailable,
    PermissionDenied,
    Registry,
    RegistryConfig,
    RemoteStoreError,
    Store,
    open_store,
)
from remote_store.backends import S3Backend

MIB = 1 << 20


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the credentials of this machine, and the service that gives some to virtual ones."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def arguments(**options: Any) -> dict[str, Any]:
    """Return what ``create_client`` gets."""
    return S3Backend("bucket", **options)._options.client_arguments()


def config(**options: Any) -> Any:
    """Return the configuration of the client; its attributes are made at run time."""
    return arguments(**options)["config"]


@pytest.mark.spec("S3-001")
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"bucket": ""}, "bucket must be the name of a bucket"),
        ({"bucket": " \t"}, "bucket must be the name of a bucket"),
        ({"bucket": "bucket/folder"}, "bucket must be the name of a bucket, not 'bucket/folder'"),
        ({"key": "k"}, "key and secret belong together"),
        ({"secret": "s"}, "key and secret belong together"),
        ({"session_token": "t"}, "session_token needs key and secret"),
        ({"anon": True, "key": "k", "secret": "s"}, "anon=True signs nothing"),
        ({"part_size": 5 * MIB - 1}, "part_size must be 5 MiB to 5 GiB"),
        ({"part_size": 5 * 1024 * MIB + 1}, "part_size must be 5 MiB to 5 GiB"),
        ({"concurrency": 0}, "concurrency must be 1 or more, not 0"),
        ({"endpoint_url": ""}, "endpoint_url"),
        ({"endpoint_url": f"http://me:{SECRET}@host"}, "endpoint_url"),
        ({"client_options": {"endpoint_url": f"http://me:{SECRET}@host"}}, "endpoint_url"),
    ],
)
def test_arguments_that_make_no_sense(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        S3Backend(**{"bucket": "bucket", **given})
    assert SECRET not in str(caught.value)


@pytest.mark.spec("S3-001")
def test_a_bucket_that_is_no_text() -> None:
    wrong: Any = b"bucket"
    with pytest.raises(TypeError, match="bucket must be str, not bytes"):
        S3Backend(wrong)


@pytest.mark.spec("S3-001")
def test_making_one_asks_nothing(fake: Proxy) -> None:
    backend = quick("bucket", fake.url)
    assert backend.name == "s3"
    Store(backend).child("a").close()
    assert fake.connections == 0


@pytest.mark.spec("S3-002")
def test_client_options_reach_client_and_config() -> None:
    found = arguments(
        client_options={
            "verify": "ca.pem",
            "use_ssl": False,
            "read_timeout": 7,
            "s3": {"addressing_style": "path"},
        }
    )
    assert (found["verify"], found["use_ssl"]) == ("ca.pem", False)
    made: Any = found["config"]
    assert (made.read_timeout, made.s3) == (7, {"addressing_style": "path"})
    assert (made.connect_timeout, made.max_pool_connections) == (10, 64)


@pytest.mark.spec("S3-002")
def test_explicit_arguments_win() -> None:
    theirs = {
        "endpoint_url": "http://theirs",
        "region_name": "theirs",
        "aws_access_key_id": "theirs",
        "aws_secret_access_key": "theirs",
        "aws_session_token": "theirs",
    }
    ours = {
        "endpoint_url": "http://ours",
        "region_name": "r",
        "key": "k",
        "secret": "s",
        "session_token": "t",
    }
    found = arguments(client_options=theirs, **ours)
    assert [found[name] for name in theirs] == list(ours.values())
    assert arguments(client_options=theirs).items() >= theirs.items()
    del ours["session_token"]  # theirs belongs to their key
    assert "aws_session_token" not in arguments(client_options=theirs, **ours)


@pytest.mark.spec("S3-002", "S3-004")
@pytest.mark.parametrize("way", ["option", "config", "mapping"])
def test_anon_wins_over_a_signature_version(way: str) -> None:
    wanted = {"signature_version": "s3v4"}
    given: dict[str, dict[str, Any]] = {
        "option": wanted,
        "config": {"config": AioConfig(signature_version="s3v4")},
        "mapping": {"config": wanted},
    }
    assert config(anon=True, client_options=given[way]).signature_version is UNSIGNED
    assert config(client_options=given[way]).signature_version == "s3v4"


@pytest.mark.spec("S3-002")
def test_a_config_of_the_users_own_wins_over_our_defaults() -> None:
    for given in (AioConfig(read_timeout=7, region_name="mine"), {"read_timeout": 7, "region_name": "mine"}):
        made = config(client_options={"config": given}, endpoint_url="http://host")
        assert (made.read_timeout, made.connect_timeout, made.region_name) == (7, 10, "mine")
        found = arguments(client_options={"config": given}, endpoint_url="http://host")
        assert found["region_name"] == "mine"


@pytest.mark.spec("S3-002")
def test_a_server_of_ones_own_needs_no_region() -> None:
    assert arguments(endpoint_url="http://host")["region_name"] == "us-east-1"
    assert "region_name" not in arguments()


@pytest.mark.spec("S3-002")
@pytest.mark.parametrize("own_config", [False, True])
def test_what_is_given_is_not_changed(own_config: bool, seaweedfs: S3Server, bucket: str) -> None:
    nested: dict[str, Any] = {"retries": {"max_attempts": 2}, "s3": {"addressing_style": "path"}}
    theirs: Any = AioConfig(**copy.deepcopy(nested))
    given: dict[str, Any] = {"config": theirs} if own_config else nested
    before = copy.deepcopy(nested)
    with Store(S3Backend(bucket, client_options=given, **seaweedfs.options)) as store:
        store.write("f", b"x")
    assert nested == before
    assert (theirs.retries, theirs.s3) == (before["retries"], before["s3"])
    assert list(given) == (["config"] if own_config else list(before))


@pytest.mark.spec("S3-003")
def test_an_unknown_option_is_named() -> None:
    store = Store(S3Backend("bucket", client_options={"colour": SECRET}))
    with pytest.raises(RemoteStoreError, match="'colour'") as caught:
        store.read_bytes("f")
    assert SECRET not in str(caught.value)


@pytest.mark.spec("S3-004")
def test_credentials_of_the_environment(
    seaweedfs: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with Store(S3Backend(bucket, endpoint_url=seaweedfs.endpoint_url)) as store:
        store.write("f", b"x")
        assert store.read_bytes("f") == b"x"


@pytest.mark.spec("S3-004", "S3-006")
def test_credentials_of_a_profile(seaweedfs: S3Server, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        f"[default]\naws_access_key_id=x\naws_secret_access_key=x\n"
        f"[right]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n"
    )
    with Store(S3Backend(bucket, endpoint_url=seaweedfs.endpoint_url, profile="right")) as store:
        store.write("f", b"x")
    with open_store(f"s3://{bucket}?endpoint_url={seaweedfs.endpoint_url}&profile=right") as store:
        assert store.read_bytes("f") == b"x"
    with Store(S3Backend(bucket, endpoint_url=seaweedfs.endpoint_url)) as store:
        with pytest.raises(PermissionDenied, match="correct key and secret"):
            store.read_bytes("f")
    with Store(S3Backend(bucket, endpoint_url=seaweedfs.endpoint_url, profile="wrong")) as store:
        with pytest.raises(PermissionDenied, match="no such profile"):
            store.read_bytes("f")


@pytest.mark.spec("S3-004")
def test_no_credentials_at_all(fake: Proxy) -> None:
    with Store(S3Backend("bucket", endpoint_url=fake.url)) as store:
        for _ in range(5):  # the way may be another once the first few have failed
            with pytest.raises(PermissionDenied, match=r"pass key and secret.*anon=True"):
                store.read_bytes("f")
    assert fake.asked == []


@pytest.mark.spec("S3-004", "S3-006")
def test_anon_signs_nothing(fake: Proxy) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"x", [("ETag", '"1"')])
    with Store(S3Backend("bucket", endpoint_url=fake.url, anon=True)) as store:
        assert store.read_bytes("f") == b"x"
    with open_store(f"s3://bucket?endpoint_url={fake.url}&anon=true") as store:
        assert store.read_bytes("f") == b"x"
    assert [asked.header("authorization") for asked in fake.asked] == [None, None]


@pytest.mark.spec("S3-005")
@pytest.mark.parametrize("hot_path", [True, False])
def test_errors_show_no_secret(fake: Proxy, hot_path: bool) -> None:
    fake.hook = lambda asked, ask: error_reply(403, "SignatureDoesNotMatch")
    with Store(quick("bucket", fake.url, session_token="t0ken", hot_path=hot_path)) as store:
        with pytest.raises(PermissionDenied) as caught:
            store.read_bytes("f")
    assert fake.asked[0].header("x-amz-security-token") == "t0ken"
    fake.close()
    with Store(quick("bucket", fake.url, session_token="t0ken", hot_path=hot_path)) as store:
        with pytest.raises(BackendUnavailable) as broken:
            store.read_bytes("f")
    for error in (caught.value, broken.value):
        texts = [str(error), repr(error), repr(error.__cause__)]
        assert not [text for text in texts if SECRET in text or "t0ken" in text]


@pytest.mark.spec("S3-006")
def test_a_registry_takes_its_secrets_from_the_environment(
    seaweedfs: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_SECRET", SECRET)
    options = {"bucket": bucket, **seaweedfs.options, "secret": "${STORE_SECRET}", "part_size": 6 * MIB}
    mapping = {
        "backends": {"cloud": {"type": "s3", "options": options}},
        "stores": {"reports": {"backend": "cloud", "root_path": "reports"}},
    }
    config = RegistryConfig.from_dict(mapping)
    assert SECRET not in repr(config)
    with Registry(config) as registry:
        registry.get_store("reports").write("may.txt", b"x")
    with Store(S3Backend(bucket, **seaweedfs.options)) as store:
        assert store.read_bytes("reports/may.txt") == b"x"
