"""Blocking listings: iterators that fetch page by page and let go of what they hold."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from remote_store import BackendUnavailable, FileInfo, InvalidPath, RemotePath, Store
from remote_store.backend import Pages
from remote_store.backends import MemoryBackend
from remote_store.models import Entry, RemoteFolder
from remote_store.testing import Fault, FaultyBackend

PAGE = 10
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Paged(MemoryBackend):
    """Lists a hundred made-up files and as many folders, ten to a page; an empty page now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched = self.opened = self.released = 0

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        if path == "":
            return PagedPages(self, files, folders)
        return super().list_pages(path, recursive=recursive, files=files, folders=folders)


class PagedPages(Pages):
    def __init__(self, backend: Paged, files: bool, folders: bool) -> None:
        self.backend, self.files, self.folders = backend, files, folders
        self.next = 0
        self.held = True
        backend.opened += 1

    async def __anext__(self) -> list[Entry]:
        assert self.held, "fetched after it was released"
        if self.next == 100:
            raise StopAsyncIteration
        self.backend.fetched += 1
        numbers = range(self.next, self.next + PAGE)
        self.next += PAGE
        if self.next == 50:
            return []
        page: list[Entry] = []
        for number in numbers:
            if self.files:
                page.append(FileInfo(RemotePath(f"{number}.txt"), f"{number}.txt", 1, NOW))
            if self.folders:
                page.append(RemoteFolder(RemotePath(f"{number}")))
        return page

    async def aclose(self) -> None:
        self.release()

    def release(self) -> None:
        if self.held:
            self.held = False
            self.backend.released += 1

    def __del__(self) -> None:
        self.release()


LISTINGS: dict[str, Callable[[Store], Iterator[Any]]] = {
    "list_files": lambda store: store.list_files(),
    "list_files recursive": lambda store: store.list_files(recursive=True),
    "list_folders": lambda store: store.list_folders(),
    "iter_children": lambda store: store.iter_children(),
    "glob": lambda store: store.glob("*"),
}
listings = pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)


@pytest.mark.spec("GEN-006", "STORE-042")
@listings
def test_a_page_is_fetched_when_its_first_item_is_asked_for(
    listing: Callable[[Store], Iterator[Any]],
) -> None:
    backend = Paged()
    items = listing(Store(backend))
    assert iter(items) is items
    assert backend.fetched == 0, "nothing is fetched before it is asked for"
    first = next(items)
    assert backend.fetched == 1
    count = 2 if listing is LISTINGS["iter_children"] else 1
    for _ in range(PAGE * count - 1):
        next(items)
    assert backend.fetched == 1, "ten items, one page"
    next(items)
    assert backend.fetched == 2
    assert first is not None
    assert sum(1 for _ in items) == (90 - PAGE) * count - 1, "an empty page is not the end"
    assert backend.fetched == 10
    assert list(items) == []
    assert backend.fetched == 10


@pytest.mark.spec("GEN-006")
@listings
@pytest.mark.parametrize("taken", [0, 1, 15])
@pytest.mark.parametrize("leave", ["close", "drop", "break", "exhaust"])
def test_what_it_holds_is_released(listing: Callable[[Store], Iterator[Any]], taken: int, leave: str) -> None:
    backend = Paged()
    items = listing(Store(backend))
    assert len(list(itertools.islice(items, taken))) == taken
    if leave == "close":
        cast(Any, items).close()
        assert list(items) == []
    elif leave == "break":
        for _ in items:
            break
    elif leave == "exhaust":
        assert list(items)
    del items
    gc.collect()
    assert backend.opened == backend.released


@pytest.mark.spec("GEN-006", "ERR-007", "ERR-008")
@listings
@pytest.mark.parametrize("at", [1, 4])
def test_an_error_ends_it(listing: Callable[[Store], Iterator[Any]], at: int) -> None:
    backend = Paged()
    items = listing(Store(FaultyBackend(backend, [Fault("pages.next", at=at)])))
    seen = 0
    with pytest.raises(BackendUnavailable) as caught:
        for _ in items:
            seen += 1
    assert seen == (at - 1) * PAGE * (2 if listing is LISTINGS["iter_children"] else 1)
    assert caught.value.backend == "memory"
    assert list(items) == []
    del items, caught
    gc.collect()
    assert backend.opened == backend.released


@pytest.mark.spec("STORE-037")
@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.list_files(".."),
        lambda store: store.list_folders(".."),
        lambda store: store.iter_children(".."),
        lambda store: store.walk(".."),
        lambda store: store.glob("../*"),
    ],
)
def test_arguments_are_checked_when_it_is_made(call: Callable[[Store], Any]) -> None:
    store = Store(MemoryBackend())
    with pytest.raises(InvalidPath):
        call(store)
    store.close()
    with pytest.raises(BackendUnavailable):
        store.list_files()


@pytest.mark.spec("GEN-006", "STORE-041")
def test_walk_goes_folder_by_folder() -> None:
    backend = FaultyBackend(MemoryBackend())
    store = Store(backend)
    for path in ("a/b/f", "a/g", "h"):
        store.write(path, b"x")
    backend.log.clear()
    steps = store.walk()
    assert [str(path) for path, _, _ in itertools.islice(steps, 1)] == [""]
    listed = [record.path for record in backend.log if record.operation == "list_pages"]
    assert listed == [""], "no folder is listed before its turn"
    assert [str(path) for path, _, _ in steps] == ["a", "a/b"]


@pytest.mark.spec("GEN-006")
def test_a_listing_goes_on_while_the_store_is_used() -> None:
    store = Store(MemoryBackend())
    for number in range(2500):
        store.write(f"d/{number}", b"x")
    seen = 0
    for info in store.list_files("d"):
        store.delete(info.path)
        assert store.exists("d") is (seen < 2499)
        seen += 1
    assert seen == 2500
