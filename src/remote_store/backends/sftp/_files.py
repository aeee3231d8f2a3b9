"""Keys as paths of the server, and what is there.

Links are followed while they lead to something below the root. The server resolves
paths, not we, so that is looked at beside each request, and again after a second.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Awaitable, Generator
from typing import TYPE_CHECKING, Any, Final

from ..._sftp.packets import NO_SUCH_FILE, Attrs, Refused
from ...errors import InvalidPath, RemoteStoreError
from ._errors import NAME, file_not_folder, folder_not_file, outside, translated
from ._facts import UNTOLD_OR_LINK, kind_of, require_file

if TYPE_CHECKING:
    from ..._sftp.channel import Channel
    from ._connection import Link

MISSING: Final = (2, 10)
"""Statuses that say that nothing is there."""
INSIDE_SECONDS: Final = 1.0
MOST_INSIDE: Final = 4096
MOST_LEVELS: Final = 1024


class Files:
    """Paths of one connection."""

    def __init__(self, link: Link, channel: Channel | None = None) -> None:
        self.link, self.channel = link, channel or link.channel

    def on(self, channel: Channel) -> Files:
        """Return the same paths, asked for on another channel of the connection."""
        return Files(self.link, channel)

    def path(self, key: str) -> bytes:
        """Return a key as a path of the server.

        Raises:
            InvalidPath: its characters are no Unicode text.
        """
        try:
            name = key.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise InvalidPath(
                "the name is no Unicode text, so it cannot be sent", path=key, backend=NAME
            ) from error
        root = self.link.root
        if not name:
            return root
        return root + name if root.endswith(b"/") else b"%b/%b" % (root, name)

    def is_inside(self, path: bytes) -> bool:
        """Return True if a path without links is the root or below it."""
        root = self.link.root
        return root == b"/" or path == root or path.startswith(root + b"/")

    async def kind(self, key: str) -> int:
        """Return what is there, as ``stat.S_IFMT`` gives it; 0 for nothing, or for what lies outside."""
        try:
            return kind_of(await self._facts(key))
        except Refused as error:
            if error.code in MISSING:
                return 0
            raise
        except InvalidPath:
            return 0  # it lies outside, or its name cannot be sent

    async def file_facts(self, key: str) -> Attrs:
        """Return a file's facts. Raises InvalidPath for a folder, and for what lies outside."""
        facts = await self._facts(key)
        require_file(facts, key)
        return facts

    async def _facts(self, key: str) -> Attrs:
        """Return the facts of what is there, or of what a link leads to.

        Raises:
            InvalidPath: it lies outside the root.
        """
        path = self.path(key)
        looking = self.channel.lstat(path)
        await self.guard(key)
        try:
            facts = await looking
        except Refused as error:
            raise await self.clear(key, error) from error
        if facts.kind not in UNTOLD_OR_LINK:
            return facts
        behind, real = self.channel.stat(path), self.channel.realpath(path)
        facts = await behind
        if not self.is_inside(await real):
            raise outside(key)
        return facts

    def guard(self, key: str) -> Awaitable[None]:
        """Make sure that the folder of a key is below the root, links and all.

        The question is sent at once, and its answer awaited: other requests may go in the same flight.

        Raises:
            InvalidPath: it is not.
        """
        folder = self.path(key).rpartition(b"/")[0]
        if not key or self.link.root == b"/" or folder == self.link.root:
            return _NOTHING
        if self._is_known(folder):
            return _NOTHING
        return self._guarded(key, folder, self.channel.realpath(folder))

    def _is_known(self, folder: bytes) -> bool:
        return time.monotonic() - self.link.inside.get(folder, -INSIDE_SECONDS) < INSIDE_SECONDS

    async def _guarded(self, key: str, folder: bytes, asked: Awaitable[bytes]) -> None:
        known = self.link.inside
        try:
            real = await asked
        except Refused as error:
            if (await self.clear(key, error)).code in MISSING:
                return  # what is not there leads nowhere; ``make_folders`` looks at what is above it
            raise
        if not self.is_inside(real):
            raise outside(key)
        if len(known) >= MOST_INSIDE:
            known.clear()
        known[folder] = time.monotonic()

    async def _guard_above(self, key: str, folder: bytes) -> None:
        """Make sure that what is there on the way to a missing folder does not lead to the outside.

        OpenSSH tells where a path leads whose last part is missing, and says nothing of others.
        """
        root = self.link.root
        while root != b"/" and len(folder) > len(root) and not self._is_known(folder):
            folder = folder.rpartition(b"/")[0]
            try:
                if folder == root or self.is_inside(await self.channel.realpath(folder)):
                    return
            except Refused:
                continue
            raise outside(key)

    async def make_folders(self, key: str) -> list[bytes]:
        """Make the folder of a key, and those above it; return those that were not there.

        Raises:
            InvalidPath: one of them is a file, or a link to the outside is on the way.
        """
        await self._guard_above(key, self.path(key).rpartition(b"/")[0])
        missing = [self.path(key).rpartition(b"/")[0] or b"/"]
        made: list[bytes] = []
        while missing:
            try:
                await self.channel.mkdir(missing[-1])
                made.append(missing.pop())
            except Refused as error:
                above = missing[-1].rpartition(b"/")[0]
                if error.code in MISSING and above and len(missing) <= MOST_LEVELS:
                    missing.append(above)
                else:
                    await self._require_folder(missing.pop(), key, error)
        return made

    async def _require_folder(self, folder: bytes, key: str, refused: Refused) -> None:
        """Be content with a folder that is there already."""
        try:
            facts = await self.channel.stat(folder or b"/")
        except Refused:
            await self.refuse_below_file(key)
            raise translated(refused, key) from refused
        if kind_of(facts) != stat.S_IFDIR:
            raise InvalidPath("a parent of the path is a file", path=key, backend=NAME) from refused

    async def refuse_below_file(self, key: str) -> None:
        """Raise InvalidPath if a parent of a key is a file: not every server says that this is why."""
        if await self._is_below_file(key):
            raise InvalidPath("a parent of the path is a file", path=key, backend=NAME)

    async def clear(self, key: str, refused: Refused) -> Refused:
        """Return a refusal that says that nothing is there, for what would be below a file.

        OpenSSH does so by itself; others have it fail, or be forbidden.
        """
        if refused.code in MISSING or not await self._is_below_file(key):
            return refused
        return Refused(NO_SUCH_FILE, refused.text)

    async def _is_below_file(self, key: str) -> bool:
        above = self.path(key).rpartition(b"/")[0] if key else b""
        while above:
            try:
                return kind_of(await self.channel.stat(above)) != stat.S_IFDIR
            except Refused:
                above = above.rpartition(b"/")[0]
        return False

    async def explain(self, key: str, refused: Refused, *, file: bool = True) -> RemoteStoreError:
        """Return the error for a refusal that does not say why: what is there tells."""
        try:
            kind = kind_of(await self.channel.lstat(self.path(key)))
        except Refused as error:
            error = await self.clear(key, error)
            return translated(error if error.code in MISSING else refused, key)
        if file and kind == stat.S_IFDIR:
            return folder_not_file(key)
        if not file and kind != stat.S_IFDIR:
            return file_not_folder(key)
        return translated(refused, key)


class _Nothing:
    """What is known already, in the place of an answer."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from ()


_NOTHING: Final = _Nothing()
