"""One SFTP session: requests go out as they are made, each answer is a future.

Nothing here waits between requests, so callers send what belongs together in one flight.
A handle that arrives for somebody who is gone is closed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import asyncssh

from . import packets as p

T = TypeVar("T")
Late = Callable[["Channel", bytes], object]

LARGEST_PACKET: Final = 1 << 24
"""No server sends more; a length beyond it is no SFTP, such as the greeting of a login script."""
WINDOW: Final = 1 << 24
"""Bytes that may be on their way to us: what counts over long distances."""
PACKET: Final = 1 << 17
ANY_SERVER: Final = 1 << 15
"""Bytes in one READ or WRITE that every server takes (draft-ietf-secsh-filexfer-02, section 3)."""


class Limits(NamedTuple):
    """Bytes in one READ and in one WRITE that the server takes."""

    read: int = ANY_SERVER
    write: int = ANY_SERVER


class _Waiter(NamedTuple):
    future: asyncio.Future[Any]
    decode: Callable[[int, bytes], Any]
    late: Late | None


class Channel(asyncssh.SSHClientSession[bytes]):
    """The client's end of an SFTP session.

    Args:
        patience: seconds without a sign of the server, while an answer is waited for, after
            which it counts as gone.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None
        self._waiters: dict[int, _Waiter] = {}
        self._number = 0
        self._buffer = bytearray()
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._lost: Exception | None = None
        self._version: asyncio.Future[bytes] = self._loop.create_future()
        self.extensions: dict[bytes, bytes] = {}
        self.limits = Limits()

    # -- as asyncssh calls it ----------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Take the channel."""
        self._chan = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Take what the server sent: any number of packets, or a part of one."""
        if datatype is not None:
            return  # what it says on its error stream is for people
        self._heard = self._loop.time()
        self._buffer += data
        try:
            self._take()
        except (p.Lost, *p.MALFORMED) as error:
            self._end(error if isinstance(error, p.Lost) else p.Lost(f"a malformed packet: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all who wait."""
        self._end(exc)

    # -- answers -----------------------------------------------------------------------

    def _take(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 9:
            (length,) = p.u32.unpack_from(buffer, at)
            if not 5 <= length <= LARGEST_PACKET:
                raise p.Lost("this is no SFTP; does a login script of the server write something?")
            end = at + 4 + length
            if len(buffer) < end:
                break
            with memoryview(buffer) as view:
                self._answer(view[at + 4], p.u32.unpack_from(buffer, at + 5)[0], bytes(view[at + 9 : end]))
            at = end
        if at:
            del buffer[:at]

    def _answer(self, kind: int, number: int, body: bytes) -> None:
        if kind == p.VERSION:
            if not self._version.done():
                self._version.set_result(body)
            return
        waiter = self._waiters.pop(number, None)
        if waiter is None:
            raise p.Lost("the server answers what nobody asked")
        if waiter.future.done():
            if kind == p.HANDLE and waiter.late is not None:
                waiter.late(self, p.handle(kind, body))
            return
        try:
            waiter.future.set_result(waiter.decode(kind, body))
        except p.Refused as error:
            _fail(waiter.future, error)
        except Exception:
            self._waiters[number] = waiter  # it is told with all others that the channel is no good
            raise

    def _end(self, cause: Exception | None) -> None:
        if self._lost is None:
            self._lost = cause or p.Lost("the server closed the connection")
        waiters, self._waiters = self._waiters, {}
        for future in (self._version, *(waiter.future for waiter in waiters.values())):
            if not future.done():
                _fail(future, p.Lost(str(self._lost)))
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._chan is not None:
            self._chan.abort()

    # -- requests ----------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """True if no request can be made any more."""
        return self._lost is not None

    @property
    def busy(self) -> int:
        """How many answers are waited for."""
        return len(self._waiters)

    def ask(
        self,
        kind: int,
        body: bytes,
        decode: Callable[[int, bytes], T],
        late: Late | None = None,
    ) -> asyncio.Future[T]:
        """Send a request; the future has its answer, as ``decode`` reads it.

        ``late`` is called with a handle that comes when the future is cancelled already.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._lost is not None or self._chan is None:
            _fail(future, p.Lost(str(self._lost)))
            return future
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        if not self._waiters:
            self._heard = self._loop.time()
            if self._watch is None:
                self._watch = self._loop.call_later(self._patience, self._look)
        self._waiters[number] = _Waiter(future, decode, late)
        self._write(p.HEADER.pack(len(body) + 5, kind, number) + body)
        return future

    def _write(self, packet: bytes) -> None:
        assert self._chan is not None
        try:
            self._chan.write(packet)
        except OSError as error:  # asyncssh: the channel is not open for sending
            self._end(error)

    def _look(self) -> None:
        """End the session if the server has been silent for too long."""
        self._watch = None
        if not self._waiters:
            return
        silent = self._loop.time() - self._heard
        if silent >= self._patience:
            self._end(TimeoutError(f"the server has not answered for {self._patience:g} seconds"))
        else:
            self._watch = self._loop.call_later(self._patience - silent, self._look)

    async def begin(self) -> None:
        """Agree on the protocol. Raises Lost."""
        self._heard = self._loop.time()
        self._write(p.u32.pack(5) + bytes([p.INIT]) + p.u32.pack(3))
        async with asyncio.timeout(self._patience):
            body = await self._version  # what follows the version number
        at = 0
        while at < len(body):
            name, at = p.read_text(body, at)
            self.extensions[name], at = p.read_text(body, at)
        if b"limits@openssh.com" in self.extensions:
            answer = await self.extended(b"limits@openssh.com", b"", p.extension)
            _, read, write = (p.u64.unpack_from(answer, at)[0] for at in (0, 8, 16))
            self.limits = Limits(read or ANY_SERVER, write or ANY_SERVER)

    def close(self) -> None:
        """End the session; those who wait are told that it is lost."""
        self._end(p.Lost("the session was closed"))

    # -- files -------------------------------------------------------------------------

    def open(self, path: bytes, flags: int, late: Late | None = None) -> asyncio.Future[bytes]:
        """Open a file; ``late`` is for who has more to do than to close it."""
        body = p.text(path) + p.u32u32.pack(flags, 0)
        return self.ask(p.OPEN, body, p.handle, late or Channel.drop)

    def close_handle(self, handle: bytes) -> asyncio.Future[None]:
        """Close a handle, and hear whether all was written."""
        return self.ask(p.CLOSE, p.text(handle), p.done)

    def drop(self, handle: bytes) -> None:
        """Close a handle whose fate is of no interest."""
        self.close_handle(handle).cancel()

    def read(self, handle: bytes, offset: int, length: int) -> asyncio.Future[bytes]:
        """Read a piece; shorter than asked for where the server likes, empty at the end only."""
        return self.ask(p.READ, p.text(handle) + p.u64u32.pack(offset, length), p.data)

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
        return self.ask(p.OPENDIR, p.text(path), p.handle, Channel.drop)

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


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # of several in one flight only the first failure is looked at


async def open_channel(connection: asyncssh.SSHClientConnection, patience: float) -> Channel:
    """Begin an SFTP session on a connection.

    Raises:
        asyncssh.Error: the server refuses a session, or the connection is lost.
        Lost, TimeoutError: it does not answer as an SFTP server does.
    """
    channel = Channel(patience)
    await connection.create_session(
        lambda: channel, subsystem="sftp", encoding=None, window=WINDOW, max_pktsize=PACKET
    )
    try:
        await channel.begin()
    except BaseException:
        channel.close()
        raise
    return channel
