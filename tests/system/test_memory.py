"""Large files and large folders take little memory, and a listing begins at once.

``pytest tests/system/test_memory.py -rP`` shows the figures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import untraced
from tests.system import measured
from tests.system.measured import FOLDER, KEPT, MIB, SOURCE, TARGET
from tests.system.support import loops, run

from remote_store import AsyncStore, Store
from remote_store.backends import LocalBackend
from remote_store.backends.local._listing import Walk

LIMIT = 32
"""MiB."""
PAGE = 1000

IN = [
    ("blocking", "write(iterable)"),
    ("blocking", "write_atomic(iterable)"),
    ("blocking", "open_write"),
    ("asyncio", "write(async iterable)"),
    ("asyncio", "write(iterable)"),
    ("asyncio", "open_write"),
    ("trio", "write(async iterable)"),
]
OUT = [
    ("blocking", "read(n)"),
    ("asyncio", "async for"),
    ("asyncio", "copy_to"),
    ("trio", "async for"),
]
THROUGH = [("blocking", "write(read)"), ("asyncio", "write(read)"), ("trio", "write(read)")]
LISTINGS = [
    ("blocking", "list_files"),
    ("blocking", "list_files(recursive)"),
    ("blocking", "glob"),
    ("asyncio", "list_files"),
    ("trio", "list_files"),
]


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("file")
    measured.make_source(str(root / SOURCE))
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("folder")
    measured.make_folder(str(root / FOLDER))
    yield root
    shutil.rmtree(root)


def measure(root: Path, loop: str, case: str) -> float:
    """Run one case in a process of its own, and return by how many MiB it grew."""
    done = subprocess.run(
        [sys.executable, "-W", "error", measured.__file__, str(root), loop, case],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=untraced(),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    figures: dict[str, float] = json.loads(done.stdout)
    first = f", the first item after {figures['first']:.1f} ms" if "first" in figures else ""
    print(f"{loop} {case}: {figures['grown']:.1f} MiB more, {figures['seconds']:.2f} s{first}")
    return figures["grown"]


def test_the_measure_notices_what_is_kept(large_file: Path) -> None:
    assert measure(large_file, "blocking", "kept in memory") > KEPT / MIB - 1


@pytest.mark.spec("STORE-026", "STR-001")
@pytest.mark.parametrize("case", ["kept in memory", "read"])
def test_what_is_read_at_once_is_in_memory_once(large_file: Path, case: str) -> None:
    assert measure(large_file, "blocking", case) < KEPT / MIB + LIMIT


# -- 1 GiB, streamed ----------------------------------------------------------------------------------


@pytest.mark.spec("STR-010", "STR-018", "STR-019", "STR-022", "LOC-022")
@pytest.mark.parametrize(("loop", "case"), IN)
def test_a_large_file_streamed_in(loop: str, case: str, tmp_path: Path) -> None:
    try:
        grown = measure(tmp_path, loop, case)
        measured.check_target(str(tmp_path / TARGET))
    finally:
        (tmp_path / TARGET).unlink(missing_ok=True)
    assert grown < LIMIT


@pytest.mark.spec("STR-010", "STR-005", "STR-006")
@pytest.mark.parametrize(("loop", "case"), OUT)
def test_a_large_file_streamed_out(loop: str, case: str, large_file: Path) -> None:
    assert measure(large_file, loop, case) < LIMIT


@pytest.mark.spec("STR-010", "STR-017", "STR-019")
@pytest.mark.parametrize(("loop", "case"), THROUGH)
def test_a_large_file_streamed_from_a_store_to_a_store(loop: str, case: str, large_file: Path) -> None:
    try:
        grown = measure(large_file, loop, case)
        measured.check_target(str(large_file / TARGET))
    finally:
        (large_file / TARGET).unlink(missing_ok=True)
    assert grown < LIMIT


# -- 100,000 files, listed ------------------------------------------------------------------------------


@pytest.mark.spec("STORE-042", "STORE-039", "BE-016")
@pytest.mark.parametrize(("loop", "case"), LISTINGS)
def test_a_large_folder_listed(loop: str, case: str, large_folder: Path) -> None:
    assert measure(large_folder, loop, case) < LIMIT


@pytest.mark.spec("STORE-023")
def test_a_large_folder_added_up(large_folder: Path) -> None:
    assert measure(large_folder, "blocking", "get_folder_info") < LIMIT


@pytest.fixture
def entries_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the entries of a folder that a listing has looked at."""
    count = 0
    entry: Callable[..., Any] = Walk._entry

    def counted(*args: Any) -> Any:
        nonlocal count
        count += 1
        return entry(*args)

    monkeypatch.setattr(Walk, "_entry", counted)
    return lambda: count


@pytest.mark.spec("STORE-042", "GEN-006", "BE-016")
@pytest.mark.parametrize(
    "listing",
    [
        lambda store: store.list_files(FOLDER),
        lambda store: store.list_files(recursive=True),
        lambda store: store.iter_children(FOLDER),
        lambda store: store.glob(f"{FOLDER}/*"),
        lambda store: store.glob("**/*"),
    ],
    ids=["list_files", "recursive", "iter_children", "glob", "glob **"],
)
def test_the_first_item_comes_after_one_page(
    listing: Callable[[Any], Any], large_folder: Path, entries_read: Callable[[], int]
) -> None:
    items = listing(Store(LocalBackend(large_folder)))
    assert entries_read() == 0
    next(items)
    assert 1 <= entries_read() <= PAGE + 1  # the folder itself is an entry too
    first_page = entries_read()
    next(items)
    assert entries_read() == first_page, "an item of the same page was read once more"
    items.close()
    assert entries_read() == first_page


@pytest.mark.spec("STORE-042", "BE-016")
@loops
def test_the_first_item_comes_after_one_page_async(
    loop: str, large_folder: Path, entries_read: Callable[[], int]
) -> None:
    async def main() -> None:
        async with AsyncStore(LocalBackend(large_folder)).list_files(FOLDER) as items:
            assert entries_read() == 0
            await anext(items)
            assert 1 <= entries_read() <= PAGE
            first_page = entries_read()
            for _ in range(first_page - 1):
                await anext(items)
            assert entries_read() == first_page
            await anext(items)
            assert first_page < entries_read() <= first_page + PAGE

    run(loop, main)
