"""Paths as text that an adapter is given, and gives: each names one key, and no other one.

A store takes ``a//b`` for ``a/b``, as a shell does. In S3 both may be there, and what a
listing of an adapter names is asked for by that very text: read, or deleted. So text is
refused here whose normal form is another one, but for one slash around it.
"""

from __future__ import annotations

from ..errors import InvalidPath
from ..paths import normalize


def exact(text: str, *, rooted: bool = True) -> str:
    """Return the path that a text names; it may end with a slash, and begin with one if ``rooted``.

    Raises:
        InvalidPath: it is malformed, or has an empty component or a ``.``;
            without ``rooted``, it is a slash alone.
    """
    path = normalize(text)
    plain = text.removeprefix("/") if rooted else text
    if path != plain and path != plain.removesuffix("/"):
        raise InvalidPath(
            "a path must not have an empty component or '.' here, where it would name another file than a"
            " key that is spelled so; write it without, and use the store itself for such a key",
            path=text,
        )
    if text and not path and not rooted:
        raise InvalidPath("this names nothing here; the root is the empty text", path=text)
    return path


def said(key: str, prefix: str = "") -> str:
    """Return the text for a key that was listed: one that names it, or else one that is refused."""
    front = "/" if key.startswith("/") and not prefix else ""
    return f"{front}{prefix}{key}/" if key.endswith("/") else f"{front}{prefix}{key}"
