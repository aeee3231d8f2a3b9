"""Connections of one loop: made when needed, watched, and closed together."""

from __future__ import annotations

from typing import Final

import asyncssh

from ..._runtime.tasks import Task, Turns, begun, ended, unbroken
from ..._sftp.channel import Channel, open_channel
from ..._sftp.packets import Lost, Refused, Silent
from ..._sftp.transport import Connector
from ...errors import BackendUnavailable
from ._arguments import arguments_of
from ._errors import NAME, of_jump_host, translated
from ._files import Files
from ._hostkeys import Check, HostKeys
from ._login import client_of
from ._options import Options
from ._unfinished import Unfinished, end_all

PATIENCE: Final = 6
"""A server may be silent for so many times ``timeout`` while an answer of it is waited for."""
LAST_SECONDS: Final = 2.0
"""How long closing waits for what is under way."""
MANY: Final = 32
"""So many unanswered requests make another connection worth while."""


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
        if task is None or _is_over(task):
            task = self._spare[number] = begun(self._further)
        try:
            return await unbroken(task)
        except (asyncssh.Error, Lost):
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


class Links:
    """The connections of one loop to one server."""

    def __init__(self, options: Options, keys: HostKeys) -> None:
        self._options, self._keys = options, keys
        self._links: list[Task[Link]] = []
        self._lost: list[Unfinished] = []
        self._only: Link | None = None  # the connection, where there is to be no more than one

    async def get(self) -> Link:
        """Return a connection that works, as far as is known.

        Raises:
            RemoteStoreError: there is none to be had.
        """
        if (only := self._only) is not None and not only.is_closed:
            return only
        while True:
            self._drop_lost()
            task = self._best()
            if task is None:
                task = begun(self._connect)
                self._links.append(task)
            link = await unbroken(task)
            if not link.is_closed:
                self._only = link if self._options.connections == 1 else None
                return link

    def _drop_lost(self) -> None:
        """Forget connections that are of no use; one may still stand, where only the session has ended."""
        over = [task for task in self._links if _is_over(task)]
        if over:
            self._links = [task for task in self._links if task not in over]
        for task in over:
            if not task.cancelled() and task.exception() is None:
                task.result().connection.close()

    def peek(self) -> Link | None:
        """Return a connection that is there already."""
        ready = [task for task in self._links if task.done() and not _is_over(task)]
        return ready[0].result() if ready else None

    def _best(self) -> Task[Link] | None:
        """Return the connection with the least to do; None if one more is due."""
        ready = [task for task in self._links if task.done()]
        least = min(ready, key=lambda task: task.result().channel.busy, default=None)
        busy = least is not None and least.result().channel.busy >= MANY
        if len(self._links) < self._options.connections and (busy or not self._links):
            return None
        return least or self._links[0]

    async def _connect(self) -> Link:
        options, check, connector = self._options, await self._keys.check(), Connector()
        connection = await self._log_in(check, connector)
        try:
            await self._keys.remember(check)
            channel = await open_channel(connection, options.timeout, connector.at_once)
            link = Link(connection, channel, options.timeout, self._lost, connector)
            link.root = await self._root(channel)
            await end_all(channel, self._lost)
            channel.patience = PATIENCE * options.timeout
        except BaseException as error:
            connection.abort()
            await connection.wait_closed()
            if isinstance(error, (asyncssh.Error, OSError, Lost)):
                raise translated(error, None, f" to {options.where}") from error
            raise
        return link

    async def _log_in(self, check: Check, connector: Connector) -> asyncssh.SSHClientConnection:
        options, where = self._options, f" to {self._options.where}"
        arguments = await arguments_of(options, check, connector)
        try:
            connection, _ = await asyncssh.create_connection(
                client_of(options, check), options.host, **arguments
            )
        except (asyncssh.Error, OSError, TimeoutError, ValueError, TypeError) as error:
            if check.refusal is not None:
                raise BackendUnavailable(check.refusal, backend=NAME, retryable=False) from error
            jumping = None if check.reached else of_jump_host(error, where)
            raise jumping or translated(error, None, where) from error
        return connection

    async def _root(self, channel: Channel) -> bytes:
        """Return the base path without links in it: what of it is not there yet the first write makes."""
        base = self._options.base_path.encode("utf-8", "surrogateescape").rstrip(b"/")
        if not base:
            return b"/"
        parts = base.split(b"/")
        for count in range(len(parts), 1 if base.startswith(b"/") else -1, -1):
            above = b"/".join(parts[:count]) or b"."
            try:
                real = await channel.realpath(above)
            except Refused:
                continue
            return real.rstrip(b"/") + b"".join(b"/" + part for part in parts[count:]) or b"/"
        return base

    async def aclose(self) -> None:
        """Close all connections."""
        links, self._links, self._only = self._links, [], None
        for task in links:
            task.cancel()  # one that is still being made
            await ended(task)
            if not task.cancelled() and task.exception() is None:
                await task.result().aclose()


def _is_over(task: Task[Link] | Task[Channel]) -> bool:
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().is_closed
