"""The blocking face: run a coroutine to its end in the caller's own thread, without a loop.

Every leaf answers a driven coroutine without suspending it, so one ``send`` runs it
to its end. A blocking call therefore never touches an event loop, not even one that
runs in the same thread.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from ._where import state

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end here and return its result.

    Raises:
        RuntimeError: the coroutine waited for something that only an event loop can give.
    """
    outer = state.inline
    try:
        state.inline = True
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        state.inline = outer
    coroutine.close()
    raise RuntimeError("a blocking call cannot wait for an event loop; use the async API for this")


def blocking() -> bool:
    """Return True if the running coroutine is driven for a blocking caller."""
    return state.inline
