"""A writer that is killed: the file is the old one or the new one, and no listing shows what is left."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support import untraced
from tests.system import writer
from tests.system.support import WATCHDOG, command, temporaries
from tests.system.writer import ASYNC_WAYS, TARGET, WAYS, identify, version

from remote_store import DirectoryNotEmpty, FileInfo, RemoteFolder, Store
from remote_store.backends import LocalBackend

KILLS = 6
"""Of each way to write; there are seven."""

LIVE = "folder/live"
LOOPS = ("blocking", "asyncio", "trio")


class Writer(subprocess.Popen[str]):
    """The program ``writer.py`` in a process of its own."""

    def __init__(self, *args: object) -> None:
        super().__init__(
            command(Path(writer.__file__), *args),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=untraced(),
        )

    def says(self, text: str) -> None:
        assert self.stdout is not None
        assert self.stdout.readline() == f"{text}\n"

    def kill_and_hear(self) -> list[str]:
        """Kill it, and return what it had said by then."""
        self.send_signal(signal.SIGKILL)
        said, _ = self.communicate(timeout=WATCHDOG)
        assert self.returncode == -signal.SIGKILL, "it had ended before"
        return said.splitlines()


@contextmanager
def holding(root: Path, path: str, loop: str = "blocking") -> Iterator[Writer]:
    """Give a writer that has written half of a file."""
    with Writer("hold", root, path, loop) as process:
        try:
            process.says("half")
            yield process
        finally:
            process.kill()


def shown(store: Store) -> dict[str, set[str]]:
    """Return what every listing shows."""
    children = {str(child.path) for child in store.iter_children("folder")}
    return {
        "list_files": {str(info.path) for info in store.list_files("folder")},
        "recursive": {str(info.path) for info in store.list_files(recursive=True)},
        "iter_children": children,
        "walk": {str(info.path) for _, _, files in store.walk() for info in files},
        "glob": {str(info.path) for info in store.glob("**")}
        | {str(info.path) for info in store.glob("*/.*")},
    }


def assert_shows_only(store: Store, *paths: str) -> None:
    for how, found in shown(store).items():
        assert found == set(paths), how
    assert store.get_folder_info().file_count == len(paths)
    assert all(isinstance(child, FileInfo | RemoteFolder) for child in store.iter_children())


def sweep(backend: LocalBackend) -> int:
    return asyncio.run(backend.sweep_temporaries())


# -- at random moments ----------------------------------------------------------------------------


@pytest.mark.spec("LOC-017", "LOC-016", "LOC-014", "LOC-010", "STORE-030", "BE-011")
@pytest.mark.parametrize("way", [*WAYS, *ASYNC_WAYS])
def test_killed_at_random_moments(way: str, tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    store = Store(backend)
    store.write(TARGET, version(0))
    stored, leftovers = 0, 0
    with holding(tmp_path, LIVE) as live:
        for _ in range(KILLS):
            process = Writer("loop", tmp_path, way, stored + 1)
            process.says("ready")
            for _ in range(random.randrange(3)):
                stored += 1
                process.says(str(stored))
            time.sleep(random.uniform(0, 0.03))
            said = process.kill_and_hear()
            stored = int(said[-1]) if said else stored
            found = identify(store.read_bytes(TARGET))
            assert found in (stored, stored + 1), f"stored {stored}, found {found}"
            stored = found
            assert_shows_only(store, TARGET)
            dead = len(temporaries(tmp_path)) - 1  # one is that of the writer that lives
            assert dead in (0, 1)
            leftovers += dead
            assert sweep(backend) == dead
            assert len(temporaries(tmp_path)) == 1
        live.communicate("\n", timeout=WATCHDOG)
    assert identify(store.read_bytes(LIVE)) == 0
    assert temporaries(tmp_path) == []
    assert_shows_only(store, TARGET, LIVE)
    print(f"{way}: {KILLS} kills, {leftovers} in the middle of a write, {stored} versions stored")


# -- at every system call ---------------------------------------------------------------------------


@pytest.mark.spec("LOC-017", "LOC-014", "LOC-016", "STORE-030", "BE-011")
@pytest.mark.parametrize("target", ["old", "new"])
@pytest.mark.parametrize("way", WAYS)
def test_killed_before_and_after_every_system_call(way: str, target: str, tmp_path: Path) -> None:
    done = subprocess.run(
        command(Path(writer.__file__), "steps", tmp_path, way, target),
        capture_output=True,
        text=True,
        timeout=WATCHDOG,
        check=False,
        env=untraced(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    *kills, (code, at_the_end) = results
    assert (code, at_the_end) == (0, 1)
    before = 0 if target == "old" else None
    found = [found for _, found in kills]
    assert len(kills) > 10
    assert set(found) == {before, 1}
    assert found == sorted(found, key=lambda number: number == 1), "once it is there, it stays there"

    backend = LocalBackend(tmp_path)
    store = Store(backend)
    present = found.count(1) + 1
    assert len(list(store.list_files(recursive=True))) == (1 if target == "old" else present)
    left = len(temporaries(tmp_path))
    assert 1 < left <= len(kills)
    assert sweep(backend) == left
    assert temporaries(tmp_path) == []
    assert sweep(backend) == 0


# -- leftovers, dead and alive ------------------------------------------------------------------------


@pytest.mark.spec("LOC-016", "LOC-017", "LOC-010")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_writer_killed_half_way(loop: str, tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    store = Store(backend)
    store.write(TARGET, version(1))
    with holding(tmp_path, TARGET, loop) as process:
        (temporary,) = temporaries(tmp_path)
        assert temporary.parent == tmp_path / "folder"
        assert temporary.stat().st_size > 0
        assert sweep(backend) == 0
        assert_shows_only(store, TARGET)
        process.kill_and_hear()
    assert temporaries(tmp_path) == [temporary]
    assert identify(store.read_bytes(TARGET)) == 1
    assert_shows_only(store, TARGET)
    store.write(TARGET, version(2), overwrite=True)
    assert identify(store.read_bytes(TARGET)) == 2
    assert sweep(backend) == 1
    assert temporaries(tmp_path) == []


@pytest.mark.spec("LOC-016")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_live_writer_is_not_swept_away(loop: str, tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    store = Store(backend)
    with holding(tmp_path, TARGET, loop) as process:
        for _ in range(3):
            assert sweep(backend) == 0
        assert len(temporaries(tmp_path)) == 1
        assert not store.exists(TARGET)
        with pytest.raises(DirectoryNotEmpty):
            store.delete_folder("folder")
        said, _ = process.communicate("\n", timeout=WATCHDOG)
        assert said == "stored\n"
        assert process.returncode == 0
    assert identify(store.read_bytes(TARGET)) == 0
    assert temporaries(tmp_path) == []


@pytest.mark.spec("LOC-016")
def test_a_dead_leftover_does_not_keep_a_folder(tmp_path: Path) -> None:
    store = Store(LocalBackend(tmp_path))
    with holding(tmp_path, TARGET) as process:
        process.kill_and_hear()
    assert len(temporaries(tmp_path)) == 1
    store.delete_folder("folder")
    assert not (tmp_path / "folder").exists()
