"""Copies from one bucket into another, made by the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.backends.s3.support import MIB
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import (
    AlreadyExists,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    Store,
    TransferEvent,
    WriteOptions,
    copy_tree,
)
from remote_store._runtime import drive
from remote_store.backends import MemoryBackend, S3Backend
from remote_store.backends.s3 import _change
from remote_store.wrapper import BackendWrapper


@pytest.fixture
def other(buckets: Buckets) -> Iterator[str]:
    name = buckets.new()
    yield name
    assert buckets.unfinished(name) == []
    buckets.drop(name)


def pair(bucket: str, other: str, server: S3Server, **options: Any) -> tuple[S3Backend, S3Backend]:
    return S3Backend(bucket, **server.options), S3Backend(other, **{**server.options, **options})


@pytest.mark.spec("S3-060", "XFER-009")
@pytest.mark.parametrize("parts", [False, True])
def test_a_folder_goes_over_without_its_content_coming_here(
    bucket: str, other: str, seaweedfs: S3Server, parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if parts:
        monkeypatch.setattr(_change, "WHOLE_COPY", 0)
        monkeypatch.setattr(_change, "COPY_PART", 5 * MIB)
    here, there = pair(bucket, other, seaweedfs, part_size=6 * MIB)
    files = {"d/a b+%ü": b"small", "d/large": bytes(range(256)) * (45 << 10)}
    seen: list[TransferEvent] = []
    with Store(here) as source, Store(there, "root") as target:
        for path, data in files.items():
            source.write(path, data, options=WriteOptions(metadata={"who": "me"}))
        report = copy_tree(source, "d", target, "t", on_event=seen.append)
        assert (report.done, report.done_bytes) == (2, sum(map(len, files.values())))
        assert {event.detail for event in seen if event.detail} == {"copied by the storage"}
        for path, data in files.items():
            assert target.read_bytes(path.replace("d/", "t/")) == data
        assert target.get_file_info("t/large").extra["metadata"] == {"who": "me"}


@pytest.mark.spec("S3-060", "BE-020")
@pytest.mark.parametrize(
    ("src", "dst", "error", "path"),
    [
        ("none", "new", NotFound, "none"),
        ("d", "new", InvalidPath, "d"),
        ("d/f", "old", AlreadyExists, "old"),
    ],
)
def test_what_is_refused(
    bucket: str, other: str, seaweedfs: S3Server, src: str, dst: str, error: type[Exception], path: str
) -> None:
    here, there = pair(bucket, other, seaweedfs)
    with Store(here) as source, Store(there) as target:
        source.write("d/f", b"new")
        target.write("old", b"old")
        target.write("d/g", b"not in the source")
        with pytest.raises(error) as caught:
            drive(there.copy_from(here, src, dst))
        assert getattr(caught.value, "path", None) == path
        assert target.read_bytes("old") == b"old"
        assert not target.exists("new")
        drive(there.copy_from(here, "d/f", "old", overwrite=True))
        assert target.read_bytes("old") == source.read_bytes("d/f") == b"new"


@pytest.mark.spec("BE-020")
@pytest.mark.parametrize(
    "options",
    [
        {"key": "other", "secret": "s"},
        {"sse_customer_key": bytes(32)},
        {"client_options": {"max_pool_connections": 3}},
    ],
)
def test_only_who_has_the_same_login_asks_the_server(seaweedfs: S3Server, options: dict[str, Any]) -> None:
    here, there = pair("one", "two", seaweedfs, **options)
    assert not there.copies_from(here)
    with pytest.raises(CapabilityNotSupported, match="cannot copy from there by itself"):
        drive(there.copy_from(here, "a", "b"))
    same, _ = pair("three", "four", seaweedfs)
    assert same.copies_from(here)


@pytest.mark.spec("BE-020")
def test_other_backends_copy_from_themselves() -> None:
    one, two = MemoryBackend(), MemoryBackend()
    layer = BackendWrapper(one)
    drive(one.write_bytes("a", memoryview(b"content")))
    assert one.copies_from(one)
    assert layer.copies_from(layer)
    assert not one.copies_from(two)
    assert not layer.copies_from(two)
    drive(layer.copy_from(layer, "a", "b"))
    drive(one.copy_from(one, "b", "c"))
    assert drive(one.read_bytes("c")) == b"content"
    with pytest.raises(CapabilityNotSupported):
        drive(layer.copy_from(two, "a", "b"))
