"""A plan put into practice: each line only if both sides are as they were when it was made."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import TYPE_CHECKING

from .. import _runtime
from ..capabilities import Capability
from ..errors import CapabilityNotSupported, InvalidPath, NotFound, PreconditionFailed
from ._arguments import Arguments
from ._copying import Copying
from ._items import Count, Item, Nothing, Sent, require_plain, uncounted
from .options import TransferOptions
from .plan import Action, PlanItem, Version, joined

if TYPE_CHECKING:
    from .._async import AsyncStore
    from ._in_parts import InParts
    from ._ledger import Ledger

AT_ONCE = 100
"""Lines that are taken from a plan at a time."""
_DONE = {Action.CREATE: "copied", Action.UPDATE: "replaced", Action.DELETE: "deleted"}


class Planned(Item):
    """A file, and the line of the plan that asks for it."""

    __slots__ = ("line",)

    def __init__(self, line: PlanItem, source: str, target: str, conditional: bool) -> None:
        size = 0 if line.action is Action.DELETE else line.size
        super().__init__(source, target, size, overwrite=line.target is not None, version=line.source)
        self.line = line
        if conditional and line.target is not None and line.action is not Action.DELETE:
            self.if_match = line.target.etag


class Applying:
    """Does what the lines of a plan say."""

    def __init__(
        self,
        source: AsyncStore,
        here: str,
        target: AsyncStore,
        there: str,
        options: TransferOptions,
        parts: InParts | None = None,
    ) -> None:
        self._source, self._here, self._target, self._there = source, here, target, there
        self._dry_run = options.dry_run
        self._copying = Copying(source, target, options, parts)
        self._conditional = Capability.CONDITIONAL_WRITE in target.capabilities

    async def items(
        self, plan: Iterable[PlanItem] | AsyncIterable[PlanItem], ledger: Ledger | None = None
    ) -> AsyncGenerator[Item]:
        """Give what is to be done, as it is needed; a journal is told of the lines.

        Raises:
            TypeError: the plan holds something else.
            RemoteStoreError: the journal is another plan's.
        """
        lines, number = Arguments(plan), 1
        while not lines.ended:
            taken = await lines.take(AT_ONCE)
            for line in taken:
                if not isinstance(line, PlanItem):
                    raise TypeError(f"a plan is made of PlanItem, not {type(line).__name__}")
            if ledger is not None:
                await ledger.lines(number, [_digest(line) for line in taken])
                number += len(taken)
            for line in taken:
                if line.action is not Action.UNCHANGED:
                    here, there = joined(self._here, line.path), joined(self._there, line.path)
                    source = there if line.action is Action.DELETE else here
                    yield Planned(line, source, there, self._conditional)
        if ledger is not None:
            await ledger.ended(number - 1)

    async def apply(self, item: Item, count: Count, again: bool) -> str:
        """Do one line; ``again`` after an attempt that may have done it.

        Raises:
            PreconditionFailed: the source or the target has changed since the plan was made.
            InvalidPath: a link is in its way, or no path can name it.
            Nothing: it is a dry run.
        """
        assert isinstance(item, Planned)
        line = item.line
        require_plain(item.source)
        if self._dry_run:
            would = "fail" if line.linked else f"be {_DONE[line.action]}"
            raise Nothing(f"dry run: would {would}, {line.reason}")
        if line.linked:
            raise _linked(item.target)
        if line.source is not None and line.action is not Action.DELETE:
            await _require(self._source, item.source, line.source)
        if line.target is not None and not item.removed:
            told = Sent(count if again else uncounted)
            if (item.begun or again) and (how := await self._done_before(item, line, line.target, told)):
                return how
            await _require(self._target, item.target, line.target)
        if line.action is Action.DELETE:
            await self._target.delete(item.target, missing_ok=again)
            return "deleted"
        return await self._copied(item, count, again)

    async def _copied(self, item: Item, count: Count, again: bool) -> str:
        try:
            return await self._copying.copy(item, count, again)
        except CapabilityNotSupported:
            if item.if_match is None:
                raise
        item.if_match = None  # the server ignores conditions, as has turned out: the look before has to do
        return await self._copying.copy(item, count, again)

    async def _done_before(self, item: Item, line: PlanItem, planned: Version, sent: Sent) -> str:
        """Return how a line was done by an attempt whose answer was lost, or by a process that was killed.

        It is "" if it was not; what has changed and is not what was sent is somebody else's.
        """
        found = await _version(self._target, item.target)
        if found is None and line.action is Action.DELETE:
            return "was deleted before"
        if found is None or found.is_same(planned) or line.action is Action.DELETE:
            return ""
        return await self._copying.sent_before(item, sent) if await self._copying.has_arrived(item) else ""


async def _version(store: AsyncStore, path: str) -> Version | None:
    try:
        return Version.of(await store.get_file_info(path))
    except NotFound:
        return None


async def _require(store: AsyncStore, path: str, planned: Version) -> None:
    """Refuse to go on with a file that is not the version that the plan knows."""
    found = await _version(store, path)
    await _runtime.checkpoint()
    if found is None or not found.is_same(planned):
        raise PreconditionFailed(
            "the file has changed since the plan was made, so it was left alone; make the plan again",
            path=path,
            retryable=False,
        )


def _linked(path: str) -> InvalidPath:
    return InvalidPath(
        "the target has a link to a folder in the way, and nothing is written to where that leads; delete"
        " the link, or mirror to the place itself",
        path=path,
    )


def _digest(line: PlanItem) -> bytes:
    return hashlib.sha256(line.to_json().encode("utf-8", "surrogatepass")).digest()[:16]
