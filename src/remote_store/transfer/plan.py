"""Lines of a plan: what a mirror lacks of a folder."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from ..models import FileInfo

Compare: TypeAlias = Literal["time", "size", "checksum", "etag"]
COMPARISONS: Final = ("time", "size", "checksum", "etag")


_STEPS: Final = (1_000_000, 1_000, 1)
"""Microseconds between two times that can be told: seconds, milliseconds, or all."""


def _told_in(step: int, time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // step * step)


class Action(enum.Enum):
    """What is to be done with a file of the target."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it was when the plan was made, by what its storage tells of it.

    Attributes:
        size: length in bytes.
        modified_at: time of the last change; None when the storage does not know.
        etag: the storage's version token; None when it has none.
    """

    size: int
    modified_at: datetime | None = None
    etag: str | None = None

    @classmethod
    def of(cls, info: FileInfo) -> Version:
        """Return the version of a file."""
        return cls(info.size, info.modified_at, info.etag)

    def is_same(self, other: Version) -> bool:
        """Return True if both are the same version: by size, and ETag, or time where one has no ETag.

        Times count as exactly as the coarser one is told: some servers list milliseconds, and tell
        seconds of a single file.
        """
        if self.size != other.size:
            return False
        if self.etag is not None and other.etag is not None:
            return self.etag == other.etag
        if self.modified_at is None or other.modified_at is None:
            return True
        ours, theirs = self.modified_at, other.modified_at
        step = next(each for each in _STEPS if not (ours.microsecond % each and theirs.microsecond % each))
        return _told_in(step, ours) == _told_in(step, theirs)

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON knows."""
        modified = self.modified_at.isoformat() if self.modified_at is not None else None
        return {"size": self.size, "modified_at": modified, "etag": self.etag}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Version:
        """Return what ``as_dict`` was made of."""
        size, modified, etag = data["size"], data["modified_at"], data["etag"]
        if type(size) is not int or size < 0 or not isinstance(etag, str | None):
            raise ValueError(f"size must be a number of bytes and etag a text, not {size!r} and {etag!r}")
        if not isinstance(modified, str | None):
            raise ValueError(f"modified_at must be a time as text, not {modified!r}")
        return cls(size, datetime.fromisoformat(modified) if modified is not None else None, etag)


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One line of a plan.

    Attributes:
        action: what is to be done.
        path: the file, below both folders.
        reason: why, in words for people.
        source: the file that is to be copied, as it was; None for deletions.
        target: the file that is there, as it was; None where there is none.
        linked: the target has a link to a folder in the way, so that the line cannot be done: what the
            link leads to is not the target's own, and may be the source.

    Raises:
        ValueError: it has no path, or does not say what is to be copied, or what is to be replaced or
            deleted.
    """

    action: Action
    path: str
    reason: str
    source: Version | None = None
    target: Version | None = None
    linked: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path or "\0" in self.path:
            raise ValueError(f"a line has to name a file, and not {self.path!r}")
        if not isinstance(self.reason, str) or not isinstance(self.linked, bool):
            raise ValueError(f"reason must be a text and linked a bool, not {self.reason!r}, {self.linked!r}")
        if self.action is not Action.DELETE and self.source is None:
            raise ValueError(f"a line that says {self.action.value!r} has to tell what the source is like")
        if self.action is not Action.CREATE and self.target is None:
            raise ValueError(f"a line that says {self.action.value!r} has to tell what the target is like")

    @property
    def size(self) -> int:
        """Bytes that are to be moved, or freed."""
        version = self.source or self.target
        return 0 if version is None or self.action is Action.UNCHANGED else version.size

    def to_json(self) -> str:
        """Return it as one line of JSON; plans are saved line by line, and split between any two lines."""
        sides = {name: value.as_dict() if value else None for name, value in self._sides()}
        linked = {"linked": True} if self.linked else {}
        found = {"action": self.action.value, "path": self.path, "reason": self.reason}
        return json.dumps({**found, **sides, **linked})

    def _sides(self) -> list[tuple[str, Version | None]]:
        return [("source", self.source), ("target", self.target)]

    @classmethod
    def from_json(cls, line: str) -> PlanItem:
        """Return what ``to_json`` was made of.

        Raises:
            ValueError: it is no line of a plan.
        """
        try:
            data = json.loads(line)
            sides = (data["source"], data["target"])
            source, target = (Version.from_dict(each) if each is not None else None for each in sides)
            # The path as it is: listings give names, such as a\b, that no path as text can have.
            path, reason, linked = data["path"], data["reason"], data.get("linked", False)
            return cls(Action(data["action"]), path, reason, source, target, linked)
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise ValueError(f"this is no line of a plan: {line[:80]!r} ({error})") from error


def joined(root: str, path: str) -> str:
    """Return a path below a root; either may be empty."""
    return f"{root}/{path}" if root and path else root or path
