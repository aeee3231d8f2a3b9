"""The suite itself: its four ways, its use by strangers, and that no test of it is lost."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
import trio
from tests.contract.support import run_pytest

from remote_store import AsyncStore, Backend
from remote_store.backends import MemoryBackend
from remote_store.testing import BackendContract
from remote_store.testing._contract._base import ContractBase
from remote_store.testing._ways import LOOPS, WAYS

PARTS = [part for part in BackendContract.__mro__ if part not in (BackendContract, ContractBase, object)]


class Recording(MemoryBackend):
    """Notes in which thread it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        self.threads.add(threading.get_ident())
        return await super().read_bytes(path, start=start, length=length)


class TestWays(ContractBase):
    def make_backend(self, tmp_path: Path) -> Backend:
        return Recording()

    @pytest.mark.spec("TST-002")
    async def test_each_way_is_what_it_says(
        self, way: str, store: AsyncStore, backend: Backend, raw: Recording
    ) -> None:
        if way == "trio":
            assert trio.lowlevel.in_trio_task()
        else:
            module = type(asyncio.get_running_loop()).__module__
            assert module.startswith("uvloop" if way == "uvloop" else "asyncio")
        assert {type(store).__name__, type(backend).__name__} == (
            {"BlockingFace", "Driven"} if way == "blocking" else {"AsyncStore", "Recording"}
        )
        await store.write("file", b"content")
        assert await store.read_bytes("file") == b"content"
        assert await backend.read_bytes("file") == b"content"
        assert (threading.get_ident() in raw.threads) is (way != "blocking")


@pytest.mark.spec("TST-002")
def test_none_of_the_four_ways_is_skipped_here() -> None:
    assert [way.id for way in WAYS] == ["asyncio", "uvloop", "trio", "blocking"] == list(LOOPS)
    assert [mark.kwargs["reason"] for way in WAYS for mark in way.marks if mark.args[0]] == []


def test_no_test_hides_another() -> None:
    names = Counter(name for part in PARTS for name in vars(part) if not name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_test_is_async_and_says_what_it_shows() -> None:
    tests = [value for part in PARTS for name, value in vars(part).items() if name.startswith("test")]
    assert len(tests) > 150
    assert [test.__qualname__ for test in tests if not inspect.iscoroutinefunction(test)] == []
    assert [test.__qualname__ for test in tests if not getattr(test, "__spec__", ())] == []


def test_the_library_does_not_load_the_suite() -> None:
    code = "import sys, remote_store; print(sys.modules.keys() & {'pytest', 'remote_store.testing'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


STRANGER = """
from remote_store.backends import LocalBackend
from remote_store.testing import BackendContract

class TestMine(BackendContract):
    def make_backend(self, tmp_path):
        return LocalBackend(tmp_path)
"""
BARE = """
import sys
sys.modules["uvloop"] = sys.modules["trio"] = None
"""


@pytest.mark.spec("TST-001", "TST-002")
def test_a_strangers_suite(tmp_path: Path) -> None:
    """Four lines, no configuration, and warnings are errors all the same."""
    (tmp_path / "test_mine.py").write_text(STRANGER)
    arguments = ("-W", "error", "-k", "test_what_it_returns or test_odd_names_of_files")
    outcomes = run_pytest(tmp_path, *arguments, report=tmp_path / "report.xml")
    assert {outcome.way for outcome in outcomes} == {"asyncio", "uvloop", "trio", "blocking"}
    assert {outcome.ended for outcome in outcomes} == {"passed"}


@pytest.mark.spec("TST-002")
def test_a_way_that_is_not_installed_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(STRANGER)
    (tmp_path / "conftest.py").write_text(BARE)
    outcomes = run_pytest(tmp_path, "-k", "test_odd_names_of_files", report=tmp_path / "report.xml")
    assert {(outcome.way, outcome.ended, outcome.reason) for outcome in outcomes} == {
        ("asyncio", "passed", ""),
        ("uvloop", "skipped", "uvloop is not installed"),
        ("trio", "skipped", "trio is not installed"),
        ("blocking", "passed", ""),
    }
