"""Transfers between storages of different kinds, on real servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.s3_buckets import Buckets
from tests.services import S3Server, SFTPServer
from tests.transfer.support import WAYS, call, content, memory

from remote_store import (
    Backend,
    FileInfo,
    PreconditionFailed,
    Store,
    TransferEvent,
    TransferFailed,
    TransferOptions,
)
from remote_store.backend import Reader
from remote_store.backends import LocalBackend, S3Backend, SFTPBackend
from remote_store.wrapper import BackendWrapper, ReaderWrapper

Place = Callable[[str], Backend]
FILES = {
    **{f"many/{number % 7}/{number:03} ü": os.urandom(number * 37) for number in range(120)},
    "empty": b"",
    "a/b/c/d/deep": b"x",
    "large": os.urandom(11 << 20),
}
KINDS = ["memory", "local", "s3", "sftp"]
PAIRS = [(source, target) for source in KINDS for target in KINDS if "memory" != source != target]


@pytest.fixture
def place(tmp_path: Path, seaweedfs: S3Server, buckets: Buckets, sshd: SFTPServer) -> Iterator[Place]:
    """Give backends of each kind, all of them empty."""
    made: list[str] = []

    def make(kind: str) -> Backend:
        if kind == "s3":
            made.append(buckets.new())
            return S3Backend(made[-1], part_size=5 << 20, **seaweedfs.options)
        (tmp_path / kind).mkdir()
        if kind == "sftp":
            return SFTPBackend(**{"base_path": str(tmp_path / kind), **sshd.options})
        return LocalBackend(tmp_path / kind) if kind == "local" else memory()

    yield make
    for bucket in made:
        assert buckets.unfinished(bucket) == []
        buckets.drop(bucket)


def filled(backend: Backend) -> Backend:
    """Return a backend with all files."""
    with Store(backend) as store:
        for path, data in FILES.items():
            store.write(path, data)
    return backend


@pytest.mark.spec("XFER-001", "XFER-015")
@pytest.mark.parametrize(("source", "target"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
@pytest.mark.parametrize("way", WAYS)
def test_copies(place: Place, source: str, target: str, way: str) -> None:
    if way in ("uvloop", "trio") and "local" in (source, target):
        pytest.skip("the other pairs cover this loop")
    left, right = filled(place(source)), place(target)
    seen: list[TransferEvent] = []
    report = call(way, "copy_tree", left, "", right, "t", on_event=seen.append)
    assert (report.done, report.failed) == (len(FILES), 0)
    there = content(right, "t")
    assert there == {f"t/{name}": data for name, data in FILES.items()}
    how = {event.detail for event in seen if event.detail}
    assert len(how) == 2
    assert all("verified" in each for each in how) == (target == "s3")


@pytest.mark.spec("XFER-009", "XFER-004")
@pytest.mark.parametrize("kind", ["local", "s3", "sftp"])
@pytest.mark.parametrize("way", ["asyncio", "blocking"])
def test_within(place: Place, kind: str, way: str) -> None:
    backend = filled(place(kind))
    seen: list[TransferEvent] = []
    assert call(way, "copy_tree", backend, "many", backend, "t", on_event=seen.append).done == 120
    assert {event.detail for event in seen if event.detail} == {"copied by the storage"}
    assert call(way, "delete_tree", backend, "many").done == 120
    assert len(content(backend)) == 123


@pytest.mark.spec("XFER-015")
@pytest.mark.parametrize("target", ["local", "s3", "sftp"])
def test_read_back(place: Place, target: str) -> None:
    left, right = filled(memory()), place(target)
    seen: list[TransferEvent] = []
    options = TransferOptions(verify="full")
    call("asyncio", "copy_tree", left, "", right, options=options, on_event=seen.append)
    assert {event.detail for event in seen if event.detail} == {
        "whole, verified by reading back", "streamed, verified by reading back",
    }  # fmt: skip


@pytest.mark.spec("XFER-021")
@pytest.mark.parametrize("kind", ["local", "s3", "sftp"])
@pytest.mark.parametrize("way", WAYS)
def test_many(place: Place, kind: str, way: str) -> None:
    backend = place(kind)
    items = [(f"f/{number:03}", b"%d" % number) for number in range(150)]
    assert len(call(way, "write_many", backend, items)) == 150
    assert call(way, "read_many", backend, [path for path, _ in items]) == items


class Grown(BackendWrapper):
    """Tells of a file what it was like before it has grown, once, and counts what is read of it."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.read = 0
        self.stale = True

    async def get_file_info(self, path: str) -> FileInfo:
        info = await super().get_file_info(path)
        size, self.stale = 5 if self.stale else info.size, False
        return FileInfo(info.path, info.name, size, info.modified_at, etag=info.etag)

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        data = await super().read_bytes(path, start=start, length=length)
        self.read += len(data)
        return data

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        assert length is None  # of a part the storage tells no checksum
        return Counting(await super().open_read(path, start=start, length=length), self)


class Counting(ReaderWrapper):
    def __init__(self, inner: Reader, backend: Grown) -> None:
        super().__init__(inner)
        self._backend = backend

    async def read(self, n: int) -> bytes:
        data = await super().read(n)
        self._backend.read += len(data)
        return data


@pytest.mark.spec("XFER-014")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["asyncio", "blocking"])
def test_a_file_that_has_grown(place: Place, kind: str, way: str) -> None:
    source, target = Grown(place(kind)), memory()
    data = os.urandom(1 << 20)
    with Store(source.inner) as store:
        store.write("f", data)
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", source, "f", target, options=TransferOptions(retries=0))
    assert isinstance(caught.value.report.failures[0].error, PreconditionFailed)
    assert source.read <= 6
    source.stale = True
    assert call(way, "copy_tree", source, "f", target).retries == 1
    assert content(target) == {"f": data}
    with Store(source.inner) as store:
        store.write("empty", b"")
    source.stale = False
    assert call(way, "copy_tree", source, "empty", target).retries == 0
