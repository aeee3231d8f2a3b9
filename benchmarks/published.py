"""An environment of its own for PyPI's remote-store, which has our distribution's name.

It is made once, outside of the checkout, and used again by later runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

REQUIREMENTS: Final = ("remote-store[s3,s3-pyarrow,sftp]==0.33.*", "uvloop; sys_platform != 'win32'")


def default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "remote-store-benchmarks")


def prepare(cache: Path) -> Path:
    """Return the Python of the environment, made if it is not there yet.

    Raises:
        subprocess.CalledProcessError: pip could not install the package.
    """
    folder = cache / f"published-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "complete"
    if stamp.exists() and stamp.read_text() == repr(REQUIREMENTS):
        return python
    print(f"making an environment for {REQUIREMENTS[0]} in {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *REQUIREMENTS]
    subprocess.run(pip, check=True, env=clean_environment())
    stamp.write_text(repr(REQUIREMENTS))
    return python


def clean_environment() -> dict[str, str]:
    """Return the environment variables without those that could bring our package in."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
