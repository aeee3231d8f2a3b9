"""Connections of one loop: made when needed, watched, and closed together."""

from __future__ import annotations

import os
from typing import Any, Final

import asyncssh

from ... import _runtime
from ..._runtime.tasks import Task, Turns, begun, ended, unbroken
from ..._sftp.channel import Channel, open_channel
from ..._sftp.packets import Lost, Refused
from ..._sftp.transport import Connector
from ...errors import BackendUnavailable
from ._errors import NAME, translated
from ._files import Files
from ._hostkeys import HostKeys
from ._keys import load_private_key
from ._login import FACTORY, client_of, known_as
from ._options import DEFAULT_PORT, Options
from ._unfinished import Unfinished, end_all

PATIENCE: Final = 6
"""A server may be silent for so many times ``timeout`` while an answer of it is waited for."""
KEEPALIVE_SECONDS: Final = 15
FAST_CIPHERS: Final = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""Half the processor time of asyncssh's first choice, chacha20-poly1305."""
_OWN_WAY: Final = {"tunnel", "proxy_command", "config", "sock", "family", "flags", "local_addr"}
"""Options of the user's that say how to get there: then asyncssh goes that way by itself."""
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
        patience: float,
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
        self._patience = patience
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
            task = self._spare[number] = begun(open_channel, self.connection, self._patience, self._at_once)
        try:
            return await unbroken(task)
        except (asyncssh.Error, Lost, TimeoutError):
            return None

    async def stock(self) -> asyncssh.SFTPClient:
        """Return asyncssh's own client, on a channel of its own."""
        if self._stock is None:
            self._stock = begun(self.connection.start_sftp_client)
        return await unbroken(self._stock)

    def peek_stock(self) -> asyncssh.SFTPClient | None:
        """Return asyncssh's own client if it is there already."""
        started = self._stock is not None and self._stock.done() and not self._stock.exception()
        return self._stock.result() if started and self._stock is not None else None

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
            self._links = [task for task in self._links if not _is_over(task)]
            task = self._best()
            if task is None:
                task = begun(self._connect)
                self._links.append(task)
            link = await unbroken(task)
            if not link.is_closed:
                self._only = link if self._options.connections == 1 else None
                return link

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
        options, check = self._options, await self._keys.check()
        connector = Connector()
        arguments = await self._arguments(check, connector)
        where = f" to {options.where}"
        try:
            connection, _ = await asyncssh.create_connection(
                client_of(options, check), options.host, **arguments
            )
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            if check.refusal is not None:
                raise BackendUnavailable(check.refusal, backend=NAME, retryable=False) from error
            raise translated(error, None, where) from error
        try:
            await self._keys.remember(check)
            patience = PATIENCE * options.timeout
            channel = await open_channel(connection, patience, connector.at_once)
            link = Link(connection, channel, patience, self._lost, connector)
            link.root = await self._root(link.channel)
            await end_all(link.channel, self._lost)
        except BaseException as error:
            connection.abort()
            await connection.wait_closed()
            if isinstance(error, (asyncssh.Error, OSError, Lost)):
                raise translated(error, None, where) from error
            raise
        return link

    async def _root(self, channel: Channel) -> bytes:
        base = self._options.base_path.encode("utf-8", "surrogateescape")
        if base.strip(b"/") == b"":
            return b"/"
        try:
            return await channel.realpath(base)
        except Refused:  # not there yet: the first write makes it
            return base.rstrip(b"/")

    async def _arguments(self, check: Any, connector: Connector) -> dict[str, Any]:
        options = self._options
        arguments: dict[str, Any] = {
            "known_hosts": check.on_file,
            "server_host_key_algs": check.algorithms(*await _runtime.in_thread(known_as, options)),
            "config": None,
            "connect_timeout": options.timeout,
            "login_timeout": options.timeout,
            "keepalive_interval": KEEPALIVE_SECONDS,
            "encryption_algs": FAST_CIPHERS,
            "compression_algs": None,
        }
        if not _OWN_WAY & set(options.connect_kwargs):
            arguments["tunnel"] = connector
        if options.port != DEFAULT_PORT or "config" not in options.connect_kwargs:
            arguments["port"] = options.port  # otherwise the user's files may name another
        if options.username is not None:
            arguments["username"] = options.username
        if options.password is not None or options.pkey is not None:
            # Who says how to log in wants no key of the agent's tried, and counted, before.
            arguments.update(client_keys=None, agent_path=None)
        if options.answers is None:
            arguments["password"] = options.password
        if options.pkey is not None:
            arguments["client_keys"] = [await _runtime.in_thread(_key, options)]
        elif options.passphrase is not None:
            arguments["passphrase"] = options.passphrase
        given = {name: value for name, value in options.connect_kwargs.items() if name != FACTORY}
        return {**arguments, **given}

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


def _key(options: Options) -> Any:
    if not isinstance(options.pkey, str):
        return options.pkey
    from_file = "-----BEGIN" not in options.pkey
    source = os.path.expanduser(options.pkey) if from_file else options.pkey
    try:
        return load_private_key(source, from_file=from_file, passphrase=options.passphrase)
    except (ValueError, OSError) as error:
        raise BackendUnavailable(str(error), backend=NAME, retryable=False) from error
