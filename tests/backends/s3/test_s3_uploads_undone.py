"""Uploads that come to no good end leave neither an object nor parts on the server."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest
from tests.backends.s3.support import MIB, Asked, Proxy, Reply, error_reply, quick
from tests.runtime.support import WORLDS, run

from remote_store import AsyncStore, BackendUnavailable, PreconditionFailed, RemoteStoreError, Store

OLD, NEW = b"old", bytes(11 * MIB)
PART = 5 * MIB


class Stop(Exception):
    """Raised by sources."""


def failing(error: BaseException, size: int) -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield bytes(MIB)
    raise error


@pytest.mark.spec("S3-019")
@pytest.mark.parametrize("world", [*WORLDS, "blocking"])
@pytest.mark.parametrize("size", [0, 4 * MIB, 5 * MIB, 11 * MIB])
@pytest.mark.parametrize("error", [Stop(), KeyboardInterrupt()], ids=repr)
def test_a_source_that_fails_leaves_nothing(
    bucket: str, seaweedfs_url: str, undone: object, world: str, size: int, error: BaseException
) -> None:
    backend = quick(bucket, seaweedfs_url, part_size=PART)
    if world == "blocking":
        with Store(backend) as store, pytest.raises(type(error)):
            store.write("f", failing(error, size), overwrite=True)
        return

    async def main() -> None:
        async with AsyncStore(backend) as store:
            with pytest.raises(Stop):
                await store.write("f", failing(Stop(), size), overwrite=True)

    run(world, main)


@pytest.mark.spec("S3-019")
@pytest.mark.parametrize("world", [*WORLDS, "blocking"])
@pytest.mark.parametrize("size", [MIB, 6 * MIB, 11 * MIB])
def test_a_writer_that_is_dropped_leaves_nothing(
    bucket: str, seaweedfs_url: str, undone: object, world: str, size: int
) -> None:
    backend = quick(bucket, seaweedfs_url, part_size=PART)
    if world == "blocking":
        with Store(backend) as store:
            stream = store.open_write("f", overwrite=True)
            stream.__enter__()
            stream.write(bytes(size))
            del stream
            gc.collect()
        return

    async def main() -> None:
        async with AsyncStore(backend) as store:
            stream = store.open_write("f", overwrite=True)
            await stream.__aenter__()
            await stream.write(bytes(size))
            del stream
            gc.collect()

    run(world, main)


FAULTS: dict[str, Callable[[], Reply]] = {
    "refused": lambda: error_reply(400, "Unheard"),
    "busy": lambda: error_reply(503, "SlowDown"),
    "reset": lambda: Reply(reset=True),
}


@pytest.mark.spec("S3-019")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("operation", "which"),
    [
        ("POST uploads", 1),
        ("PUT uploadId partNumber", 1),
        ("PUT uploadId partNumber", 3),
        ("POST uploadId", 1),
    ],
)
def test_a_request_that_fails_leaves_nothing(
    bucket: str, proxy: Proxy, undone: object, fault: str, operation: str, which: int
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        failing = asked.operation == operation and proxy.operations().count(operation) >= which
        return FAULTS[fault]() if failing else ask()

    proxy.hook = hook
    with Store(quick(bucket, proxy.url, part_size=PART)) as store:
        with pytest.raises(RemoteStoreError) as caught:
            store.write("f", NEW, overwrite=True)
    kind = RemoteStoreError if fault == "refused" else BackendUnavailable
    assert (type(caught.value), caught.value.path) == (kind, "f")


@pytest.mark.spec("S3-019")
def test_an_abort_that_fails_is_a_note_on_the_error_that_led_to_it(bucket: str, proxy: Proxy) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()  # it is done, and said to have failed: the bucket is to be left empty
        return error_reply(503, "SlowDown") if asked.method == "DELETE" else reply

    proxy.hook = hook
    with Store(quick(bucket, proxy.url, part_size=PART)) as store:
        with pytest.raises(Stop) as caught:
            store.write("f", failing(Stop(), 6 * MIB))
    assert "undoing the write failed too" in caught.value.__notes__[0]


@pytest.mark.spec("S3-023")
@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_a_source_that_changes_while_it_is_moved_stays(
    bucket: str, proxy: Proxy, seaweedfs_url: str, how: str
) -> None:
    def hook(asked: Asked, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if asked.operation == "PUT copy":
            with Store(quick(bucket, seaweedfs_url)) as other:
                if how == "changed":
                    other.write("f", b"newer", overwrite=True)
                else:
                    other.delete("f")
        return reply

    proxy.hook = hook
    with Store(quick(bucket, seaweedfs_url)) as other:
        other.write("f", OLD)
    with Store(quick(bucket, proxy.url)) as store:
        if how == "deleted":
            store.move("f", "g")
            assert not store.exists("f")
        else:
            with pytest.raises(RemoteStoreError, match="changed while it was moved") as caught:
                store.move("f", "g")
            assert (type(caught.value), caught.value.path) == (PreconditionFailed, "f")
            assert store.read_bytes("f") == b"newer"
        assert store.read_bytes("g") == OLD
