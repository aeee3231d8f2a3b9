"""What the tests of this folder share: loops, strict interpreters, and a look at the disk."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from tests.support import untraced

T = TypeVar("T")

LOOPS = ("asyncio", "uvloop", "trio")
loops = pytest.mark.parametrize("loop", LOOPS)
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")

WATCHDOG = 60.0
"""Seconds after which something hangs; nothing else here depends on time."""

STRICT = ("-X", "dev", "-W", "error")
"""An interpreter that reports what is left open, and in which every warning is an error."""

_UNHURRIED = """
import logging
logging.getLogger("asyncio").setLevel(logging.ERROR)  # no "Executing ... took 0.1 seconds" on a busy machine
"""


def run(loop: str, main: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    """Run an async function to its end in a new loop of one kind."""
    if loop == "trio":
        return trio.run(main, *args)
    if loop == "uvloop":
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main(*args))
    return asyncio.run(main(*args))


def command(program: Path, *args: object) -> list[str]:
    """Return the command that runs a program of this folder."""
    return [sys.executable, *STRICT, str(program), *map(str, args)]


def script(source: str, *args: object, folder: Path | None = None, traced: bool = True) -> str:
    """Run a script in a strict interpreter; it must succeed and be silent. Return what it printed.

    It is a file, in ``folder`` if there is one, as the children of ``multiprocessing`` need.
    """
    source = _UNHURRIED + textwrap.dedent(source)
    if folder is None:
        start = [sys.executable, *STRICT, "-c", source, *map(str, args)]
    else:
        program = folder / "program.py"
        program.write_text(source, encoding="utf-8")
        start = command(program, *args)
    done = subprocess.run(
        start,
        capture_output=True,
        text=True,
        timeout=WATCHDOG,
        check=False,
        # Unmeasured on request: forks can leave coverage's lock held.
        env=None if traced else untraced(),
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == "", done.stderr
    return done.stdout


def is_temporary(name: str) -> bool:
    """Return True for the name of a temporary file, told apart as a stranger would."""
    return name.startswith(".~remote-store-") and name.endswith(".tmp")


def files(root: Path) -> set[str]:
    """Return the files below a folder that are no temporaries, by their path in it."""
    return {
        str(Path(top, name).relative_to(root))
        for top, _, names in os.walk(root)
        for name in names
        if not is_temporary(name)
    }


def temporaries(root: Path) -> list[Path]:
    """Return the temporary files below a folder."""
    return [Path(top, name) for top, _, names in os.walk(root) for name in names if is_temporary(name)]
