"""The public API as a user meets it. Never run: mypy checks that every line has the type it says.

A call that has to be refused carries an ignore, and mypy fails when the ignore is not needed.
"""

from __future__ import annotations

import array
import io
import mmap
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, assert_type

import aiofiles
import anyio

from remote_store import (
    AlreadyExists,
    AsyncRegistry,
    AsyncStore,
    Backend,
    BackendConfig,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    CapabilitySet,
    DirectoryNotEmpty,
    FileInfo,
    FolderInfo,
    InvalidPath,
    NotFound,
    PermissionDenied,
    Registry,
    RegistryConfig,
    RemoteFile,
    RemoteFolder,
    RemotePath,
    RemoteStoreError,
    Store,
    StoreProfile,
    WriteOptions,
    WriteResult,
    __version__,
    open_async_store,
    open_store,
    register_backend,
)
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.testing import Fault, FaultyBackend
from remote_store.typing import (
    AsyncContent,
    AsyncReadStream,
    AsyncWriteStream,
    Content,
    Entry,
    Listing,
    Pages,
    PathLike,
    Reader,
    ReadStream,
    Writer,
    WriteStream,
)
from remote_store.wrapper import BackendWrapper, PagesWrapper, ReaderWrapper, WriterWrapper

WalkStep = tuple[RemotePath, list[str], list[FileInfo]]


# -- the async face ------------------------------------------------------------------------


async def async_store(store: AsyncStore, path: PathLike) -> None:
    assert_type(store.capabilities, CapabilitySet)
    assert_type(store.supports(Capability.READ), bool)
    assert_type(await store.exists(path), bool)
    assert_type(await store.is_file(path), bool)
    assert_type(await store.is_folder(path), bool)
    assert_type(await store.get_file_info(path), FileInfo)
    assert_type(await store.get_folder_info(path), FolderInfo)
    assert_type(await store.get_folder_info(), FolderInfo)
    await store.ping()

    assert_type(await store.read(path, start=1, length=2), AsyncReadStream)
    assert_type(await store.read(path, length=None), AsyncReadStream)
    assert_type(await store.open_read(path), AsyncReadStream)
    assert_type(await store.read_bytes(path, start=1, length=2), bytes)
    assert_type(await store.read_text(path, encoding="ascii", errors="replace"), str)

    assert_type(await store.write(path, b"x"), WriteResult)
    assert_type(await store.write_atomic(path, b"x", overwrite=True), WriteResult)
    assert_type(
        await store.write_text(path, "x", encoding="ascii", errors="ignore", overwrite=True), WriteResult
    )
    assert_type(store.open_write(path, overwrite=True, atomic=True), AsyncWriteStream)

    await store.delete(path, missing_ok=True)
    await store.delete_folder(path, recursive=True, missing_ok=True)
    assert_type(await store.move(path, "to", overwrite=True), WriteResult)
    assert_type(await store.copy(path, "to", overwrite=True), WriteResult)

    assert_type(store.list_files(path, recursive=True), Listing[FileInfo])
    assert_type(store.list_folders(path), Listing[str])
    assert_type(store.iter_children(path), Listing[FileInfo | RemoteFolder])
    assert_type(store.walk(), Listing[WalkStep])
    assert_type(store.glob("**/*.txt"), Listing[FileInfo])

    assert_type(store.child("sub"), AsyncStore)
    assert_type(store.to_key("/data/a"), str)
    assert_type(store.unwrap(Path), Path)
    assert_type(store.unwrap(dict[str, int]), dict[str, int])
    await store.aclose()
    manager: AbstractAsyncContextManager[AsyncStore] = store
    async with manager as entered:
        assert_type(entered, AsyncStore)


async def async_listings(store: AsyncStore) -> None:
    async for info in store.list_files():
        assert_type(info, FileInfo)
    async for entry in store.iter_children():
        assert_type(entry, FileInfo | RemoteFolder)
        assert_type(entry.name, str)
        assert_type(entry.path, RemotePath)
        if isinstance(entry, FileInfo):
            assert_type(entry.size, int)
    async for folder, names, files in store.walk():
        assert_type((folder, names, files), WalkStep)
    assert_type([name async for name in store.list_folders()], list[str])
    async with store.glob("*") as found:
        assert_type(await anext(found), FileInfo)
    await store.list_files().aclose()
    iterator: AsyncIterator[Entry] = store.iter_children()
    assert_type(await anext(iterator), FileInfo | RemoteFolder)


async def async_reading(store: AsyncStore, sink: BinaryIO) -> None:
    async with await store.read("f") as stream:
        assert_type(stream, AsyncReadStream)
        assert_type(await stream.read(), bytes)
        assert_type(await stream.read(10), bytes)
        assert_type(await stream.readinto(bytearray(10)), int)
        assert_type(await stream.seek(0, io.SEEK_END), int)
        assert_type(stream.tell(), int)
        assert_type(stream.seekable(), bool)
        assert_type(stream.readable(), bool)
        assert_type(stream.size, int | None)
        assert_type(stream.name, str)
        assert_type(stream.closed, bool)
        assert_type(await stream.copy_to(sink), int)
        async for chunk in stream:
            assert_type(chunk, bytes)
    async with aiofiles.open("f", "wb") as file:
        assert_type(await stream.copy_to(file), int)
    async with await anyio.open_file("f", "wb") as other:
        assert_type(await stream.copy_to(other), int)
    async with store.open_write("g") as target:
        assert_type(await stream.copy_to(target), int)


async def async_writing(store: AsyncStore, pieces: AsyncIterator[bytes]) -> None:
    async with store.open_write("f") as stream:
        assert_type(stream, AsyncWriteStream)
        assert_type(await stream.write(b"x"), int)
        assert_type(await stream.write(memoryview(b"x")), int)
        assert_type(stream.tell(), int)
        assert_type(stream.result, WriteResult | None)
        assert_type(stream.closed, bool)
        await stream.aclose()
    await store.write("f", pieces)
    await store.write("f", await store.read("g"))
    async with aiofiles.open("f", "rb") as file, await anyio.open_file("f", "rb") as other:
        await store.write("f", file)
        await store.write("f", other)
    with open("f", "rb") as blocking:
        await store.write("f", blocking)
    content: AsyncContent = [b"x", bytearray(b"y")]
    await store.write_atomic("f", content)


async def async_mistakes(store: AsyncStore, text: AsyncIterator[str]) -> None:
    await store.write("f", "text")  # type: ignore[arg-type]
    await store.write("f", 5)  # type: ignore[arg-type]
    await store.write("f", None)  # type: ignore[arg-type]
    await store.write("f", [5])  # type: ignore[list-item]
    await store.write("f", text)  # type: ignore[arg-type]
    await store.write("f", open("f"))  # type: ignore[arg-type]  # noqa: SIM115 - never run
    await store.write_text("f", b"x")  # type: ignore[arg-type]
    await store.read(Path("f"))  # type: ignore[arg-type]
    await store.read_bytes("f", 1, 2)  # type: ignore[call-arg]
    await store.write("f", b"x", True)  # type: ignore[call-arg]
    store.exists("f")  # type: ignore[unused-coroutine]
    for _ in store.list_files():  # type: ignore[attr-defined]
        pass
    AsyncStore("memory://")  # type: ignore[arg-type]


# -- the blocking face ---------------------------------------------------------------------


def blocking_store(store: Store, path: PathLike) -> None:
    assert_type(store.capabilities, CapabilitySet)
    assert_type(store.supports(Capability.READ), bool)
    assert_type(store.exists(path), bool)
    assert_type(store.is_file(path), bool)
    assert_type(store.is_folder(path), bool)
    assert_type(store.get_file_info(path), FileInfo)
    assert_type(store.get_folder_info(), FolderInfo)
    store.ping()

    assert_type(store.read(path, start=1, length=2), BinaryIO)
    assert_type(store.open_read(path), BinaryIO)
    assert_type(store.read_bytes(path, start=1, length=2), bytes)
    assert_type(store.read_text(path, encoding="ascii", errors="replace"), str)

    assert_type(store.write(path, b"x"), WriteResult)
    assert_type(store.write_atomic(path, b"x", overwrite=True), WriteResult)
    assert_type(store.write_text(path, "x", encoding="ascii", errors="ignore", overwrite=True), WriteResult)
    assert_type(store.open_write(path, overwrite=True, atomic=True), WriteStream)

    store.delete(path, missing_ok=True)
    store.delete_folder(path, recursive=True, missing_ok=True)
    assert_type(store.move(path, "to", overwrite=True), WriteResult)
    assert_type(store.copy(path, "to", overwrite=True), WriteResult)

    assert_type(store.list_files(path, recursive=True), Iterator[FileInfo])
    assert_type(store.list_folders(path), Iterator[str])
    assert_type(store.iter_children(path), Iterator[FileInfo | RemoteFolder])
    assert_type(store.walk(), Iterator[WalkStep])
    assert_type(store.glob("**/*.txt"), Iterator[FileInfo])

    assert_type(store.child("sub"), Store)
    assert_type(store.to_key("/data/a"), str)
    assert_type(store.unwrap(Path), Path)
    store.close()
    manager: AbstractContextManager[Store] = store
    with manager as entered:
        assert_type(entered, Store)


def blocking_streams(store: Store, raw: ReadStream, sink: BinaryIO) -> None:
    with store.read("f") as file:
        assert_type(file, BinaryIO)
        assert_type(file.read(10), bytes)
        for line in file:
            assert_type(line, bytes)
        store.write("g", file)
        text = io.TextIOWrapper(file, "utf-8")
        assert_type(text.readline(), str)
    with store.open_write("f") as stream:
        assert_type(stream, WriteStream)
        assert_type(stream.write(b"x"), int)
        assert_type(stream.result, WriteResult | None)
        file_like: io.RawIOBase = stream
        assert_type(file_like.writable(), bool)
    assert_type(raw.copy_to(sink), int)
    assert_type(raw.size, int | None)
    with open("f", "rb") as local:
        store.write("f", local)
    content: Content = [b"x", memoryview(b"y")]
    store.write("f", content)


def buffers(store: Store, mapped: mmap.mmap) -> None:
    store.write("f", b"x")
    store.write("f", bytearray(b"x"))
    store.write("f", memoryview(b"x"))
    store.write("f", array.array("d", [1.0]))
    store.write("f", mapped)
    store.write("f", io.BytesIO(b"x"))
    store.write("f", (b"%d" % number for number in range(3)))


def blocking_mistakes(store: Store, pieces: AsyncIterator[bytes], other: AsyncStore) -> None:
    store.write("f", "text")  # type: ignore[arg-type]
    store.write("f", 5)  # type: ignore[arg-type]
    store.write("f", pieces)  # type: ignore[arg-type]
    store.write("f", io.StringIO("x"))  # type: ignore[arg-type]
    store.write("f", b"x", True)  # type: ignore[call-arg]
    store.read(Path("f"))  # type: ignore[arg-type]
    store.aclose()  # type: ignore[attr-defined]
    Store(other)  # type: ignore[arg-type]


# -- values --------------------------------------------------------------------------------


def values(info: FileInfo, folder: FolderInfo, result: WriteResult) -> None:
    assert_type(info.path, RemotePath)
    assert_type(info.name, str)
    assert_type(info.size, int)
    assert_type(info.modified_at, datetime | None)
    assert_type(info.checksum, str | None)
    assert_type(info.content_type, str | None)
    assert_type(info.etag, str | None)
    assert_type(info.extra, dict[str, object])
    assert_type((folder.file_count, folder.total_size), tuple[int, int])
    assert_type(folder.modified_at, datetime | None)
    assert_type((result.path, result.size), tuple[RemotePath, int])
    assert_type((result.etag, result.checksum, result.version), tuple[str | None, str | None, str | None])
    assert_type(RemoteFile(info.path).path, RemotePath)
    assert_type(RemoteFolder(info.path).name, str)
    info.size = 1  # type: ignore[misc]
    assert_type(__version__, str)


def paths(path: RemotePath) -> None:
    assert_type(path / "a" / path, RemotePath)
    assert_type(path.name, str)
    assert_type(path.suffix, str)
    assert_type(path.parts, tuple[str, ...])
    assert_type(path.parent, RemotePath | None)
    assert_type(RemotePath.ROOT, RemotePath)
    assert_type(str(path), str)
    path / 5  # type: ignore[operator]
    open(path)  # type: ignore[call-overload]  # noqa: SIM115 - never run
    path.name = "x"  # type: ignore[misc]


def capabilities(given: CapabilitySet) -> None:
    assert_type(CapabilitySet([Capability.READ]), CapabilitySet)
    assert_type(given.supports(Capability.READ), bool)
    assert_type(Capability.READ in given, bool)
    assert_type(list(given), list[Capability])
    given.require(Capability.READ, backend="memory")
    given.supports("read")  # type: ignore[arg-type]


def errors(error: RemoteStoreError) -> None:
    assert_type(error.message, str)
    assert_type((error.path, error.backend), tuple[str | None, str | None])
    assert_type(error.retryable, bool)
    assert_type(CapabilityNotSupported("x").capability, str)
    builtins: list[BaseException] = [
        NotFound("x", path="a", backend="b", retryable=True),
        AlreadyExists(),
        PermissionDenied(),
        InvalidPath(),
        DirectoryNotEmpty(),
        BackendUnavailable(),
    ]
    not_found: FileNotFoundError = NotFound("x")
    exists: FileExistsError = AlreadyExists("x")
    refused: PermissionError = PermissionDenied("x")
    invalid: ValueError = InvalidPath("x")
    full: OSError = DirectoryNotEmpty("x")
    cannot: NotImplementedError = CapabilityNotSupported("x")
    away: ConnectionError = BackendUnavailable("x")
    print(builtins, not_found, exists, refused, invalid, full, cannot, away)
    NotFound("x", "a")  # type: ignore[call-arg]


# -- configuration -------------------------------------------------------------------------


def configuration(data: dict[str, Any]) -> None:
    config = RegistryConfig(
        backends={"b": BackendConfig("local", {"root": "/data"})}, stores={"s": StoreProfile("b", "x")}
    )
    assert_type(config.backends["b"].options, dict[str, Any])
    assert_type(config.stores["s"].root_path, str)
    assert_type(RegistryConfig.from_dict(data), RegistryConfig)
    assert_type(RegistryConfig.from_toml("a.toml"), RegistryConfig)
    assert_type(RegistryConfig.from_toml(Path("a.toml")), RegistryConfig)
    config.validate()
    with Registry(config) as registry:
        assert_type(registry, Registry)
        assert_type(registry.get_store("s"), Store)
    Registry()
    registry.close()
    Registry({"backends": {}})  # type: ignore[arg-type]
    config.stores = {}  # type: ignore[misc]


async def async_configuration(config: RegistryConfig) -> None:
    async with AsyncRegistry(config) as registry:
        assert_type(registry, AsyncRegistry)
        assert_type(registry.get_store("s"), AsyncStore)
    await registry.aclose()


def urls() -> None:
    assert_type(open_store("memory://"), Store)
    assert_type(open_async_store("memory://"), AsyncStore)


# -- backends ------------------------------------------------------------------------------


class Small(Backend):
    """As little as a backend can be."""

    @property
    def name(self) -> str:
        return "small"

    @property
    def capabilities(self) -> CapabilitySet:
        return CapabilitySet([])

    async def is_file(self, path: str) -> bool:
        return False

    async def is_folder(self, path: str) -> bool:
        return False

    async def get_file_info(self, path: str) -> FileInfo:
        raise NotFound("x", path=path)

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        raise NotFound("x", path=path)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        raise NotFound("x", path=path)

    async def delete(self, path: str, *, missing_ok: bool = False) -> None: ...

    async def delete_folder(
        self, path: str, *, recursive: bool = False, missing_ok: bool = False
    ) -> None: ...

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        raise NotFound("x", path=src)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        raise NotFound("x", path=src)

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        return PagesWrapper(MemoryBackend().list_pages(path))


class Partial(Small):
    async def delete(self, path: str) -> None:  # type: ignore[override]
        """Forget ``missing_ok``."""


def backends() -> None:
    register_backend("small", Small)
    register_backend("small", Small())  # type: ignore[arg-type]
    register_backend("dict", dict)  # type: ignore[arg-type]
    Store(Small())
    Store(MemoryBackend(), "root")
    Store(LocalBackend("/data", durable=True, create=False), RemotePath("root"))
    AsyncStore(LocalBackend(Path("/data")))
    LocalBackend(b"/data")  # type: ignore[arg-type]
    Backend()  # type: ignore[abstract]
    assert_type(MemoryBackend.from_url("memory://"), tuple[Backend, str])


async def layers(reader: Reader, writer: Writer, pages: Pages) -> None:
    wrapper = BackendWrapper(Small())
    assert_type(wrapper.inner, Backend)
    assert_type(await wrapper.read_bytes("f"), bytes)
    assert_type(await ReaderWrapper(reader).read(1), bytes)
    assert_type(await WriterWrapper(writer).commit(), WriteResult)
    async for page in pages:
        assert_type(page, list[FileInfo | RemoteFolder])
    faulty = FaultyBackend(wrapper, [Fault("read_bytes", "delay", seconds=1)], seed=1)
    assert_type(faulty.log[0].operation, str)
    assert_type(faulty.log[0].fault, Fault | None)
    faulty.script(Fault("*", error=NotFound), Fault("*", error=NotFound("x")))
    Fault("read_bytes", "explode")  # type: ignore[arg-type]
