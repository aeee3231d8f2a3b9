"""The handles under which one file is written: one, or several on channels of their own.

A server takes only so much on a channel before it has said that it is ready for more: OpenSSH
2 MiB, so one channel carries no more than that in a round trip, whatever the line could carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import asyncssh

from ..._runtime.tasks import Task, begun, ended
from ..._sftp.packets import FLAG_WRITE, Lost, Refused

if TYPE_CHECKING:
    from ..._sftp.channel import Channel
    from ._connection import Link

MOST: Final = 4
"""Channels for one file: four windows of 2 MiB are 400 MiB in a second over a way of 20 ms."""
FAR_SECONDS: Final = 0.005
"""A round trip from which one window is less than a fast line and the ciphers could carry."""
LARGE: Final = 1 << 22
"""Bytes of a file from which further channels are worth the round trips that they take to open."""


class Lanes:
    """An open file of one upload; the first handle is there, others come when they are asked for."""

    def __init__(self, link: Link, channel: Channel, path: bytes, handle: bytes) -> None:
        self.handle = handle
        self._link, self._path = link, path
        self._all = [(channel, handle)]
        self._turn = 0
        self._widening: Task[None] | None = None

    def write(self, offset: int, data: bytes | memoryview) -> Any:
        """Write a piece on the next channel."""
        self._turn += 1
        channel, handle = self._all[self._turn % len(self._all)]
        return channel.write(handle, offset, data)

    def widen(self) -> None:
        """Begin to open the file on further channels; who does so twice is not heard."""
        if self._widening is None:
            self._widening = begun(self._widen)

    async def _widen(self) -> None:
        for number in range(1, MOST):
            channel = await self._link.spare(number)
            if channel is None:
                return
            try:
                handle = await channel.kept(channel.open(self._path, FLAG_WRITE))
            except (Refused, Lost, asyncssh.Error):
                return  # the channels that are there do
            self._all.append((channel, handle))

    async def settled(self) -> None:
        """Open no more, and wait until that is certain."""
        if self._widening is not None:
            self._widening.cancel()
            await ended(self._widening)

    def close(self) -> list[Any]:
        """Close all handles; call ``settled`` before."""
        every, self._all = self._all, []
        return [channel.close_handle(handle) for channel, handle in every]

    def drop(self) -> None:
        """Close all handles, now or when they come; nobody waits for that."""
        if self._widening is not None:
            self._widening.cancel()
        for closing in self.close():
            closing.cancel()
