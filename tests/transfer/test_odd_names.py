"""Files under names that no path as text can have: they are left alone, and taken for no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.runtime.support import run
from tests.transfer.support import WAYS, call

import remote_store
from remote_store import InvalidPath, PlanItem, Store, TransferFailed, TransferOptions
from remote_store.backends import LocalBackend, MemoryBackend

pytestmark = pytest.mark.spec("XFER-043")
ODD = ("a//b", "a\\b", "../x", "a/./b")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def holding(*keys: str) -> MemoryBackend:
    """Return a backend with files under keys as they are, as other programs make them in S3."""
    backend = MemoryBackend()
    for key in keys:
        run("asyncio", lambda key=key: backend.write_bytes(key, memoryview(b"1")))
    return backend


def keys(backend: MemoryBackend) -> set[str]:
    return {str(info.path) for info in Store(backend).list_files("", recursive=True)}


@pytest.mark.parametrize("dry", [False, True])
def test_they_are_not_copied(way: str, dry: bool) -> None:
    source, target = holding("a/b", "c", *ODD), MemoryBackend()
    for name in ("copy_tree", "sync"):
        with pytest.raises(TransferFailed) as caught:
            call(way, name, source, "", target, options=TransferOptions(overwrite=True, dry_run=dry))
        failures = caught.value.report.failures
        assert {each.path for each in failures} == set(ODD)
        assert {type(each.error) for each in failures} == {InvalidPath}
        assert all("no path as text" in each.error.message for each in failures)
    assert keys(target) == (set() if dry else {"a/b", "c"})


def test_nothing_else_is_deleted_in_their_place(way: str) -> None:
    source, target = holding("a/b"), holding("a/b", *ODD)
    before = keys(target)
    plan = list(remote_store.plan_sync(Store(source), "", Store(target), delete=True))
    saved = [PlanItem.from_json(line.to_json()) for line in plan]
    for lines in (plan, saved):
        with pytest.raises(TransferFailed):
            call(way, "apply_plan", lines, source, "", target)
        assert keys(target) == before


def test_a_plan_leads_nowhere_else(way: str, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    plan = list(remote_store.plan_sync(Store(holding("../x")), "", Store(MemoryBackend())))
    for line in plan:
        with pytest.raises(TransferFailed):
            call(way, "apply_plan", [line], holding("../x", "x"), "", LocalBackend(tmp_path / "root"))
    assert os.listdir(tmp_path) == ["root"]
    assert os.listdir(tmp_path / "root") == []


def test_they_are_deleted_with_their_folder(way: str, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a\\b").write_bytes(b"1")
    assert call(way, "delete_tree", LocalBackend(tmp_path), "d").done == 1
    assert os.listdir(tmp_path) == []
