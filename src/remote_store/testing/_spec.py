"""What a test of the contract says about itself: the rules it shows, the abilities it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..capabilities import Capability

T = TypeVar("T", bound=Callable[..., Any])


def spec(*ids: str) -> Callable[[T], T]:
    """Name the rules of the specification that a test shows to hold. Changes nothing else."""

    def mark(test: T) -> T:
        test.__spec__ = ids  # type: ignore[attr-defined]  # functions take any attribute
        return test

    return mark


def needs(*capabilities: str) -> Callable[[T], T]:
    """Name the capabilities without which a test makes no sense; it is skipped then."""
    wanted = tuple(Capability(name) for name in capabilities)

    def mark(test: T) -> T:
        test.__needs__ = wanted  # type: ignore[attr-defined]  # functions take any attribute
        return test

    return mark
