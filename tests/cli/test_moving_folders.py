"""mv of folders: what goes from the source, what stays there, and what is asked of the target."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import Run, there

from remote_store import FileInfo, PermissionDenied, Store, copy_tree
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.cli._emptying import emptied
from remote_store.cli._places import Place
from remote_store.transfer.plan import Version

Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something happen between the copies and the deletions."""

    def at(what: Callable[[], object]) -> None:
        def copied(*arguments: Any, **options: Any) -> Any:
            report = copy_tree(*arguments, **options)
            what()
            return report

        monkeypatch.setattr("remote_store.cli._moving.copy_tree", copied)

    return at


def told(run: Run, *arguments: str) -> dict[str, str]:
    """Return what a move says that stays, and why."""
    lines = re.findall("^remote-store: (.*?): (.*)$", run("mv", *arguments, code=1).err, re.MULTILINE)
    return dict(lines)


@pytest.mark.spec("CLI-008", "CLI-027")
def test_what_changes_or_comes_while_it_is_moved_stays(
    run: Run, tmp_path: Path, meanwhile: Meanwhile
) -> None:
    sub = tmp_path / "root" / "x" / "sub"

    def change() -> None:
        (sub / "b.csv").write_bytes(b"newer")
        (sub / "late").write_bytes(b"late")

    meanwhile(change)
    stays = told(run, "s:sub", "out", "--json")
    assert stays.keys() == {"s:sub/b.csv", "s:sub/late"}
    assert "was changed while it was moved" in stays["s:sub/b.csv"]
    assert "came while files were moved" in stays["s:sub/late"]
    assert there("root/x") == {"a.txt": b"hi\n", "sub/b.csv": b"newer", "sub/late": b"late"}
    assert not (sub / "deep").exists()


@pytest.mark.spec("CLI-008")
def test_what_others_have_deleted_counts_as_moved(run: Run, tmp_path: Path, meanwhile: Meanwhile) -> None:
    meanwhile((tmp_path / "root" / "x" / "sub" / "b.csv").unlink)
    run("mv", "s:sub", "out")
    assert there("out").keys() == {"b.csv", "deep/c.csv"}
    assert not (tmp_path / "root" / "x" / "sub").exists()


@pytest.mark.spec("CLI-008")
@pytest.mark.parametrize(
    ("listed", "found", "gone"),
    [
        ((789000, "a"), (0, "a"), True),
        ((789000, None), (0, None), True),
        ((789000, "a"), (789000, None), True),
        ((789000, "a"), (789000, "b"), False),
        ((789000, None), (788000, None), False),
    ],
)
def test_versions_are_compared_as_by_sync(
    monkeypatch: pytest.MonkeyPatch, listed: tuple[int, str | None], found: tuple[int, str | None], gone: bool
) -> None:
    """As on servers that list milliseconds, and tell seconds and ETags of a single file, or do not."""

    def look(_: Store, path: Any) -> FileInfo:
        return FileInfo(path, "f", 1, datetime(2026, 11, 27, 6, 0, 0, found[0], UTC), etag=found[1])

    monkeypatch.setattr(Store, "get_file_info", look)
    before = Version(1, datetime(2026, 11, 27, 6, 0, 0, listed[0], UTC), listed[1])
    with Store(MemoryBackend()) as store:
        store.write("f", b"x")
        place = Place(store, "f", "m:f", "m:")
        assert (emptied(place, place, {"f": before}) == {}) is gone
        assert store.exists("f") is not gone


@pytest.mark.spec("CLI-027")
def test_what_is_not_moved_stays(run: Run, tmp_path: Path) -> None:
    sub = tmp_path / "root" / "x" / "sub"
    (sub / "deep" / "nowhere").symlink_to("missing")
    (sub / "folder").symlink_to("../empty")
    (sub / "none" / "inner").mkdir(parents=True)
    (sub / "pipe").mkdir()
    os.mkfifo(sub / "pipe" / "p")
    (tmp_path / "root" / "x" / "empty").mkdir()
    (tmp_path / "out" / "none").mkdir(parents=True)
    stays = told(run, "s:sub", "out")
    assert {path: why.partition(";")[0].partition(",")[0] for path, why in stays.items()} == {
        "s:sub/deep": "it stays",
        "s:sub/folder": "it is a link to a folder",
        "s:sub/none/inner": "it is a folder without files",
        "s:sub/pipe": "it is a folder without files",
    }
    assert there("out").keys() == {"b.csv", "deep/c.csv"}
    assert (sub / "deep" / "nowhere").is_symlink()
    assert (sub / "pipe" / "p").is_fifo()


@pytest.mark.spec("CLI-027")
def test_an_empty_folder_goes_where_it_is_at_the_target(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "root" / "x" / "none" / "inner"
    folder.mkdir(parents=True)
    assert told(run, "s:none", "out").keys() == {"s:none/inner"}
    assert folder.is_dir()
    (tmp_path / "out" / "inner").mkdir(parents=True)
    run("mv", "s:none", "out")
    assert not folder.parent.exists()


@pytest.mark.spec("CLI-027")
def test_links_to_files_go_with_the_files(run: Run, tmp_path: Path) -> None:
    sub = tmp_path / "root" / "x" / "sub"
    for number in range(40):  # more than are deleted at once
        (sub / f"link{number}").symlink_to("b.csv")
    (sub / "chain").symlink_to("link0")
    run("mv", "s:sub", "out")
    assert there("out")["chain"] == there("out")["link39"] == b"yo\n"
    assert not sub.exists()


@pytest.mark.spec("CLI-008", "CLI-027")
def test_a_link_that_others_have_led_elsewhere_stays(run: Run, tmp_path: Path, meanwhile: Meanwhile) -> None:
    link = tmp_path / "root" / "x" / "sub" / "link"
    link.symlink_to("b.csv")

    def change() -> None:
        link.unlink()
        link.symlink_to("../a.txt")

    meanwhile(change)
    assert "was changed while it was moved" in told(run, "s:sub", "out")["s:sub/link"]
    assert os.readlink(link) == "../a.txt"


@pytest.mark.spec("CLI-027")
def test_folders_under_names_that_no_path_can_have(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "root" / "x" / "sub" / "a\\b" / "inner"
    folder.mkdir(parents=True)
    assert told(run, "s:sub", "out").keys() == {"s:sub/a\\b/inner"}
    (tmp_path / "out" / "a\\b" / "inner").mkdir(parents=True)
    run("mv", "s:sub", "out")
    assert not (tmp_path / "root" / "x" / "sub").exists()
    assert there("out").keys() == {"b.csv", "deep/c.csv"}


@pytest.mark.spec("CLI-027")
def test_a_folder_through_a_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("root/x/sub")
    (why,) = told(run, "link", "out").values()
    assert why == "it is a link to a folder; the files there were moved, and the link stays"
    assert there("out").keys() == {"b.csv", "deep/c.csv"}
    assert there("root/x").keys() == {"a.txt"}


@pytest.mark.spec("CLI-027")
@pytest.mark.parametrize("what", ["delete", "delete_folder"])
def test_what_may_not_be_deleted_stays(run: Run, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    real = getattr(LocalBackend, what)

    async def denied(backend: LocalBackend, path: str, **options: Any) -> None:
        if path.endswith(("b.csv", "deep")):
            raise PermissionDenied("the system says no", path=path)
        await real(backend, path, **options)

    monkeypatch.setattr(LocalBackend, what, denied)
    (stays,) = told(run, "s:sub", "out").items()
    if what == "delete":
        assert stays == ("s:sub/b.csv", "it was copied, but stays: the system says no")
    else:
        assert stays == ("s:sub/deep", "it was moved, but stays: the system says no")
    assert there("out").keys() == {"b.csv", "deep/c.csv"}
    assert there("root/x").keys() == {"a.txt"} | ({"sub/b.csv"} if what == "delete" else set())


@pytest.mark.spec("CLI-028")
def test_of_the_target_only_what_counts_is_listed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("other", "deep", "deep/other"):
        (tmp_path / "out" / name).mkdir(parents=True)
    listed: list[tuple[str, bool]] = []
    real = LocalBackend.list_pages

    def listing(backend: LocalBackend, path: str, **options: Any) -> Any:
        if f"{path}/".startswith(f"{tmp_path}/out/".lstrip("/")):
            listed.append((path.rpartition("/")[2], options.get("recursive", False)))
        return real(backend, path, **options)

    monkeypatch.setattr(LocalBackend, "list_pages", listing)
    run("mv", "s:a.txt", "out")
    assert listed == []
    run("mv", "s:sub", "out")
    assert listed == [("out", False), ("deep", False)]
