"""The four ways in which every test of the contract is run."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

import pytest


def _installed(module: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_spec(module) is None, reason=f"{module} is not installed")


LOOPS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "asyncio": ("asyncio", {"use_uvloop": False}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
    "trio": ("trio", {}),
    "blocking": ("asyncio", {"use_uvloop": False}),
}
"""What anyio's pytest plugin runs for each way. ``blocking`` calls ``Store`` from worker threads."""

WAYS: Final = (
    pytest.param("asyncio", id="asyncio"),
    pytest.param("uvloop", id="uvloop", marks=_installed("uvloop")),
    pytest.param("trio", id="trio", marks=_installed("trio")),
    pytest.param("blocking", id="blocking"),
)
