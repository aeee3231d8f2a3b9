"""Bad input, as one table: what is given, and the exact error that answers it, on either face.

Everything in the table is answered before the storage is asked.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.unit.support import run_in

from remote_store import (
    AsyncRegistry,
    AsyncStore,
    BackendConfig,
    BackendUnavailable,
    CapabilityNotSupported,
    InvalidPath,
    Registry,
    RegistryConfig,
    RemotePath,
    Store,
    StoreProfile,
    open_async_store,
    open_store,
    register_backend,
)
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.testing import FaultyBackend
from remote_store.testing._blocking import face_of

FACES = ("asyncio", "trio", "blocking")

OK = b"content"
ROOTS = ["", ".", "/", "./"]


class Bad(NamedTuple):
    name: str
    error: type[Exception]
    text: str
    call: Callable[[Any], Any]


# -- paths -------------------------------------------------------------------------------

OF_A_FILE: dict[str, Callable[[AsyncStore, Any], Any]] = {
    "get_file_info": lambda store, path: store.get_file_info(path),
    "read": lambda store, path: store.read(path),
    "open_read": lambda store, path: store.open_read(path),
    "read_bytes": lambda store, path: store.read_bytes(path),
    "read_text": lambda store, path: store.read_text(path),
    "write": lambda store, path: store.write(path, OK),
    "write stream": lambda store, path: store.write(path, [OK]),
    "write_atomic": lambda store, path: store.write_atomic(path, OK),
    "write_text": lambda store, path: store.write_text(path, "text"),
    "open_write": lambda store, path: store.open_write(path),
    "delete": lambda store, path: store.delete(path),
    "delete missing_ok": lambda store, path: store.delete(path, missing_ok=True),
    "delete_folder": lambda store, path: store.delete_folder(path),
    "delete_folder recursive": lambda store, path: store.delete_folder(path, recursive=True, missing_ok=True),
    "move from": lambda store, path: store.move(path, "to"),
    "move to": lambda store, path: store.move("from", path),
    "copy from": lambda store, path: store.copy(path, "to"),
    "copy to": lambda store, path: store.copy("from", path),
    "glob": lambda store, path: store.glob(path),
}
OF_ANYTHING: dict[str, Callable[[AsyncStore, Any], Any]] = {
    "exists": lambda store, path: store.exists(path),
    "is_file": lambda store, path: store.is_file(path),
    "is_folder": lambda store, path: store.is_folder(path),
    "get_folder_info": lambda store, path: store.get_folder_info(path),
    "list_files": lambda store, path: store.list_files(path),
    "list_files recursive": lambda store, path: store.list_files(path, recursive=True),
    "list_folders": lambda store, path: store.list_folders(path),
    "iter_children": lambda store, path: store.iter_children(path),
    "walk": lambda store, path: store.walk(path),
    "child": lambda store, path: store.child(path),
}
PATHS: list[tuple[Any, type[Exception], str]] = [
    (None, TypeError, "a path must be str or RemotePath, not NoneType"),
    (5, TypeError, "not int"),
    (b"a", TypeError, "not bytes"),
    (["a"], TypeError, "not list"),
    (Path("a"), TypeError, r"not PosixPath; pass path\.as_posix\(\)"),
    ("..", InvalidPath, r"must not contain '\.\.'"),
    ("a/../b", InvalidPath, r"must not contain '\.\.'"),
    ("/../etc", InvalidPath, r"must not contain '\.\.'"),
    ("a\0b", InvalidPath, "NUL"),
    ("a\\b", InvalidPath, "separate components with '/'"),
]


def shown(value: object) -> str:
    """Return a value for a test's name, without an address: names have to be the same in each run."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def bound(call: Callable[[AsyncStore, Any], Any], path: object) -> Callable[[AsyncStore], Any]:
    return lambda store: call(store, path)


BAD_PATHS = [
    Bad(f"{operation} of {path!r}", error, text, bound(call, path))
    for operation, call in {**OF_A_FILE, **OF_ANYTHING}.items()
    for path, error, text in PATHS
] + [
    Bad(f"{operation} of the root as {path!r}", InvalidPath, "root", bound(call, path))
    for operation, call in OF_A_FILE.items()
    for path in [*ROOTS, RemotePath.ROOT]
]


# -- arguments ---------------------------------------------------------------------------


async def async_pieces() -> AsyncIterator[bytes]:
    yield OK


READS: dict[str, Callable[..., Any]] = {
    "read": lambda store, **options: store.read("f", **options),
    "read_bytes": lambda store, **options: store.read_bytes("f", **options),
}
RANGES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"start": -1}, ValueError, "start must be 0 or more bytes, not -1"),
    ({"length": -1}, ValueError, "length must be 0 or more bytes, not -1"),
    ({"start": 5, "length": -5}, ValueError, "length must be 0 or more"),
    ({"start": "0"}, TypeError, "start must be int, not str"),
    ({"start": None}, TypeError, "start must be int, not NoneType"),
    ({"start": 1.0}, TypeError, "start must be int, not float"),
    ({"length": "1"}, TypeError, "length must be int, not str"),
    ({"length": 1.5}, TypeError, "length must be int, not float"),
    ({"start": [], "length": 1}, TypeError, "start must be int, not list"),
    ({"offset": 1}, TypeError, "unexpected keyword argument 'offset'"),
]


def ranged(call: Callable[..., Any], options: dict[str, Any]) -> Callable[[AsyncStore], Any]:
    return lambda store: call(store, **options)


BAD_RANGES = [
    Bad(f"{operation} with {options}", error, text, ranged(call, options))
    for operation, call in READS.items()
    for options, error, text in RANGES
]

WRITES: dict[str, Callable[[AsyncStore, Any], Any]] = {
    "write": lambda store, content: store.write("f", content),
    "write overwrite": lambda store, content: store.write("f", content, overwrite=True),
    "write_atomic": lambda store, content: store.write_atomic("f", content),
}
CONTENTS: list[tuple[Any, str]] = [
    ("text", r"content must be bytes, not str; encode it, or use write_text\(\)"),
    (None, "content must be bytes or another buffer, a binary file, or an iterable.*not NoneType"),
    (5, "not int"),
    (Path("f"), "not PosixPath"),
    (io.StringIO("x"), "in text mode; open it in binary mode"),
    (memoryview(bytes(10))[::2], "must be a contiguous buffer"),
]
BAD_CONTENT = [
    Bad(f"{operation} {shown(content)}", TypeError, text, bound(call, content))
    for operation, call in WRITES.items()
    for content, text in CONTENTS
]


async def stream_write(store: AsyncStore, data: Any) -> None:
    async with store.open_write("f") as stream:
        await stream.write(data)


OTHERS = [
    Bad(
        "write_text of bytes",
        TypeError,
        r"text must be str, not bytes; write\(\) takes bytes",
        lambda store: store.write_text("f", b"x"),
    ),
    Bad(
        "write_text of None",
        TypeError,
        "text must be str, not NoneType",
        lambda store: store.write_text("f", None),
    ),
    Bad(
        "write_text in no encoding",
        LookupError,
        "unknown encoding: klingon",
        lambda store: store.write_text("f", "x", encoding="klingon"),
    ),
    Bad(
        "write_text that cannot be encoded",
        UnicodeEncodeError,
        "ascii",
        lambda store: store.write_text("f", "é", encoding="ascii"),
    ),
    Bad("overwrite by position", TypeError, "positional", lambda store: store.write("f", OK, True)),
    Bad("glob of a bad set", InvalidPath, "bad set of characters", lambda store: store.glob("a/[z-a]")),
    Bad(
        "glob of a bad set below a good one",
        InvalidPath,
        "bad set of characters",
        lambda store: store.glob("*/[z-a]/b"),
    ),
    Bad(
        "unwrap by name",
        TypeError,
        r"unwrap\(\) needs a type, not 'client'",
        lambda store: store.unwrap("client"),
    ),
    Bad(
        "unwrap of what is not there",
        CapabilityNotSupported,
        "no native dict",
        lambda store: store.unwrap(dict),
    ),
    Bad(
        "to_key of a path object",
        TypeError,
        "must be str, not PosixPath",
        lambda store: store.to_key(Path("f")),
    ),
    Bad("to_key of None", TypeError, "must be str, not NoneType", lambda store: store.to_key(None)),
]

TABLE = [*BAD_PATHS, *BAD_RANGES, *BAD_CONTENT, *OTHERS]


def made(face: str, backend: Any) -> AsyncStore:
    return face_of(Store(backend)) if face == "blocking" else AsyncStore(backend)


async def settled(value: Any) -> None:
    if isinstance(value, Awaitable):
        await value


def run(face: str, main: Callable[[], Any]) -> None:
    run_in("asyncio" if face == "blocking" else face, main)


faces = pytest.mark.parametrize("face", FACES)


@pytest.mark.spec("ERR-015", "PATH-001", "PATH-003", "PATH-004", "STORE-011", "STORE-037", "STR-021")
@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.name) for bad in TABLE])
@faces
def test_bad_input_is_refused_before_the_storage_is_asked(face: str, bad: Bad) -> None:
    backend = FaultyBackend(MemoryBackend())

    async def main() -> None:
        store = made(face, backend)
        with pytest.raises(bad.error, match=bad.text) as caught:
            await settled(bad.call(store))
        assert type(caught.value) is bad.error
        if isinstance(caught.value, InvalidPath):
            assert caught.value.path is not None

    run(face, main)
    assert backend.log == []


@pytest.mark.spec("STR-020", "STR-021")
@pytest.mark.parametrize("atomic", [False, True])
def test_async_content_needs_the_async_face(atomic: bool) -> None:
    backend = FaultyBackend(MemoryBackend())
    store = Store(backend)
    pieces: Any = async_pieces()
    with pytest.raises(TypeError, match="async content needs the async store"):
        store.write_atomic("f", pieces) if atomic else store.write("f", pieces)
    assert backend.log == []


# -- streams -----------------------------------------------------------------------------


async def read_stream(store: AsyncStore) -> Any:
    await store.write("f", OK)
    return await store.open_read("f")


async def closed_read_stream(store: AsyncStore) -> Any:
    stream = await read_stream(store)
    await stream.aclose()
    return stream


async def write_stream(store: AsyncStore) -> Any:
    stream = store.open_write("f")
    await stream.__aenter__()
    return stream


async def closed_write_stream(store: AsyncStore) -> Any:
    stream = await write_stream(store)
    await stream.aclose()
    return stream


async def left_write_stream(store: AsyncStore) -> Any:
    async with store.open_write("f") as stream:
        await stream.write(OK)
    return stream


async def new_write_stream(store: AsyncStore) -> Any:
    return store.open_write("f")


class BadStream(NamedTuple):
    name: str
    error: type[Exception]
    text: str
    make: Callable[[AsyncStore], Awaitable[Any]]
    call: Callable[[Any], Any]


STREAMS = [
    BadStream("read of text", TypeError, "", read_stream, lambda stream: stream.read("5")),
    BadStream(
        "seek before the start",
        ValueError,
        "negative|out of range",
        read_stream,
        lambda stream: stream.seek(-1),
    ),
    BadStream("seek from nowhere", ValueError, "whence", read_stream, lambda stream: stream.seek(0, 7)),
    BadStream("seek by text", TypeError, "", read_stream, lambda stream: stream.seek("0")),
    BadStream("readinto a constant", TypeError, "", read_stream, lambda stream: stream.readinto(b"xx")),
    BadStream("readinto text", TypeError, "", read_stream, lambda stream: stream.readinto("xx")),
    BadStream("read when closed", ValueError, "closed", closed_read_stream, lambda stream: stream.read(1)),
    BadStream("read all when closed", ValueError, "closed", closed_read_stream, lambda stream: stream.read()),
    BadStream(
        "readinto when closed",
        ValueError,
        "closed",
        closed_read_stream,
        lambda stream: stream.readinto(bytearray(1)),
    ),
    BadStream("seek when closed", ValueError, "closed", closed_read_stream, lambda stream: stream.seek(0)),
    BadStream(
        "iterate when closed", ValueError, "closed", closed_read_stream, lambda stream: stream.__anext__()
    ),
    BadStream(
        "enter when closed", ValueError, "closed", closed_read_stream, lambda stream: stream.__aenter__()
    ),
    BadStream(
        "write text", TypeError, "must be bytes, not str", write_stream, lambda stream: stream.write("x")
    ),
    BadStream(
        "write a list",
        TypeError,
        "needs bytes or another buffer, not list",
        write_stream,
        lambda stream: stream.write([OK]),
    ),
    BadStream(
        "write a file",
        TypeError,
        "needs bytes or another buffer, not BytesIO",
        write_stream,
        lambda stream: stream.write(io.BytesIO(OK)),
    ),
    BadStream(
        "write with gaps",
        TypeError,
        "contiguous",
        write_stream,
        lambda stream: stream.write(memoryview(bytes(4))[::2]),
    ),
    BadStream(
        "write when closed", ValueError, "closed", closed_write_stream, lambda stream: stream.write(OK)
    ),
    BadStream("write when left", ValueError, "closed", left_write_stream, lambda stream: stream.write(OK)),
    BadStream(
        "write before with",
        ValueError,
        "enter the stream first",
        new_write_stream,
        lambda stream: stream.write(OK),
    ),
    BadStream(
        "enter twice", ValueError, "entered only once", write_stream, lambda stream: stream.__aenter__()
    ),
    BadStream(
        "enter when left",
        ValueError,
        "entered only once",
        left_write_stream,
        lambda stream: stream.__aenter__(),
    ),
]


@pytest.mark.spec("ERR-015", "STR-007", "STR-012", "STR-014", "STORE-033")
@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.name) for bad in STREAMS])
@faces
def test_bad_input_to_streams(face: str, bad: BadStream) -> None:
    async def main() -> None:
        store = made(face, MemoryBackend())
        stream = await bad.make(store)
        with pytest.raises(bad.error, match=bad.text or None) as caught:
            await settled(bad.call(stream))
        assert type(caught.value) is bad.error

    run(face, main)


# -- closed stores -----------------------------------------------------------------------

CLOSED: dict[str, Callable[[AsyncStore], Any]] = {
    **{name: bound(call, "f") for name, call in {**OF_A_FILE, **OF_ANYTHING}.items() if name != "child"},
    "ping": lambda store: store.ping(),
    "probe": lambda store: store.probe(),
    "presign": lambda store: store.presign("f"),
    "enter": lambda store: store.__aenter__(),
}


@pytest.mark.spec("STORE-006")
@pytest.mark.parametrize("name", CLOSED)
@faces
def test_a_closed_store_refuses(face: str, name: str) -> None:
    backend = FaultyBackend(MemoryBackend())

    async def main() -> None:
        store = made(face, backend)
        child = store.child("x")
        await store.aclose()
        for closed in (store, child, child.child("y"), store.child("z")):
            with pytest.raises(BackendUnavailable, match="this store is closed") as caught:
                await settled(CLOSED[name](closed))
            assert type(caught.value) is BackendUnavailable
            assert caught.value.retryable is False
            assert caught.value.backend == "memory"

    run(face, main)
    assert [record.operation for record in backend.log] == ["aclose"]


@pytest.mark.spec("STORE-006")
@faces
def test_so_do_streams_and_listings_of_a_closed_store(face: str) -> None:
    async def main() -> None:
        store = made(face, MemoryBackend())
        await store.write("f", OK)
        reading, writing, listing = await store.read("f"), store.open_write("g"), store.list_files()
        await writing.__aenter__()
        await store.aclose()
        for call in (
            lambda: reading.read(1),
            lambda: writing.write(OK),
            lambda: writing.__aexit__(None, None, None),
            lambda: listing.__anext__(),
        ):
            with pytest.raises(BackendUnavailable, match="this store is closed"):
                await settled(call())
        await reading.aclose()
        await listing.aclose()
        assert writing.result is None

    run(face, main)


@pytest.mark.spec("STORE-006", "STORE-015")
@faces
def test_what_needs_no_storage_still_works(face: str) -> None:
    async def main() -> None:
        store = made(face, MemoryBackend())
        before = repr(store)
        await store.aclose()
        await store.aclose()
        assert repr(store) == before
        assert store == store.child("")
        assert store.to_key("a/b") == "a/b"
        assert len(store.capabilities) == 13  # all but PRESIGN

    run(face, main)


# -- objects that cannot be made -----------------------------------------------------------

STORES: list[Any] = [AsyncStore, Store]
REGISTRIES: list[Any] = [AsyncRegistry, Registry]
NO_CONFIGS: list[Any] = [{"backends": {}}, "stores.toml", BackendConfig("memory")]
OPENERS: list[Any] = [open_store, open_async_store]
URLS: list[tuple[Any, type[Exception], str]] = [
    (None, TypeError, "url must be str, not NoneType"),
    (Path("/data"), TypeError, "url must be str, not PosixPath"),
    (b"memory://", TypeError, "url must be str, not bytes"),
    ("", ValueError, "known schemes"),
    ("/data", ValueError, "known schemes"),
    ("ftp://host", ValueError, "known schemes"),
    ("file://host/data", ValueError, "file:///absolute/folder"),
    ("memory://x", ValueError, "memory://"),
]


class BadMaking(NamedTuple):
    error: type[Exception]
    text: str
    make: Callable[..., Any]
    given: tuple[Any, ...]


MAKINGS = [
    *(
        BadMaking(TypeError, "backend must be a Backend instance", kind, (backend,))
        for kind in STORES
        for backend in (None, "memory", MemoryBackend, object())
    ),
    *(
        BadMaking(error, text, kind, (MemoryBackend(), root))
        for kind in STORES
        for root, error, text in PATHS
    ),
    *(
        BadMaking(TypeError, "config must be a RegistryConfig", kind, (config,))
        for kind in REGISTRIES
        for config in NO_CONFIGS
    ),
    *(
        BadMaking(
            ValueError, "configured backends: none", kind, (RegistryConfig({}, {"s": StoreProfile("b")}),)
        )
        for kind in REGISTRIES
    ),
    *(BadMaking(error, text, opener, (url,)) for opener in OPENERS for url, error, text in URLS),
    BadMaking(TypeError, "", LocalBackend, (None,)),
    BadMaking(TypeError, "root must be str", LocalBackend, (b"/data",)),
    BadMaking(InvalidPath, "root must be the path of a folder", LocalBackend, ("a\0b",)),
    BadMaking(InvalidPath, "root must be the path of a folder", LocalBackend, ("",)),
    BadMaking(InvalidPath, "the root is a file", LocalBackend, (__file__,)),
    BadMaking(InvalidPath, "a parent of the root is a file", LocalBackend, (f"{__file__}/x",)),
    BadMaking(TypeError, "a backend must be a subclass", register_backend, ("x", dict)),
    BadMaking(TypeError, "the configuration must be a mapping", RegistryConfig.from_dict, (None,)),
    BadMaking(TypeError, "the configuration must be a mapping", RegistryConfig.from_dict, ("x",)),
    BadMaking(KeyError, "'b' has no 'type'; add it", RegistryConfig.from_dict, ({"backends": {"b": {}}},)),
    BadMaking(ValueError, "did you mean 'backends'", RegistryConfig.from_dict, ({"backend": {}},)),
    BadMaking(FileNotFoundError, "no-such", RegistryConfig.from_toml, ("no-such.toml",)),
    BadMaking(IsADirectoryError, "", RegistryConfig.from_toml, ("/",)),
    BadMaking(ValueError, "is not valid TOML", RegistryConfig.from_toml, (__file__,)),
]


@pytest.mark.spec("ERR-015", "CFG-004", "CFG-008", "REG-001", "REG-013", "REG-018", "LOC-002")
@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=f"{bad.make.__name__}{shown(bad.given):.60}") for bad in MAKINGS]
)
def test_objects_that_cannot_be_made(bad: BadMaking) -> None:
    with pytest.raises(bad.error, match=bad.text or None) as caught:
        bad.make(*bad.given)
    assert type(caught.value) is bad.error
