"""An open file: found by its name, no link to the outside, and with facts to know it by."""

from __future__ import annotations

from stat import S_IFDIR, S_IFLNK, S_IFREG
from typing import Any

from ..._sftp.packets import FLAG_READ, FLAG_WRITE, Attrs, Refused
from ...errors import PreconditionFailed, RemoteStoreError
from ._errors import NAME, outside
from ._facts import NO_FACTS, UNTOLD_OR_LINK, require_file
from ._files import Files


class Opened:
    """A file that is open for reading.

    Attributes:
        facts: what it is known by; that of its handle once ``open`` is done.
    """

    def __init__(self, files: Files, key: str) -> None:
        self._files, self._channel, self.key = files, files.channel, key
        self._handle: bytes | None = None
        self.facts = NO_FACTS

    @property
    def handle(self) -> bytes:
        """What the server calls the open file."""
        assert self._handle is not None
        return self._handle

    async def open(self) -> None:
        """Open the file, and find out how long it is.

        Raises:
            Refused: there is none, or it may not be read.
            InvalidPath: it is a folder, or lies outside the root.
            RemoteStoreError: the server does not tell how long it is.
        """
        await self._open()
        reading = None if self.facts.size else self._channel.read(self.handle, 0, 1)
        await self._measure(self._channel.fstat(self.handle))
        if reading is not None and not self.facts.size and await reading:
            raise self._unmeasured()

    async def _open(self) -> None:
        """Open the file; take its facts by its name, where it is no link, in the same flight."""
        self.facts = NO_FACTS
        path, inside = self._files.path(self.key), self._files.guard(self.key)
        looking, opening = self._channel.lstat(path), self._channel.open(path, FLAG_READ)
        try:
            await inside
            facts = await self._looked(looking, opening)
        except BaseException:
            self._channel.forget(opening, self._channel.drop)
            raise
        try:
            self._handle = await self._channel.kept(opening)
        except Refused as error:
            raise await self._files.explain(self.key, error) from error
        if facts.kind in UNTOLD_OR_LINK and self._files.link.root != b"/":
            if not self._files.is_inside(await self._channel.realpath(path)):
                raise outside(self.key)
        elif facts.kind == S_IFREG and facts.size is not None:
            self.facts = facts

    async def _looked(self, looking: Any, opening: Any) -> Attrs:
        """Return what there is by the name. Raises InvalidPath for what cannot be read as files are."""
        try:
            facts: Attrs = await looking
        except Refused:
            return NO_FACTS  # the answer to the opening tells
        if facts.kind not in (0, S_IFREG, S_IFDIR, S_IFLNK):
            await self._freed(opening)
            require_file(facts, self.key)
        return facts

    async def _freed(self, opening: Any) -> None:
        """Free a server that is stuck in opening a pipe: somebody who opens its other end does that.

        It would not end with its session, either. Where that does not help, the channel is given up.
        """
        if not await self._channel.is_due(opening):
            await self._open_other_end()
            if not await self._channel.is_due(opening):
                self._channel.close(f"the server is stuck in opening the pipe {self.key!r}")

    async def _open_other_end(self) -> None:
        link = self._files.link
        other = await link.spare(0) if self._channel is link.channel else link.channel
        if other is None:
            return
        opening = other.open(self._files.path(self.key), FLAG_READ | FLAG_WRITE)  # for both waits for nobody
        try:
            await other.is_due(opening)
        finally:
            other.forget(opening, other.drop)

    async def _measure(self, facts: Any) -> None:
        self.facts = await facts
        require_file(self.facts, self.key)
        if self.facts.size is None:
            raise self._unmeasured()

    def is_same(self, facts: Attrs) -> bool:
        """Return True if the file is what it was, as far as its size and time of change tell."""
        return (facts.size, facts.mtime) == (self.facts.size, self.facts.mtime)

    def _unmeasured(self) -> RemoteStoreError:
        return RemoteStoreError(
            "the server does not tell how large the file is, so nobody would know whether all of it was read",
            path=self.key,
            backend=NAME,
        )

    def _changed(self) -> PreconditionFailed:
        return PreconditionFailed(
            "the file was changed while it was being read; read it again", path=self.key, backend=NAME
        )

    def close(self) -> None:
        """Close the file. Its fate is of no interest."""
        if self._handle is not None:
            self._channel.drop(self._handle)
            self._handle = None
