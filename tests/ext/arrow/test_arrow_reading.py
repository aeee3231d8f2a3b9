"""How Arrow reads: with how many requests, from which version, and whole data sets."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import LocalFileSystem, PyFileSystem
from tests.backends.s3.support import Proxy, quick
from tests.ext.places import store_of
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import PreconditionFailed, RemoteStoreError, Store
from remote_store.backends import MemoryBackend
from remote_store.ext.arrow import pyarrow_fs
from remote_store.wrapper import BackendWrapper, ReaderWrapper

ROWS, GROUPS, COLUMNS = 40_000, 2, 6


@pytest.fixture
def proxy(seaweedfs: S3Server) -> Iterator[Proxy]:
    made = Proxy(seaweedfs.endpoint_url)
    yield made
    made.close()


@pytest.fixture
def seen(proxy: Proxy, buckets: Buckets) -> Iterator[Store]:
    """Give a store in S3 whose requests the proxy sees."""
    bucket = buckets.new()
    with Store(quick(bucket, proxy.url)) as store:
        yield store
    buckets.drop(bucket)


def wide() -> pa.Table:
    """Return a table whose columns take 320 kB for each of two row groups, uncompressed."""
    return pa.table({f"c{n}": pa.array(range(n, n + GROUPS * ROWS), pa.int64()) for n in range(COLUMNS)})


def put(store: Store, path: str, table: pa.Table) -> int:
    plain = {"compression": "none", "use_dictionary": False, "row_group_size": ROWS}
    pq.write_table(table, path, filesystem=pyarrow_fs(store), **plain)
    return store.get_file_info(path).size


def scan(store: Store, columns: list[str] | None = None) -> pa.Table:
    with pyarrow_fs(store).open_input_file("t") as file:
        return pq.ParquetFile(file, pre_buffer=True).read(columns)


@pytest.mark.spec("ARW-013")
def test_requests_of_a_column_scan(seen: Store, proxy: Proxy) -> None:
    table = wide()
    size = put(seen, "t", table)
    proxy.asked.clear()
    found = scan(seen, ["c1", "c4"])
    assert found.equals(table.select(["c1", "c4"]))
    asked = proxy.operations()
    assert asked == ["HEAD"] + ["GET"] * (1 + 2 * GROUPS), (
        "a look, the end, and each column of each row group"
    )
    ranges = [value for each in proxy.asked for name, value in each.headers if name.lower() == "range"]
    assert sum(map(_length, ranges)) < size / 2

    proxy.asked.clear()
    assert scan(seen).equals(table)
    assert len(proxy.operations()) <= 2 + GROUPS, "columns beside each other come together"


def _length(header: str) -> int:
    first, last = header.removeprefix("bytes=").split("-")
    return int(last) - int(first) + 1


@pytest.mark.spec("ARW-013")
def test_requests_of_a_small_file(seen: Store, proxy: Proxy) -> None:
    table = pa.table({"a": range(100), "b": [str(n) for n in range(100)]})
    put(seen, "t", table)
    proxy.asked.clear()
    assert scan(seen).equals(table)
    assert proxy.operations() == ["HEAD", "GET"]


class Counted(BackendWrapper):
    """Notes which parts are opened."""

    def __init__(self) -> None:
        super().__init__(MemoryBackend())
        self.parts: list[tuple[int, int | None]] = []

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Any:
        self.parts.append((start, length))
        return await super().open_read(path, start=start, length=length)


@pytest.mark.spec("ARW-012")
def test_small_reads_come_together() -> None:
    backend = Counted()
    store = Store(backend)
    data = bytes(range(256)) * 40
    store.write("f", data)
    with pyarrow_fs(store, read_ahead=1000).open_input_file("f") as file:
        assert file.read_at(8, len(data) - 8) == data[-8:]
        assert file.read_at(500, len(data) - 1000) == data[-1000:-500]
        assert file.read_at(10, 0) == data[:10]
        assert file.read_at(900, 100) == data[100:1000]
        assert file.read_at(1000, 2000) == data[2000:3000]
        assert file.read_at(10, 2000) == data[2000:2010]
        assert file.read_at(10, len(data) - 500) == data[-500:-490]
    end = len(data) - 1000
    assert backend.parts == [(end, 1000), (0, 1000), (2000, 1000), (2000, 1000)]
    backend.parts.clear()
    with pyarrow_fs(store, read_ahead=0).open_input_file("f") as file:
        assert file.read_at(8, 0) + file.read_at(8, 0) == data[:8] * 2
    assert backend.parts == [(0, 8), (0, 8)]


@pytest.mark.spec("ARW-010", "ARW-012")
@pytest.mark.parametrize("ahead", [0, 1, 64, 300, 5000])
@pytest.mark.parametrize("size", [0, 1, 64, 1000])
def test_reads_at_any_place(ahead: int, size: int) -> None:
    data = random.Random(size).randbytes(size)
    store = Store(MemoryBackend())
    store.write("f", data)
    draw = random.Random(ahead)
    with pyarrow_fs(store, read_ahead=ahead).open_input_file("f") as file:
        for _ in range(100):
            start, count = draw.randint(0, size), draw.choice([0, 1, 10, 100, 2000])
            if draw.random() < 0.5:
                file.seek(start)
                assert file.read(count) == data[start : start + count]
                assert file.tell() == min(start + count, size)
            else:
                assert file.read_at(count, start) == data[start : start + count]


@pytest.mark.spec("ARW-011")
@pytest.mark.parametrize("first", [False, True], ids=["before the first read", "between two"])
def test_a_file_that_changes(store: Store, first: bool) -> None:
    old, new = b"o" * 600_000, b"n" * 600_000
    store.write("f", old)
    with pyarrow_fs(store).open_input_file("f") as file:
        if first:
            assert file.read_at(300_000, 0) == old[:300_000]
        store.write("f", new, overwrite=True)
        with contextlib.suppress(RemoteStoreError):
            assert file.read_at(300_000, 300_000) == old[300_000:]


class OtherTokens(BackendWrapper):
    """Has tokens of versions that are not its ETags."""

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Any:
        reader = ReaderWrapper(await super().open_read(path, start=start, length=length))
        reader.version = f"v-{reader.inner.version}"
        return reader


@pytest.mark.spec("ARW-011")
def test_tokens_that_are_no_etags() -> None:
    store = Store(OtherTokens(MemoryBackend()))
    store.write("f", b"old" * 100_000)
    fs = pyarrow_fs(store)
    with fs.open_input_file("f") as file:
        assert file.read() == b"old" * 100_000
        store.write("f", b"new" * 100_000, overwrite=True)
        with pytest.raises(PreconditionFailed):
            file.read_at(3, 0)
    with fs.open_input_file("f") as file:
        store.write("f", b"old" * 100_000, overwrite=True)
        with pytest.raises(PreconditionFailed):
            file.read_at(3, 0)


def sales() -> pa.Table:
    days, each = 54, 40
    return pa.table(
        {
            "day": [day for day in range(days) for _ in range(each)],
            "amount": [float(n % 97) for n in range(days * each)],
            "name": [f"customer {n % 13}" for n in range(days * each)],
        }
    )


def write(fs: Any, root: str) -> None:
    ds.write_dataset(
        sales(), root, filesystem=fs, format="parquet", partitioning=["day"], partitioning_flavor="hive"
    )


def answers(fs: Any, root: str) -> list[Any]:
    """Ask a data set questions that partitions, statistics and filters answer."""
    data = ds.dataset(root, filesystem=fs, format="parquet", partitioning="hive")
    order = [("day", "ascending"), ("amount", "ascending"), ("name", "ascending")]
    few = data.to_table(
        filter=(pc.field("day") >= 50) & (pc.field("amount") > 90), columns=["day", "amount", "name"]
    )
    total = data.to_table(columns=["day", "amount"]).group_by("day").aggregate([("amount", "sum")])
    return [
        len(data.files),
        data.count_rows(filter=pc.field("name") == "customer 3"),
        few.sort_by(order).to_pylist(),
        total.sort_by("day").to_pylist(),
    ]


@pytest.mark.spec("ARW-009")
@pytest.mark.parametrize("kind", ["s3", "sftp"])
def test_a_partitioned_data_set(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    local = LocalFileSystem()
    write(local, str(tmp_path / "here"))
    expected = answers(local, str(tmp_path / "here"))
    assert expected[0] == 54
    with store_of(kind, request, tmp_path) as store:
        fs: PyFileSystem = pyarrow_fs(store)
        write(fs, "sales")
        assert answers(fs, "sales") == expected
