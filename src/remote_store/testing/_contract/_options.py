"""What is stored beside the content, and writes that replace one version only."""

from __future__ import annotations

import pytest

from ..._async import AsyncStore
from ...backend import Backend
from ...errors import CapabilityNotSupported, NotFound, PreconditionFailed
from ...models import FileInfo, WriteOptions
from .._spec import needs, spec
from ._base import LARGE, ContractBase, all_at_once

OPTIONS = WriteOptions(
    content_type="application/x-test",
    metadata={"colour": "blue", "shape": "a long one"},
    cache_control="max-age=60",
    content_disposition='attachment; filename="x"',
    content_encoding="identity",
    content_language="en",
)


def assert_has_options(info: FileInfo) -> None:
    assert info.content_type == OPTIONS.content_type
    for name in ("metadata", "cache_control", "content_disposition", "content_encoding", "content_language"):
        assert info.extra[name] == getattr(OPTIONS, name)


class Options(ContractBase):
    """``options`` and ``if_match`` where the storage has them, and their refusal where not."""

    @spec("STORE-050")
    @needs("write", "metadata", "write_options")
    async def test_options_are_kept(self, store: AsyncStore) -> None:
        await store.write("small", b"x", options=OPTIONS)
        await store.write("large", [LARGE], options=OPTIONS)
        async with store.open_write("piecewise", options=OPTIONS) as stream:
            await stream.write(b"xyz")
        await store.write_text("text", "x", options=OPTIONS)
        for path in ("small", "large", "piecewise", "text"):
            assert_has_options(await store.get_file_info(path))
        await store.write("small", b"y", overwrite=True)
        assert "metadata" not in (await store.get_file_info("small")).extra

    @spec("STORE-050")
    @needs("write", "metadata", "write_options", "copy", "move")
    async def test_copies_keep_them(self, store: AsyncStore) -> None:
        await store.write("from", b"x", options=OPTIONS)
        await store.copy("from", "copied")
        await store.move("from", "moved")
        for path in ("copied", "moved"):
            assert_has_options(await store.get_file_info(path))

    @spec("STORE-051")
    @needs("write", "metadata")
    async def test_what_is_not_there_is_refused(self, store: AsyncStore) -> None:
        for name, wanted in (("write_options", OPTIONS), ("conditional_write", WriteOptions(if_match="x"))):
            if name not in [capability.value for capability in store.capabilities]:
                with pytest.raises(CapabilityNotSupported) as caught:
                    await store.write("file", b"x", options=wanted)
                assert caught.value.capability == name
        await store.write("file", b"x", options=WriteOptions())
        assert (await store.get_file_info("file")).size == 1

    @spec("STORE-049", "MOD-008")
    @needs("write", "read", "metadata", "conditional_write")
    @pytest.mark.parametrize("large", [False, True])
    async def test_a_version_is_replaced_once(self, store: AsyncStore, large: bool) -> None:
        data = [LARGE[:-1], b"x"] if large else b"x"
        etag = (await store.write("file", b"first")).etag
        assert etag
        assert etag == (await store.get_file_info("file")).etag
        second = (await store.write("file", data, if_match=etag)).etag
        assert second not in (None, etag)
        for overwrite in (False, True):
            with pytest.raises(PreconditionFailed) as caught:
                await store.write("file", [LARGE] if large else b"y", if_match=etag, overwrite=overwrite)
            assert (caught.value.path, caught.value.retryable) == ("file", False)
        assert (await store.get_file_info("file")).etag == second
        async with store.open_write("file", if_match=second) as stream:
            await stream.write(b"third")
        assert await store.read_bytes("file") == b"third"

    @spec("STORE-049")
    @needs("write", "delete", "conditional_write")
    async def test_a_file_that_is_gone(self, store: AsyncStore) -> None:
        etag = (await store.write("file", b"first")).etag
        await store.delete("file")
        for content in (b"x", [LARGE]):
            with pytest.raises(PreconditionFailed):
                await store.write("file", content, if_match=etag)
        with pytest.raises(PreconditionFailed):
            async with store.open_write("file", if_match=etag) as stream:
                await stream.write(b"x")
        assert not await store.exists("file")

    @spec("STORE-049", "BE-004")
    @needs("write", "read", "metadata", "conditional_write")
    async def test_no_update_is_lost(self, raw: Backend, second: Backend) -> None:
        stores = [self.open((raw, second)[number % 2]) for number in range(16)]
        await stores[0].write_text("count", "0")

        async def add(store: AsyncStore) -> None:
            while True:
                etag = (await store.get_file_info("count")).etag
                count = int(await store.read_text("count"))
                try:
                    await store.write_text("count", str(count + 1), if_match=etag)
                except (PreconditionFailed, NotFound):
                    continue
                return

        for outcome in await all_at_once([lambda store=store: add(store) for store in stores]):  # type: ignore[misc]
            assert outcome is None
        assert await stores[0].read_text("count") == "16"
