"""Paths inside a store: the rules for text that names a file or a folder.

A path is text with ``/`` between its components. It is relative to the store's
root and cannot leave it. Empty and ``.`` components are dropped; ``..``, NUL and
the backslash are refused rather than interpreted.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, TypeAlias, final

from .errors import InvalidPath

_DROPPED: Final = frozenset(("", "."))
_UNUSUAL: Final = frozenset(("", ".", ".."))


def normalize(raw: PathLike) -> str:
    """Return the normal form of a path; the root is ``""``.

    Raises:
        InvalidPath: the path has a ``..`` component, a NUL or a backslash.
        TypeError: the path is neither ``str`` nor ``RemotePath``.
    """
    if raw.__class__ is not str:
        if isinstance(raw, RemotePath):
            return raw._key
        if not isinstance(raw, str):
            raise _not_a_path(raw)
    if "\\" in raw:
        raise InvalidPath("a path must not contain a backslash; separate components with '/'", path=raw)
    if "\0" in raw:
        raise InvalidPath("a path must not contain a NUL character; remove it", path=raw)
    parts = raw.split("/")
    if _UNUSUAL.isdisjoint(parts):
        return raw
    if ".." in parts:
        raise InvalidPath("a path must not contain '..'; name the file from the store's root", path=raw)
    return "/".join(part for part in parts if part not in _DROPPED)


def _not_a_path(raw: object) -> TypeError:
    hint = "; pass path.as_posix()" if hasattr(raw, "as_posix") else ""
    return TypeError(f"a path must be str or RemotePath, not {type(raw).__name__}{hint}")


@final
class RemotePath:
    """An immutable, normalised path inside a store.

    ``RemotePath("a//b/./c.txt")`` equals ``RemotePath("a/b/c.txt")``. The root
    itself has no spelling as text here; it is ``RemotePath.ROOT``. Every method
    of a store that takes a path takes these objects as well as ``str``.

    Raises:
        InvalidPath: the text is empty, or breaks a rule of ``normalize``.
    """

    __slots__ = ("_key",)
    _key: str
    ROOT: ClassVar[RemotePath]

    def __init__(self, raw: str | RemotePath) -> None:
        key = normalize(raw)
        if not key:
            raise InvalidPath("a path must name something; the root is RemotePath.ROOT", path=str(raw))
        object.__setattr__(self, "_key", key)

    @classmethod
    def _of(cls, key: str) -> RemotePath:
        """Wrap text that a backend reported; it is taken as it is, unchecked."""
        path = _new(cls)
        _set_key(path, key)
        return path

    @property
    def name(self) -> str:
        """The last component; empty for the root."""
        return self._key.rpartition("/")[2]

    @property
    def parent(self) -> RemotePath | None:
        """The path without its last component; None when only one is there."""
        head = self._key.rpartition("/")[0]
        return RemotePath._of(head) if head else None

    @property
    def parts(self) -> tuple[str, ...]:
        """The components, outermost first."""
        return tuple(self._key.split("/")) if self._key else ()

    @property
    def suffix(self) -> str:
        """The last extension with its dot (``.gz`` of ``a.tar.gz``), or ``""``."""
        stem, dot, extension = self.name.rpartition(".")
        return dot + extension if stem and extension else ""

    def __truediv__(self, other: str | RemotePath) -> RemotePath:
        if not isinstance(other, (str, RemotePath)):
            return NotImplemented
        tail = normalize(other)
        return RemotePath._of(f"{self._key}/{tail}" if self._key and tail else self._key or tail)

    def __str__(self) -> str:
        return self._key

    def __repr__(self) -> str:
        return f"RemotePath({self._key!r})" if self._key else "RemotePath.ROOT"

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, RemotePath) else NotImplemented

    def __hash__(self) -> int:
        return hash((RemotePath, self._key))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"RemotePath is immutable; build a new one instead of setting {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"RemotePath is immutable; {name!r} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._key,)


_new = object.__new__
_set_key = RemotePath.__dict__["_key"].__set__


def _restore(key: str) -> RemotePath:
    return RemotePath._of(key)


RemotePath.ROOT = RemotePath._of("")

PathLike: TypeAlias = str | RemotePath
