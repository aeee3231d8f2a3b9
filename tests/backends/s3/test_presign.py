"""URLs for who has no credentials."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.backends.s3.support import quick
from tests.runtime.support import WORLDS, run

from remote_store import AsyncStore, Capability, CapabilityNotSupported, PermissionDenied, Store
from remote_store.backends import LocalBackend, MemoryBackend, S3Backend

NAMES = ["plain", "a b+c", "100%", "caf\u00e9/\u65e5\u672c", "a&b=c?d#e"]


def fetched(url: str, method: str = "GET", body: bytes | None = None, kind: str = "") -> bytes:
    headers = {"Content-Type": kind} if kind else {}
    with urlopen(Request(url, method=method, data=body, headers=headers), timeout=10) as answer:
        content: bytes = answer.read()
        return content


def refused(url: str, *how: Any) -> int:
    with pytest.raises(HTTPError) as caught:
        fetched(url, *how)
    caught.value.close()
    return caught.value.code


@pytest.mark.spec("S3-041", "STORE-053")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("hot_path", [True, False])
def test_reading_and_writing(bucket: str, seaweedfs_url: str, world: str, hot_path: bool) -> None:
    async def main() -> None:
        async with AsyncStore(quick(bucket, seaweedfs_url, hot_path=hot_path), "below") as store:
            for name in NAMES:
                url = await store.presign(name, method="PUT", content_type="text/x-own")
                assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
                assert fetched(url, "PUT", name.encode(), "text/x-own") == b""
                assert (await store.get_file_info(name)).content_type == "text/x-own"
                assert fetched(await store.presign(name, expires=timedelta(days=7))) == name.encode()

    run(world, main)


@pytest.mark.spec("S3-041")
def test_what_a_url_is_not_good_for(bucket: str, seaweedfs_url: str) -> None:
    with Store(quick(bucket, seaweedfs_url)) as store:
        store.write("f", b"content")
        reading, writing = store.presign("f"), store.presign("f", method="PUT", content_type="text/plain")
        short = store.presign("f", expires=1)
        assert refused(reading, "PUT", b"x") == 403
        assert refused(writing) == 403
        assert refused(writing, "PUT", b"x", "text/html") == 403
        assert refused(reading.replace("/f?", "/g?")) == 403
        time.sleep(2.1)
        assert refused(short) == 403
        assert store.read_bytes("f") == b"content"


@pytest.mark.spec("STORE-053")
@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        ({"method": "DELETE"}, ValueError, "method must be"),
        ({"expires": 0}, ValueError, "1 second to 7 days"),
        ({"expires": timedelta(days=8)}, ValueError, "1 second to 7 days"),
        ({"expires": float("nan")}, ValueError, "1 second to 7 days"),
        ({"expires": "1h"}, TypeError, "expires must be seconds"),
        ({"content_type": "a/b"}, ValueError, "content_type is for method='PUT'"),
    ],
)
def test_what_makes_no_sense(wanted: dict[str, Any], error: type[Exception], message: str) -> None:
    with Store(S3Backend("bucket", key="k", secret="s")) as store, pytest.raises(error, match=message):
        store.presign("f", **wanted)


@pytest.mark.spec("STORE-053")
def test_storage_without_urls(tmp_path: Path) -> None:
    for backend in (MemoryBackend(), LocalBackend(tmp_path)):
        with Store(backend) as store, pytest.raises(CapabilityNotSupported) as caught:
            store.presign("f")
        assert caught.value.capability == "presign"


@pytest.mark.spec("S3-004")
def test_nobody_signs_without_a_login() -> None:
    with Store(S3Backend("bucket", region_name="us-east-1", anon=True)) as store:
        assert Capability.PRESIGN not in store.capabilities
        with pytest.raises(CapabilityNotSupported):
            store.presign("f")


@pytest.mark.spec("S3-004", "S3-041")
def test_without_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with Store(S3Backend("bucket", region_name="us-east-1")) as store:
        with pytest.raises(PermissionDenied, match="no credentials"):
            store.presign("f")
