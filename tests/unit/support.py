"""What the tests of this folder share: three worlds, one way to run each, and fresh interpreters."""

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

from remote_store._runtime import drive

T = TypeVar("T")

WORLDS = ("asyncio", "trio", "blocking")
worlds = pytest.mark.parametrize("world", WORLDS)


def run_in(world: str, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run an async function to its end as asyncio, trio or a blocking caller does."""
    if world == "trio":
        return trio.run(main)
    return asyncio.run(main()) if world == "asyncio" else drive(main())


def fresh_python(script: str, *arguments: str, folder: Path | None = None) -> str:
    """Run a script in a new interpreter, with a folder at the front of its path; return what it printed."""
    env = {**os.environ, "PYTHONPATH": str(folder)} if folder is not None else None
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
