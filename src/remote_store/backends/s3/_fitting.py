"""Whether an answer to GET is what was asked for: that part, of that version.

There are servers that ignore Range, or If-Match, or give another part than the one that was named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import PreconditionFailed, RemoteStoreError
from ._errors import NAME
from ._objects import bare, told

_RANGE: Final = re.compile(r"bytes (\d+)-(-1|\d+)/(\d+|\*)", re.ASCII)
"""As RFC 9110 has it, and as older SeaweedFS says that an empty object has nothing of it: 0--1/0."""
_CONTENT: Final = (200, 206)


def changed(key: str) -> PreconditionFailed:
    """Return the error for an object that is another version than the one that was opened."""
    return PreconditionFailed(
        "the file was changed while it was being read; read it again", path=key, backend=NAME
    )


def refuse_unfitting(
    answer: Mapping[str, Any], key: str, start: int, end: int | None, pin: Mapping[str, str]
) -> None:
    """Raise if an answer is none to the request for a part of a version; without a pin any version will do.

    Raises:
        PreconditionFailed: it is of another version; the server ignores the condition.
        RemoteStoreError: it is another part, or no content at all.
    """
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
    if status not in _CONTENT:
        raise RemoteStoreError(
            f"the server answers with status {status}, which is no content", path=key, backend=NAME
        )
    if pin and not _of_version(answer, key, pin):
        raise changed(key)
    said = answer.get("ContentRange")
    if said:
        if not _is_part(said, answer.get("ContentLength"), start, end):
            raise RemoteStoreError(
                f"the server gives another part of the file than it was asked for: {said}",
                path=key,
                backend=NAME,
            )
    elif start or end is not None:
        raise RemoteStoreError(
            "the server was asked for a part of the file and gives all of it", path=key, backend=NAME
        )


def _of_version(answer: Mapping[str, Any], key: str, pin: Mapping[str, str]) -> bool:
    if "IfMatch" in pin:
        return bare(told(answer, "ETag", key)) == bare(pin["IfMatch"])
    return told(answer, "VersionId", key) == pin["VersionId"]


def _is_part(said: str, length: int | None, start: int, end: int | None) -> bool:
    """Return True if a Content-Range is what was asked for, as far as the file goes."""
    found = _RANGE.fullmatch(said.strip())
    if found is None:
        return False
    first, stop = int(found[1]), int(found[2]) + 1
    known = [int(found[3])] if found[3] != "*" else []
    limits = known if end is None else [*known, end]
    # How long the file is has to be said where all of it is wanted.
    return bool(limits) and (first, stop) == (start, min(limits)) and length in (None, stop - first)
