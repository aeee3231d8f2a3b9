"""A partitioned data set, written and queried by four libraries over stores on servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from tests.s3_buckets import Buckets
from tests.services import S3Server, SFTPServer

from remote_store.ext.fsspec import RemoteStoreFileSystem

pytestmark = pytest.mark.spec("FSS-023")

ROWS = 2000
QUERY = (
    "SELECT region, sum(value) AS total, count(*) AS n FROM {} WHERE day >= 4 GROUP BY region ORDER BY region"
)


def frame() -> pd.DataFrame:
    """Return rows that fall into 5 x 10 partitions."""
    numbers = range(ROWS)
    return pd.DataFrame(
        {
            "value": [n * 7 % 1000 for n in numbers],
            "text": [f"row {n}" for n in numbers],
            "region": [f"r{n % 5}" for n in numbers],
            "day": [n // 5 % 10 for n in numbers],
        }
    )


def totals(frame: Any) -> list[tuple[str, int, int]]:
    """Return what ``QUERY`` asks for, as pandas computes it."""
    chosen = frame[frame["day"].astype(int) >= 4]
    groups = chosen.groupby(chosen["region"].astype(str))["value"]
    return [(name, int(values.sum()), len(values)) for name, values in groups]


@pytest.fixture(scope="module")
def options(
    seaweedfs: S3Server, buckets: Buckets, sshd: SFTPServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Give the storage options that name two stores on servers."""
    bucket, root = buckets.new(), str(tmp_path_factory.mktemp("use"))
    config = {
        "backends": {
            "s3": {"type": "s3", "options": {"bucket": bucket, **seaweedfs.options}},
            "sftp": {"type": "sftp", "options": {"base_path": root, **sshd.options}},
        },
        "stores": {"s3": {"backend": "s3", "root_path": "lake"}, "sftp": {"backend": "sftp"}},
    }
    yield {"config": config}
    RemoteStoreFileSystem.clear_instance_cache()
    buckets.drop(bucket)


@pytest.fixture(scope="module", params=["s3", "sftp"])
def place(request: pytest.FixtureRequest, options: dict[str, Any]) -> str:
    """Give the path of the data set, which pandas has written, in 50 files."""
    name = f"{request.param}/data"
    frame().to_parquet(f"remote-store://{name}", partition_cols=["region", "day"], storage_options=options)
    return name


@pytest.fixture
def fs(options: dict[str, Any]) -> RemoteStoreFileSystem:
    return RemoteStoreFileSystem(**options)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the same data set on local disk, written without this library."""
    folder = tmp_path_factory.mktemp("local") / "data"
    frame().to_parquet(folder, partition_cols=["region", "day"])
    return folder


def test_what_was_written_is_what_local_disk_has(fs: RemoteStoreFileSystem, place: str, local: Path) -> None:
    found = fs.find(place)
    here = list(local.rglob("*.parquet"))
    assert len(found) == len(here) == 50
    assert {path.rpartition("/")[0].removeprefix(f"{place}/") for path in found} == {
        str(path.parent.relative_to(local)) for path in here
    }


def test_pandas(place: str, options: dict[str, Any], local: Path, tmp_path: Path) -> None:
    url = f"remote-store://{place}"
    there = pd.read_parquet(url, storage_options=options)
    assert len(there) == ROWS
    assert totals(there) == totals(pd.read_parquet(local)) == totals(frame())
    part = pd.read_parquet(url, columns=["value"], filters=[("region", "=", "r1")], storage_options=options)
    assert part["value"].sum() == frame().query("region == 'r1'")["value"].sum()
    store = place.partition("/")[0]
    for name in ("rows.csv", "rows.csv.gz"):
        frame().to_csv(f"remote-store://{store}/{name}", index=False, storage_options=options)
        back = pd.read_csv(f"remote-store://{store}/{name}", storage_options=options)
        pd.testing.assert_frame_equal(back, frame(), check_dtype=False)


def test_pyarrow(fs: RemoteStoreFileSystem, place: str, local: Path) -> None:
    def asked(found: ds.Dataset) -> Any:
        return found.to_table(columns=["region", "value"], filter=ds.field("day") >= 4).group_by("region")

    def summed(found: ds.Dataset) -> list[Any]:
        table = asked(found).aggregate([("value", "sum"), ("value", "count")]).sort_by("region")
        return [tuple(row.values()) for row in table.to_pylist()]

    there = ds.dataset(place, filesystem=fs, partitioning="hive")
    expected = summed(ds.dataset(local, partitioning="hive"))
    assert summed(there) == expected
    assert [tuple(sorted(map(str, row))) for row in expected] == [
        tuple(sorted(map(str, row))) for row in totals(frame())
    ]
    copy = f"{place.partition('/')[0]}/arrow"
    ds.write_dataset(there, copy, filesystem=fs, format="parquet", partitioning=["region"])
    assert pq.read_table(copy, filesystem=fs).num_rows == ROWS
    fs.rm(copy, recursive=True)


def test_duckdb(fs: RemoteStoreFileSystem, place: str, local: Path) -> None:
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        source = "read_parquet('{}/**/*.parquet', hive_partitioning=true)"
        there = connection.sql(QUERY.format(source.format(f"remote-store://{place}"))).fetchall()
        here = connection.sql(QUERY.format(source.format(local))).fetchall()
        assert there == here == totals(frame())
        target = f"remote-store://{place.partition('/')[0]}/duck.parquet"
        connection.sql(f"COPY (SELECT 42 AS answer, 'x' AS text) TO '{target}' (FORMAT parquet)")
        assert connection.sql(f"SELECT * FROM read_parquet('{target}')").fetchall() == [(42, "x")]
        _copy_in_partitions(connection, f"remote-store://{place.partition('/')[0]}/parts")


def _copy_in_partitions(connection: duckdb.DuckDBPyConnection, target: str) -> None:
    """Write and add to a data set; without an option DuckDB lists the new folder, which is none in S3."""
    rows = "SELECT range AS v, range % 3 AS r FROM range(9)"
    copy = f"COPY ({rows}) TO '{target}' (FORMAT parquet, PARTITION_BY (r){{}})"
    source = f"read_parquet('{target}/*/*.parquet', hive_partitioning=true)"
    if target.startswith("remote-store://s3"):
        with pytest.raises(duckdb.Error, match="there is no such file or folder"):
            connection.sql(copy.format(""))
    for option, times in (("OVERWRITE_OR_IGNORE", 1), ("OVERWRITE_OR_IGNORE", 1), ("APPEND", 2)):
        connection.sql(copy.format(f", {option}"))
        found = connection.sql(f"SELECT sum(v), count(*) FROM {source} WHERE r > 0").fetchall()
        assert found == [(27 * times, 6 * times)]


def test_polars(fs: RemoteStoreFileSystem, place: str, local: Path) -> None:
    def summed(rows: pl.LazyFrame) -> list[Any]:
        chosen = rows.filter(pl.col("day") >= 4).group_by(pl.col("region").cast(pl.String))
        return chosen.agg(pl.col("value").sum(), pl.len()).sort("region").collect().rows()

    there = pl.scan_pyarrow_dataset(ds.dataset(place, filesystem=fs, partitioning="hive"))
    here = pl.scan_parquet(local / "**" / "*.parquet", hive_partitioning=True)
    assert summed(there) == summed(here) == totals(frame())
    path = f"{place.partition('/')[0]}/polars.parquet"
    with fs.open(path, "wb") as file:
        pl.from_pandas(frame()).write_parquet(file)
    with fs.open(path, "rb") as file:
        assert pl.read_parquet(file, columns=["value"])["value"].sum() == frame()["value"].sum()
