"""Mirrors of folders with links to folders: what those lead to is never written or deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.services import SFTPServer
from tests.transfer.support import WAYS, call

import remote_store
from remote_store import (
    Action,
    Backend,
    EventKind,
    InvalidPath,
    PlanItem,
    Store,
    TransferEvent,
    TransferFailed,
    TransferOptions,
)
from remote_store.backends import LocalBackend, SFTPBackend

pytestmark = pytest.mark.spec("XFER-039")
PLACES = [*((way, "local") for way in WAYS), ("trio", "sftp"), ("blocking", "sftp")]
everywhere = pytest.mark.parametrize(("way", "root"), PLACES, indirect=True)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Give one store that holds both folders, and what the links lead to."""
    if request.param == "local":
        return LocalBackend(tmp_path)
    sshd: SFTPServer = request.getfixturevalue("sshd")
    return SFTPBackend(**{"base_path": str(tmp_path), **sshd.options})


@pytest.fixture
def local(tmp_path: Path) -> Backend:
    return LocalBackend(tmp_path)


def made(root: Path, files: dict[str, str], links: dict[str, str]) -> dict[str, str]:
    """Make files and links below a folder, and return all files that are there."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name, leads_to in links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(root / leads_to)
    return there(root)


def there(root: Path) -> dict[str, str]:
    """Return all files below a folder; what links lead to only where it is itself."""
    return {
        str(each.relative_to(root)): each.read_text()
        for each in root.rglob("*")
        if each.is_file() and root / each.relative_to(root) == each.resolve()
    }


def planned(root: Backend, delete: bool = True) -> dict[str, tuple[Action, bool]]:
    """Return what a mirror of ``s`` in ``t`` would do."""
    store = Store(root)
    lines = list(remote_store.plan_sync(store, "s", store, "t", delete=delete))
    assert [PlanItem.from_json(line.to_json()) for line in lines] == lines
    return {line.path: (line.action, line.linked) for line in lines}


def failing(way: str, root: Backend, *, delete: bool = True) -> set[str]:
    """Mirror ``s`` in ``t``, and return what fails by links that are in the way."""
    with pytest.raises(TransferFailed) as caught:
        call(way, "sync", root, "s", root, "t", delete=delete)
    failures = caught.value.report.failures
    assert {type(each.error) for each in failures} == {InvalidPath}
    assert all("link to a folder in the way" in each.error.message for each in failures)
    return {each.path for each in failures}


@everywhere
def test_a_link_in_the_target_that_leads_into_the_source(way: str, root: Backend, tmp_path: Path) -> None:
    before = made(tmp_path, {"s/n/d/new": "1", "s/real/own": "2", "t/gone": "3"}, {"t/n": "s/real"})
    assert planned(root) == {
        "n/d/new": (Action.CREATE, True), "real/own": (Action.CREATE, False), "gone": (Action.DELETE, False),
    }  # fmt: skip
    assert failing(way, root) == {"s/n/d/new"}
    del before["t/gone"]
    assert there(tmp_path) == {**before, "t/real/own": "2"}


@everywhere
@pytest.mark.parametrize("delete", [False, True])
def test_a_link_in_the_source(way: str, root: Backend, tmp_path: Path, delete: bool) -> None:
    files = {"elsewhere/x": "1", "s/own": "2", "t/n/x": "3", "t/n/d/y": "4", "t/m": "5"}
    before = made(tmp_path, files, {"s/n": "elsewhere", "s/m": "elsewhere"})
    assert planned(root, delete) == {"own": (Action.CREATE, False)}
    call(way, "sync", root, "s", root, "t", delete=delete)
    assert there(tmp_path) == {**before, "t/own": "2"}


@everywhere
def test_links_on_both_sides(way: str, root: Backend, tmp_path: Path) -> None:
    before = made(tmp_path, {"a/x": "1", "b/y": "2", "s/own": "3"}, {"s/n": "a", "t/n": "b"})
    assert planned(root) == {"own": (Action.CREATE, False)}
    call(way, "sync", root, "s", root, "t", delete=True)
    assert there(tmp_path) == {**before, "t/own": "3"}


@everywhere
def test_a_link_that_the_target_alone_has(way: str, root: Backend, tmp_path: Path) -> None:
    before = made(tmp_path, {"s/own": "1", "s/d/x": "2", "t/own": "1"}, {"t/n": "s/d"})
    call(way, "sync", root, "s", root, "t", delete=True)
    assert there(tmp_path) == {**before, "t/d/x": "2"}
    assert (tmp_path / "t" / "n").is_symlink()


@everywhere
def test_a_file_where_the_target_has_a_link(way: str, root: Backend, tmp_path: Path) -> None:
    before = made(tmp_path, {"a/n": "1", "s/n": "2", "t/gone": "3"}, {"t/n": "a"})
    assert planned(root)["n"] == (Action.CREATE, True)
    assert failing(way, root) == {"s/n"}
    del before["t/gone"]
    assert there(tmp_path) == before


def test_without_deletions_and_dry(way: str, local: Backend, tmp_path: Path) -> None:
    before = made(tmp_path, {"s/n/new": "1", "s/real/own": "2"}, {"t/n": "s/real"})
    seen: list[TransferEvent] = []
    call(way, "sync", local, "s", local, "t", options=TransferOptions(dry_run=True), on_event=seen.append)
    told = {event.path: event.detail for event in seen if event.kind is EventKind.SKIPPED}
    assert told["s/n/new"] == "dry run: would fail, a link to a folder is in its way"
    assert failing(way, local, delete=False) == {"s/n/new"}
    assert there(tmp_path) == {**before, "t/real/own": "2"}


@pytest.mark.parametrize(("way", "root"), [("trio", "sftp"), ("blocking", "sftp")], indirect=True)
def test_a_link_as_one_of_the_sides(way: str, root: Backend, tmp_path: Path) -> None:
    before = made(tmp_path, {"p/s/f": "1", "q/d/x": "2"}, {"link": "p", "q/in": "p/s"})
    for source, target in (("p/s", "link"), ("p/s", "link/d"), ("q/in", "p"), ("p/s", "q/in")):
        with pytest.raises(InvalidPath, match="a link on the way"):
            call(way, "sync", root, source, root, target, delete=True)
    assert there(tmp_path) == before
    assert call(way, "sync", root, "q/d", root, "p/s", delete=True).done == 2
    assert there(tmp_path) == {"q/d/x": "2", "p/s/x": "2"}
