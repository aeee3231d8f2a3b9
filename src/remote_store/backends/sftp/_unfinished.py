"""What a lost connection left half done, and its successor ends before anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..._sftp.channel import Channel


class Unfinished(NamedTuple):
    """A change of several steps, of which nobody knows how many were made."""

    since: float  # monotonic seconds: the newest is ended first
    end: Callable[[Channel], Awaitable[object]]


async def end_all(channel: Channel, lost: list[Unfinished]) -> None:
    """End what is in the list, which others may be filling. What fails stays there."""
    while lost:
        newest = max(lost, key=lambda each: each.since)
        lost.remove(newest)
        try:
            await newest.end(channel)
        except BaseException:
            lost.append(newest)
            raise
