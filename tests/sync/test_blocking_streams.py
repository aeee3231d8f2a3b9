"""The blocking streams with the rest of Python: shutil, gzip, zipfile, tarfile, csv, pickle, pandas."""

from __future__ import annotations

import bz2
import csv
import gc
import gzip
import io
import json
import lzma
import os
import pickle
import shutil
import tarfile
import tempfile
import threading
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd
import pytest

from remote_store import AlreadyExists, Backend, BackendUnavailable, InvalidPath, RemoteStoreError, Store
from remote_store.backend import Reader
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.testing import Fault, FaultyBackend
from remote_store.typing import WriteStream
from remote_store.wrapper import BackendWrapper, ReaderWrapper

LINES = b"".join(b"line %d\n" % number for number in range(50_000))  # 540 KiB
RANDOM = bytes((number * number) % 251 for number in range(300_000))


class OneWay(BackendWrapper):
    """A storage whose readers only go forwards, as most object stores' do; counts its opens and closes."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.opened = self.closed = 0

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        reader = OneWayReader(await super().open_read(path, start=start, length=length), self)
        self.opened += 1
        return reader


class OneWayReader(ReaderWrapper):
    def __init__(self, inner: Reader, backend: OneWay) -> None:
        super().__init__(inner)
        self.seekable = False
        self.backend = backend

    async def seek(self, position: int) -> None:
        raise AssertionError("this reader cannot seek")

    async def aclose(self) -> None:
        self.backend.closed += 1
        await super().aclose()


@pytest.fixture(params=["memory", "local", "one-way"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    backends: dict[str, Backend] = {
        "memory": MemoryBackend(),
        "local": LocalBackend(tmp_path / "root"),
        "one-way": OneWay(MemoryBackend()),
    }
    with Store(backends[request.param], "folder") as store:
        yield store


@pytest.fixture
def one_way() -> OneWay:
    return OneWay(MemoryBackend())


def assert_all_closed(store: Store) -> None:
    try:
        counted = store.unwrap(OneWay)
    except RemoteStoreError:
        return
    assert counted.opened == counted.closed


# -- reading ---------------------------------------------------------------------------------


@pytest.mark.spec("STR-009", "STR-001")
def test_it_is_a_binary_file(store: Store) -> None:
    store.write("f", LINES)
    with store.read("f") as file:
        assert isinstance(file, io.BufferedReader)
        assert (file.readable(), file.writable(), file.closed) == (True, False, False)
        assert file.name == "f"
        assert file.read(5) == LINES[:5]
        assert file.tell() == 5
        assert file.read(0) == b""
        assert file.peek(1)[:1] == LINES[5:6]
        assert file.read(100_000) == LINES[5:100_005], (
            "all that was asked for, although it takes several fetches"
        )
        assert file.read(-1) == LINES[100_005:]
        assert (file.read(), file.read(1), file.readline()) == (b"", b"", b"")
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
    assert file.closed
    assert_all_closed(store)


@pytest.mark.spec("STR-009")
def test_lines(store: Store) -> None:
    store.write("f", LINES + b"no newline")
    wanted = (LINES + b"no newline").splitlines(keepends=True)
    with store.read("f") as file:
        assert file.readline() == b"line 0\n"
        assert file.readline(3) == b"lin"
        assert file.readline() == b"e 1\n"
        assert next(file) == b"line 2\n"
        assert file.readlines() == wanted[3:]
    with store.read("f") as file:
        assert list(file) == wanted


@pytest.mark.spec("STR-002", "STR-009")
def test_readinto(store: Store) -> None:
    store.write("f", RANDOM)
    with store.read("f") as file:
        assert isinstance(file, io.BufferedReader)
        for size in (1, 7, 65_536, 100_000):
            at, buffer = file.tell(), bytearray(size)
            assert file.readinto(buffer) == size
            assert buffer == RANDOM[at : at + size]
        at, rest = file.tell(), bytearray(len(RANDOM))
        assert file.readinto(rest) == len(RANDOM) - at
        assert rest.startswith(RANDOM[at:])
        assert file.readinto(bytearray(5)) == 0
        with pytest.raises(TypeError):
            file.readinto(b"constant")


@pytest.mark.spec("STR-009", "STR-006")
@pytest.mark.parametrize("length", [0, 1000, 65_536])
def test_copyfileobj(store: Store, tmp_path: Path, length: int) -> None:
    store.write("f", RANDOM)
    with store.read("f") as source, open(tmp_path / "copy", "wb") as sink:
        shutil.copyfileobj(source, sink, length)
    assert (tmp_path / "copy").read_bytes() == RANDOM
    with open(tmp_path / "copy", "rb") as local, store.open_write("back") as stream:
        shutil.copyfileobj(local, stream, length)
    assert store.read_bytes("back") == RANDOM
    with store.read("f") as source, store.open_write("again") as stream:
        shutil.copyfileobj(source, stream)
    assert store.read_bytes("again") == RANDOM


@pytest.mark.spec("STR-003")
def test_seeking(store: Store) -> None:
    store.write("f", RANDOM)
    with store.open_read("f") as file:
        assert file.seekable()
        assert file.seek(-10, os.SEEK_END) == len(RANDOM) - 10
        assert file.read() == RANDOM[-10:]
        assert file.seek(100) == 100
        assert file.read(10) == RANDOM[100:110]
        assert file.seek(200_000, os.SEEK_CUR) == 200_110
        assert file.read(10) == RANDOM[200_110:200_120]
        assert file.seek(10**9) == 10**9
        assert file.read() == b""
        assert file.tell() == 10**9
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)
        assert file.seek(3) == 3
        assert file.read(3) == RANDOM[3:6]
    assert_all_closed(store)


@pytest.mark.spec("STR-004")
def test_a_stream_that_cannot_seek_says_so_as_io_does(one_way: OneWay) -> None:
    store = Store(one_way)
    store.write("f", b"content")
    with store.read("f") as file:
        assert not file.seekable()
        with pytest.raises(io.UnsupportedOperation):
            file.seek(0)
        assert file.tell() == 0
        assert file.read() == b"content"
        assert file.tell() == 7
    store.write("z", b"PK")
    with store.read("z") as file, pytest.raises((io.UnsupportedOperation, zipfile.BadZipFile)):
        zipfile.ZipFile(file)


@pytest.mark.spec("STR-009")
def test_gzip_bz2_and_lzma(store: Store) -> None:
    for name, module in (("gz", gzip), ("bz2", bz2), ("xz", lzma)):
        store.write(name, cast(Any, module).compress(LINES))
        with store.read(name) as file, cast(Any, module).open(file) as inner:
            assert inner.read(10) == LINES[:10]
            assert inner.read() == LINES[10:]
        with store.read(name) as file, cast(Any, module).open(file, "rt") as text:
            assert sum(1 for _ in text) == 50_000
        with store.open_write(f"{name}.new") as stream, cast(Any, module).open(stream, "wb") as inner:
            inner.write(LINES)
        assert cast(Any, module).decompress(store.read_bytes(f"{name}.new")) == LINES
    assert_all_closed(store)


@pytest.mark.spec("STR-009")
def test_zipfile(store: Store) -> None:
    with store.open_write("a.zip") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.txt", LINES)
        with archive.open("two.bin", "w") as member:
            member.write(RANDOM)
    with store.open_read("a.zip") as file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["one.txt", "two.bin"]
        assert archive.read("two.bin") == RANDOM
        assert archive.read("one.txt") == LINES
    with store.open_read("a.zip") as file:
        assert zipfile.is_zipfile(file)
    assert_all_closed(store)


@pytest.mark.spec("STR-009")
@pytest.mark.parametrize("mode", ["", "gz", "xz"])
def test_tarfile(store: Store, mode: str) -> None:
    info = tarfile.TarInfo("one.txt")
    info.size = len(LINES)
    write, stream_read, seek_read = cast(Any, (f"w|{mode}", f"r|{mode}", f"r:{mode}"))
    with store.open_write("a.tar") as stream, tarfile.open(fileobj=stream, mode=write) as archive:
        archive.addfile(info, io.BytesIO(LINES))
    with store.read("a.tar") as file, tarfile.open(fileobj=file, mode=stream_read) as archive:
        (member,) = [(item.name, cast(BinaryIO, archive.extractfile(item)).read()) for item in archive]
        assert member == ("one.txt", LINES)
    with store.open_read("a.tar") as file, tarfile.open(fileobj=file, mode=seek_read) as archive:
        assert cast(BinaryIO, archive.extractfile("one.txt")).read() == LINES


@pytest.mark.spec("STR-009")
def test_text_csv_and_json(store: Store) -> None:
    rows = [["name", "text"], ["a", "über\r\nzwei Zeilen"], ["b", '"quoted"']]
    with store.open_write("f.csv") as stream, io.TextIOWrapper(stream, "utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    with store.read("f.csv") as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
        assert list(csv.reader(text)) == rows
    store.write("f.json", json.dumps(rows).encode())
    with store.read("f.json") as file:
        assert json.load(file) == rows
    store.write("f.txt", "eins\nzwei".encode("utf-16"))
    with store.read("f.txt") as file, io.TextIOWrapper(file, "utf-16") as text:
        assert text.readlines() == ["eins\n", "zwei"]
    with store.open_read("f.txt") as file:
        text = io.TextIOWrapper(file, "utf-16")
        assert text.read(2) == "ei"
        mark = text.tell()
        assert text.read() == "ns\nzwei"
        text.seek(mark)
        assert text.readline() == "ns\n"


@pytest.mark.spec("STR-009")
def test_pickle(store: Store) -> None:
    thing = {"rows": list(range(10_000)), "data": RANDOM}
    with store.open_write("f.pickle") as stream:
        pickle.dump(thing, stream)
        pickle.dump("second", stream)
    with store.read("f.pickle") as file:
        assert pickle.load(file) == thing
        assert pickle.load(file) == "second"


@pytest.mark.spec("STR-009")
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_pandas(store: Store, compression: Any) -> None:
    frame = pd.DataFrame({"n": range(2000), "text": [f"é{n}" for n in range(2000)]})
    with store.open_write("f.csv") as stream:
        frame.to_csv(stream, index=False, mode="wb", compression=compression)
    with store.read("f.csv") as file:
        assert pd.read_csv(file, compression=compression).equals(frame)
    with store.read("f.csv") as file:
        chunks = pd.read_csv(file, compression=compression, chunksize=700)
        assert [len(chunk) for chunk in chunks] == [700, 700, 600]
    assert_all_closed(store)


@pytest.mark.spec("STR-009")
def test_unpacking_an_archive_from_one_store_into_another(store: Store) -> None:
    with store.open_write("a.zip") as stream, zipfile.ZipFile(stream, "w") as archive:
        for number in range(3):
            archive.writestr(f"d/{number}.txt", b"%d" % number)
    with store.open_read("a.zip") as file, zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                store.write(f"unpacked/{name}", member)
    assert sorted(str(info.path) for info in store.list_files("unpacked", recursive=True)) == [
        f"unpacked/d/{number}.txt" for number in range(3)
    ]


@pytest.mark.spec("STR-006")
def test_copy_to(store: Store) -> None:
    store.write("f", RANDOM)
    with store.read("f") as file, tempfile.TemporaryFile() as sink:
        raw = cast(Any, file).raw
        assert raw.read(10) == RANDOM[:10]
        assert raw.copy_to(sink) == len(RANDOM) - 10
        assert not sink.closed
        sink.seek(0)
        assert sink.read() == RANDOM[10:]


@pytest.mark.spec("STR-007")
def test_closing_a_reader(one_way: OneWay) -> None:
    store = Store(one_way)
    store.write("f", b"content")
    file = store.read("f")
    file.close()
    file.close()
    assert file.closed
    for call in (file.read, file.readline, file.__enter__, lambda: file.read(1), lambda: next(file)):
        with pytest.raises(ValueError, match="closed"):
            call()
    with pytest.raises(ZeroDivisionError), store.read("f") as file:
        raise ZeroDivisionError
    assert file.closed
    assert (one_way.opened, one_way.closed) == (2, 2)


@pytest.mark.spec("STR-008")
def test_a_dropped_reader_is_closed(one_way: OneWay) -> None:
    store = Store(one_way)
    store.write("f", LINES)
    for use in (lambda file: None, lambda file: file.read(3), iter, io.TextIOWrapper):
        cast(Any, use)(store.read("f"))
    gc.collect()
    assert (one_way.opened, one_way.closed) == (4, 4)


@pytest.mark.spec("STR-010", "STR-009")
def test_reading_fetches_no_more_than_it_has_to() -> None:
    backend = FaultyBackend(MemoryBackend())
    store = Store(backend)
    store.write("f", bytes(10_000_000))
    backend.log.clear()
    with store.read("f") as file:
        for _ in range(100):
            file.read(10)
        assert len(backend.log) == 2, "one open and one read for many small reads"
        file.read(4_000_000)
    reads = sum(record.operation == "reader.read" for record in backend.log)
    assert reads < 100


@pytest.mark.spec("ERR-007", "ERR-008")
def test_a_failing_storage_shows_through_the_wrappers() -> None:
    backend = FaultyBackend(MemoryBackend())
    store = Store(backend, "root")
    store.write("f.gz", gzip.compress(RANDOM))
    backend.script(Fault("reader.read", at=2))
    with pytest.raises(BackendUnavailable) as caught:
        with store.read("f.gz") as file, gzip.open(file) as inner:
            inner.read()
    assert caught.value.path == "f.gz"
    with store.read("f.gz") as file, gzip.open(file) as inner:
        assert inner.read() == RANDOM


# -- writing ---------------------------------------------------------------------------------


@pytest.mark.spec("STR-012", "STR-015", "STORE-033")
def test_a_write_stream(store: Store) -> None:
    with store.open_write("a/f") as stream:
        assert isinstance(stream, io.RawIOBase)
        assert (stream.readable(), stream.writable(), stream.seekable(), stream.closed) == (
            False,
            True,
            False,
            False,
        )
        assert stream.name == "a/f"
        assert stream.write(b"one") == 3
        assert stream.tell() == 3
        stream.writelines([b"two", bytearray(b"three"), memoryview(b"four")])
        assert stream.tell() == 15
        stream.flush()
        early = stream.result
        assert not store.exists("a/f")
        with pytest.raises(io.UnsupportedOperation):
            stream.seek(0)
        with pytest.raises(io.UnsupportedOperation):
            stream.fileno()
    assert early is None
    assert stream.result is not None
    assert (str(stream.result.path), stream.result.size) == ("a/f", 15)
    assert store.read_bytes("a/f") == b"onetwothreefour"


@pytest.mark.spec("STR-014")
@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_a_write_stream_is_closed_when_its_block_is_left(store: Store, error: type[Exception] | None) -> None:
    streams: list[WriteStream] = []
    try:
        with store.open_write("f") as stream:
            streams.append(stream)
            stream.write(b"x")
            if error is not None:
                raise error
    except ZeroDivisionError:
        pass
    (stream,) = streams
    assert stream.closed
    with pytest.raises(ValueError, match="closed"):
        stream.write(b"x")
    with pytest.raises(ValueError, match="closed"):
        stream.flush()
    stream.close()
    assert store.exists("f") is (error is None)


@pytest.mark.spec("STR-013", "STR-014")
def test_closing_inside_the_block_waits_for_the_clean_exit(store: Store) -> None:
    with store.open_write("f") as stream:
        with io.TextIOWrapper(stream, "utf-8") as text:
            text.write("kept")
        assert stream.closed
        assert not store.exists("f")
        with pytest.raises(ValueError, match="closed"):
            stream.write(b"more")
        assert stream.result is None
    assert store.read_bytes("f") == b"kept"


class Failure(Exception):
    pass


def fail_in_text(stream: WriteStream) -> None:
    with io.TextIOWrapper(stream, "utf-8") as text:
        text.write("lost" * 100_000)
        raise Failure


def fail_in_csv(stream: WriteStream) -> None:
    with io.TextIOWrapper(stream, "utf-8", newline="") as text:
        csv.writer(text).writerow(["lost"])
        raise Failure


def fail_in_zip(stream: WriteStream) -> None:
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("lost.txt", LINES)
        raise Failure


def fail_in_gzip(stream: WriteStream) -> None:
    with gzip.open(stream, "wb") as inner:
        inner.write(LINES)
        raise Failure


def fail_in_tar(stream: WriteStream) -> None:
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        info = tarfile.TarInfo("lost.txt")
        info.size = len(LINES)
        archive.addfile(info, io.BytesIO(LINES))
        raise Failure


def fail_in_buffer(stream: WriteStream) -> None:
    with io.BufferedWriter(stream) as buffer, io.TextIOWrapper(buffer) as text:
        text.write("lost")
        raise Failure


def fail_after_all_is_closed(stream: WriteStream) -> None:
    with gzip.open(stream, "wt") as text:
        text.write("lost")
    stream.close()
    raise Failure


@pytest.mark.spec("STR-013", "STORE-031", "STORE-033")
@pytest.mark.parametrize(
    "fail",
    [
        fail_in_text,
        fail_in_csv,
        fail_in_zip,
        fail_in_gzip,
        fail_in_tar,
        fail_in_buffer,
        fail_after_all_is_closed,
    ],
)
@pytest.mark.parametrize("atomic", [False, True])
def test_an_exception_inside_nested_wrappers_commits_nothing(store: Store, fail: Any, atomic: bool) -> None:
    store.write("old", b"old")
    for path in ("new/f", "old"):
        with pytest.raises(Failure), store.open_write(path, overwrite=True, atomic=atomic) as stream:
            fail(stream)
        assert stream.result is None
        assert stream.closed
    assert store.read_bytes("old") == b"old"
    assert [str(info.path) for info in store.list_files(recursive=True)] == ["old"]
    assert not store.exists("new")
    gc.collect()
    assert store.read_bytes("old") == b"old", "nor does anything when the wrappers are collected"


@pytest.mark.spec("STR-013")
def test_a_generator_that_is_closed_half_way_commits_nothing(store: Store) -> None:
    def writing() -> Iterator[None]:
        with store.open_write("f") as stream:
            stream.write(b"x")
            yield

    step = writing()
    next(step)
    cast(Any, step).close()
    assert not store.exists("f")


@pytest.mark.spec("STR-008", "STR-013")
def test_a_dropped_write_stream_leaves_nothing(store: Store) -> None:
    stream = store.open_write("f")
    stream.__enter__()
    stream.write(LINES)
    gone = weakref.ref(stream)
    del stream
    gc.collect()
    assert gone() is None
    assert not store.exists("f")
    store.write("f", b"x")
    assert [str(info.path) for info in store.list_files()] == ["f"]


@pytest.mark.spec("STORE-033", "STORE-029")
def test_what_entering_and_leaving_raise(store: Store) -> None:
    store.write("f", b"old")
    with pytest.raises(AlreadyExists) as caught, store.open_write("f"):
        raise AssertionError("not entered")
    assert caught.value.path == "f"
    with pytest.raises(InvalidPath), store.open_write("f/below"):
        raise AssertionError("not entered")
    with pytest.raises(AlreadyExists):
        with store.open_write("race") as stream:
            stream.write(b"mine")
            store.write("race", b"theirs")
    assert store.read_bytes("race") == b"theirs"
    assert stream.closed


@pytest.mark.spec("STORE-031", "ERR-007")
@pytest.mark.parametrize("operation", ["open_write", "writer.write", "writer.commit"])
def test_a_storage_that_fails_while_it_is_written_to(operation: str) -> None:
    backend = FaultyBackend(MemoryBackend())
    store = Store(backend, "root")
    store.write("f", b"old")
    backend.script(Fault(operation))
    with pytest.raises(BackendUnavailable) as caught:
        with store.open_write("f", overwrite=True) as stream, gzip.open(stream, "wb") as inner:
            inner.write(RANDOM)
    assert caught.value.path == "f"
    assert store.read_bytes("f") == b"old"
    aborted = "writer.abort" in {record.operation for record in backend.log}
    assert aborted is (operation != "open_write")


@pytest.mark.spec("STR-010", "STR-012")
def test_small_writes_are_gathered() -> None:
    backend = FaultyBackend(MemoryBackend())
    with Store(backend).open_write("f") as stream:
        for number in range(100_000):
            stream.write(b"%5d" % number)
    writes = sum(record.operation == "writer.write" for record in backend.log)
    assert 1 <= writes < 1000
    assert backend.log[-1].operation == "writer.commit"


@pytest.mark.spec("STR-009", "GEN-007")
def test_streams_of_one_store_in_many_threads(store: Store) -> None:
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            data = LINES[number : 300_000 + number]
            with store.open_write(f"{number}.gz") as stream, gzip.open(stream, "wb", 1) as inner:
                inner.write(data)
            with store.read(f"{number}.gz") as file, gzip.open(file) as inner:
                assert inner.read() == data
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
