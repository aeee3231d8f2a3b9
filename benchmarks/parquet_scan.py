"""How fast does Arrow read Parquet in S3 through our file system and its own, and with how many requests?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib import import_module
from typing import Any, Final
from urllib.request import urlopen

from benchmarks import s3_requests
from benchmarks.harness import OURS, Case, Sample, Target, Work, quiet
from benchmarks.s3_logins import BUCKET, Server, our_backend
from benchmarks.s3_requests import Clock, on_one_core, server_of

TITLE = "Parquet in S3, through Arrow"
COLUMNS, GROUPS, ROWS = 20, 4, 100_000
"""Of the large file: 64 MiB, and 800 kB for each column of a row group."""
SMALL, SMALL_ROWS = 32, 1000


def prepare(work: Work) -> None:
    """Start the server, and write the files that it shows."""
    s3_requests.prepare(work)
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    folder = work.folder / "files"
    folder.mkdir()
    rows = work.pick(ROWS, ROWS // 10)
    table = pa.table({f"c{n}": pa.array(range(n, n + GROUPS * rows), pa.int64()) for n in range(COLUMNS)})
    pq.write_table(table, folder / "large", row_group_size=rows, compression="none", use_dictionary=False)
    for number in range(SMALL):
        pq.write_table(table.slice(number * SMALL_ROWS, SMALL_ROWS), folder / f"small-{number:02}")


def ours(url: str) -> AbstractContextManager[tuple[Any, str]]:
    """Return our file system, and what stands before the names."""
    from remote_store import Store

    pyarrow_fs = import_module("remote_store.ext.arrow").pyarrow_fs

    @contextmanager
    def opened() -> Any:
        with Store(our_backend(Server(url), {})) as store:
            yield pyarrow_fs(store), ""

    return opened()


def arrows(url: str) -> AbstractContextManager[tuple[Any, str]]:
    """Return Arrow's own file system, and what stands before the names."""
    scheme, _, host = url.partition("://")
    login = {"access_key": "k", "secret_key": "s", "region": "us-east-1"}
    fs = import_module("pyarrow.fs").S3FileSystem(scheme=scheme, endpoint_override=host, **login)
    return nullcontext((fs, f"{BUCKET}/"))


def scan(columns: int, fs: Any, before: str) -> int:
    """Read columns of the large file, spread over it; return the number of rows."""
    names = [f"c{n}" for n in range(0, COLUMNS, COLUMNS // columns)]
    with fs.open_input_file(f"{before}files/large") as file:
        rows: int = import_module("pyarrow.parquet").ParquetFile(file, pre_buffer=True).read(names).num_rows
    return rows


def many(fs: Any, before: str) -> int:
    """Read a data set of small files with a filter; return the number of rows."""
    paths = [f"{before}files/small-{number:02}" for number in range(SMALL)]
    data = import_module("pyarrow.dataset").dataset(paths, filesystem=fs, format="parquet")
    rows: int = data.to_table(
        columns=["c0", "c7"], filter=import_module("pyarrow.compute").field("c3") >= 0
    ).num_rows
    return rows


def measure(opened: Callable[[str], Any], read: Callable[..., int], kind: str, work: Work) -> Sample:
    on_one_core()
    url = server_of(work, kind).url
    with opened(url) as (fs, before):
        expected = read(fs, before)
        first = requests(url)
        with quiet(), Clock() as clock:
            rows = read(fs, before)
        count = requests(url) - first
    assert rows == expected > 0
    return Sample(clock.wall, f"{count} requests, {clock.processor * 1000:,.0f} ms of client")


def requests(url: str) -> int:
    with urlopen(f"{url}/requests") as answer:
        return int(answer.read())


READS: Final[dict[str, Callable[..., int]]] = {
    "2 of 20 columns": partial(scan, 2),
    "all columns": partial(scan, COLUMNS),
    f"{SMALL} small files": many,
}
PEERS: Final = {OURS: (OURS, ours), "pyarrow": ("pyarrow", arrows)}
GROUPED: Final = {
    f"{name}, {place}": (read, kind)
    for place, kind in (("near", "plain"), ("10 ms away", "late"))
    for name, read in READS.items()
}
CASES = [
    Case(group, label, partial(measure, opened, read, kind), process, "ms")
    for group, (read, kind) in GROUPED.items()
    for label, (process, opened) in PEERS.items()
]
TARGETS = [Target(group, "level with pyarrow's own", 1.1, "pyarrow") for group in GROUPED]
