"""The blocking face behind the calls of the async one, so that one test serves both.

Every call that may touch the storage is made in a worker thread, as a program would
that calls ``Store`` beside a running loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, BinaryIO, Final, Self, TypeVar, cast

from anyio import to_thread

from .._async import AsyncStore
from .._runtime import drive
from .._sync import Store
from ..backend import CHUNK_SIZE, Backend, Pages, PartWriter, Reader, Writer

T = TypeVar("T")

_END: Final = object()


async def in_thread(call: Callable[..., T], *args: Any, **options: Any) -> T:
    """Make a blocking call in a worker thread, which keeps neither arguments nor result afterwards."""
    job, results = [partial(call, *args, **options)], []
    await to_thread.run_sync(lambda: results.append(job.pop()()))
    return results.pop()


def face_of(store: Store) -> AsyncStore:
    """Return a blocking store in the shape of ``AsyncStore``."""
    return cast(AsyncStore, BlockingFace(store))


def driven(backend: Backend) -> Backend:
    """Return a backend each of whose calls is driven in a worker thread, without a loop."""
    return cast(Backend, Driven(backend))


class BlockingFace:
    """A ``Store`` whose methods are awaited where those of ``AsyncStore`` are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._store, name)
        if inspect.iscoroutinefunction(getattr(AsyncStore, name)):
            return partial(in_thread, member)
        return member

    async def read(self, *args: Any, **options: Any) -> ThreadedFile:
        return ThreadedFile(await in_thread(self._store.read, *args, **options))

    async def open_read(self, *args: Any, **options: Any) -> ThreadedFile:
        return ThreadedFile(await in_thread(self._store.open_read, *args, **options))

    def open_write(self, *args: Any, **options: Any) -> ThreadedWriter:
        return ThreadedWriter(self._store.open_write(*args, **options))

    def list_files(self, *args: Any, **options: Any) -> ThreadedListing:
        return ThreadedListing(self._store.list_files(*args, **options))

    def list_folders(self, *args: Any) -> ThreadedListing:
        return ThreadedListing(self._store.list_folders(*args))

    def iter_children(self, *args: Any) -> ThreadedListing:
        return ThreadedListing(self._store.iter_children(*args))

    def walk(self, *args: Any) -> ThreadedListing:
        return ThreadedListing(self._store.walk(*args))

    def glob(self, *args: Any) -> ThreadedListing:
        return ThreadedListing(self._store.glob(*args))

    def child(self, *args: Any) -> BlockingFace:
        return BlockingFace(self._store.child(*args))

    async def aclose(self) -> None:
        await in_thread(self._store.close)

    async def __aenter__(self) -> Self:
        await in_thread(self._store.__enter__)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await in_thread(self._store.__exit__, *exc_info)

    def __eq__(self, other: object) -> bool:
        return self._store == other._store if isinstance(other, BlockingFace) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._store)

    def __repr__(self) -> str:
        return repr(self._store)


class ThreadedFile:
    """The ``BinaryIO`` of a blocking read in the shape of ``AsyncReadStream``."""

    def __init__(self, file: BinaryIO) -> None:
        self.plain = file
        self.tell, self.seekable, self.readable = file.tell, file.seekable, file.readable

    @property
    def name(self) -> str:
        return self.plain.name

    @property
    def size(self) -> int | None:
        return cast("int | None", cast(Any, self.plain).raw.size)

    @property
    def closed(self) -> bool:
        return self.plain.closed

    async def read(self, n: int | None = -1) -> bytes:
        return await in_thread(self.plain.read, -1 if n is None else n)

    async def readinto(self, buffer: Any) -> int:
        return cast(int, await in_thread(cast(Any, self.plain).readinto, buffer))

    async def seek(self, offset: int, whence: int = 0) -> int:
        return await in_thread(self.plain.seek, offset, whence)

    async def copy_to(self, sink: Any) -> int:
        total = 0
        while chunk := await self.read(CHUNK_SIZE):
            await in_thread(sink.write, chunk)
            total += len(chunk)
        return total

    async def aclose(self) -> None:
        await in_thread(self.plain.close)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if chunk := await self.read(CHUNK_SIZE):
            return chunk
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        await in_thread(self.plain.__enter__)
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await in_thread(self.plain.__exit__, *exc_info)


class ThreadedWriter:
    """The generated ``WriteStream`` in the shape of ``AsyncWriteStream``."""

    def __init__(self, stream: Any) -> None:
        self.plain = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    async def write(self, data: Any) -> int:
        return cast(int, await in_thread(self.plain.write, data))

    async def aclose(self) -> None:
        await in_thread(self.plain.close)

    async def __aenter__(self) -> Self:
        await in_thread(self.plain.__enter__)
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await in_thread(self.plain.__exit__, *exc_info)


class ThreadedListing:
    """A blocking iterator in the shape of ``Listing``; each item is fetched in a thread."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        item = await in_thread(next, self._items, _END)
        if item is _END:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        await in_thread(cast(Any, self._items).close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


class Driven:
    """A backend, reader, writer or listing as blocking code meets it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        return partial(self._call, member) if callable(member) else member

    def _call(self, member: Callable[..., Any], *args: Any, **options: Any) -> Any:
        result = member(*args, **options)
        if inspect.iscoroutine(result):
            return self._drive(result)
        return Driven(result) if isinstance(result, Pages) else result

    async def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        result = await in_thread(drive, coroutine)
        return Driven(result) if isinstance(result, Reader | Writer | PartWriter) else result

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return await in_thread(drive, self._inner.__anext__())
