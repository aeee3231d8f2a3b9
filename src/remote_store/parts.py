"""Files that are written in numbered parts, by one process and, should it be killed, by the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from ._types import Buffer
from .models import WriteResult


class Part(NamedTuple):
    """A part that the storage has taken, for who writes down what is done.

    Attributes:
        number: counted from 1.
        size: length in bytes.
        crc32: the CRC-32 of it (RFC 1952, section 8).
        receipt: what the storage said of it, opaque.
    """

    number: int
    size: int
    crc32: int
    receipt: str = ""


class PartWriter(ABC):
    """One file being written in parts. It appears under its name at ``commit``, whole or not at all.

    Dropping it, unlike a ``Writer``, undoes nothing: who knows its ``token`` opens it again, in
    whatever process. So who begins one writes down the token before the first part, and in the end
    commits or aborts.

    Attributes:
        token: names the parts for ``Backend.open_parts``; text without secrets.
        part_size: bytes of each part but the last, which may be shorter.
        at_once: how many parts may usefully be written at the same time.
    """

    token: str = ""
    part_size: int = 0
    at_once: int = 1

    @abstractmethod
    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        """Return those of the parts that the storage still has as they were written.

        Raises:
            NotFound: it has none of this token's any more, as after ``commit``.
        """

    @abstractmethod
    async def write(self, number: int, data: Buffer, crc32: int) -> Part:
        """Store a part, also in the place of an earlier one of that number; in any order, and at once.

        Args:
            number: counted from 1.
            data: ``part_size`` bytes, fewer only at the end of the file.
            crc32: the CRC-32 of the data, for storages that check it.

        Raises:
            NotFound: the storage has forgotten the parts.
        """

    @abstractmethod
    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        """Make one file of all its parts, in order, and put it under its name.

        Raises:
            AlreadyExists: there is a file, and ``overwrite`` was not given.
            NotFound: the storage has forgotten the parts.
        """

    @abstractmethod
    async def abort(self) -> None:
        """Have the storage forget the parts. Runs to its end although the task is cancelled."""

    async def aclose(self) -> None:  # noqa: B027 - nothing to release is a valid answer
        """Let go of it and leave the parts where they are. Closing twice is fine."""
