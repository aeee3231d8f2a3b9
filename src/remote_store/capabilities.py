"""What a backend can do, as a value: asked at run time, never found by ``isinstance``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, final

from .errors import CapabilityNotSupported


class Capability(Enum):
    """One thing a backend may be able to do.

    ``EXCLUSIVE_CREATE``: of several that create a file without ``overwrite``, exactly one
    succeeds. ``CONDITIONAL_WRITE``: ``if_match``. ``WRITE_OPTIONS``: what ``WriteOptions``
    say is kept with the file, and told again. ``PRESIGN``: URLs for who has no credentials.
    ``RESUMABLE_WRITE``: a file can be written in parts, by one process after the other.
    The other names are those of operations.
    """

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    LIST = "list"
    MOVE = "move"
    COPY = "copy"
    ATOMIC_WRITE = "atomic_write"
    GLOB = "glob"
    RECURSIVE_LIST = "recursive_list"
    METADATA = "metadata"
    EXCLUSIVE_CREATE = "exclusive_create"
    CONDITIONAL_WRITE = "conditional_write"
    WRITE_OPTIONS = "write_options"
    PRESIGN = "presign"
    RESUMABLE_WRITE = "resumable_write"


OPERATIONS: Final = frozenset(Capability) - {
    Capability.EXCLUSIVE_CREATE,
    Capability.CONDITIONAL_WRITE,
    Capability.WRITE_OPTIONS,
    Capability.PRESIGN,
    Capability.RESUMABLE_WRITE,
}
"""What a store does every day; the others are about how it is done, or for few storages."""


@final
class CapabilitySet:
    """An immutable set of capabilities.

    Ask with ``supports(c)`` or ``c in caps``; demand with ``require(c)``.

    Attributes:
        complete: every operation is in the set, so there is nothing to ask before one.
    """

    __slots__ = ("_members", "complete")

    def __init__(self, capabilities: Iterable[Capability]) -> None:
        self._members = frozenset(capabilities)
        self.complete = self._members >= OPERATIONS

    def supports(self, capability: Capability) -> bool:
        """Return True if the capability is in the set."""
        return capability in self._members

    def require(self, capability: Capability, *, backend: str = "") -> None:
        """Do nothing if the capability is in the set.

        Raises:
            CapabilityNotSupported: it is not; the message lists what is.
        """
        if capability not in self._members:
            supported = ", ".join(member.value for member in self) or "nothing"
            raise CapabilityNotSupported(
                f"this backend cannot {capability.value!r}; it supports: {supported}",
                backend=backend or None,
                capability=capability.value,
            )

    def __contains__(self, capability: object) -> bool:
        return isinstance(capability, Capability) and capability in self._members

    def __iter__(self) -> Iterator[Capability]:
        return iter(sorted(self._members, key=lambda member: member.value))

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return f"CapabilitySet({{{', '.join(member.name for member in self)}}})"
