"""The one way down: every call gets a connection here, and every error becomes one of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ... import _runtime
from ..._runtime.per_loop import PerLoop
from ..._sftp.packets import Lost, Silent
from ...errors import RemoteStoreError
from .._temporaries import refuse_reserved
from ._errors import NAME, caught, translated
from ._options import Options

if TYPE_CHECKING:
    from ._connection import Link
    from ._files import Files
    from ._hostkeys import HostKeys
    from ._links import Links

T = TypeVar("T")


class Api:
    """The connections of one backend, and calls over them.

    Attributes:
        root: the base path without links in it, once it is known.
        exclusive: whether the server can create a file without replacing one; known from the
            first connection on.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._keys: HostKeys | None = None
        self._links: PerLoop[Links] = PerLoop(self._make_links, _close_links)
        self.exclusive = True
        self.root: bytes | None = None

    async def _make_links(self) -> Links:
        links, hostkeys = await _runtime.in_thread(_loaded)
        if self._keys is None:
            self._keys = hostkeys.HostKeys(self._options)
        made: Links = links.Links(self._options, self._keys)
        return made

    async def files(self) -> Files:
        """Return the paths of a connection that works, as far as is known."""
        link: Link = await (await self._links.get()).get()
        self.exclusive = link.links_work or link.renames_over
        self.root = link.root
        return link.files

    def link_of_this_loop(self) -> Link | None:
        """Return a connection that is there already; where no asyncio loop runs there is none."""
        try:
            links = self._links.peek()
        except RuntimeError:
            return None
        return None if links is None else links.peek()

    async def look(
        self, path: str, call: Callable[[Files], Awaitable[T]], undo: Callable[[T], Any] | None = None
    ) -> T:
        """Make a call that may be repeated, once, where the connection is lost meanwhile.

        Silence is waited for once only: who is silent may well be so because of this very call.
        """
        refuse_reserved(path, NAME)

        async def run() -> T:
            try:
                return await call(await self.files())
            except Silent:
                raise
            except Lost:
                return await call(await self.files())

        return await self.down(path, run, undo=undo)

    async def change(
        self, path: str, call: Callable[[Files], Awaitable[T]], undo: Callable[[T], Any] | None = None
    ) -> T:
        """Make a call that changes something: whether a lost one has done so nobody knows."""
        refuse_reserved(path, NAME)

        async def run() -> T:
            return await call(await self.files())

        return await self.down(path, run, undo=undo)

    async def down(
        self,
        path: str,
        call: Callable[..., Awaitable[T]],
        *args: Any,
        undo: Callable[[T], Any] | None = None,
    ) -> T:
        """Run a coroutine function where asyncio is; its errors become ours."""
        return await _runtime.on_asyncio(_translating, path, call, *args, undo=undo)

    async def down_shielded(self, path: str, call: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Run one to its end although the task is being cancelled."""
        return await _runtime.shielded_on_asyncio(_translating, path, call, *args)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._links.aclose()


async def _translating(path: str, call: Callable[..., Awaitable[T]], *args: Any) -> T:
    try:
        return await call(*args)
    except RemoteStoreError as error:
        if error.path is None:
            error.path = path
        raise
    except caught() as error:
        raise translated(error, path) from error


async def _close_links(links: Links) -> None:
    await links.aclose()


def _loaded() -> tuple[Any, Any]:
    """Import what needs asyncssh: that takes half a second, so it is done in a thread."""
    try:
        from . import _hostkeys, _links
    except ImportError as error:
        raise RemoteStoreError(
            "SFTP needs asyncssh: pip install 'remote-store[sftp]'", backend=NAME
        ) from error
    return _links, _hostkeys
