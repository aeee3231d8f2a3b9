"""One file on its way up: into a temporary beside its target, and then under its name.

Nothing is seen under the name before all of it is there. Without ``overwrite`` the name is
given by a hard link, which cannot replace a file; with it by a rename, which replaces in one step.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ..._sftp.packets import Lost, Refused
from ...models import WriteResult
from ...paths import RemotePath
from ._aside import tried
from ._files import Files
from ._flight import Flight
from ._lanes import FAR_SECONDS, LARGE
from ._publish import end_temporary, publish, why_not_named
from ._temporary import Temporary


class Upload(Temporary):
    """A temporary file being filled. Its coroutines run on the loop on which it was opened."""

    def __init__(self, files: Files, key: str, overwrite: bool, durable: bool, memory: int) -> None:
        super().__init__(files, key, overwrite)
        self._durable = durable and b"fsync@openssh.com" in self._channel.extensions
        self._piece, self._memory = self._channel.limits.write, memory
        self._pending: deque[Any] = deque()
        self._flight: Flight | None = None
        self._buffer = bytearray()
        self._sent = 0

    def count(self, size: int) -> None:
        """Take note of bytes that the server wrote by itself."""
        self._sent += size

    @property
    def size(self) -> int:
        """Bytes that were given."""
        return self._sent + len(self._buffer)

    async def write(self, data: memoryview) -> None:
        """Take data, and send it in pieces; wait where too much is on its way."""
        at = 0
        if self._buffer:
            at = self._piece - len(self._buffer)
            with data[:at] as piece:  # a view that outlives the call would hold the caller's buffer
                self._buffer += piece
            if len(self._buffer) == self._piece:
                self._send(bytes(self._buffer))
                self._buffer.clear()
        while len(data) - at >= self._piece:
            with data[at : at + self._piece] as piece:
                self._send(piece)
            at += self._piece
        with data[at:] as piece:
            self._buffer += piece
        if self._sent >= LARGE and self._round_trip >= FAR_SECONDS and self._lanes is not None:
            self._lanes.widen()
        while len(self._pending) * self._piece > self._memory:
            await self._pending.popleft()

    def _send(self, data: bytes | memoryview) -> None:
        if not data:
            return  # not every server takes a piece without bytes
        assert self._lanes is not None
        self._pending.append(self._lanes.write(self._sent, data))
        self._sent += len(data)

    async def finish(self) -> None:
        """Wait until the server has all of it."""
        if self._buffer:
            self._send(bytes(self._buffer))
            self._buffer.clear()
        assert self._lanes is not None
        await self._lanes.settled()
        if self._durable:
            await self._all_written()  # on all channels
            self._pending.append(self._channel.fsync(self.handle))
        self._pending += self._lanes.close()
        self._lanes = None
        await self._all_written()

    async def _all_written(self) -> None:
        while self._pending:
            await self._pending.popleft()

    async def commit(self) -> WriteResult:
        """Give the file its name."""
        await self.finish()
        await publish(self._files, self._temporary, self._target, self.key, self._overwrite)
        self.ended = True
        return WriteResult(RemotePath._of(self.key), self._sent)

    async def put(self, data: memoryview, at_once: bool) -> WriteResult:
        """Write a small file whole; ``data`` is needed until this returns.

        With ``at_once`` a new file gets its name in the same flight, one round trip less: should
        the server fail to write it, it shows for a moment and is taken away again.
        """
        self._send(data)
        if self._overwrite or not self._files.link.links_work:
            return await self.commit()
        assert self._lanes is not None
        if at_once and not self._durable:
            written = [*self._pending, *self._lanes.close()]
            self._lanes = None
            self._pending.clear()
        else:
            await self.finish()
            written = []
        self._flight = Flight(self._channel, written, self._temporary, self._target, data)
        if (refused := await self._flight.landed()) is not None:
            return await self._put_again(data, refused)
        await end_temporary(self._files.link, self._channel, self._temporary, self._flight.removed)
        self.ended = True
        return WriteResult(RemotePath._of(self.key), self._sent)

    async def _put_again(self, data: memoryview, refused: Refused) -> WriteResult:
        """Write once more where the link was refused and no file has the name."""
        self._flight = None
        if (why := await why_not_named(self._files, self.key, self._target, refused)) is not None:
            raise why from refused
        await self._make_temporary()  # the first one is gone: its end was asked for, too
        self._sent = 0
        self._send(data)
        return await self.commit()

    def discard(self) -> None:
        """Undo everything. The requests are sent; nobody waits for their answers."""
        super().discard()
        for each in self._pending:
            each.cancel()
        self._pending.clear()

    async def abort(self) -> None:
        """Undo everything, and wait until it is."""
        if self.ended:
            return
        self.ended = True
        for each in self._pending:
            each.cancel()
        try:
            if self._flight is not None:
                await self._flight.undone()
            if self._lanes is not None:
                lanes, self._lanes = self._lanes, None
                await lanes.settled()
                for closing in lanes.close():
                    await tried(closing)
            await self._remove(self._channel)
        except Lost:
            await self._remove_elsewhere()

    async def _remove(self, channel: Any) -> None:
        removed = channel.remove(self._temporary)
        emptied = [channel.rmdir(folder) for folder in reversed(self._created)]
        for each in (removed, *emptied):
            await tried(each)

    async def _remove_elsewhere(self) -> None:
        """Do so on the connection's first channel, which may stand although that for copies is lost."""
        try:
            await self._remove(self._files.link.channel)
        except Lost:
            pass  # a sweep will find it
