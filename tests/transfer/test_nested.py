"""Folders within folders, and folders that are not there: what would never end, or delete too much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.runtime.support import run
from tests.transfer.support import WAYS, call, content, memory

import remote_store
from remote_store import AsyncStore, Backend, InvalidPath, NotFound, Store, aio
from remote_store.backends import LocalBackend, MemoryBackend, S3Backend, SFTPBackend
from remote_store.testing import FaultyBackend

FILES = {"a": b"1", "sub/b": b"2"}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a folder with files, two folders down."""
    for name, text in FILES.items():
        path = tmp_path / "parent" / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return tmp_path / "parent" / "data"


def there(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def place(backend: Backend, path: str = "") -> tuple[str, str]:
    """Return the place that a key leads to."""
    found: tuple[str, str] = run("asyncio", lambda: backend.place(path))
    return found


@pytest.mark.spec("XFER-003", "XFER-028")
def test_a_source_within_the_target_is_not_mirrored_with_deletions(way: str, data: Path) -> None:
    source, parent = LocalBackend(data), LocalBackend(data.parent)
    with pytest.raises(InvalidPath, match="source lies within the target"):
        call(way, "sync", source, "", parent, "", delete=True)
    with pytest.raises(InvalidPath, match="source lies within the target"):
        call(way, "sync", FaultyBackend(source), "sub", parent, "data", delete=True)
    assert there(data) == FILES
    assert call(way, "sync", source, "", parent, "").done == 2
    assert there(data.parent) == {**FILES, **{f"data/{name}": text for name, text in FILES.items()}}


@pytest.mark.spec("XFER-003")
def test_a_folder_is_not_copied_into_itself_by_way_of_another_backend(way: str, data: Path) -> None:
    linked = data.parent / "link"
    linked.symlink_to(data)
    for target, path in ((data, "copy"), (data.parent, "data/copy"), (linked, "copy"), (data, "")):
        with pytest.raises(InvalidPath, match="target lies within the source"):
            call(way, "upload", data, LocalBackend(target), path)
        with pytest.raises(InvalidPath, match="target lies within the source"):
            call(way, "sync", LocalBackend(data), "", LocalBackend(target), path)
    assert there(data) == FILES
    assert call(way, "upload", data, LocalBackend(data.parent), "data2").done == 2


@pytest.mark.spec("XFER-003", "XFER-028")
def test_plans_are_refused_at_their_first_line(data: Path) -> None:
    source, parent, missing = (LocalBackend(each, create=False) for each in (data, data.parent, data / "no"))
    for left, right, error in ((source, parent, InvalidPath), (missing, memory(FILES), NotFound)):
        plan = remote_store.plan_sync(Store(left), "", Store(right), delete=True)
        with pytest.raises(error):
            next(plan)

    async def main() -> None:
        async with aio.plan_sync(AsyncStore(source), "", AsyncStore(parent), delete=True) as plan:
            for _ in range(2):  # asking again does not get round it
                with pytest.raises(InvalidPath):
                    await anext(plan)

    run("trio", main)


@pytest.mark.spec("BE-029")
def test_places(data: Path) -> None:
    one, other = MemoryBackend(), MemoryBackend()
    assert place(one, "a/b") == place(FaultyBackend(one), "a/b")
    assert place(one)[0] != place(other)[0]
    assert place(LocalBackend(data), "sub") == place(LocalBackend("/"), str(data / "sub").strip("/"))
    key: dict[str, Any] = {"key": "k", "secret": "s"}
    here, again, elsewhere, bucket = (
        S3Backend(name, endpoint_url=f"http://{host}:1{end}", **key)
        for name, host, end in (("one", "a", ""), ("one", "a", "/"), ("one", "b", ""), ("two", "a", ""))
    )
    assert place(here, "x/y") == place(again, "x/y") == (place(here)[0], "x/y")
    assert len({place(each)[0] for each in (here, elsewhere, bucket)}) == 3


@pytest.mark.spec("BE-029")
def test_places_of_a_server() -> None:
    def at(host: str, base: str, **given: Any) -> SFTPBackend:
        return SFTPBackend(host, username="u", base_path=base, **given)

    assert place(at("h", "/data"), "a/b") == place(at("H", "/data/a/"), "b")
    assert place(at("h", "/"), "data") == place(at("h", "/data"))
    assert place(at("h", "/data"))[0] != place(at("h", "/data", port=2222))[0]


@pytest.mark.spec("XFER-028")
def test_a_root_that_is_not_there_deletes_nothing(way: str, tmp_path: Path) -> None:
    target = memory(FILES)
    gone = [LocalBackend(tmp_path / "unmounted", create=False), LocalBackend(tmp_path / "made")]
    for source in gone:
        with pytest.raises(NotFound, match="empty one would delete everything"):
            call(way, "sync", source, "", target, delete=True)
    assert content(target) == FILES
    assert not (tmp_path / "made").exists()  # else it would pass for an empty folder the next time
    (tmp_path / "empty").mkdir()
    empty = LocalBackend(tmp_path / "empty")
    assert call(way, "sync", gone[0], "", target).done == 0
    assert call(way, "sync", empty, "", target, delete=True).done == 2
    assert content(target) == {}


@pytest.mark.spec("BE-030")
def test_a_root_that_was_made_for_nothing(tmp_path: Path) -> None:
    def unmade(backend: Backend) -> bool:
        answer: bool = run("asyncio", backend.unmake)
        return answer

    made = LocalBackend(tmp_path / "made")
    assert unmade(FaultyBackend(made))
    assert not unmade(made)
    Store(made).write("f", b"1")
    assert not unmade(made)
    assert content(made) == {"f": b"1"}
    Store(made).delete("f")
    assert not unmade(LocalBackend(tmp_path / "made"))
    assert not unmade(MemoryBackend())


@pytest.mark.spec("XFER-028")
def test_a_folder_of_a_store_that_is_not_there_deletes_nothing(way: str) -> None:
    source, target = memory({"2026/a": b"1"}), memory(FILES)

    def mirror(folder: str) -> Any:
        if way == "blocking":
            return remote_store.sync(Store(source).child(folder), "", Store(target), delete=True)
        return run(
            way, lambda: aio.sync(AsyncStore(source).child(folder), "", AsyncStore(target), delete=True)
        )

    with pytest.raises(NotFound, match="mistyped"):
        mirror("2O26")
    assert content(target) == FILES
    assert mirror("2026").done == 1
    assert content(target) == {"a": b"1"}
