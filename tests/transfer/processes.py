"""Transfers in processes of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import untraced


class Process(subprocess.Popen[bytes]):
    """A run of ``crash_script``."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__(
            [sys.executable, "-m", "tests.transfer.crash_script", json.dumps(arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=untraced(),
        )

    def was_killed(self) -> None:
        """Wait until it is, by whomever."""
        said = self.communicate(timeout=100)
        assert self.returncode == -signal.SIGKILL, said

    def report(self) -> dict[str, Any]:
        """Let it end, and return its report."""
        out, errors = self.communicate(timeout=100)
        assert self.returncode == 0, errors.decode()
        found: dict[str, Any] = json.loads(out)
        return found


def told(log: Path) -> int:
    """Return how many bytes all processes together have told to have arrived."""
    return sum(map(int, log.read_text().split())) if log.exists() else 0
