"""What a mirror lacks: differences between two folders, found folder by folder."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ..models import FileInfo, RemoteFolder
from ..paths import normalize

if TYPE_CHECKING:
    from .._async import AsyncStore

Compare: TypeAlias = Literal["time", "size", "checksum", "etag"]
COMPARISONS: Final = ("time", "size", "checksum", "etag")


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

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON knows."""
        modified = self.modified_at.isoformat() if self.modified_at is not None else None
        return {"size": self.size, "modified_at": modified, "etag": self.etag}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Version:
        """Return what ``as_dict`` was made of."""
        modified = data["modified_at"]
        return cls(data["size"], datetime.fromisoformat(modified) if modified else None, data["etag"])


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One line of a plan.

    Attributes:
        action: what is to be done.
        path: the file, below both folders.
        reason: why, in words for people.
        source: the file that is to be copied, as it was; None for deletions.
        target: the file that is there, as it was; None where there is none.
    """

    action: Action
    path: str
    reason: str
    source: Version | None = None
    target: Version | None = None

    @property
    def size(self) -> int:
        """Bytes that are to be moved, or freed."""
        version = self.source or self.target
        return 0 if version is None or self.action is Action.UNCHANGED else version.size

    def to_json(self) -> str:
        """Return it as one line of JSON; plans are saved line by line, and split between any two lines."""
        sides = {name: value.as_dict() if value else None for name, value in self._sides()}
        return json.dumps({"action": self.action.value, "path": self.path, "reason": self.reason, **sides})

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
            sides = [Version.from_dict(data[name]) if data[name] else None for name in ("source", "target")]
            return cls(Action(data["action"]), normalize(data["path"]), data["reason"], *sides)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is no line of a plan: {line[:80]!r} ({error})") from error


class Differences:
    """The lines of a plan, as batches of a listing: one folder after the other."""

    def __init__(
        self, source: AsyncStore, here: str, target: AsyncStore, there: str, compare: Compare, delete: bool
    ) -> None:
        self._source, self._here, self._target, self._there = source, here, target, there
        self._compare, self._delete = compare, delete
        self._folders = [""]

    async def __anext__(self) -> list[PlanItem]:
        if not self._folders:
            raise StopAsyncIteration
        folder = self._folders.pop()
        files, folders = await _children(self._source, self._here, folder)
        old_files, old_folders = await _children(self._target, self._there, folder)
        self._folders += folders
        items = [self._item(path, info, old_files.get(path)) for path, info in files.items()]
        if self._delete:
            self._folders += [path for path in old_folders if path not in folders]
            gone = [path for path in old_files if path not in files]
            items += [
                PlanItem(
                    Action.DELETE, path, "the source has no such file", target=Version.of(old_files[path])
                )
                for path in gone
            ]
        return items

    def _item(self, path: str, new: FileInfo, old: FileInfo | None) -> PlanItem:
        source = Version.of(new)
        if old is None:
            return PlanItem(Action.CREATE, path, "the target has no such file", source)
        reason = _difference(self._compare, new, old)
        action = Action.UPDATE if reason else Action.UNCHANGED
        return PlanItem(action, path, reason or "it is the same", source, Version.of(old))

    async def aclose(self) -> None:
        """Stop."""
        self._folders.clear()


async def _children(store: AsyncStore, root: str, folder: str) -> tuple[dict[str, FileInfo], set[str]]:
    """Return files and folders of one folder, by their paths below the root."""
    begin = len(root) + 1 if root else 0
    files: dict[str, FileInfo] = {}
    folders: set[str] = set()
    async with store.iter_children(joined(root, folder)) as listing:
        async for entry in listing:
            path = str(entry.path)[begin:]
            if isinstance(entry, RemoteFolder):
                if not entry.is_link:
                    folders.add(path)
            else:
                files[path] = entry
    return files, folders


def _difference(compare: Compare, new: FileInfo, old: FileInfo) -> str:
    """Return why a file is to be copied again; "" if it is the same."""
    if new.size != old.size:
        return f"{new.size:,} bytes instead of {old.size:,}"
    if compare == "time":
        if new.modified_at is None or old.modified_at is None:
            return "a time of change is not known"
        return "the source is newer" if new.modified_at > old.modified_at else ""
    if compare == "size":
        return ""
    ours, theirs = getattr(new, compare), getattr(old, compare)
    if ours is None or theirs is None:
        return f"a storage tells no {compare}"
    return "" if ours == theirs else f"another {compare}"


def joined(root: str, path: str) -> str:
    """Return a path below a root; either may be empty."""
    return f"{root}/{path}" if root and path else root or path
