"""Answers to GET that are of another version, or another part, than was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, quick
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import BackendUnavailable, PreconditionFailed, RemoteStoreError, Store
from remote_store.backends import S3Backend

WAYS: list[Any] = [True, "aiohttp", False]
PART = 5 * MIB
DATA = bytes(range(256)) * 4
FACTS = [("ETag", '"1"'), ("Last-Modified", "Fri, 27 Nov 2026 06:00:00 GMT")]
FEW = {"max_pool_connections": 2, "read_timeout": 5}


def part(said: str, content: bytes, *others: tuple[str, str]) -> Reply:
    return Reply(206, content, [*(others or FACTS), ("Content-Range", said)])


@pytest.fixture
def heedless(rclone: S3Server) -> Iterator[tuple[S3Server, str]]:
    """Give a real server that ignores If-Match on GET, and a bucket there."""
    buckets = Buckets(rclone)
    name = buckets.new()
    yield rclone, name
    buckets.close()


@pytest.mark.spec("S3-013")
@pytest.mark.parametrize("hot_path", WAYS)
@pytest.mark.parametrize("read", [10, PART + MIB], ids=["seek", "ranges"])
def test_a_replaced_object_where_the_condition_is_ignored(
    heedless: tuple[S3Server, str], hot_path: Any, read: int
) -> None:
    server, bucket = heedless
    size = PART + 4 * MIB if read == 10 else 5 * PART
    options = {**server.options, "part_size": PART, "concurrency": 2}
    with Store(S3Backend(bucket, hot_path=hot_path, **options)) as store:
        store.write("f", b"A" * size)
        with store.read("f") as stream:
            got = stream.read(read)
            with Store(S3Backend(bucket, **options)) as other:
                other.write("f", b"B" * size, overwrite=True)
            if read == 10:
                stream.seek(2 * MIB)
            with pytest.raises(PreconditionFailed, match="changed"):
                while piece := stream.read(MIB):
                    got += piece
        assert set(got) == set(b"A")


def resumed(reply: Reply, first: list[tuple[str, str]] = FACTS) -> Callable[[Asked, object], Reply]:
    """Break the first body half-way, and give this where it is asked for again."""
    return lambda asked, ask: reply if asked.header("range") else Reply(200, b"A" * 1000, first, cut=500)


@pytest.mark.spec("S3-013")
@pytest.mark.parametrize("hot_path", WAYS)
@pytest.mark.parametrize(
    ("tags", "error"),
    [([("ETag", '"other"')], PreconditionFailed), ([("x-other", "1")], RemoteStoreError)],
    ids=["another", "none"],
)
def test_a_rest_that_is_not_of_the_same_version(
    fake: Proxy, hot_path: Any, tags: list[tuple[str, str]], error: type[RemoteStoreError]
) -> None:
    fake.hook = resumed(part("bytes 500-999/1000", b"B" * 500, *tags))
    with Store(quick("b", fake.url, FEW, hot_path=hot_path)) as store:
        for _ in range(4):  # with two connections
            with pytest.raises(RemoteStoreError) as caught:
                store.read_bytes("f")
            assert (type(caught.value), caught.value.path) == (error, "f")
        fake.hook = resumed(part("bytes 500-999/1000", b"B" * 500, ("ETag", '"1"')))
        assert store.read_bytes("f") == b"A" * 500 + b"B" * 500


@pytest.mark.spec("S3-013")
@pytest.mark.parametrize("hot_path", WAYS)
def test_without_an_etag_nothing_is_asked_for_again(fake: Proxy, hot_path: Any) -> None:
    facts = [FACTS[1]]
    fake.hook = resumed(part("bytes 500-999/1000", b"B" * 500, *facts), facts)
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        with pytest.raises(BackendUnavailable):
            store.read_bytes("f")
        fake.hook = lambda asked, ask: Reply(200, DATA * 3000, facts)
        with store.read("f") as stream:
            assert stream.read(10) == DATA[:10]
            stream.seek(2 * MIB)
            with pytest.raises(RemoteStoreError, match="no ETag"):
                stream.read(10)
    assert all(asked.header("range") is None for asked in fake.asked)
    fake.hook = lambda asked, ask: Reply(200, DATA, facts)
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        assert store.read_bytes("f") == DATA


@pytest.mark.spec("S3-076")
@pytest.mark.parametrize("hot_path", WAYS)
@pytest.mark.parametrize(
    ("start", "length", "said", "content"),
    [
        (100, 10, "bytes 0-9/1024", DATA[:10]),
        (0, 500, "bytes 0-9/1024", DATA[:10]),
        (0, None, "bytes 0-9/1024", DATA[:10]),
        (1000, None, "bytes 1000-1009/1024", DATA[1000:1010]),
        (1000, None, "bytes 1000-1023/*", DATA[1000:]),
        (1000, 100, "bytes 1000-1023/1024", DATA[900:]),
        (10, 10, "bytes=10-19", DATA[10:20]),
        (10, 10, "bytes 20-10/1024", b""),
    ],
)
def test_another_part_is_refused(
    fake: Proxy, hot_path: Any, start: int, length: int | None, said: str, content: bytes
) -> None:
    fake.hook = lambda asked, ask: part(said, content)
    with Store(quick("b", fake.url, FEW, hot_path=hot_path)) as store:
        for _ in range(4):
            with pytest.raises(RemoteStoreError, match="another part") as caught:
                store.read_bytes("f", start=start, length=length)
            assert (type(caught.value), caught.value.path) == (RemoteStoreError, "f")


@pytest.mark.spec("S3-076")
@pytest.mark.parametrize("hot_path", WAYS)
@pytest.mark.parametrize(
    ("start", "length", "said", "content"),
    [
        (0, None, "bytes 0-1023/1024", DATA),
        (1000, None, "bytes 1000-1023/1024", DATA[1000:]),
        (1000, 100, "bytes 1000-1023/1024", DATA[1000:]),
        (10, 10, "bytes 10-19/*", DATA[10:20]),
    ],
)
def test_the_part_that_was_asked_for_is_taken(
    fake: Proxy, hot_path: Any, start: int, length: int | None, said: str, content: bytes
) -> None:
    fake.hook = lambda asked, ask: part(said, content)
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        assert store.read_bytes("f", start=start, length=length) == content


@pytest.mark.spec("S3-073")
@pytest.mark.parametrize("hot_path", WAYS)
@pytest.mark.parametrize("status", [202, 204])
def test_an_answer_without_content_is_no_empty_file(fake: Proxy, hot_path: Any, status: int) -> None:
    fake.hook = lambda asked, ask: Reply(status, b"", FACTS)
    with Store(quick("b", fake.url, FEW, hot_path=hot_path)) as store:
        for _ in range(4):
            with pytest.raises(RemoteStoreError, match=f"status {status}"):
                store.read_bytes("f")


@pytest.mark.spec("S3-073")
@pytest.mark.parametrize("hot_path", WAYS)
def test_headers_that_tell_no_length_are_no_empty_file(fake: Proxy, hot_path: Any) -> None:
    fake.hook = lambda asked, ask: Reply(200, b"", FACTS, chunked=True)
    with Store(quick("b", fake.url, hot_path=hot_path)) as store:
        for call in (store.get_file_info, lambda src: store.copy(src, "g", overwrite=True),
                     lambda src: store.move(src, "g", overwrite=True)):  # fmt: skip
            with pytest.raises(RemoteStoreError, match="how long"):
                call("f")
    assert not any("copy" in asked.operation for asked in fake.asked)
