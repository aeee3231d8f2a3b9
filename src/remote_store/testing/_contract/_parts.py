"""Files that are written in parts, by one ``PartWriter`` after the other."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta

import pytest

from ..._async import AsyncStore
from ...backend import Backend, Part, PartWriter
from ...capabilities import Capability
from ...errors import AlreadyExists, CapabilityNotSupported, NotFound
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import ContractBase, all_of, assert_same, paths_of


class InParts(ContractBase):
    """The rules for ``PartWriter``, where the storage has RESUMABLE_WRITE."""

    async def begin_parts(
        self, backend: Backend, key: str, *, overwrite: bool = False
    ) -> tuple[PartWriter, list[bytes]]:
        """Open a writer for a file of two parts and a bit; return it with the content of the parts."""
        size = 2 * backend.part_size + 10
        writer = await backend.open_parts(key, size=size, overwrite=overwrite)
        full = bytes(range(256)) * (writer.part_size // 256 + 1)
        contents = [full[: writer.part_size], full[1 : writer.part_size + 1], b"0123456789"]
        return writer, contents

    async def put_part(self, writer: PartWriter, number: int, data: bytes) -> Part:
        """Write a part with its digest."""
        return await writer.write(number, data, zlib.crc32(data))

    async def there(self, backend: Backend, key: str, token: str, part: Part) -> list[Part]:
        """Return what is there of a part."""
        writer = await backend.open_parts(key, size=part.size, overwrite=True, token=token)
        return await writer.confirmed([part])

    @spec("BE-021", "BE-022", "BE-023", "BE-024")
    @needs("resumable_write", "read", "list")
    async def test_one_writer_goes_on_where_another_ended(
        self, store: AsyncStore, backend: Backend, second: Backend
    ) -> None:
        writer, contents = await self.begin_parts(backend, "a/file")
        first = await self.put_part(writer, 1, contents[0])
        last = await self.put_part(writer, 3, contents[2])
        assert (first.number, first.size, last.size) == (1, writer.part_size, 10)
        assert not await backend.exists("a/file")
        assert await paths_of(store.list_files("a")) == []
        await writer.aclose()
        await writer.aclose()
        used, size = self.used(second), sum(map(len, contents))
        other = await used.open_parts("a/file", size=size, token=writer.token)
        assert (other.token, other.part_size) == (writer.token, writer.part_size)
        damaged = last._replace(crc32=last.crc32 ^ 1, size=9)
        assert await other.confirmed([first, damaged, Part(2, other.part_size, 0, first.receipt)]) == [first]
        middle = await self.put_part(other, 2, contents[1])
        assert sorted(await other.confirmed([last, middle, first])) == [first, middle, last]
        result = await other.commit([last, middle, first])
        assert (result.path, result.size) == (RemotePath("a/file"), size)
        assert_same(await backend.read_bytes("a/file"), b"".join(contents))
        await other.aclose()
        with pytest.raises(NotFound):
            await self.there(used, "a/file", writer.token, first)

    @spec("BE-025")
    @needs("resumable_write", "read", "write")
    async def test_parts_do_not_replace_what_came_meanwhile(
        self, store: AsyncStore, backend: Backend
    ) -> None:
        await store.write("old", b"theirs")
        with pytest.raises(AlreadyExists):
            await backend.open_parts("old", size=backend.part_size + 1)
        for key, overwrite in (("new", False), ("old", True)):
            writer, contents = await self.begin_parts(backend, key, overwrite=overwrite)
            parts = [await self.put_part(writer, number, data) for number, data in enumerate(contents, 1)]
            if not overwrite:
                await store.write(key, b"theirs")
                with pytest.raises(AlreadyExists) as caught:
                    await writer.commit(parts)
                assert (caught.value.path, caught.value.backend) == (key, backend.name)
                await writer.abort()
                assert_same(await backend.read_bytes(key), b"theirs")
            else:
                await writer.commit(parts)
                await writer.aclose()
                assert_same(await backend.read_bytes(key), b"".join(contents))

    @spec("BE-024", "BE-026")
    @needs("resumable_write", "list", "recursive_list")
    async def test_abort_forgets_the_parts(self, store: AsyncStore, backend: Backend) -> None:
        writer, contents = await self.begin_parts(backend, "a/b/file")
        part = await self.put_part(writer, 1, contents[0])
        await writer.abort()
        await writer.abort()
        with pytest.raises(NotFound):
            await self.there(backend, "a/b/file", writer.token, part)
        assert await all_of(store.list_files(recursive=True)) == []
        assert not await backend.exists("a")

    @spec("BE-027")
    @needs("resumable_write")
    async def test_forgetting_leaves_what_has_parts(self, backend: Backend) -> None:
        now = datetime.now(UTC) - timedelta(seconds=5)
        writer, contents = await self.begin_parts(backend, "file")
        part = await self.put_part(writer, 1, contents[0])
        await backend.forget_parts("file", now)
        assert await writer.confirmed([part]) == [part]
        await writer.abort()

    @spec("BE-021")
    @needs("write")
    async def test_a_storage_without_parts_says_so(self, backend: Backend) -> None:
        assert backend.location == backend.location
        assert backend.location.startswith(f"{backend.name}:") or "://" in backend.location
        assert backend.part_size > 0
        if Capability.RESUMABLE_WRITE not in backend.capabilities:
            with pytest.raises(CapabilityNotSupported) as caught:
                await backend.open_parts("file", size=1)
            assert caught.value.capability == "resumable_write"
            assert await backend.forget_parts("file", datetime.now(UTC)) == 0
