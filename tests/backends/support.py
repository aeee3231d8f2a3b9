"""What the tests of this folder share: ways to resolve paths, scripts, and a look at the disk."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support import untraced

from remote_store.backends import LocalBackend

WATCHDOG = 60.0
SLOW = r"^Executing <.*> took [0-9.]+ seconds\n"
"""What a loop in debug mode says on a busy machine."""
"""Seconds after which something hangs; nothing else here depends on time."""

DEAD = ".~remote-store-0123456789abcdef.tmp"
"""The name of a temporary that nobody holds a lock on."""

WAYS = ("kernel", "walk")
"""How a path is resolved: by openat2 where the kernel has it, or component by component."""

kinds = pytest.mark.parametrize("kind", ["relative", "absolute", "chained"])
"""How a link may lead to its target; see ``link``."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def local(root: Path, way: str = "kernel", *, durable: bool = False) -> LocalBackend:
    """Return a backend that resolves paths in one of the two ways."""
    backend = LocalBackend(root, durable=durable)
    if way == "walk":
        backend._root._openat2 = False
    return backend


def is_temporary(name: str) -> bool:
    """Return True for the name of a temporary file, told apart as a stranger would."""
    return name.startswith(".~remote-store-") and name.endswith(".tmp")


def link(root: Path, name: str, target: str, kind: str) -> None:
    """Make ``root/name`` a link that leads to ``root/target``."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "absolute":
        os.symlink(root / target, path)
        return
    relative = os.path.relpath(root / target, path.parent)
    if kind == "chained":
        os.symlink(relative, path.with_name("between"))
        relative = "between"
    os.symlink(relative, path)


def tree(root: Path) -> dict[str, object]:
    """Return what is below a folder: the content of files, the target of links, None for the rest."""
    found: dict[str, object] = {}
    for top, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(top, name)
            if path.is_symlink():
                found[str(path.relative_to(root))] = f"-> {os.readlink(path)}"
            else:
                found[str(path.relative_to(root))] = path.read_bytes() if path.is_file() else None
    return found


def fails(number: int, calls: list[str] | None = None, name: str = "") -> Callable[..., Any]:
    """Return a call that raises OSError, and counts that it was made."""

    def call(*args: object, **options: object) -> None:
        if calls is not None:
            calls.append(name)
        raise OSError(number, os.strerror(number))

    return call


def mode(path: Path) -> int:
    """Return the permission bits of a file, set-user-ID and the like included."""
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def shared_folder() -> Iterator[Path]:
    """Make a folder that every user may use; those of pytest are for its own user only."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


def script(source: str, *args: object) -> str:
    """Run a script in a strict interpreter; it must succeed and be silent. Return what it printed."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(source), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=WATCHDOG,
        check=False,
        # Unmeasured: another user, or a process with limits, could not save what coverage counts.
        env=untraced(),
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    said = re.sub(SLOW, "", done.stderr, flags=re.MULTILINE)
    assert not said, f"it said:\n{said}"
    return done.stdout


class Repeated(threading.Thread):
    """A thread that makes a call again and again for as long as a block runs."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._stop_it = threading.Event()
        self.rounds = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._stop_it.is_set():
                self._call()
                self.rounds += 1
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Repeated:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop_it.set()
        self.join(WATCHDOG)
        assert not self.is_alive(), "the thread hangs"
        if self.error is not None:
            raise self.error


def deadline() -> Callable[[], None]:
    """Return a check that fails once the watchdog's time has passed."""
    end = time.monotonic() + WATCHDOG

    def check() -> None:
        assert time.monotonic() < end, "it never came to be"

    return check
