"""Moving by fsspec: whatever source and target are, no content is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote_store import AsyncStore, InvalidPath, NotFound, RemoteStoreError, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.ext.fsspec import RemoteStoreFileSystem

FILES = {"d/a": b"1", "d/s/b": b"2", "e/a": b"3"}


@pytest.fixture(params=["memory", "local"])
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> RemoteStoreFileSystem:
    backend = MemoryBackend() if request.param == "memory" else LocalBackend(tmp_path / "root")
    fs = RemoteStoreFileSystem(store=Store(backend))
    fs.pipe(FILES)
    return fs


def contents(fs: RemoteStoreFileSystem) -> dict[str, bytes]:
    return {name: fs.cat_file(name) for name in fs.find("")}


@pytest.mark.spec("FSS-025")
@pytest.mark.parametrize(
    ("source", "target", "recursive"),
    [
        ("d/", "d", True),
        ("d/a", "/d/a", False),
        ("/d/a", "d/", False),
        (["d/a"], ["/d/a"], False),
        (["d/a", "e/a"], ["/d/a", "/e/a"], False),
        ("d/*", "d/", False),
        ("d/*", "d/", True),
        ("remote-store://d/", "d", True),
    ],
)
def test_what_is_in_its_place_stays(
    fs: RemoteStoreFileSystem, source: Any, target: Any, recursive: bool
) -> None:
    fs.mv(source, target, recursive=recursive)
    assert contents(fs) == FILES


@pytest.mark.spec("FSS-025")
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("d", "d/sub"),
        ("/d", "d"),  # as a shell has it: into the folder that is there
        ("d", "d/s"),
        ("d/*", "d/s"),
        ("", "e"),
        ("", "new"),
        (["d/a", "e/a"], "s/"),
        (["d/a", "e/a"], ["e/a", "z"]),
        (["d/a", "e/a"], ["z", "z"]),
    ],
)
def test_what_would_be_lost_on_the_way_is_refused(
    fs: RemoteStoreFileSystem, source: Any, target: Any
) -> None:
    with pytest.raises(InvalidPath, match="below its source, or moved itself, or the target of two"):
        fs.mv(source, target, recursive=True)
    assert contents(fs) == FILES


@pytest.mark.spec("FSS-025")
@pytest.mark.parametrize(
    ("source", "target"), [("d", "z"), ("d/s", "z"), (["d"], ["z"]), (["d", "e/a"], "z/"), ("?", "z")]
)
def test_folders_are_moved_only_if_asked_to(fs: RemoteStoreFileSystem, source: Any, target: Any) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        fs.mv(source, target)
    assert isinstance(caught.value, InvalidPath)
    assert sorted(contents(fs).values()) == [b"1", b"2", b"3"]


@pytest.mark.spec("FSS-018", "FSS-025")
def test_moved_folders(fs: RemoteStoreFileSystem) -> None:
    fs.mv("d/", "e", recursive=True)
    assert contents(fs) == {"e/a": b"1", "e/s/b": b"2"}
    assert not fs.exists("d")
    fs.mv("e", "new/", recursive=True)
    fs.mv("new/e/s/*", "f/g/")
    assert contents(fs) == {"f/g/b": b"2", "new/e/a": b"1"}
    fs.pipe_file("new/e/x/y", b"4")
    fs.mv("new/e", "flat", recursive=True, maxdepth=1)
    assert sorted(contents(fs)) == [
        "f/g/b",
        "flat",
        "new/e/x/y",
    ]  # the name of one file alone is fsspec's rule
    with pytest.raises(IsADirectoryError):
        fs.mv(["f"], ["h"], recursive=True)  # fsspec takes two lists as they are
    assert fs.cat_file("f/g/b") == b"2"


@pytest.mark.spec("FSS-025")
def test_empty_folders_and_links_move_along(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fs = RemoteStoreFileSystem(store=Store(LocalBackend(root)))
    fs.pipe({"d/a": b"1", "far/f": b"2"})
    (root / "d" / "empty" / "too").mkdir(parents=True)
    fs.mv("d", "e", recursive=True)
    assert sorted(fs.find("", withdirs=True)) == ["e", "e/a", "e/empty", "e/empty/too", "far", "far/f"]
    (root / "link").symlink_to("e", target_is_directory=True)
    fs.mv("e/*", "link/")
    fs.mv("e/", "link", recursive=True)
    assert contents(fs) == {"e/a": b"1", "far/f": b"2"}


@pytest.mark.spec("FSS-025")
@pytest.mark.parametrize("names", [("all/x/f", "sub/f"), ("all/f", "other/f"), ("all/x/", "sub")])
def test_one_place_by_two_names(tmp_path: Path, names: tuple[str, str]) -> None:
    disk = {"type": "local", "options": {"root": str(tmp_path / "root")}}
    config = {
        "backends": {"one": disk, "two": disk},
        "stores": {
            "all": {"backend": "one"},
            "sub": {"backend": "one", "root_path": "x"},
            "other": {"backend": "two"},
        },
    }
    fs = RemoteStoreFileSystem(config=config)
    fs.pipe({"all/x/f": b"1", "all/f": b"2"})
    fs.mv(*names, recursive=True)
    fs.cp(*names, recursive=True)
    assert (tmp_path / "root" / "x" / "f").read_bytes() == b"1"
    assert (tmp_path / "root" / "f").read_bytes() == b"2"
    with pytest.raises(NotFound):
        fs.mv_file("all/missing", "other/missing")
    fs.mv("sub", "other/y", recursive=True)
    assert fs.find("all") == ["all/f", "all/y/f"]
    RemoteStoreFileSystem.clear_instance_cache()


@pytest.mark.spec("FSS-025")
def test_what_comes_meanwhile_stays() -> None:
    class Filled(MemoryBackend):
        async def move(self, src: str, dst: str, *, overwrite: bool = False) -> Any:
            await self.write_bytes("d/late", memoryview(b"4"), overwrite=True)
            return await super().move(src, dst, overwrite=overwrite)

    fs = RemoteStoreFileSystem(store=AsyncStore(Filled()))
    fs.pipe(FILES)
    fs.mv("d", "z", recursive=True)
    assert contents(fs) == {"z/a": b"1", "z/s/b": b"2", "e/a": b"3", "d/late": b"4"}


@pytest.mark.spec("FSS-021")
@pytest.mark.parametrize("call", ["cp", "mv", "get", "cat"])
@pytest.mark.parametrize("path", ["nope", "nope/*", ["nope/*"]])
def test_what_is_not_there_or_matches_nothing(
    fs: RemoteStoreFileSystem, tmp_path: Path, call: str, path: Any
) -> None:
    further = [] if call == "cat" else [str(tmp_path / "z") if call == "get" else "z"]
    with pytest.raises(FileNotFoundError) as caught:
        getattr(fs, call)(path, *further, recursive=True)
    assert isinstance(caught.value, RemoteStoreError)
    assert caught.value.path in ("nope", "nope/*")
