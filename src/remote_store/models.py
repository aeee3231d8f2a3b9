"""What a store says about its content: plain values, no I/O.

All are frozen. They compare by every field, so two versions of one file differ,
and hash by path alone, so ``extra`` need not be hashable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from .paths import RemotePath


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file.

    Attributes:
        path: where it is, relative to the store it was asked of.
        name: the last component of the path.
        size: length in bytes.
        modified_at: time of the last change, aware and in UTC; None when the storage does not know.
        checksum: digest of the content as ``"algorithm:hex"``; None unless the storage keeps one.
        content_type: media type (RFC 9110, section 8.3); None unless the storage keeps one.
        extra: what else this storage tells, under the storage's own names.
        etag: the storage's opaque version token (RFC 9110, section 8.8.3), never a digest to rely on.
    """

    path: RemotePath
    name: str
    size: int
    modified_at: datetime | None
    checksum: str | None = None
    content_type: str | None = None
    extra: dict[str, object] = field(default_factory=dict)
    etag: str | None = field(default=None, kw_only=True)

    def __hash__(self) -> int:
        return hash((FileInfo, self.path))


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """The sum of everything below one folder.

    Attributes:
        path: the folder; ``RemotePath.ROOT`` for the store itself.
        file_count: files below it, at any depth.
        total_size: their length together, in bytes.
        modified_at: the newest file's time, aware and in UTC; None when there is none or none is known.
        extra: what else this storage tells, under the storage's own names.
    """

    path: RemotePath
    file_count: int
    total_size: int
    modified_at: datetime | None = None
    extra: dict[str, object] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((FolderInfo, self.path))


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file by its path alone, with nothing known about it."""

    path: RemotePath


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder by its path alone, as listings of children report it.

    Attributes:
        path: where it is, relative to the store it was asked of.
        is_link: it is a symbolic link to a folder, which recursive listings do not follow.
    """

    path: RemotePath
    is_link: bool = field(default=False, compare=False)

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What the storage said about a file it has just stored.

    Attributes:
        path: where the file is now, relative to the store it was written through.
        size: length in bytes.
        etag: the storage's opaque version token; None when it gave none.
        checksum: digest as ``"algorithm:hex"`` as stated by the storage; None when it gave none.
        version: version id on storages that keep old versions; None elsewhere.
    """

    path: RemotePath
    size: int
    etag: str | None = None
    checksum: str | None = None
    version: str | None = None


Entry: TypeAlias = FileInfo | RemoteFolder
"""One line of a folder listing: a file with its facts, or a folder by name."""
