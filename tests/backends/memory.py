"""How much memory a job adds to a process that does nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import untraced

SCRIPT = Path(__file__).with_name("memory_script.py")


def added(way: str, job: str, kind: str, options: dict[str, Any], mebibytes: int) -> float:
    """Return the MiB that a job adds at its peak; it streams so much, or lists 100,000 files."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), way, job, kind, json.dumps(options), str(mebibytes)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        env=untraced(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = float(done.stdout)
    print(f"{way} {job}: {found:.1f} MiB more")
    return found
