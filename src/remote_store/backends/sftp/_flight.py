"""A small new file gets its name in one flight with its content, and loses it if that failed.

A server makes the link also where it could not write, so the torn file is taken away again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._runtime.tasks import unbroken
from ..._sftp.packets import Refused
from ._aside import tried
from ._names import temporary_beside
from ._same import is_part

if TYPE_CHECKING:
    from ..._sftp.channel import Channel


class Flight:
    """The answers to what was sent at once: the content, the link, the end of the temporary name.

    Args:
        written: the requests that bring the content, sent already; the link goes after them.
        data: the content, to know the file by.

    Attributes:
        removed: the answer about the end of the temporary name.
    """

    def __init__(
        self, channel: Channel, written: list[Any], temporary: bytes, target: bytes, data: memoryview
    ) -> None:
        self._channel, self._target, self._data = channel, target, data
        self._written = written
        self._linked = channel.link(temporary, target)
        self.removed = channel.remove(temporary)

    async def landed(self) -> Refused | None:
        """Wait for all answers; return why there is no link, if there is none.

        Raises:
            Refused: the content could not be written.
        """
        # The last one alone is waited for, as a cancellation takes the answer with it: the others
        # tell ``undone`` then what was done.
        await tried(self.removed)
        for each in (*self._written, self._linked):
            if not each.done():  # a server that answers in another order
                await tried(unbroken(each))
        for each in self._written:
            each.result()
        error = self._linked.exception()
        if error is not None and not isinstance(error, Refused):
            raise error
        return error

    async def undone(self) -> None:
        """Take the name away again, unless it is that of a whole file."""
        whole = True
        for each in self._written:
            whole = await tried(each) and whole
        if await tried(self._linked) and not whole:
            await self._take_back()

    async def _take_back(self) -> None:
        """Delete the torn file, and not what others may have put in its place."""
        channel, target = self._channel, self._target
        if not await is_part(channel, target, self._data):
            return
        away = temporary_beside(target)
        if not await tried(channel.rename(target, away)):
            return  # others have deleted it
        if not await is_part(channel, away, self._data):  # somebody replaced it since it was looked at
            await tried(channel.link(away, target))  # refused where something newer is there
        await tried(channel.remove(away))
