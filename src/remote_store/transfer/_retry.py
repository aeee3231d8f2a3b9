"""Calls that are made again after errors that may pass."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from .. import _runtime
from ..errors import RemoteStoreError

T = TypeVar("T")

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 20.0
"""Seconds; a pause is a random part of them, so that many who failed together do not come back together."""


async def retrying(
    retries: int,
    call: Callable[[bool], Awaitable[T]],
    failed: Callable[[RemoteStoreError], Awaitable[None]] | None = None,
) -> T:
    """Make a call, and again while it fails with an error that is ``retryable``.

    Args:
        retries: how often it is made again at most.
        call: is told whether it was made before.
        failed: is told of each error that is not the last one.

    Raises:
        RemoteStoreError: the last one.
    """
    attempt = 0
    while True:
        try:
            return await call(attempt > 0)
        except RemoteStoreError as error:
            if not error.retryable or attempt == retries:
                raise
            if failed is not None:
                await failed(error)
        await _runtime.sleep(random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)))  # noqa: S311
        attempt += 1
