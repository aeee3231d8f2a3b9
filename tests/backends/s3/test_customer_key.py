"""Encryption with a key that the user keeps."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import pytest
from tests.backends.s3.support import MIB, Proxy, quick
from tests.services import S3Server

from remote_store import Capability, CapabilityNotSupported, RemoteStoreError, Store
from remote_store.backends import S3Backend
from remote_store.backends.s3 import _change

KEY = bytes(range(32))
LARGE = bytes(range(256)) * (45 << 10)  # 11.25 MiB


def store_with(bucket: str, server: S3Server, key: Any, **options: Any) -> Store:
    return Store(S3Backend(bucket, **server.tls_options, sse_customer_key=key, part_size=5 * MIB, **options))


@pytest.mark.spec("S3-045")
@pytest.mark.parametrize("hot_path", [True, False])
@pytest.mark.parametrize("content", [b"a small one", LARGE], ids=["small", "parts"])
def test_content_is_kept_under_the_key(
    bucket: str, seaweedfs: S3Server, content: bytes, hot_path: bool
) -> None:
    with store_with(bucket, seaweedfs, KEY, hot_path=hot_path) as store:
        store.write("f", content)
        assert store.read_bytes("f") == content
        assert store.read_bytes("f", start=3, length=4) == content[3:7]
        assert store.get_file_info("f").size == len(content)
        store.copy("f", "g")
        store.move("g", "h")
        assert store.read_bytes("h") == content
    for other in (None, KEY[::-1]):
        with store_with(bucket, seaweedfs, other) as store:
            with pytest.raises(RemoteStoreError):
                store.read_bytes("f")


@pytest.mark.spec("S3-045")
def test_copies_in_parts_name_the_key_twice(
    bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SeaweedFS does not copy parts under such keys, so only the request is looked at."""
    monkeypatch.setattr(_change, "WHOLE_COPY", 0)
    with Store(quick(bucket, proxy.url, sse_customer_key=KEY)) as store:
        store.write("f", b"content")
        with pytest.raises(RemoteStoreError):
            store.copy("f", "g")
    asked = next(asked for asked in proxy.asked if asked.operation == "PUT uploadId partNumber copy")
    prefix, name = "x-amz-", "server-side-encryption-customer-key"
    key = base64.b64encode(KEY).decode()
    assert asked.header(prefix + name) == asked.header(f"{prefix}copy-source-{name}") == key


@pytest.mark.spec("S3-045")
def test_a_key_may_be_base64(bucket: str, seaweedfs: S3Server) -> None:
    with store_with(bucket, seaweedfs, base64.b64encode(KEY).decode()) as store:
        store.write("f", b"content")
    with pickle.loads(pickle.dumps(store_with(bucket, seaweedfs, KEY))) as store:
        assert store.read_bytes("f") == b"content"


@pytest.mark.spec("S3-045")
@pytest.mark.parametrize("key", [b"", b"short", bytes(33), "not base64!", "c2hvcnQ=", 7])
def test_what_is_no_key_is_refused(key: Any) -> None:
    with pytest.raises(ValueError, match="sse_customer_key must be 32 bytes") as caught:
        S3Backend("bucket", sse_customer_key=key)
    assert str(key) not in str(caught.value) or not key


@pytest.mark.spec("S3-045")
def test_the_key_is_not_shown_and_in_no_url() -> None:
    backend = S3Backend("bucket", key="k", secret="s", region_name="us-east-1", sse_customer_key=KEY)
    for shown in (repr(backend), repr(backend._options), repr(Store(backend))):
        assert repr(KEY) not in shown
        assert base64.b64encode(KEY).decode() not in shown
    assert Capability.PRESIGN not in backend.capabilities
    with pytest.raises(CapabilityNotSupported):
        Store(backend).presign("f")
