"""Which files are copied, uploaded, downloaded and deleted, and to where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.transfer.support import WAYS, call, content, memory

import remote_store
from remote_store import EventKind, InvalidPath, NotFound, Store, TransferFailed, TransferOptions
from remote_store.backends import LocalBackend
from remote_store.testing import FaultyBackend
from remote_store.wrapper import BackendWrapper

TREE = {"a/1": b"one", "a/b/2": b"two", "a/b/c/3": b"", "a/large": bytes(9 << 20), "other": b"x"}
BELOW = {name.removeprefix("a/"): data for name, data in TREE.items() if name.startswith("a/")}


def under(prefix: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{prefix}{name}": data for name, data in files.items()}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.spec("XFER-001")
@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("", "", TREE),
        ("", "t/u", under("t/u/", TREE)),
        ("a", "", BELOW),
        ("a", "t", under("t/", BELOW)),
        ("a/b", "t", {"t/2": b"two", "t/c/3": b""}),
        ("a/1", "t/one", {"t/one": b"one"}),
        ("a/1", "", {"1": b"one"}),
        ("a/large", "l", {"l": TREE["a/large"]}),
    ],
)
def test_copies(way: str, source: str, target: str, expected: dict[str, bytes]) -> None:
    left, right = memory(TREE), memory()
    report = call(way, "copy_tree", left, source, right, target)
    assert content(right) == expected
    assert content(left) == TREE
    sizes = sum(map(len, expected.values()))
    assert (report.planned, report.done, report.failed) == (len(expected), len(expected), 0)
    assert (report.planned_bytes, report.done_bytes, report.moved_bytes) == (sizes, sizes, sizes)


@pytest.mark.spec("XFER-001", "XFER-009")
def test_copies_within_a_backend(way: str) -> None:
    backend = FaultyBackend(memory(TREE))
    assert call(way, "copy_tree", backend, "a", backend, "t").done == len(BELOW)
    assert content(backend, "t") == under("t/", BELOW)
    done = {record.operation for record in backend.log[:40]}
    assert "copy" in done
    passed = {"read_bytes", "open_read", "write_bytes", "open_write"}
    assert not [
        each for each in backend.log[: -len(BELOW) * 3] if each.operation in passed and each.path == "t"
    ]


@pytest.mark.spec("XFER-002")
def test_uploads_and_downloads(way: str, tmp_path: Path) -> None:
    for name, data in TREE.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    backend = memory()
    assert call(way, "upload", tmp_path / "in", backend, "x").done == len(TREE)
    assert content(backend) == under("x/", TREE)
    assert call(way, "upload", str(tmp_path / "in" / "other"), backend, "y").done == 1
    assert call(way, "upload", tmp_path / "in" / "other", backend).done == 1
    assert content(backend) == {**under("x/", TREE), "y": b"x", "other": b"x"}

    out = tmp_path / "new" / "out"
    assert call(way, "download", backend, "x/a", out).done == len(BELOW)
    assert content(LocalBackend(out)) == BELOW
    assert call(way, "download", backend, "x/other", out).done == 1  # a folder that is there
    assert call(way, "download", backend, "x/a/1", tmp_path / "deep" / "er" / "1").done == 1
    assert (out / "other").read_bytes() == b"x"
    assert (tmp_path / "deep" / "er" / "1").read_bytes() == b"one"


@pytest.mark.spec("XFER-003")
def test_nothing_there(way: str, tmp_path: Path) -> None:
    left, right = memory(TREE), memory()
    for name in ("missing", "a/missing"):
        with pytest.raises(NotFound, match="nothing to transfer") as caught:
            call(way, "copy_tree", left, name, right)
        assert caught.value.path == name
        with pytest.raises(NotFound):
            call(way, "delete_tree", left, name)
        with pytest.raises(NotFound):
            call(way, "download", left, name, tmp_path / "out")
    with pytest.raises(NotFound):
        call(way, "upload", tmp_path / "missing", right)
    assert content(right) == {}
    assert call(way, "copy_tree", memory(), "", right).planned == 0


@pytest.mark.spec("XFER-003")
@pytest.mark.parametrize(
    ("source", "target"), [("", ""), ("", "t"), ("a", "a"), ("a", "a/t"), ("a/1", "a/1"), ("a", "a/./b")]
)
def test_into_itself(way: str, source: str, target: str) -> None:
    backend = memory(TREE)
    with pytest.raises(InvalidPath, match="within the source"):
        call(way, "copy_tree", backend, source, backend, target)
    assert content(backend) == TREE


@pytest.mark.spec("XFER-003")
def test_a_neighbour_is_not_within(way: str) -> None:
    backend = memory(TREE)
    assert call(way, "copy_tree", backend, "a", backend, "ab").done == len(BELOW)
    assert call(way, "copy_tree", backend, "a/b", backend, "a/bb").done == 2


@pytest.mark.spec("XFER-003")
@pytest.mark.parametrize("bad", ["../x", "a\\b", "nul\0"])
def test_malformed_paths(way: str, bad: str, tmp_path: Path) -> None:
    left, right = memory(TREE), memory()
    for arguments in (("copy_tree", left, bad, right), ("copy_tree", left, "a", right, bad),
                      ("delete_tree", left, bad), ("upload", tmp_path, right, bad),
                      ("download", left, bad, tmp_path / "out")):  # fmt: skip
        if arguments[0] == "upload":
            (tmp_path / "f").write_bytes(b"x")
        with pytest.raises(InvalidPath):
            call(way, *arguments)
    assert content(right) == {}


@pytest.mark.spec("XFER-004")
def test_deletes(way: str, tmp_path: Path) -> None:
    for name, data in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    backend = LocalBackend(tmp_path)
    (tmp_path / "a" / "empty").mkdir()
    assert call(way, "delete_tree", backend, "a/1").done == 1
    report = call(way, "delete_tree", backend, "a")
    assert (report.done, report.done_bytes) == (3, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    (tmp_path / "empty" / "too").mkdir(parents=True)
    assert call(way, "delete_tree", backend, "").done == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spec("XFER-004")
def test_what_was_never_reported_is_not_deleted(way: str, tmp_path: Path) -> None:
    for name in ("d/1", "d/e/f/2", "d/g/3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "d" / "link").symlink_to("e")
    (tmp_path / "d" / "g" / "nowhere").symlink_to("missing")

    class Intruded(BackendWrapper):
        async def delete(self, path: str, *, missing_ok: bool = False) -> None:
            await super().delete(path, missing_ok=missing_ok)
            if path == "d/e/f/2":
                await self.inner.write_bytes("d/e/new", memoryview(b"theirs"))

    assert call(way, "delete_tree", Intruded(LocalBackend(tmp_path)), "d").done == 3
    left = {str(path.relative_to(tmp_path)) for path in (tmp_path / "d").rglob("*")}
    assert left == {"d/e", "d/e/new", "d/g", "d/g/nowhere"}


@pytest.mark.spec("XFER-005")
def test_files_that_are_there(way: str) -> None:
    left = memory(TREE)
    right = memory({"1": b"old", "large": b"old"})
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", left, "a", right)
    report = caught.value.report
    assert (report.done, report.failed) == (2, 2)
    assert sorted(failure.path for failure in report.failures) == ["a/1", "a/large"]
    assert content(right)["1"] == content(right)["large"] == b"old"

    report = call(way, "copy_tree", left, "a", right, options=TransferOptions(skip_existing=True))
    assert (report.done, report.skipped, report.failed) == (0, 4, 0)
    assert content(right)["1"] == b"old"
    report = call(way, "copy_tree", left, "a", right, options=TransferOptions(overwrite=True))
    assert report.done == 4
    assert content(right) == BELOW


@pytest.mark.spec("XFER-005")
def test_what_is_skipped_is_not_moved(way: str, tmp_path: Path) -> None:
    source, target = FaultyBackend(memory(TREE)), memory({"a/1": b"old"})
    options = TransferOptions(skip_existing=True)
    assert call(way, "copy_tree", source, "", target, options=options).skipped == 1
    assert "a/1" not in {record.path for record in source.log if record.operation.startswith("read")}
    source.log.clear()
    report = call(way, "copy_tree", source, "", target, options=options)
    assert (report.skipped, report.done, report.moved_bytes) == (len(TREE), 0, 0)
    assert not [record for record in source.log if record.operation in ("read_bytes", "open_read")]


@pytest.mark.spec("XFER-005")
def test_what_comes_after_the_look_is_skipped_too(way: str) -> None:
    class Hidden(BackendWrapper):
        async def is_file(self, path: str) -> bool:
            return False

    target = memory({"a/1": b"old"})
    report = call(
        way, "copy_tree", memory(TREE), "", Hidden(target), options=TransferOptions(skip_existing=True)
    )
    assert (report.skipped, report.failed) == (1, 0)
    assert content(target)["a/1"] == b"old"


@pytest.mark.spec("XFER-006")
def test_dry_runs(way: str) -> None:
    left, right = memory(TREE), memory()
    dry = TransferOptions(dry_run=True)
    for report in (
        call(way, "copy_tree", left, "a", right, options=dry),
        call(way, "delete_tree", left, "a", options=dry),
    ):
        assert (report.planned, report.skipped, report.done, report.moved_bytes) == (4, 4, 0, 0)
    assert (content(left), content(right)) == (TREE, {})


@pytest.mark.spec("XFER-006")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "is there, and would fail"),
        ({"skip_existing": True}, "is there, and would be skipped"),
        ({"overwrite": True}, "would be copied"),
    ],
)
def test_dry_runs_tell_what_would_be_done(way: str, given: dict[str, Any], told: str) -> None:
    left, right = memory(TREE), memory({"1": b"old"})
    seen: list[Any] = []
    dry = TransferOptions(dry_run=True, **given)
    call(way, "copy_tree", left, "a", right, options=dry, on_event=seen.append)
    details = {event.path: event.detail for event in seen if event.kind is EventKind.SKIPPED}
    assert details.pop("a/1") == f"dry run: {told}"
    assert set(details.values()) == {"dry run: would be copied"}
    assert {event.kind for event in seen} == {EventKind.PLANNED, EventKind.SKIPPED}
    seen.clear()
    call(way, "delete_tree", left, "a", options=dry, on_event=seen.append)
    assert {event.detail for event in seen} == {"", "dry run: would be deleted"}


@pytest.mark.spec("XFER-003", "XFER-006", "XFER-002")
def test_no_folder_is_made_for_nothing(way: str, tmp_path: Path) -> None:
    new = tmp_path / "new" / "deep"
    dry = TransferOptions(dry_run=True)
    for path in ("a", "a/1", ""):
        assert call(way, "download", memory(TREE), path, new, options=dry).done == 0
    with pytest.raises(NotFound):
        call(way, "download", memory(TREE), "missing", new)
    assert list(tmp_path.iterdir()) == []
    assert call(way, "download", memory({}), "", new).done == 0
    assert new.is_dir()


@pytest.mark.spec("XFER-001")
def test_stores_of_folders() -> None:
    backend = memory(TREE)
    inner = Store(backend, "a")
    assert remote_store.copy_tree(inner, "b", Store(backend, "z"), "t").done == 2
    assert content(backend, "z") == {"z/t/2": b"two", "z/t/c/3": b""}
