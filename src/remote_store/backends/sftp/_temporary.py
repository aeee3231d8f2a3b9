"""The temporary beside a target, to be filled: opened where nothing is in the way of the target."""

from __future__ import annotations

import stat
from time import monotonic

from ..._sftp.packets import Attrs, Refused
from ...errors import RemoteStoreError
from ._aside import TRIES
from ._errors import folder_not_file, nowhere, outside, taken
from ._files import MISSING, Files
from ._lanes import Lanes
from ._names import temporary_beside
from ._publish import CREATE, removing


class Temporary:
    """An empty file in the folder of its target.

    Attributes:
        ended: whether it has been given its name, or is gone.
    """

    def __init__(self, files: Files, key: str, overwrite: bool) -> None:
        self._files, self._channel, self.key = files, files.channel, key
        self._overwrite = overwrite
        self._target = files.path(key)
        self._temporary = b""
        self._lanes: Lanes | None = None
        self._round_trip = 0.0
        self._created: list[bytes] = []
        self.ended = False

    @property
    def handle(self) -> bytes:
        """What the server calls the temporary."""
        assert self._lanes is not None
        return self._lanes.handle

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
        if links and self._overwrite and await self._is_link(facts):
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
                if self._target != self._files.path(self.key):
                    raise nowhere(self.key) from error
            self._created += await self._files.make_folders(self.key)
        raise RemoteStoreError("somebody keeps deleting the folder", path=self.key, backend="sftp")

    async def _is_link(self, facts: Attrs) -> bool:
        if facts.kind:
            return facts.kind == stat.S_IFLNK
        return await self._channel.realpath(self._target) != self._target  # the server does not tell

    async def _follow(self, links: int) -> None:
        """Go on in the place of what a link leads to: a write replaces that, and not the link."""
        self.discard()
        try:
            self._target = await self._channel.realpath(self._target)
        except Refused as error:
            if error.code not in MISSING:
                raise
            raise nowhere(self.key) from error
        if not self._files.is_inside(self._target):
            raise outside(self.key)
        await self._open(links - 1)

    def discard(self) -> None:
        """Undo everything. The requests are sent; nobody waits for their answers."""
        if self._lanes is not None:
            self._lanes.drop()
            self._lanes = None
        if not self.ended and self._temporary:
            self._channel.remove(self._temporary).cancel()
            for folder in reversed(self._created):
                self._channel.rmdir(folder).cancel()
