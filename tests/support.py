"""What the tests of all folders share."""

from __future__ import annotations

import os


def untraced() -> dict[str, str]:
    """Return an environment for a process that coverage does not look into."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
