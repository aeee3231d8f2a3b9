"""Writing by Arrow: nothing shows before it is whole, and nothing is left of what fails."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator

import pytest
from tests.backends.memory import added
from tests.backends.s3.arrow import FIRST, PART, arrow, by_arrow
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, error_reply, nothing_unfinished, quick
from tests.backends.s3.test_s3_uploads_cancelled import cancelled_after, cancelled_within
from tests.runtime.support import WORLDS, run
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    PermissionDenied,
    RemoteStoreError,
    Store,
    WriteOptions,
)
from remote_store.backends import S3PyArrowBackend
from remote_store.backends.s3._listing import HIDDEN
from remote_store.backends.s3_pyarrow._files import ArrowFailed
from remote_store.backends.s3_pyarrow._upload import Stage

NEW = bytes(11 * MIB)
MEBIBYTES, LIMIT = 256, 160.0


def writing(bucket: str, url: str) -> S3PyArrowBackend:
    return arrow(bucket, url, arrow_writes=True)


@pytest.fixture
def store(bucket: str, proxy: Proxy) -> Iterator[Store]:
    with Store(writing(bucket, proxy.url)) as opened:
        yield opened


@pytest.fixture
def clean(buckets: Buckets, bucket: str) -> Iterator[list[list[str]]]:
    """Check at the end that nothing is left; give what may be in the bucket then, for a test to add to."""
    allowed: list[list[str]] = [[]]
    yield allowed
    end = time.monotonic() + 10
    while buckets.keys(bucket) not in allowed:
        assert time.monotonic() < end, buckets.keys(bucket)
        time.sleep(0.05)
    nothing_unfinished(buckets, bucket)


@pytest.mark.spec("S3PA-015", "S3PA-016")
def test_large_content_is_copied_from_a_name_that_no_listing_shows(
    store: Store, proxy: Proxy, bucket: str, seaweedfs_url: str, clean: list[list[str]]
) -> None:
    seen: list[list[str]] = []

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if asked.operation == "PUT copy":  # now all of it is there, under the other name
            for other in (arrow(bucket, seaweedfs_url), quick(bucket, seaweedfs_url)):
                with Store(other) as looking:
                    seen.append([str(info.path) for info in looking.list_files("", recursive=True)])
                    seen.append([str(info.path) for info in looking.list_files("")])
        return ask()

    proxy.hook = hook
    options = WriteOptions(content_type="text/x-own", metadata={"by": "us"}, cache_control="no-store")
    result = store.write("f", NEW, options=options)
    assert seen == [[], [], [], []]
    assert sum(by_arrow(asked) and asked.operation == "PUT uploadId partNumber" for asked in proxy.asked) > 1
    info = store.get_file_info("f")
    assert (info.size, info.content_type, info.etag) == (len(NEW), "text/x-own", result.etag)
    assert (info.extra["metadata"], info.extra["cache_control"]) == ({"by": "us"}, "no-store")
    assert store.read_bytes("f") == NEW
    clean.append(["f"])


@pytest.mark.spec("S3PA-015")
def test_small_content_and_conditional_replacements_are_plain(
    store: Store, proxy: Proxy, bucket: str, clean: list[list[str]]
) -> None:
    first = store.write("f", b"1")
    second = store.write("f", NEW, options=WriteOptions(if_match=first.etag))
    assert store.get_file_info("f").etag == second.etag
    assert not any(by_arrow(asked) for asked in proxy.asked)
    clean.append(["f"])


@pytest.mark.spec("S3PA-012")
def test_one_of_many_creators_by_arrow_wins(
    bucket: str, seaweedfs_url: str, buckets: Buckets, clean: list[list[str]]
) -> None:
    outcomes: list[object] = []

    async def create(number: int) -> None:
        async with AsyncStore(writing(bucket, seaweedfs_url)) as store:
            try:
                outcomes.append(await store.write("f", bytes([number]) * (6 * MIB)))
            except AlreadyExists as error:
                outcomes.append(error)

    async def main() -> None:
        await asyncio.gather(*map(create, range(8)))

    run("asyncio", main)
    assert sum(not isinstance(outcome, AlreadyExists) for outcome in outcomes) == 1
    assert len(outcomes) == 8
    clean[:] = [["f"]]


@pytest.mark.spec("S3PA-012")
def test_who_is_late_replaces_nothing(
    store: Store, proxy: Proxy, bucket: str, seaweedfs_url: str, clean: list[list[str]]
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        if asked.operation == "PUT copy":
            with Store(quick(bucket, seaweedfs_url)) as other:
                other.write("f", b"first", overwrite=True)
        return ask()

    proxy.hook = hook
    with pytest.raises(AlreadyExists):
        store.write("f", NEW)
    assert store.read_bytes("f") == b"first"
    clean.append(["f"])


@pytest.mark.spec("S3PA-012")
@pytest.mark.parametrize("world", WORLDS)
def test_a_write_that_is_cancelled_anywhere_leaves_nothing(
    bucket: str, seaweedfs_url: str, world: str, clean: list[list[str]]
) -> None:
    async def main() -> None:
        async with AsyncStore(writing(bucket, seaweedfs_url)) as store:
            turns = 0
            while not await cancelled_after(turns, store):
                assert not await store.exists("f") or await store.read_bytes("f") == NEW
                await store.delete("f", missing_ok=True)
                turns += 1 + turns

    run(world, main)
    clean[:] = [["f"]]


OPERATIONS = {
    "begin": "POST uploads", "part": "PUT uploadId partNumber", "end": "POST uploadId", "copy": "PUT copy",
    "delete": "DELETE",
}  # fmt: skip


@pytest.mark.spec("S3PA-012")
@pytest.mark.parametrize(
    ("world", "before_the_server"), [("asyncio", True), ("asyncio", False), ("trio", False)]
)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_write_that_is_cancelled_while_a_request_is_under_way_leaves_nothing(
    bucket: str, proxy: Proxy, world: str, before_the_server: bool, name: str, clean: list[list[str]]
) -> None:
    cancelled_within(OPERATIONS[name], world, proxy, writing(bucket, proxy.url), before_the_server)
    if name in ("copy", "delete"):
        clean.append(["f"])  # the server was told to make the object, and may have done so


@pytest.mark.spec("S3PA-012")
def test_a_source_that_fails_leaves_nothing(store: Store, clean: list[list[str]]) -> None:
    def source() -> Iterator[bytes]:
        yield NEW
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write("f", source())


@pytest.mark.spec("S3PA-012")
@pytest.mark.parametrize("world", ["blocking", "asyncio", "trio"])
def test_a_writer_that_is_dropped_leaves_nothing(
    bucket: str, seaweedfs_url: str, world: str, clean: list[list[str]]
) -> None:
    async def main() -> None:
        backend = writing(bucket, seaweedfs_url)
        writer = await backend.open_write("f")
        await writer.write(NEW)
        del writer
        gc.collect()
        await backend.aclose()

    if world == "blocking":
        with Store(writing(bucket, seaweedfs_url)) as store:
            stream: object = store.open_write("f").__enter__()
            stream.write(NEW)  # type: ignore[attr-defined]
            del stream
            gc.collect()
    else:
        run(world, main)


@pytest.mark.spec("S3PA-012")
def test_a_call_that_is_late_begins_nothing_after_the_clean_up(
    bucket: str, seaweedfs_url: str, clean: list[list[str]]
) -> None:
    """Who was cancelled waits for no thread, so its call may get its turn last."""

    async def main() -> None:
        async with AsyncStore(writing(bucket, seaweedfs_url)) as store:
            await store.ping()
            backend = store._scope.backend
            assert isinstance(backend, S3PyArrowBackend)
            stage, system = Stage(backend._files, "f"), backend._files.latest
            await stage.discard(backend._api)
            with pytest.raises(ArrowFailed):
                stage._in_turn(stage._open, system, bucket)
            assert stage._stream is None

    run("asyncio", main)


@pytest.mark.spec("S3PA-019")
@pytest.mark.parametrize("how", ["whole", "fails", "refused"])
def test_a_bucket_with_versions_keeps_nothing_of_the_way(
    bucket: str, buckets: Buckets, proxy: Proxy, how: str
) -> None:
    client = buckets._client
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with Store(writing(bucket, proxy.url)) as store:
        if how == "whole":
            store.write("f", NEW)
        elif how == "fails":
            with pytest.raises(ZeroDivisionError):
                store.write("f", (1 // (2 - n) * NEW for n in range(3)))
        else:

            def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
                return error_reply(403, "AccessDenied") if "versionId=" in asked.target else ask()

            proxy.hook = hook
            store.write("f", NEW)
    found = client.list_object_versions(Bucket=bucket)
    left = [(entry["Key"], entry["Size"]) for entry in found.get("Versions", ())]
    hidden = [size for key, size in left if key.startswith(HIDDEN)]
    assert hidden == ([len(NEW)] if how == "refused" else [])
    assert ("f", len(NEW)) in left or how == "fails"
    assert [key for key in buckets.keys(bucket) if key.startswith(HIDDEN)] == []


FAILURES = {
    "refused": (error_reply(403, "AccessDenied"), PermissionDenied),
    "cut": (Reply(reset=True), BackendUnavailable),
}


@pytest.mark.spec("S3PA-017")
@pytest.mark.parametrize(("failure", "who"), [("refused", "both"), ("cut", "arrow")])
@pytest.mark.parametrize("name", ["begin", "part", "end"])
def test_where_arrow_fails_the_error_is_that_of_a_plain_request(
    store: Store, proxy: Proxy, failure: str, name: str, who: str, clean: list[list[str]]
) -> None:
    reply, error = FAILURES[failure]

    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        fails = by_arrow(asked) and asked.operation == OPERATIONS[name]
        return reply if fails or (who == "both" and asked.operation == "PUT") else ask()

    proxy.hook = hook
    with pytest.raises(error if who == "both" else BackendUnavailable) as caught:
        store.write("f", NEW)
    assert (caught.value.path, caught.value.backend) == ("f", "s3-pyarrow")


@pytest.mark.spec("S3PA-011")
@pytest.mark.parametrize("job", ["write", "read"])
def test_streams_hold_a_few_parts(seaweedfs: S3Server, bucket: str, job: str) -> None:
    options = {"bucket": bucket, **seaweedfs.options, "arrow_writes": True, "arrow_from": FIRST}
    if job == "read":
        with Store(quick(bucket, seaweedfs.endpoint_url, part_size=PART)) as store:
            store.write("large", (bytes(range(256)) * 4096 for _ in range(MEBIBYTES)))
    assert added("blocking", job, "s3-pyarrow", options, MEBIBYTES) < LIMIT


@pytest.mark.spec("S3-077")
def test_what_was_not_written_whole_cannot_be_committed(
    bucket: str, seaweedfs_url: str, monkeypatch: pytest.MonkeyPatch, clean: list[list[str]]
) -> None:
    async def fails(self: Stage, api: object, body: memoryview) -> None:
        raise BackendUnavailable("no way")

    async def main() -> None:
        backend = writing(bucket, seaweedfs_url)
        writer = await backend.open_write("f")
        await writer.write(bytes(6 * MIB))
        monkeypatch.setattr(Stage, "write", fails)
        with pytest.raises(BackendUnavailable):
            await writer.write(bytes(6 * MIB))
        with pytest.raises(RemoteStoreError, match="not whole"):
            await writer.commit()
        await writer.abort()
        await backend.aclose()

    run("asyncio", main)
