"""Ctrl-C in a blocking call waits for the end of the step that is under way.

Python raises KeyboardInterrupt between any two instructions: after ``open`` has made a
descriptor and before anything knows of it. Steps are short, so each is run to its end
first, and the interrupt handled then, where clean-up is possible.
"""

from __future__ import annotations

# Not the module signal, which takes ten times as long over its enumerations.
import _signal  # type: ignore[import-not-found]  # the C half of signal; typeshed leaves it out
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")

_SIGINT: Final[int] = _signal.SIGINT
_get: Final[Callable[[int], Any]] = _signal.getsignal
_set: Final[Callable[[int, Any], object]] = _signal.signal
_main = threading.main_thread().ident
_came = False


def _hold(_number: int, _frame: object) -> None:
    global _came
    _came = True


def interrupt_is_held() -> bool:
    """Return True if a Ctrl-C waits for the end of the step that is under way."""
    return _came


def uninterrupted(call: Callable[..., T], *args: Any) -> T:
    """Make a call; a Ctrl-C that comes meanwhile is handled when it has returned."""
    global _came
    if threading.get_ident() != _main:
        return call(*args)  # only the main thread is ever interrupted
    handler = _get(_SIGINT)
    if not callable(handler) or handler is _hold:
        return call(*args)
    try:
        _came = False  # of an earlier call whose handler was interrupted itself
        _set(_SIGINT, _hold)
        return call(*args)
    finally:
        _set(_SIGINT, handler)
        if _came:
            _came = False
            handler(_SIGINT, sys._getframe())


def _after_fork() -> None:
    global _main
    _main = threading.get_ident()  # the thread that forked is the child's main thread


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
