"""Credentials of the standard chain that can be looked for anew, where the server says that they expired."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..._runtime.tasks import Task, begun, unbroken

Look = Callable[[], Awaitable[Any]]


class Renewable:
    """What the chain has found; to aiobotocore it is that.

    Attributes:
        count: how often others have been found since.
    """

    def __init__(self, found: Any, look: Look) -> None:
        self._found, self._look = found, look
        self._looking: Task[bool] | None = None
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)

    async def get_frozen_credentials(self) -> Any:
        """Return what to sign with now."""
        return await self._found.get_frozen_credentials()

    async def renew(self, count: int) -> bool:
        """Return True if there are others than those that were refused when the count was this one.

        All who are refused at the same time share one look.
        """
        if self.count != count:
            return True
        if self._looking is None or self._looking.done():
            self._looking = begun(self._find)
        return await unbroken(self._looking)

    async def _find(self) -> bool:
        refused, found = await self.get_frozen_credentials(), await self._look()
        if found is None or await found.get_frozen_credentials() == refused:
            return False
        self._found = found
        self.count += 1
        return True


class Chain:
    """The place where aiobotocore's sessions look for credentials."""

    def __init__(self, usual: Any, look: Look) -> None:
        self._usual, self._look = usual, look

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)

    async def load_credentials(self) -> Renewable | None:
        """Return the first credentials that are found."""
        found = await self._usual.load_credentials()
        return None if found is None else Renewable(found, self._look)
