"""The requests of SFTP version 3, and some of OpenSSH's extensions: each answer is a future.

Nothing here waits between requests, so callers send what belongs together in one flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeVar

import asyncssh

from . import packets as p
from .session import Late, Session

T = TypeVar("T")

WINDOW: Final = 1 << 24
"""Bytes that may be on their way to us: what counts over long distances."""
PACKET: Final = 1 << 17
ANY_SERVER: Final = 1 << 15
"""Bytes in one READ or WRITE that every server takes (draft-ietf-secsh-filexfer-02, section 3)."""
MOST_PIECE: Final = 1 << 18
"""Bytes in one READ or WRITE from which larger ones are not faster, whatever the server says it takes."""

DUE_SECONDS: Final = 1.0
"""What the server answers right behind something else is there after this time, or it is stuck."""


class Limits(NamedTuple):
    """Bytes in one READ and in one WRITE that the server takes."""

    read: int = ANY_SERVER
    write: int = ANY_SERVER


class Channel(Session):
    """The client's end of an SFTP session, request by request.

    Attributes:
        extensions: what the server knows beside version 3, by name.
        limits: the largest pieces it takes.
    """

    def __init__(self, patience: float, at_once: Callable[..., None] | None = None) -> None:
        super().__init__(patience, at_once)
        self.extensions: dict[bytes, bytes] = {}
        self.limits = Limits()

    async def begin(self) -> None:
        """Agree on the protocol. Raises Lost."""
        self._write(p.u32.pack(5) + bytes([p.INIT]) + p.u32.pack(3))
        await asyncio.wait([self._version], timeout=self.patience)
        if not self._version.done():
            raise p.Silent(f"its SFTP service has not answered for {self.patience:g} seconds")
        try:
            self._take_extensions(await self._version)
            if b"limits@openssh.com" in self.extensions:
                self._take_limits(await self.extended(b"limits@openssh.com", b"", p.extension))
        except p.Refused:
            pass  # announced, and not known: what every server takes has to do
        except p.MALFORMED as error:
            raise p.Lost(f"a malformed packet: {error}") from error

    def _take_extensions(self, body: bytes) -> None:
        at = 0
        while at < len(body):  # what follows the version number
            name, at = p.read_text(body, at)
            self.extensions[name], at = p.read_text(body, at)

    def _take_limits(self, answer: bytes) -> None:
        _, read, write, handles = (p.u64.unpack_from(answer, at)[0] for at in (0, 8, 16, 24))
        self.limits = Limits(*(min(each or ANY_SERVER, MOST_PIECE) for each in (read, write)))
        self.most_handles = handles or self.most_handles

    # -- files -------------------------------------------------------------------------

    def open(self, path: bytes, flags: int, late: Late | None = None) -> asyncio.Future[bytes]:
        """Open a file; ``late`` is for who has more to do than to close it."""
        body = p.text(path) + p.u32u32.pack(flags, 0)
        return self.ask(p.OPEN, body, p.handle, late or self.drop)

    async def kept(self, opening: asyncio.Future[bytes], late: Late | None = None) -> bytes:
        """Wait for a handle; one that arrives together with a cancellation is not forgotten."""
        try:
            return await opening
        except asyncio.CancelledError:
            self.forget(opening, late or self.drop)
            raise

    def forget(self, opening: asyncio.Future[bytes], late: Late) -> None:
        """Give up on a handle, whether it has arrived by now or not."""
        if not opening.cancel() and not opening.cancelled() and opening.exception() is None:
            late(opening.result())

    async def is_due(self, opening: asyncio.Future[bytes]) -> bool:
        """Wait for a handle, or a refusal, that is due; return False if none comes.

        OpenSSH's server opens a pipe only when somebody writes to it, and answers nothing until then.
        """
        await asyncio.wait([opening], timeout=DUE_SECONDS)
        return opening.done()

    def close_handle(self, handle: bytes) -> asyncio.Future[None]:
        """Close a handle, and hear whether all was written."""
        return self.ask(p.CLOSE, p.text(handle), p.done)

    def drop(self, handle: bytes) -> None:
        """Close a handle whose fate is of no interest."""
        self.close_handle(handle).cancel()

    def read(self, handle: bytes, offset: int, length: int) -> asyncio.Future[bytes]:
        """Read a piece; shorter than asked for where the server likes, empty at the end only."""
        return self.ask(p.READ, p.text(handle) + p.u64u32.pack(offset, length), partial(p.data, length))

    def write(self, handle: bytes, offset: int, data: bytes | memoryview) -> asyncio.Future[None]:
        """Write a piece."""
        head = p.text(handle) + p.u64u32.pack(offset, len(data))
        return self.ask(p.WRITE, b"".join((head, data)), p.done)

    def chmod(self, handle: bytes, mode: int) -> asyncio.Future[None]:
        """Give an open file permission bits."""
        body = p.text(handle) + p.u32u32.pack(p.WITH_MODE, mode)
        return self.ask(p.FSETSTAT, body, p.done)

    def fstat(self, handle: bytes) -> asyncio.Future[p.Attrs]:
        """Return the facts of an open file."""
        return self.ask(p.FSTAT, p.text(handle), p.attrs)

    # -- names -------------------------------------------------------------------------

    def stat(self, path: bytes) -> asyncio.Future[p.Attrs]:
        """Return the facts of a file, or of what a link leads to."""
        return self.ask(p.STAT, p.text(path), p.attrs)

    def lstat(self, path: bytes) -> asyncio.Future[p.Attrs]:
        """Return the facts of a file, or of a link itself."""
        return self.ask(p.LSTAT, p.text(path), p.attrs)

    def realpath(self, path: bytes) -> asyncio.Future[bytes]:
        """Return a path without links in it."""
        return self.ask(p.REALPATH, p.text(path), p.one_name)

    def remove(self, path: bytes) -> asyncio.Future[None]:
        """Delete a file or a link."""
        return self.ask(p.REMOVE, p.text(path), p.done)

    def mkdir(self, path: bytes) -> asyncio.Future[None]:
        """Make a folder."""
        return self.ask(p.MKDIR, p.text(path) + p.u32.pack(0), p.done)

    def rmdir(self, path: bytes) -> asyncio.Future[None]:
        """Delete an empty folder."""
        return self.ask(p.RMDIR, p.text(path), p.done)

    def rename(self, source: bytes, target: bytes) -> asyncio.Future[None]:
        """Rename; refused if the target is there."""
        return self.ask(p.RENAME, p.text(source) + p.text(target), p.done)

    def opendir(self, path: bytes) -> asyncio.Future[bytes]:
        """Open a folder to list it."""
        return self.ask(p.OPENDIR, p.text(path), p.handle, self.drop)

    def readdir(self, handle: bytes) -> asyncio.Future[list[p.Name] | None]:
        """Return further entries of a folder; None when there are no more."""
        return self.ask(p.READDIR, p.text(handle), p.names)

    # -- extensions --------------------------------------------------------------------

    def extended(self, name: bytes, body: bytes, decode: Callable[[int, bytes], T]) -> asyncio.Future[T]:
        """Make a request of an extension."""
        return self.ask(p.EXTENDED, p.text(name) + body, decode)

    def posix_rename(self, source: bytes, target: bytes) -> asyncio.Future[None]:
        """Rename over whatever file is there, in one step."""
        return self.extended(b"posix-rename@openssh.com", p.text(source) + p.text(target), p.done)

    def link(self, source: bytes, target: bytes) -> asyncio.Future[None]:
        """Give a file a second name; refused if the target is there."""
        return self.extended(b"hardlink@openssh.com", p.text(source) + p.text(target), p.done)

    def fsync(self, handle: bytes) -> asyncio.Future[None]:
        """Have the server bring a file to its disk."""
        return self.extended(b"fsync@openssh.com", p.text(handle), p.done)

    def copy_data(
        self, source: bytes, offset: int, length: int, target: bytes, to: int
    ) -> asyncio.Future[None]:
        """Copy a piece of one open file into another, on the server."""
        body = p.text(source) + p.u64.pack(offset) + p.u64.pack(length) + p.text(target) + p.u64.pack(to)
        return self.extended(b"copy-data", body, p.done)


async def open_channel(
    connection: asyncssh.SSHClientConnection, patience: float, at_once: Callable[..., None] | None = None
) -> Channel:
    """Begin an SFTP session on a connection; ``at_once`` is that of its ``Connector``, if it has one.

    Raises:
        asyncssh.Error: the server refuses a session, or the connection is lost.
        Lost: it does not answer as an SFTP server does, or not for ``patience`` seconds.
    """
    channel = Channel(patience, at_once)
    try:
        await _give_session(connection, channel)
        await channel.begin()
    except BaseException:
        channel.close()
        raise
    return channel


async def _give_session(connection: asyncssh.SSHClientConnection, channel: Channel) -> None:
    """Have a session opened for a channel.

    asyncssh forgets a session whose making is cancelled, and leaves it open if it is confirmed after all.
    So the making goes on, and a channel that was closed meanwhile closes the session.
    """

    async def create() -> None:
        await connection.create_session(
            lambda: channel, subsystem="sftp", encoding=None, window=WINDOW, max_pktsize=PACKET
        )

    task = asyncio.create_task(create())  # the connection holds it, by what it waits for
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # or the loop would complain
    await asyncio.wait([task], timeout=channel.patience)
    if not task.done():
        raise p.Silent(f"the server has opened no session for {channel.patience:g} seconds")
    await task
