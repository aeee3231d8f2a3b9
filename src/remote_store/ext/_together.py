"""Several calls at once, for libraries that bring asyncio: none outlives who waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .. import _runtime


async def together(
    calls: Sequence[Callable[[], Awaitable[Any]]],
    at_once: int,
    *,
    failures: bool = False,
    after: Callable[[], object] = lambda: None,
) -> list[Any]:
    """Make calls, so many at the same time; return their results in order.

    Where one fails, or who waits is cancelled, those under way are cancelled, and have
    ended before this does; the others are never begun.

    Args:
        calls: coroutine functions without arguments.
        at_once: calls under way at most.
        failures: put an error in the place of the result, and go on.
        after: called when a call has ended, however it does.
    """
    results: list[Any] = [None] * len(calls)
    rest = iter(enumerate(calls))
    failed = False

    async def make(number: int, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            results[number] = await call()
        except Exception as error:
            if not failures:
                raise
            results[number] = error
        finally:
            after()

    async def work() -> None:
        nonlocal failed
        try:
            for number, call in rest:
                # It is here before who waits hears of a failure, or after a call that was cancelled in vain.
                if failed or _is_being_cancelled():
                    return
                await make(number, call)
        except BaseException:
            failed = True
            raise

    tasks = [asyncio.ensure_future(work()) for _ in range(min(at_once, len(calls)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        if not all(task.done() for task in tasks):
            await _runtime.shielded_on_asyncio(_stopped, tasks)
    return results


async def _stopped(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
