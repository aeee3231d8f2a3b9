"""What is under the name after Arrow's writers fail, are left, or are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import PyFileSystem
from tests.ext.places import store_of
from tests.s3_buckets import Buckets

from remote_store import BackendUnavailable, RemoteStoreError, Store
from remote_store.backends import MemoryBackend
from remote_store.ext.arrow import pyarrow_fs
from remote_store.testing import Fault, FaultyBackend

TABLE = pa.table({"a": range(1000), "b": [str(n) for n in range(1000)]})
OTHER = pa.table({"a": ["text"]})
LARGE = pa.table({"n": pa.array(range(2_000_000), pa.int64())})


class Stop(Exception):
    """Raised by the tests' own code."""


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with store_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def before(store: Store) -> Iterator[bytes | None]:
    """Put something under the name, or nothing; see at the end that it is so still."""
    content = b"old" if isinstance(store._inner._scope.backend, MemoryBackend) else None
    if content is not None:
        store.write("f", content)
    yield content
    found = {str(info.path): store.read_bytes(info.path) for info in store.list_files(recursive=True)}
    assert found == ({} if content is None else {"f": content})


def by_stream(fs: PyFileSystem) -> None:
    with fs.open_output_stream("f") as out:
        out.write(b"part")
        raise Stop


def by_finally(fs: PyFileSystem) -> None:
    out = fs.open_output_stream("f")
    try:
        out.write(b"part")
        raise Stop
    finally:
        out.close()


def by_writer(fs: PyFileSystem) -> None:
    with pq.ParquetWriter("f", TABLE.schema, filesystem=fs) as writer:
        writer.write_table(TABLE)
        raise Stop


def by_ipc(fs: PyFileSystem) -> None:
    with fs.open_output_stream("f") as out, pyarrow.ipc.new_file(out, TABLE.schema) as writer:
        writer.write_table(TABLE)
        raise Stop


def by_csv(fs: PyFileSystem) -> None:
    with fs.open_output_stream("f") as out, pyarrow.csv.CSVWriter(out, TABLE.schema) as writer:
        writer.write_table(TABLE)
        raise Stop


def by_compressed(fs: PyFileSystem) -> None:
    with fs.open_output_stream("f", compression="gzip", buffer_size=1000) as out:
        out.write(b"part" * 1000)
        raise Stop


def in_a_handler(fs: PyFileSystem) -> None:
    try:
        raise KeyError
    except KeyError:
        by_writer(fs)


def by_generator(fs: PyFileSystem) -> None:
    def written() -> Iterator[None]:
        with fs.open_output_stream("f") as out:
            out.write(b"part")
            yield

    steps = written()
    next(steps)
    del steps  # closed early: GeneratorExit
    raise Stop


WAYS = [by_stream, by_finally, by_writer, by_ipc, by_csv, by_compressed, in_a_handler, by_generator]


@pytest.mark.spec("ARW-015", "ARW-016")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_left_by_an_exception(way: Any, fs: PyFileSystem, before: bytes | None) -> None:
    with pytest.raises(Stop) as caught:
        way(fs)
    if way is not by_generator:
        assert caught.value.__notes__ == [
            "'f' was not stored: its stream was closed while this was being raised"
        ]


@pytest.mark.spec("ARW-015")
def test_a_table_that_does_not_fit(fs: PyFileSystem, before: bytes | None) -> None:
    with (
        pytest.raises(ValueError, match="schema"),
        pq.ParquetWriter("f", TABLE.schema, filesystem=fs) as writer,
    ):
        writer.write_table(TABLE)
        writer.write_table(OTHER)
    with pytest.raises(OSError, match="BYTE_STREAM_SPLIT"):
        pq.write_table(
            TABLE,
            "f",
            filesystem=fs,
            compression={"a": "snappy"},
            column_encoding={"b": "BYTE_STREAM_SPLIT"},
            use_dictionary=False,
        )


@pytest.mark.spec("ARW-015")
def test_a_data_set_whose_source_fails(fs: PyFileSystem, before: bytes | None) -> None:
    def source() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches()
        raise Stop

    with pytest.raises(Stop):
        ds.write_dataset(source(), "d", schema=TABLE.schema, filesystem=fs, format="parquet")


@pytest.mark.spec("ARW-015")
def test_dropped(fs: PyFileSystem, before: bytes | None) -> None:
    out = fs.open_output_stream("f")
    out.write(b"part")
    del out


@pytest.mark.spec("ARW-017")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_dropped_writer(fs: PyFileSystem, before: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", lambda args: said.append(args.exc_value))
    writer = pq.ParquetWriter("f", TABLE.schema, filesystem=fs)
    writer.write_table(TABLE)
    del writer
    assert [type(error) for error in said] == [RemoteStoreError]
    assert "dropped without close()" in str(said[0])


@pytest.mark.spec("ARW-015")
@pytest.mark.parametrize("fault", ["writer.write", "writer.commit", "open_write"])
def test_storage_that_fails(fault: str) -> None:
    store = Store(FaultyBackend(MemoryBackend(), [Fault(fault, error=BackendUnavailable, times=None)]))
    with pytest.raises(BackendUnavailable):
        pq.write_table(LARGE, "f", filesystem=pyarrow_fs(store), compression="none")
    assert not store.exists("f")


@pytest.mark.spec("ARW-016")
def test_an_older_exception_does_no_harm(store: Store, fs: PyFileSystem) -> None:
    try:
        raise Stop
    except Stop:
        pq.write_table(TABLE, "f", filesystem=fs)
        with fs.open_output_stream("g") as out:
            try:
                raise KeyError
            except KeyError:
                out.write(b"whole")
    out = fs.open_output_stream("h")
    try:
        raise Stop
    except Stop:
        out.write(b"whole")
    out.close()
    out.close()
    assert pq.read_table("f", filesystem=fs).equals(TABLE)
    assert (store.read_bytes("g"), store.read_bytes("h")) == (b"whole", b"whole")


@pytest.mark.spec("ARW-015")
def test_no_upload_is_left_in_s3(request: pytest.FixtureRequest, tmp_path: Path, buckets: Buckets) -> None:
    with store_of("s3", request, tmp_path) as store:
        fs = pyarrow_fs(store)
        bucket = store._inner._scope.backend._options.bucket  # type: ignore[attr-defined]
        with (
            pytest.raises(Stop),
            pq.ParquetWriter("f", LARGE.schema, filesystem=fs, compression="none") as writer,
        ):
            writer.write_table(LARGE)
            raise Stop
        assert buckets.keys(bucket) == []
        assert buckets.unfinished(bucket) == []
