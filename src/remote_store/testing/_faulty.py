"""``FaultyBackend``: a storage that fails as the script says, at the same place every time.

    faulty = FaultyBackend(
        MemoryBackend(),
        [
            Fault("read_bytes", at=3),                                   # the third call fails
            Fault("reader.read", "flip", path="data/**"),                # one bit arrives changed
            Fault("*", "delay", times=None, probability=0.1),            # a tenth of all calls is slow
            Fault("writer.commit", error=PermissionDenied, times=2),     # refused twice, then done
        ],
        seed=7,
    )
    store = Store(faulty)

Chances and places are drawn from the seed, the fault and the number of the call alone: the
same calls with the same seed go wrong in the same way, on asyncio, on trio and blocking.
``log`` tells afterwards what was called and what struck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from .. import _runtime
from .._types import Buffer
from ..backend import Backend, Pages, Part, PartWriter, Reader, Writer
from ..capabilities import CapabilitySet
from ..models import Entry, FileInfo, FolderInfo, WriteOptions, WriteResult
from ..wrapper import BackendWrapper, PagesWrapper, PartWriterWrapper, ReaderWrapper, WriterWrapper
from ._script import Due, Fault, Hit, Record


class FaultyBackend(BackendWrapper):
    """A backend that behaves as ``inner`` does, but for the faults of its script.

    Where several faults fit a call, the first of the script that is due strikes, and the
    others count the call. May be used from many tasks and threads at once, as any backend.

    Args:
        inner: the backend that does the work.
        faults: the script; ``script`` adds to it.
        seed: what chances and places are drawn from.
    """

    def __init__(self, inner: Backend, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        super().__init__(inner)
        self.seed = seed
        self.log: list[Record] = []
        self._lock = _runtime.Lock()
        self._calls: Counter[str] = Counter()
        self._script: list[Due] = []
        self.script(*faults)

    def script(self, *faults: Fault) -> None:
        """Add faults. Each counts its calls from now on."""
        for fault in faults:
            if not isinstance(fault, Fault):
                raise TypeError(f"a script is made of Fault objects, not {type(fault).__name__}")
        with self._lock:
            for fault in faults:
                self._script.append(Due(fault, f"{self.seed}/{len(self._script)}"))

    def _note(self, operation: str, paths: tuple[str, ...]) -> Hit | None:
        with self._lock:
            hit = None
            for due in self._script:
                if due.fault.concerns(operation, paths):
                    hit = due.strike(free=hit is None) or hit
            self._calls[operation] += 1
            fault = hit.fault if hit is not None else None
            self.log.append(Record(operation, next(iter(paths), None), self._calls[operation], fault))
            return hit

    async def _pass(self, operation: str, *paths: str) -> Hit | None:
        """Note a call and let its fault strike; return what is left to do to the data."""
        hit = self._note(operation, paths)
        if hit is None:
            return None
        if hit.fault.waits:
            await _runtime.sleep(hit.fault.waits)
        error = hit.error(f"scripted {hit.fault.kind} in {operation}", next(iter(paths), None), self.name)
        if error is not None:
            raise error
        return hit

    # -- questions -------------------------------------------------------------

    async def is_file(self, path: str) -> bool:
        await self._pass("is_file", path)
        return await super().is_file(path)

    async def is_folder(self, path: str) -> bool:
        await self._pass("is_folder", path)
        return await super().is_folder(path)

    async def exists(self, path: str) -> bool:
        await self._pass("exists", path)
        return await super().exists(path)

    async def get_file_info(self, path: str) -> FileInfo:
        await self._pass("get_file_info", path)
        return await super().get_file_info(path)

    async def get_folder_info(self, path: str) -> FolderInfo:
        await self._pass("get_folder_info", path)
        return await super().get_folder_info(path)

    async def ping(self) -> None:
        await self._pass("ping")
        await super().ping()

    async def probe(self) -> CapabilitySet:
        await self._pass("probe")
        return await super().probe()

    # -- content ---------------------------------------------------------------

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        await self._pass("open_read", path)
        return _FaultyReader(await super().open_read(path, start=start, length=length), self, path)

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        hit = await self._pass("read_bytes", path)
        data = await super().read_bytes(path, start=start, length=length)
        return data if hit is None else hit.spoiled(data)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        await self._pass("open_write", path)
        return _FaultyWriter(
            await super().open_write(path, overwrite=overwrite, atomic=atomic, options=options), self, path
        )

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        hit = await self._pass("write_bytes", path)
        if hit is not None:
            data = memoryview(hit.spoiled(bytes(data)))
        return await super().write_bytes(path, data, overwrite=overwrite, atomic=atomic, options=options)

    # -- content in parts ------------------------------------------------------

    async def open_parts(
        self,
        path: str,
        *,
        size: int,
        overwrite: bool = False,
        options: WriteOptions | None = None,
        token: str | None = None,
    ) -> PartWriter:
        await self._pass("open_parts", path)
        inner = await super().open_parts(path, size=size, overwrite=overwrite, options=options, token=token)
        return _FaultyParts(inner, self, path)

    async def forget_parts(self, path: str, since: datetime) -> int:
        await self._pass("forget_parts", path)
        return await super().forget_parts(path, since)

    # -- changes ---------------------------------------------------------------

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self._pass("delete", path)
        await super().delete(path, missing_ok=missing_ok)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self._pass("delete_folder", path)
        await super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        await self._pass("move", src, dst)
        return await super().move(src, dst, overwrite=overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        await self._pass("copy", src, dst)
        return await super().copy(src, dst, overwrite=overwrite)

    async def copy_from(self, source: Backend, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        if source is not self:  # else it comes back as a copy
            await self._pass("copy", src, dst)
        return await super().copy_from(source, src, dst, overwrite=overwrite)

    async def presign(self, path: str, *, method: str, expires: int, content_type: str | None = None) -> str:
        await self._pass("presign", path)
        return await super().presign(path, method=method, expires=expires, content_type=content_type)

    # -- the rest ----------------------------------------------------------------

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        pages = super().list_pages(path, recursive=recursive, files=files, folders=folders)
        return _FaultyPages(pages, self, path)

    async def aclose(self) -> None:
        try:
            await self._pass("aclose")
        finally:
            await super().aclose()


class _FaultyReader(ReaderWrapper):
    def __init__(self, inner: Reader, backend: FaultyBackend, path: str) -> None:
        super().__init__(inner)
        self._backend, self._path = backend, path
        self._ended = False

    async def read(self, n: int) -> bytes:
        hit = await self._backend._pass("reader.read", self._path)
        if self._ended:
            return b""
        return await super().read(n) if hit is None else await self._struck(hit, n)

    async def readinto(self, buffer: memoryview) -> int:
        hit = await self._backend._pass("reader.read", self._path)
        if self._ended:
            return 0
        if hit is None:
            return await super().readinto(buffer)
        data = await self._struck(hit, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def _struck(self, hit: Hit, n: int) -> bytes:
        self._ended = hit.fault.kind == "truncate"
        return hit.spoiled(await self.inner.read(hit.asked(n)))

    async def seek(self, position: int) -> None:
        await self._backend._pass("reader.seek", self._path)
        await super().seek(position)
        self._ended = False

    async def aclose(self) -> None:
        try:
            await self._backend._pass("reader.aclose", self._path)
        finally:
            await super().aclose()


class _FaultyWriter(WriterWrapper):
    def __init__(self, inner: Writer, backend: FaultyBackend, path: str) -> None:
        super().__init__(inner)
        self._backend, self._path = backend, path

    async def write(self, data: Buffer) -> None:
        hit = await self._backend._pass("writer.write", self._path)
        await super().write(data if hit is None else hit.spoiled(bytes(data)))

    async def commit(self) -> WriteResult:
        await self._backend._pass("writer.commit", self._path)
        return await super().commit()

    async def abort(self) -> None:
        try:
            await self._backend._pass("writer.abort", self._path)
        finally:
            await super().abort()


class _FaultyParts(PartWriterWrapper):
    def __init__(self, inner: PartWriter, backend: FaultyBackend, path: str) -> None:
        super().__init__(inner)
        self._backend, self._path = backend, path

    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        await self._backend._pass("parts.confirmed", self._path)
        return await super().confirmed(parts)

    async def write(self, number: int, data: Buffer, crc32: int) -> Part:
        hit = await self._backend._pass("parts.write", self._path)
        return await super().write(number, data if hit is None else hit.spoiled(bytes(data)), crc32)

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        await self._backend._pass("parts.commit", self._path)
        return await super().commit(parts)

    async def abort(self) -> None:
        try:
            await self._backend._pass("parts.abort", self._path)
        finally:
            await super().abort()

    async def aclose(self) -> None:
        try:
            await self._backend._pass("parts.aclose", self._path)
        finally:
            await super().aclose()


class _FaultyPages(PagesWrapper):
    def __init__(self, inner: Pages, backend: FaultyBackend, path: str) -> None:
        super().__init__(inner)
        self._backend, self._path = backend, path
        self._begun = False

    async def __anext__(self) -> list[Entry]:
        if not self._begun:
            self._begun = True
            await self._backend._pass("list_pages", self._path)
        await self._backend._pass("pages.next", self._path)
        return await super().__anext__()

    async def aclose(self) -> None:
        try:
            await self._backend._pass("pages.aclose", self._path)
        finally:
            await super().aclose()
