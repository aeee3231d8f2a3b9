"""Connections of one loop: made when needed, watched, and closed together."""

from __future__ import annotations

from typing import Final

import asyncssh

from ..._runtime.tasks import Task, begun, ended
from ..._sftp.channel import Channel, open_channel
from ..._sftp.packets import Lost, Refused, Silent
from ..._sftp.transport import Connector
from ...errors import BackendUnavailable
from ._arguments import arguments_of
from ._connection import PATIENCE, Link, is_over, outcome
from ._errors import NAME, of_jump_host, translated
from ._hostkeys import Check, HostKeys
from ._login import client_of
from ._options import Options
from ._unfinished import Unfinished, end_all

MANY: Final = 32
"""So many unanswered requests make another connection worth while."""


class Links:
    """The connections of one loop to one server."""

    def __init__(self, options: Options, keys: HostKeys) -> None:
        self._options, self._keys = options, keys
        self._links: list[Task[Link]] = []
        self._lost: list[Unfinished] = []
        self._only: Link | None = None  # the connection, where there is to be no more than one
        self._ending: Task[None] | None = None  # what lost connections have left is being ended

    async def get(self) -> Link:
        """Return a connection that works, as far as is known.

        Raises:
            RemoteStoreError: there is none to be had.
        """
        if (only := self._only) is not None and not only.is_closed and not self._unsettled:
            return only
        while True:
            self._drop_lost()
            task = self._best()
            if task is None:
                task = begun(self._connect)
                self._links.append(task)
            link = await outcome(task)
            if self._unsettled and not link.is_closed:
                await self._settle(link)
            if not link.is_closed and not self._unsettled:
                self._only = link if self._options.connections == 1 else None
                return link

    @property
    def _unsettled(self) -> bool:
        """Whether a lost connection has left something that is not ended yet."""
        return bool(self._lost) or (self._ending is not None and not self._ending.done())

    async def _settle(self, link: Link) -> None:
        """End what lost connections have left on one that stands, once however many calls wait for it."""
        if self._ending is None or self._ending.done():
            self._ending = begun(end_all, link.channel, self._lost)
        try:
            await outcome(self._ending)
        except Silent:
            raise
        except Lost:
            pass  # that one, too: the next one does it

    def _drop_lost(self) -> None:
        """Forget connections that are of no use; one may still stand, where only the session has ended."""
        over = [task for task in self._links if is_over(task)]
        if over:
            self._links = [task for task in self._links if task not in over]
        for task in over:
            if not task.cancelled() and task.exception() is None:
                task.result().connection.close()

    def peek(self) -> Link | None:
        """Return a connection that is there already."""
        ready = [task for task in self._links if task.done() and not is_over(task)]
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
