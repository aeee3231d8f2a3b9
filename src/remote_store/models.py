"""What a store says about its content: plain values, no I/O.

All are frozen. They compare by every field, so two versions of one file differ,
and hash by path alone, so ``extra`` need not be hashable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, TypeAlias

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

    @classmethod
    def _listed(
        cls,
        path: RemotePath,
        name: str,
        size: int,
        modified_at: datetime | None,
        extra: dict[str, object],
        etag: str | None,
    ) -> FileInfo:
        """Return one of the many of a listing, in two thirds of the time that ``__init__`` takes."""
        info = _new(cls)
        _set_path(info, path)
        _set_name(info, name)
        _set_size(info, size)
        _set_modified_at(info, modified_at)
        _set_checksum(info, None)
        _set_content_type(info, None)
        _set_extra(info, extra)
        _set_etag(info, etag)
        return info

    def __hash__(self) -> int:
        return hash((FileInfo, self.path))


_new = object.__new__
_set_path, _set_name, _set_size, _set_modified_at, _set_checksum, _set_content_type, _set_extra, _set_etag = (
    FileInfo.__dict__[field].__set__
    for field in FileInfo.__slots__  # in the order of the fields
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """What is stored beside a file's content, and on what condition.

    All but ``if_match`` needs the capability ``WRITE_OPTIONS``, and ``if_match`` needs
    ``CONDITIONAL_WRITE``.

    Attributes:
        content_type: media type (RFC 9110, section 8.3); by default storage that keeps one
            guesses it from the name.
        metadata: names and values of the user's own. S3 takes ASCII only, 2 KiB in all, and
            tells the names in small letters.
        tags: names and values that the storage can be searched or billed by. S3 takes 10.
        storage_class: where the storage has several, by its own name for it.
        cache_control: how long who fetches the file may keep it (RFC 9111, section 5.2).
        content_disposition: how a browser shows or names the file (RFC 6266).
        content_encoding: what was done to the content before (RFC 9110, section 8.4).
        content_language: for whom the content is meant (RFC 9110, section 8.5).
        native: further parameters in the storage's own words, such as
            ``{"ServerSideEncryption": "aws:kms"}`` for S3; never shown, for it may hold secrets.
        if_match: replace the file only if this is its ``etag`` still.

    Raises:
        TypeError: a field is of another type.
    """

    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    native: Mapping[str, object] = field(default_factory=dict, repr=False)
    if_match: str | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in _MAPPINGS:
                _check_mapping(each.name, value)
                object.__setattr__(self, each.name, dict(value))
            elif value is not None and not isinstance(value, str):
                raise TypeError(f"{each.name} must be str or None, not {type(value).__name__}")

    @property
    def stores(self) -> bool:
        """True if anything is to be stored beside the content."""
        return any(getattr(self, each.name) for each in fields(self) if each.name != "if_match")

    def over(self, usual: WriteOptions) -> WriteOptions:
        """Return these options, and where they say nothing the usual ones; mappings are joined."""
        own: dict[str, Any] = {}
        for each in fields(self):
            mine, other = getattr(self, each.name), getattr(usual, each.name)
            own[each.name] = (
                {**other, **mine} if each.name in _MAPPINGS else (other if mine is None else mine)
            )
        return WriteOptions(**own)


_MAPPINGS: Final = ("metadata", "tags", "native")


def _check_mapping(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping, not {type(value).__name__}")
    for key, item in value.items():
        if not isinstance(key, str) or (name != "native" and not isinstance(item, str)):
            raise TypeError(f"{name} must map str to str; {key!r} does not")


Entry: TypeAlias = FileInfo | RemoteFolder
"""One line of a folder listing: a file with its facts, or a folder by name."""
