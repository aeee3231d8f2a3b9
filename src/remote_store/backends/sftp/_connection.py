"""One connection: its channels, and what is known of the server behind it."""

from __future__ import annotations

from copy import copy
from typing import Final, TypeVar

import asyncssh

from ..._runtime.tasks import Task, Turns, begun, ended
from ..._sftp.channel import Channel, open_channel
from ..._sftp.packets import Lost, Silent
from ..._sftp.transport import Connector
from ...errors import BackendUnavailable, RemoteStoreError
from ._errors import NAME
from ._files import Files
from ._unfinished import Unfinished

T = TypeVar("T")

PATIENCE: Final = 6
"""A server may be silent for so many times ``timeout`` while an answer of it is waited for."""
LAST_SECONDS: Final = 2.0
"""How long closing waits for what is under way."""


class Link:
    """One connection: a channel for requests, and one for copies when they are needed.

    Attributes:
        channel: where requests go.
        files: the paths of it.
        root: the base path, without links in it, if it is there.
        lost: what was half done when its connection was lost.
    """

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        channel: Channel,
        timeout: float,
        lost: list[Unfinished],
        connector: Connector,
    ) -> None:
        self.connection, self.channel, self.lost = connection, channel, lost
        self._at_once = connector.at_once
        self.files = Files(self)
        self.root = b"/"
        self.links_work = b"hardlink@openssh.com" in channel.extensions
        self.renames_over = b"posix-rename@openssh.com" in channel.extensions
        self.copies = b"copy-data" in channel.extensions
        self.inside: dict[bytes, float] = {}
        """Folders that were found to be below the root, and when (monotonic seconds)."""
        self.replacing = Turns()
        """Who replaces which file, where that takes several steps."""
        self._timeout = timeout
        self._spare: dict[int, Task[Channel]] = {}
        self._stock: Task[asyncssh.SFTPClient] | None = None

    @property
    def is_closed(self) -> bool:
        """True if it is of no use any more."""
        return self.channel.is_closed or self.connection.is_closed()

    async def copying(self) -> Channel:
        """Return a channel for copies: the server answers nothing else on it while it copies."""
        return await self.spare(0) or self.channel

    async def spare(self, number: int) -> Channel | None:
        """Return one of the further channels; None if the server allows no more of them."""
        task = self._spare.get(number)
        if task is None or is_over(task):
            task = self._spare[number] = begun(self._further)
        try:
            return await outcome(task)
        except (asyncssh.Error, Lost, BackendUnavailable):
            return None

    async def _further(self) -> Channel:
        channel = await open_channel(self.connection, self._timeout, self._at_once)
        channel.patience = PATIENCE * self._timeout
        return channel

    async def stock(self) -> asyncssh.SFTPClient:
        """Return asyncssh's own client, on a channel of its own.

        Raises:
            Lost: the server has not answered for as long as a step of connecting may take.
        """
        if self._stock is None or (self._stock.done() and self.peek_stock() is None):
            self._stock = begun(self.connection.start_sftp_client)
        await ended(self._stock, self._timeout)
        if not self._stock.done():
            raise Silent(f"the server has opened no session for {self._timeout:g} seconds")
        return await self._stock

    def peek_stock(self) -> asyncssh.SFTPClient | None:
        """Return asyncssh's own client if it is there already."""
        task = self._stock
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result()

    async def aclose(self) -> None:
        """Close the connection, once the server has done what it was asked."""
        await self.channel.settled(LAST_SECONDS)
        self.channel.close()
        self.connection.close()
        self.connection.abort()
        await self.connection.wait_closed()


async def outcome(task: Task[T]) -> T:
    """Wait for a task that others wait for, too; each gets an error of its own.

    Raises:
        BackendUnavailable: the task was cancelled, as those are that are under way when all is closed.
    """
    if not task.done():
        await ended(task)
    if task.cancelled():
        raise BackendUnavailable("the backend was closed while this call waited for it", backend=NAME)
    if isinstance(error := task.exception(), RemoteStoreError):
        raise copy(error) from error.__cause__
    return task.result()


def is_over(task: Task[Link] | Task[Channel]) -> bool:
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().is_closed
