"""The file system of fsspec, where the storage is not the point: in memory and on local disk."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest

from remote_store import (
    AsyncStore,
    Backend,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    PreconditionFailed,
    RegistryConfig,
    RemoteStoreError,
    Store,
    WriteOptions,
    WriteResult,
)
from remote_store.backend import Reader
from remote_store.backends import LocalBackend, MemoryBackend, S3Backend
from remote_store.ext.fsspec import RemoteStoreFileSystem
from remote_store.wrapper import BackendWrapper

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@pytest.fixture(autouse=True)
def nothing_is_left_open() -> Iterator[None]:
    yield
    RemoteStoreFileSystem.clear_instance_cache()


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Give a store, once where folders go with their last file and files have an ETag, and once not."""
    return Store(MemoryBackend() if request.param == "memory" else LocalBackend(tmp_path / "root"))


@pytest.fixture
def fs(store: Store) -> RemoteStoreFileSystem:
    return RemoteStoreFileSystem(store=store)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a configuration with two stores on this machine."""
    file = tmp_path / "remote-store.toml"
    file.write_text(
        f"""
        [backends]
        disk = {{type = "local", options = {{root = "{tmp_path / "disk"}"}}}}
        other = {{type = "local", options = {{root = "{tmp_path / "other"}"}}}}
        [stores]
        reports = {{backend = "disk", root_path = "reports"}}
        archive = {{backend = "disk", root_path = "archive"}}
        far = {{backend = "other"}}
        """
    )
    return file


# -- which stores --------------------------------------------------------------


@pytest.mark.spec("FSS-001")
def test_over_a_store_paths_are_those_of_the_store(store: Store) -> None:
    for each in (store, store.child("a")):
        RemoteStoreFileSystem(store=each).pipe_file("a/f", b"x")
    assert {str(info.path) for info in store.list_files(recursive=True)} == {"a/f", "a/a/f"}
    awaited = RemoteStoreFileSystem(store=AsyncStore(MemoryBackend()))
    awaited.pipe_file("/a/f", b"x")
    assert awaited.find("remote-store://") == ["a/f"]


@pytest.mark.spec("FSS-001", "FSS-003", "FSS-018")
def test_over_a_configuration_paths_begin_with_a_store(config: Path) -> None:
    fs = RemoteStoreFileSystem(config=config)
    assert fs.ls("", detail=False) == ["archive", "far", "reports"]
    assert fs.info("") == {"name": "", "size": 0, "type": "directory"}
    fs.pipe({"reports/may.csv": b"1", "reports/sub/june.csv": b"2"})
    fs.cp("reports/sub/june.csv", "archive/old/june.csv")
    fs.cp("reports/sub", "far/sub", recursive=True)
    fs.mv("reports/may.csv", "far/may.csv")
    assert fs.find("") == [
        "archive/old/june.csv", "far/may.csv", "far/sub/june.csv", "reports/sub/june.csv",
    ]  # fmt: skip
    assert fs.glob("*/*/june.csv") == ["archive/old/june.csv", "far/sub/june.csv", "reports/sub/june.csv"]
    assert [fs.isdir("reports"), fs.isdir(""), fs.isfile("")] == [True, True, False]
    with pytest.raises(NotFound, match="archive, far, reports"):
        fs.info("missing/f")
    assert not fs.exists("missing/f")
    for name in ("", "far"):
        with pytest.raises(InvalidPath):
            fs.pipe_file(name, b"")


@pytest.mark.spec("FSS-001", "FSS-002")
def test_the_usual_configuration(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTE_STORE_CONFIG", str(config))
    with fsspec.open("remote-store://reports/a.txt", "w") as file:
        file.write("hello")
    with fsspec.open("remote-store://reports/a.txt", "r") as file:
        assert file.read() == "hello"
    fs, path = fsspec.url_to_fs("remote-store://reports/a.txt")
    assert (type(fs), path) == (RemoteStoreFileSystem, "reports/a.txt")
    assert fs.unstrip_protocol(path) == "remote-store://reports/a.txt"


@pytest.mark.spec("FSS-002")
def test_a_second_name_without_a_hyphen(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Xarray takes "remote-store://" for a path of this machine, and writes there."""
    monkeypatch.setenv("REMOTE_STORE_CONFIG", str(config))
    specs = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]["fsspec.specs"]
    assert set(specs) == set(RemoteStoreFileSystem.protocol)
    for protocol, place in specs.items():
        fsspec.register_implementation(protocol, place.replace(":", "."), clobber=True)
        with fsspec.open(f"{protocol}://reports/{protocol}", "wb") as file:
            file.write(b"1")
        fs, path = fsspec.url_to_fs(f"{protocol}://reports/{protocol}")
        assert (type(fs), path) == (RemoteStoreFileSystem, f"reports/{protocol}")
        assert fs.cat_file(f"{protocol}://reports/{protocol}") == b"1"
    assert (
        len([protocol for protocol in specs if re.match(r"^[a-z][a-z0-9]*(\://|\:\:)", f"{protocol}://")])
        == 1
    )


@pytest.mark.spec("FSS-002")
def test_nothing_is_imported_without_need() -> None:
    code = "import sys, remote_store, remote_store.ext; assert 'fsspec' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.spec("FSS-003")
def test_arguments_that_make_no_sense(
    store: Store, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "..")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("REMOTE_STORE_CONFIG", raising=False)
    with pytest.raises(ValueError, match=r"there is no configuration: make remote-store\.toml"):
        RemoteStoreFileSystem()
    with pytest.raises(ValueError, match="not both"):
        RemoteStoreFileSystem(store=store, config=config)
    with pytest.raises(TypeError, match="store must be a store or a URL, not int"):
        RemoteStoreFileSystem(store=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="config must be a file, a mapping or RegistryConfig, not int"):
        RemoteStoreFileSystem(config=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scheme"):
        RemoteStoreFileSystem(store="nothing://here")


@pytest.mark.spec("FSS-004", "FSS-005")
def test_pickling(config: Path, tmp_path: Path) -> None:
    mapping: dict[str, Any] = {
        "backends": {"disk": {"type": "local", "options": {"root": str(tmp_path / "disk")}}}
    }
    mapping["stores"] = {"reports": {"backend": "disk", "root_path": "reports"}}
    RemoteStoreFileSystem(config=config).pipe_file("reports/f", b"content")
    for options in ({"config": config}, {"config": mapping}, {"config": RegistryConfig.from_dict(mapping)}):
        fs = RemoteStoreFileSystem(**options)
        assert pickle.loads(pickle.dumps(fs)).cat_file("reports/f") == b"content"
        with fs.open("reports/f") as file:
            file.seek(3)
            assert pickle.loads(pickle.dumps(file)).read() == b"tent"
    fs = RemoteStoreFileSystem(store=f"file://{tmp_path}/disk/reports")
    assert pickle.loads(pickle.dumps(fs)).cat_file("f") == b"content"
    with Store(LocalBackend(tmp_path / "disk"), "reports") as store:
        fs = RemoteStoreFileSystem(store=store)
        again = pickle.loads(pickle.dumps(fs))
        assert again.cat_file("f") == b"content"
        assert again == fs
    with pytest.raises(TypeError, match="cannot be pickled; make it from a configuration or a URL"):
        pickle.dumps(RemoteStoreFileSystem(store=Store(MemoryBackend())))


@pytest.mark.spec("FSS-004", "FSS-006")
@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_in_another_process(config: Path, method: str) -> None:
    fs = RemoteStoreFileSystem(config=config)
    fs.pipe({"reports/a": b"1", "reports/b": b"22"})
    fs.cat_ranges(["reports/a"], [0], [1])  # the loops run before the fork
    context: Any = multiprocessing.get_context(method)
    process = context.Process(target=_in_child, args=(fs,))
    process.start()
    process.join(100)
    assert process.exitcode == 0
    assert fs.cat_file("reports/c") == b"333"


def _in_child(fs: RemoteStoreFileSystem) -> None:
    assert fs.cat(["reports/a", "reports/b"]) == {"reports/a": b"1", "reports/b": b"22"}
    fs.pipe_file("reports/c", b"333")


@pytest.mark.spec("FSS-005")
def test_equal_file_systems_share_their_stores(config: Path) -> None:
    first, second = RemoteStoreFileSystem(store="memory://"), RemoteStoreFileSystem(store="memory://")
    first.pipe_file("f", b"x")
    assert second.cat_file("f") == b"x"
    assert first == second
    assert RemoteStoreFileSystem(config=config) == RemoteStoreFileSystem(config=config)
    RemoteStoreFileSystem.clear_instance_cache()
    with pytest.raises(RemoteStoreError, match="closed"):
        first.cat_file("f")
    assert not RemoteStoreFileSystem(store="memory://").exists("f")


@pytest.mark.spec("FSS-005")
def test_different_stores_are_not_equal() -> None:
    store, other = Store(MemoryBackend()), Store(MemoryBackend())
    fs = RemoteStoreFileSystem(store=store)
    assert fs == RemoteStoreFileSystem(store=store)
    assert fs.fsid == RemoteStoreFileSystem(store=store).fsid
    assert fs != RemoteStoreFileSystem(store=other)
    assert fs != RemoteStoreFileSystem(store=store.child("a"))
    assert len({fs, RemoteStoreFileSystem(store=store), RemoteStoreFileSystem(store=other)}) == 2
    RemoteStoreFileSystem.clear_instance_cache()
    store.write("f", b"")  # still the caller's


@pytest.mark.spec("FSS-006")
def test_inside_of_a_running_loop_and_in_threads(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    def everything(n: int) -> bytes:
        fs.pipe({f"{n}/a": b"1", f"{n}/b": b"22"})
        fs.cp(f"{n}/a", f"{n}/c")
        fs.get(f"{n}/c", str(tmp_path / f"{n}"))
        fs.put(str(tmp_path / f"{n}"), f"{n}/d")
        fs.rm(f"{n}/a")
        return b"".join(fs.cat_ranges([f"{n}/b", f"{n}/d"], 0, 1))

    async def main() -> bytes:
        return everything(0)

    assert asyncio.run(main()) == b"21"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(everything, range(1, 5))) == [b"21"] * 4
    assert [path for path in fs.find("") if path.endswith("d")] == ["0/d", "1/d", "2/d", "3/d", "4/d"]


@pytest.mark.spec("FSS-006")
def test_awaited(store: Store) -> None:
    async def main() -> None:
        fs = RemoteStoreFileSystem(store=store, asynchronous=True)
        await fs._pipe({"a/f": b"12345", "a/g": b"6"})
        assert await fs._cat_ranges(["a/f", "a/g"], [1, 0], [3, 1]) == [b"23", b"6"]
        assert await fs._find("") == ["a/f", "a/g"]
        await fs._rm("a", recursive=True)
        assert not await fs._exists("a/f")

    asyncio.run(main())


# -- reading -------------------------------------------------------------------


@pytest.mark.spec("FSS-007")
def test_parts(fs: RemoteStoreFileSystem) -> None:
    data = bytes(range(20))
    fs.pipe_file("f", data)
    for start in (None, 0, 3, 20, 25, -4, -25):
        for end in (None, 0, 7, 20, 25, -3, -25):
            assert fs.cat_file("f", start, end) == data[start:end], (start, end)
    assert fs.head("f", 4) == data[:4]
    assert fs.tail("f", 4) == data[-4:]
    found = fs.cat_ranges(["f", "f", "missing"], [0, -3, 0], [2, None, 1])
    assert found[:2] == [data[:2], data[-3:]]
    assert isinstance(found[2], FileNotFoundError)


@pytest.mark.spec("FSS-008")
def test_an_open_file(fs: RemoteStoreFileSystem) -> None:
    data = b"".join(b"line %d\n" % n for n in range(1000))
    fs.pipe_file("a/f", data)
    with fs.open("a/f", block_size=100) as file:
        assert file.size == len(data)
        assert file.readline() == b"line 0\n"
        assert file.seek(-7, io.SEEK_END) == len(data) - 7
        assert file.read() == data[-7:]
        assert file.read(5) == b""
        file.seek(0)
        assert list(file) == data.splitlines(keepends=True)
        assert file.info()["name"] == "a/f"
    assert file.closed
    with fs.open("a/f", "r", encoding="ascii", newline="\n") as text:
        assert text.read() == data.decode()
    with pytest.raises(FileNotFoundError):
        fs.open("missing")


@pytest.mark.spec("FSS-008")
def test_a_file_that_changes_while_it_is_read() -> None:
    store = Store(MemoryBackend())
    fs = RemoteStoreFileSystem(store=store)
    fs.pipe_file("f", b"a" * 1000)
    with fs.open("f", block_size=10) as file:
        assert file.read(5) == b"aaaaa"
        fs.pipe_file("f", b"b" * 1000)
        with pytest.raises(PreconditionFailed, match="changed while it was being read"):
            file.read(500)


class Watched(BackendWrapper):
    """A backend that keeps note of what it was asked for."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.asked: list[Any] = []

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        self.asked.append((start, length))
        return await super().open_read(path, start=start, length=length)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        self.asked.append(("copy", src, dst))
        return await super().copy(src, dst, overwrite=overwrite)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        self.asked.append(("move", src, dst))
        return await super().move(src, dst, overwrite=overwrite)


@pytest.mark.spec("FSS-009")
def test_only_what_is_read_is_fetched() -> None:
    backend = Watched(MemoryBackend())
    fs = RemoteStoreFileSystem(store=Store(backend))
    fs.pipe_file("f", bytes(1_000_000))
    with fs.open("f", block_size=1000, cache_type="none") as file:
        file.seek(500_000)
        assert len(file.read(10)) == 10
    with fs.open("f", block_size=1000) as file:
        file.seek(500_000)
        assert len(file.read(10)) == len(file.read(10)) == 10
    assert backend.asked == [(500_000, 10), (500_000, 1010)]


# -- writing -------------------------------------------------------------------


@pytest.mark.spec("FSS-010")
@pytest.mark.parametrize("size", [0, 5, 9_000_000])
def test_a_file_is_stored_when_it_is_closed(fs: RemoteStoreFileSystem, size: int) -> None:
    data = os.urandom(size)
    file = fs.open("a/f", "wb")
    for offset in range(0, size, 1_000_000):
        file.write(data[offset : offset + 1_000_000])
    assert file.tell() == size
    assert not fs.exists("a/f")
    file.close()
    file.close()
    assert fs.cat_file("a/f") == data
    with pytest.raises(ValueError, match=r"closed|write mode"):
        file.write(b"more")


@pytest.mark.spec("FSS-010")
@pytest.mark.parametrize("mode", ["wb", "w"])
@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("size", [5, 9_000_000])
def test_an_error_leaves_what_was_there(
    fs: RemoteStoreFileSystem, mode: str, before: bytes | None, size: int
) -> None:
    if before is not None:
        fs.pipe_file("f", before)
    error = ZeroDivisionError()
    for block in (fs.open("f", mode), fsspec.core.OpenFile(fs, "f", mode)):
        with pytest.raises(ZeroDivisionError) as caught, block as file:
            file.write(bytes(size) if mode == "wb" else "x" * size)
            raise error
        assert caught.value is error
    assert fs.find("") == ([] if before is None else ["f"])
    assert before is None or fs.cat_file("f") == before


@pytest.mark.spec("FSS-010")
def test_compressed_files(fs: RemoteStoreFileSystem) -> None:
    with fs.open("f.gz", "wt", compression="infer") as file:
        file.write("text")
    with fs.open("f.gz", "rt", compression="gzip") as file:
        assert file.read() == "text"
    assert fs.cat_file("f.gz")[:2] == b"\x1f\x8b"
    with pytest.raises(ZeroDivisionError), fs.open("f.gz", "wb", compression="gzip") as file:
        file.write(b"other")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), fsspec.core.OpenFile(fs, "f.gz", "wb", compression="gzip") as file:
        file.write(b"other")
        raise ZeroDivisionError
    with fs.open("f.gz", "rt", compression="gzip") as file:
        assert file.read() == "text"


@pytest.mark.spec("FSS-010")
def test_a_file_that_is_closed_while_an_error_is_handled(fs: RemoteStoreFileSystem) -> None:
    file = fs.open("f", "wb")
    file.write(b"x")
    try:
        raise KeyError("x")
    except KeyError:
        with pytest.raises(KeyError) as caught:
            file.close()
        with fs.open("g", "wb") as other:
            other.write(b"y")
    assert caught.value.__notes__ == ["'f' was not stored: its stream was closed while this was being raised"]
    assert fs.find("") == ["g"]


@pytest.mark.spec("FSS-010")
def test_discarded_and_dropped_files(fs: RemoteStoreFileSystem) -> None:
    file = fs.open("f", "wb")
    file.write(b"x")
    file.discard()
    file.close()
    file = fs.open("f", "wb")
    file.write(b"x")
    with pytest.warns(ResourceWarning, match="'f' was not closed after it was written, so it is not stored"):
        del file
    gc.collect()
    assert fs.find("") == []


@pytest.mark.spec("FSS-010")
@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("mode", ["w", "wb", "xt"])
def test_dropped_text_and_compressed_files(
    fs: RemoteStoreFileSystem, mode: str, compression: str | None
) -> None:
    file = fs.open("f", mode, compression=compression)
    file.write(b"x" if "b" in mode else "x")
    with pytest.warns(ResourceWarning, match="'f' was not closed after it was written, so it is not stored"):
        del file
    gc.collect()
    assert fs.find("") == []


@pytest.mark.spec("FSS-011")
def test_exactly_one_creates_a_file(fs: RemoteStoreFileSystem) -> None:
    barrier = threading.Barrier(8)

    def create(n: int) -> int | None:
        barrier.wait(60)
        try:
            if n % 2:
                fs.pipe_file("f", b"%d" % n, mode="create")
            else:
                with fs.open("f", "xb") as file:
                    file.write(b"%d" % n)
        except FileExistsError:
            return None
        return n

    with ThreadPoolExecutor(8) as pool:
        winners = [n for n in pool.map(create, range(8)) if n is not None]
    assert len(winners) == 1
    assert fs.cat_file("f") == b"%d" % winners[0]
    with pytest.raises(FileExistsError):
        fs.open("f", "x")


@pytest.mark.spec("FSS-012")
@pytest.mark.parametrize("mode", ["ab", "a", "r+b", "r+", "w+b"])
def test_modes_that_change_in_place(fs: RemoteStoreFileSystem, mode: str) -> None:
    fs.pipe_file("f", b"x")
    with pytest.raises(NotImplementedError, match="read the file and write it anew") as caught:
        fs.open("f", mode)
    assert isinstance(caught.value, CapabilityNotSupported)
    assert fs.cat_file("f") == b"x"


@pytest.mark.spec("FSS-013")
def test_transactions(fs: RemoteStoreFileSystem) -> None:
    with fs.transaction:
        with fs.open("a", "wb") as file:
            file.write(b"1")
        fs.pipe_file("b", b"2")
        fs.pipe({"c": b"3"})
        assert fs.find("") == []
    assert fs.cat(["a", "b", "c"]) == {"a": b"1", "b": b"2", "c": b"3"}
    with pytest.raises(ZeroDivisionError), fs.transaction:
        fs.pipe_file("a", b"4")
        fs.pipe_file("d", b"4", mode="create")
        raise ZeroDivisionError
    assert fs.cat_file("a") == b"1"
    assert not fs.exists("d")
    fs.pipe_file("d", b"5")
    assert fs.cat_file("d") == b"5"


@pytest.mark.spec("FSS-013")
@pytest.mark.parametrize("mode", ["wb", "w", "gz"])
def test_a_transaction_with_an_unclosed_file_stores_nothing(fs: RemoteStoreFileSystem, mode: str) -> None:
    fs.pipe({"a": b"old", "b": b"old"})
    with pytest.raises(RemoteStoreError, match="not closed before its transaction ended") as caught:
        with fs.transaction:
            fs.pipe_file("b", b"new")
            file = fs.open("a", "wt" if mode == "w" else "wb", compression="gzip" if mode == "gz" else None)
            file.write("new content" if mode == "w" else b"new content")
    assert caught.value.path == "a"
    fs.pipe_file("c", b"after")
    with contextlib.suppress(ValueError):  # what a compressor holds has no place to go any more
        file.close()
    assert fs.cat(["a", "b", "c"]) == {"a": b"old", "b": b"old", "c": b"after"}


@pytest.mark.spec("FSS-013")
def test_a_file_that_is_committed_by_hand(fs: RemoteStoreFileSystem) -> None:
    fs.pipe_file("a", b"old")
    file = fs.open("a", "wb", autocommit=False)
    file.write(b"new")
    with pytest.raises(RemoteStoreError, match="not closed"):
        file.commit()
    assert fs.cat_file("a") == b"old"
    file = fs.open("a", "wb", autocommit=False)
    file.write(b"new")
    file.close()
    assert fs.cat_file("a") == b"old"
    file.commit()
    assert fs.cat_file("a") == b"new"


@pytest.mark.spec("FSS-028")
def test_what_is_stored_beside_a_file(tmp_path: Path) -> None:
    fs = RemoteStoreFileSystem(store=Store(MemoryBackend()))
    (tmp_path / "f").write_bytes(b"1")
    options: dict[str, Any] = {"content_type": "text/x", "metadata": {"a": "b"}}
    fs.open("opened", "w", encoding="ascii", **options).close()
    fs.pipe({"piped": b""}, **options)
    fs.put(str(tmp_path / "f"), "put", **options)
    with fs.transaction:
        fs.pipe_file("later", b"", **options)
    assert {fs.info(name)["content_type"] for name in fs.find("")} == {"text/x"}
    assert len(fs.find("")) == 4


@pytest.mark.spec("FSS-028")
def test_keywords_and_modes_that_mean_nothing(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    fs.pipe_file("f", b"old")
    (tmp_path / "up").write_bytes(b"1")
    for mode in ("wb", "w", "rb", "r"):
        with pytest.raises(TypeError, match=r"unknown keyword 'nonsense'; .* content_type"):
            fs.open("f", mode, nonsense=3)
    with pytest.raises(TypeError, match="content_type: this is for writing"):
        fs.open("f", "rb", content_type="text/x")
    for call in (
        lambda **options: fs.pipe_file("f", b"x", **options),
        lambda **options: fs.put_file(str(tmp_path / "up"), "f", **options),
    ):
        with pytest.raises(TypeError, match="unknown keyword 'nonsense'"):
            call(nonsense=3)
        with pytest.raises(ValueError, match="mode must be 'overwrite' or 'create', not 'creat'"):
            call(mode="creat")
    assert fs.cat_file("f") == b"old"


@pytest.mark.spec("FSS-012", "FSS-028")
def test_touch(fs: RemoteStoreFileSystem) -> None:
    fs.touch("f", truncate=False)
    assert fs.cat_file("f") == b""
    fs.pipe_file("f", b"x")
    with pytest.raises(CapabilityNotSupported, match="the time of a file is that of its writing"):
        fs.touch("f", truncate=False)
    assert fs.cat_file("f") == b"x"
    fs.touch("f")
    assert fs.cat_file("f") == b""


# -- looking -------------------------------------------------------------------


@pytest.mark.spec("FSS-014", "FSS-015")
def test_info_and_ls(store: Store, fs: RemoteStoreFileSystem) -> None:
    fs.pipe({"a/f": b"123", "a/b/g": b"4"})
    info = store.get_file_info("a/f")
    entry = fs.info("a/f")
    assert info.modified_at is not None
    assert entry.pop("mtime") == info.modified_at.timestamp()
    assert entry.pop("etag", None) == info.etag
    assert entry == {"name": "a/f", "size": 3, "type": "file"}
    assert fs.ls("a") == [{"name": "a/b", "size": 0, "type": "directory"}, fs.info("a/f")]
    assert fs.ls("a/f") == [fs.info("a/f")]
    assert fs.ls("/a/", detail=False) == ["a/b", "a/f"]
    store.write("a/new", b"")
    assert fs.ls("a", detail=False) == ["a/b", "a/f", "a/new"]
    assert fs.du("a") == 4
    assert fs.du("a", total=False) == {"a/f": 3, "a/b/g": 1, "a/new": 0}
    assert fs.size("a/f") == 3
    assert fs.sizes(["a/f", "a/b/g"]) == [3, 1]


@pytest.mark.spec("FSS-014")
def test_what_the_storage_tells_more() -> None:
    store = Store(MemoryBackend())
    store.write("f", b"", options=WriteOptions(content_type="text/plain"))
    assert RemoteStoreFileSystem(store=store).info("f")["content_type"] == "text/plain"


@pytest.mark.spec("FSS-015", "FSS-021")
def test_what_is_not_there(fs: RemoteStoreFileSystem) -> None:
    fs.pipe_file("a/f", b"")
    for path in ("missing", "a/missing", "a/f/below"):
        for call in (fs.info, fs.ls, fs.cat_file, fs.rm_file, fs.open, fs.modified, fs.rm):
            with pytest.raises(FileNotFoundError) as caught:
                call(path)
            assert isinstance(caught.value, RemoteStoreError) or call == fs.rm
        assert [fs.exists(path), fs.isfile(path), fs.isdir(path)] == [False] * 3
        assert fs.find(path) == [] == fs.glob(f"{path}/*")
        assert list(fs.walk(path)) == []
    failures: list[Any] = []
    assert list(fs.walk("missing", on_error=failures.append)) == []
    assert [type(error) for error in failures] == [NotFound]
    with pytest.raises(FileNotFoundError):
        list(fs.walk("missing", on_error="raise"))


@pytest.mark.spec("FSS-016")
def test_trees(fs: RemoteStoreFileSystem) -> None:
    fs.pipe({"a/f": b"1", "a/b/g": b"2", "a/b/c/h": b"3", "d": b"4"})
    assert fs.find("") == ["a/b/c/h", "a/b/g", "a/f", "d"]
    assert fs.find("a", withdirs=True) == ["a", "a/b", "a/b/c", "a/b/c/h", "a/b/g", "a/f"]
    assert fs.find("a", maxdepth=1) == ["a/f"]
    assert fs.find("a", maxdepth=2, withdirs=True) == ["a", "a/b", "a/b/c", "a/b/g", "a/f"]
    assert fs.find("d") == ["d"]
    assert fs.find("a", detail=True)["a/f"] == fs.info("a/f")
    assert list(fs.walk("")) == [
        ("", ["a"], ["d"]), ("a", ["b"], ["f"]), ("a/b", ["c"], ["g"]), ("a/b/c", [], ["h"]),
    ]  # fmt: skip
    assert [step[0] for step in fs.walk("a", topdown=False)] == ["a/b/c", "a/b", "a"]
    assert [step[0] for step in fs.walk("a", maxdepth=2)] == ["a", "a/b"]
    assert list(fs.walk("d")) == [("d", [], [""])]
    assert fs.glob("a/**/[gh]") == ["a/b/c/h", "a/b/g"]
    assert fs.glob("a/*") == ["a/b", "a/f"]
    for folder, folders, _ in fs.walk(""):
        assert folder != "a/b"
        if "b" in folders:
            folders.remove("b")
    with pytest.raises(ValueError, match="maxdepth"):
        list(fs.walk("", maxdepth=0))


@pytest.mark.spec("FSS-016")
def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "f").write_bytes(b"")
    (tmp_path / "root" / "a" / "up").symlink_to("..", target_is_directory=True)
    fs = RemoteStoreFileSystem(store=Store(LocalBackend(tmp_path / "root")))
    assert list(fs.walk("")) == [("", ["a"], []), ("a", ["up"], ["f"])]
    assert fs.find("", withdirs=True) == ["a", "a/f", "a/up"] == fs.glob("**")
    assert fs.find("", maxdepth=9) == ["a/f"]


@pytest.mark.spec("FSS-017")
def test_times_and_versions(fs: RemoteStoreFileSystem) -> None:
    fs.pipe_file("f", b"1")
    assert abs(fs.modified("f") - datetime.now(UTC)) < timedelta(hours=1)
    assert fs.created("f") == fs.modified("f")
    ukey, checksum = fs.ukey("f"), fs.checksum("f")
    assert (fs.ukey("f"), fs.checksum("f")) == (ukey, checksum)
    fs.pipe_file("f", b"22")
    assert fs.ukey("f") != ukey
    assert fs.checksum("f") != checksum
    with pytest.raises(NotImplementedError):
        fs.modified("")


# -- changing ------------------------------------------------------------------


@pytest.mark.spec("FSS-018")
def test_the_storage_moves_and_copies_by_itself() -> None:
    backend = Watched(MemoryBackend())
    fs = RemoteStoreFileSystem(store=Store(backend))
    fs.pipe({"f": b"1", "d/x": b"2"})
    fs.mv("f", "g", recursive=True)
    fs.mv("g", "d")
    fs.mv("d/g", "e/")
    fs.mv("e/g", "e/g")
    fs.cp("e/g", "h")
    fs.cp("h", "d")
    assert backend.asked == [
        ("move", "f", "g"), ("move", "g", "d/g"), ("move", "d/g", "e/g"),
        ("copy", "e/g", "h"), ("copy", "h", "d/h"),
    ]  # fmt: skip
    assert fs.find("") == ["d/h", "d/x", "e/g", "h"]


@pytest.mark.spec("FSS-018", "FSS-022")
def test_what_lies_in_the_root_goes_into_a_folder(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    fs.pipe({"f.csv": b"1", "a/g": b"2", "d/x": b"3"})
    fs.cp("a", "d", recursive=True)
    fs.cp("*.csv", "d")
    assert fs.find("d") == ["d/a/g", "d/f.csv", "d/x"]
    (tmp_path / "down").mkdir()
    fs.get("f.csv", str(tmp_path / "down"))
    fs.get("a", str(tmp_path / "down"), recursive=True)
    fs.get("d/", str(tmp_path / "new"), recursive=True)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in found if not name.startswith("root")] == [
        "down/a/g", "down/f.csv", "new/a/g", "new/f.csv", "new/x",
    ]  # fmt: skip


@pytest.mark.spec("FSS-018")
def test_moving_folders(fs: RemoteStoreFileSystem) -> None:
    fs.pipe({"a/f": b"1", "a/b/g": b"2"})
    fs.mv("a", "z", recursive=True)
    assert fs.find("") == ["z/b/g", "z/f"]
    assert not fs.exists("a")
    with pytest.raises(FileNotFoundError):
        fs.mv("missing", "y")


@pytest.mark.spec("FSS-019", "FSS-021")
def test_deleting(fs: RemoteStoreFileSystem) -> None:
    fs.pipe({"a/f": b"1", "a/b/g": b"2", "a/b/c/h": b"3", "ab": b"4", "d": b"5"})
    with pytest.raises(IsADirectoryError):
        fs.rm("a")
    with pytest.raises(OSError, match="not empty"):
        fs.rmdir("a")
    fs.rm("a/b", recursive=True, maxdepth=1)
    assert fs.find("") == ["a/b/c/h", "a/f", "ab", "d"]
    fs.rm("a", recursive=True)
    assert fs.find("", withdirs=True) == ["ab", "d"]
    fs.rm("d", recursive=True)
    with pytest.raises(FileNotFoundError):
        fs.rm("d", recursive=True)
    fs.pipe({"x/1": b"", "x/y/2": b""})
    fs.rm("**", recursive=True)
    assert fs.find("") == []


@pytest.mark.spec("FSS-019", "FSS-021")
def test_folders(store: Store, fs: RemoteStoreFileSystem) -> None:
    keeps = not isinstance(store._inner._scope.backend, MemoryBackend)
    fs.makedirs("a/b")
    fs.mkdir("c")
    assert [fs.isdir(path) for path in ("a", "a/b", "c")] == [keeps] * 3
    assert fs.find("") == []
    fs.makedirs("a/b", exist_ok=True)
    if not keeps:
        return
    for make, path in ((fs.mkdir, "c"), (fs.makedirs, "a/b")):
        with pytest.raises(FileExistsError):
            make(path)
    with pytest.raises(FileNotFoundError, match="create_parents=True"):
        fs.mkdir("x/y", create_parents=False)
    fs.pipe_file("f", b"")
    with pytest.raises(FileExistsError):
        fs.makedirs("f", exist_ok=True)
    with pytest.raises(NotADirectoryError):
        fs.mkdir("f/g")
    with pytest.raises(NotADirectoryError) as caught:
        fs.rmdir("f")
    assert isinstance(caught.value, InvalidPath)
    fs.rmdir("c")
    assert not fs.exists("c")


@pytest.mark.spec("FSS-021")
def test_errors_in_the_builtins_words(fs: RemoteStoreFileSystem) -> None:
    fs.pipe_file("a/f", b"")
    for call in (fs.cat_file, fs.open, fs.rm_file, lambda path: fs.mv_file(path, "z")):
        with pytest.raises(IsADirectoryError) as caught:
            call("a")
        assert isinstance(caught.value, InvalidPath)
        assert pickle.loads(pickle.dumps(caught.value)).path == "a"
    for write in (lambda path: fs.pipe_file(path, b""), lambda path: fs.open(path, "wb")):
        with pytest.raises(NotADirectoryError) as wrong:
            write("a/f/g")
        assert isinstance(wrong.value, InvalidPath)
        with pytest.raises(IsADirectoryError):
            write("a")
    for path in ("../f", "a/../../f", "a\\b"):
        for ask in (fs.info, fs.exists, fs.cat_file, fs.ls):
            with pytest.raises(InvalidPath):
                ask(path)


@pytest.mark.spec("FSS-022")
def test_to_and_from_the_local_disk(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "up").write_bytes(data)
    up, down = fsspec.Callback(), fsspec.Callback()
    fs.put_file(str(tmp_path / "up"), "a/f", callback=up)
    assert (up.size, up.value) == (len(data), len(data))
    fs.get_file("a/f", str(tmp_path / "x" / "down"), callback=down)
    assert (down.size, down.value) == (len(data), len(data))
    assert (tmp_path / "x" / "down").read_bytes() == data
    target = io.BytesIO()
    fs.get_file("a/f", target)
    assert target.getvalue() == data
    with pytest.raises(FileExistsError):
        fs.put_file(str(tmp_path / "up"), "a/f", mode="create")
    with pytest.raises(FileNotFoundError):
        fs.get_file("missing", str(tmp_path / "x" / "down"))
    with pytest.raises(NotADirectoryError):
        fs.put_file(str(tmp_path / "up"), "a/f/g")


@pytest.mark.spec("FSS-022")
def test_a_download_that_fails_leaves_the_local_file(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    fs.pipe_file("f", bytes(3_000_000))
    (tmp_path / "down").write_bytes(b"old")

    class Full(fsspec.Callback):  # type: ignore[misc]  # fsspec has no types
        def relative_update(self, inc: int = 1) -> None:
            raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space left"):
        fs.get_file("f", str(tmp_path / "down"), callback=Full())
    assert (tmp_path / "down").read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["down"]


@pytest.mark.spec("FSS-024")
def test_signed_urls() -> None:
    backend = S3Backend("bucket", key="k", secret="s", region_name="eu-west-1")
    with Store(backend) as store:
        url = RemoteStoreFileSystem(store=store).sign("a/f", expiration=60)
    assert "a/f" in url
    assert "Expires=60" in url
    with pytest.raises(NotImplementedError):
        RemoteStoreFileSystem(store=Store(MemoryBackend())).sign("f")
