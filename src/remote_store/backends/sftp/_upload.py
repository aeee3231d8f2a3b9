"""One file on its way up: into a temporary beside its target, and then under its name.

Nothing is seen under the name before all of it is there. Without ``overwrite`` the name is
given by a hard link, which cannot replace a file; with it by a rename, which replaces in one step.
"""

from __future__ import annotations

import stat
from collections import deque
from time import monotonic
from typing import Any

from ..._sftp.packets import Lost, Refused
from ...errors import RemoteStoreError
from ...models import WriteResult
from ...paths import RemotePath
from ._aside import TRIES, tried
from ._errors import folder_not_file, outside, taken
from ._files import MISSING, Files
from ._flight import Flight
from ._lanes import FAR_SECONDS, LARGE, Lanes
from ._publish import CREATE, publish, removing, temporary_beside, why_not_named


class Upload:
    """A temporary file being filled. Its coroutines run on the loop on which it was opened."""

    def __init__(self, files: Files, key: str, overwrite: bool, durable: bool, memory: int) -> None:
        self._files, self._channel, self.key = files, files.channel, key
        self._overwrite = overwrite
        self._durable = durable and b"fsync@openssh.com" in self._channel.extensions
        self._piece, self._memory = self._channel.limits.write, memory
        self._target = files.path(key)
        self._temporary = b""
        self._lanes: Lanes | None = None
        self._round_trip = 0.0
        self._created: list[bytes] = []
        self._pending: deque[Any] = deque()
        self._flight: Flight | None = None
        self._buffer = bytearray()
        self._sent = 0
        self.ended = False

    @property
    def handle(self) -> bytes:
        """What the server calls the temporary."""
        assert self._lanes is not None
        return self._lanes.handle

    def count(self, size: int) -> None:
        """Take note of bytes that the server wrote by itself."""
        self._sent += size

    @property
    def size(self) -> int:
        """Bytes that were given."""
        return self._sent + len(self._buffer)

    async def open(self) -> None:
        """Begin, where nothing is in the way.

        Raises:
            AlreadyExists, InvalidPath: something is.
            Refused: it may not be.
        """
        await self._files.guard(self.key)
        await self._open(2)

    async def open_new(self) -> None:
        """Begin a file whose name is refused in the end if something is in the way."""
        await self._files.guard(self.key)
        await self._make_temporary()

    async def _open(self, links: int) -> None:
        found = self._channel.lstat(self._target)
        await self._make_temporary()
        try:
            facts = await found
        except Refused as error:
            if error.code not in MISSING:
                raise
            return
        if facts.kind == stat.S_IFLNK and links and self._overwrite:
            await self._follow(links)
        elif facts.kind == stat.S_IFDIR:
            raise folder_not_file(self.key)
        elif not self._overwrite:
            raise taken(self.key)
        elif facts.mode is not None:  # who replaces a file keeps its permissions
            self._channel.chmod(self.handle, stat.S_IMODE(facts.mode)).cancel()

    async def _make_temporary(self) -> None:
        for _ in range(TRIES):
            self._temporary = temporary_beside(self._target)
            try:
                late = removing(self._channel, self._temporary)
                begun = monotonic()
                opening = self._channel.open(self._temporary, CREATE, late)
                handle = await self._channel.kept(opening, late)
                self._round_trip = monotonic() - begun
                self._lanes = Lanes(self._files.link, self._channel, self._temporary, handle)
                return
            except Refused as error:
                if error.code not in MISSING:
                    await self._files.refuse_below_file(self.key)
                    raise
            self._created += await self._files.make_folders(self.key)
        raise RemoteStoreError("somebody keeps deleting the folder", path=self.key, backend="sftp")

    async def _follow(self, links: int) -> None:
        """Go on in the place of what a link leads to: a write replaces that, and not the link."""
        self.discard()
        self._target = await self._channel.realpath(self._target)
        if not self._files.is_inside(self._target):
            raise outside(self.key)
        await self._open(links - 1)

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
        if self._lanes is not None:
            self._lanes.drop()
            self._lanes = None
        if not self.ended and self._temporary:
            self._channel.remove(self._temporary).cancel()
            for folder in reversed(self._created):
                self._channel.rmdir(folder).cancel()
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
