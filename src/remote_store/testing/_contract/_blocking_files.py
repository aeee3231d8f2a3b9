"""The blocking streams among the tools of the standard library.

Run in a worker thread beside each kind of loop, as a program would.
"""

from __future__ import annotations

import gzip
import io
import shutil
import zipfile
from collections.abc import Callable

from anyio import to_thread

from ..._sync import Store
from ...backend import Backend
from .._spec import needs, spec
from ._base import LARGE, TEXT, ContractBase, assert_same


class BlockingFiles(ContractBase):
    """``Store.read``, ``Store.open_read`` and ``Store.open_write`` as plain binary files."""

    async def beside_the_loop(self, raw: Backend, use: Callable[[Store], None]) -> None:
        """Use a blocking store in a worker thread."""
        await to_thread.run_sync(use, Store(raw))

    @spec("STR-009")
    @needs("write", "read")
    async def test_copyfileobj(self, raw: Backend) -> None:
        def use(store: Store) -> None:
            store.write("file", LARGE)
            with store.read("file") as source, store.open_write("copy") as sink:
                shutil.copyfileobj(source, sink, 100_000)
            assert_same(store.read_bytes("copy"), LARGE)

        await self.beside_the_loop(raw, use)

    @spec("STR-009", "STR-014")
    @needs("write", "read")
    async def test_text_wrapper(self, raw: Backend) -> None:
        def use(store: Store) -> None:
            with (
                store.open_write("file") as sink,
                io.TextIOWrapper(sink, encoding="utf-8", newline="") as text,
            ):
                text.writelines(f"{number} é\r\n" for number in range(3))
            with io.TextIOWrapper(store.read("file"), encoding="utf-8") as text:
                assert text.readlines() == ["0 é\n", "1 é\n", "2 é\n"]

        await self.beside_the_loop(raw, use)

    @spec("STR-009")
    @needs("write", "read")
    async def test_gzip(self, raw: Backend) -> None:
        def use(store: Store) -> None:
            with store.open_write("file.gz") as sink, gzip.open(sink, "wb") as packed:
                packed.write(LARGE)
            with store.read("file.gz") as source, gzip.open(source) as unpacked:
                assert_same(unpacked.read(), LARGE)

        await self.beside_the_loop(raw, use)

    @spec("STR-009", "STORE-025")
    @needs("write", "read")
    async def test_zipfile(self, raw: Backend) -> None:
        def use(store: Store) -> None:
            with store.open_write("file.zip") as sink, zipfile.ZipFile(sink, "w") as packed:
                packed.writestr("one", TEXT)
                packed.writestr("two", LARGE)
            with store.open_read("file.zip") as source, zipfile.ZipFile(source) as unpacked:
                assert unpacked.namelist() == ["one", "two"]
                assert_same(unpacked.read("two"), LARGE)
                assert_same(unpacked.read("one"), TEXT)

        await self.beside_the_loop(raw, use)

    @spec("STR-009", "STR-001")
    @needs("write", "read")
    async def test_lines(self, raw: Backend) -> None:
        def use(store: Store) -> None:
            store.write("file", b"one\ntwo\n\nlast")
            with store.read("file") as file:
                assert file.readline() == b"one\n"
                assert list(file) == [b"two\n", b"\n", b"last"]
                assert file.readline() == b""

        await self.beside_the_loop(raw, use)
