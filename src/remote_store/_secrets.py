"""Secrets in options: how they come in from the environment and stay out of every text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MASK: Final = "***"

_SECRET_NAME: Final = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|connection_string|^(pkey|sas|authorization)$"
    r"|(^|[_-])(key|pwd|auth)$|(api|access|account|private|client|encryption|customer)[_-]?key|sse_?c",
    re.IGNORECASE,
)
_PUBLIC_NAME: Final = re.compile(
    r"host_keys?|known_hosts|keys_path|key_id$|_policy$|ssekms_key", re.IGNORECASE
)
_USER_INFO: Final = re.compile(r"(?<=://)([^/:\s]*):([^/\s]+)@")
_REFERENCE: Final = re.compile(r"\$(\$\{)|\$\{(\w+)(?::-([^}]*))?\}")


def is_secret(name: str) -> bool:
    """Return True if an option of this name holds something to hide."""
    return bool(_SECRET_NAME.search(name)) and not _PUBLIC_NAME.search(name)


def masked(value: Any) -> Any:
    """Return a copy with the values of secret options, and passwords in URLs, masked."""
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret(str(key)) and item is not None else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return _like(value, [masked(item) for item in value])
    if isinstance(value, str):
        return _USER_INFO.sub(rf"\1:{MASK}@", value)
    return value


def quotes_secret(text: str, options: Mapping[str, Any]) -> bool:
    """Return True if a text holds the value of a secret option."""
    return any(secret in text or repr(secret)[1:-1] in text for secret in _secrets_in(options, hidden=False))


def _secrets_in(value: Any, *, hidden: bool) -> Iterator[str]:
    """Yield, as text, everything that ``masked`` hides."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets_in(item, hidden=hidden or is_secret(str(key)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets_in(item, hidden=hidden)
    elif hidden and value:
        yield str(value)
    elif isinstance(value, str):
        yield from (match[2] for match in _USER_INFO.finditer(value))


def expand(value: Any, where: str) -> Any:
    """Return a copy with environment references in all text replaced.

    Raises:
        ValueError: a variable is not set and the reference gives no default.
    """
    if isinstance(value, Mapping):
        return {key: expand(item, where) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return _like(value, [expand(item, where) for item in value])
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _resolve(match, where), value)
    return value


def _like(value: list[Any] | tuple[Any, ...], items: list[Any]) -> Any:
    """Return the items in a sequence of the value's type; a named tuple takes them one by one."""
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def _resolve(match: re.Match[str], where: str) -> str:
    literal, name, default = match.groups()
    if literal is not None:
        return str(literal)
    value = os.environ.get(name)
    if value:
        return value
    if default is not None:
        return str(default)
    if value is None:
        raise ValueError(
            f"{where} refers to ${{{name}}}, which is not set; set it, or write ${{{name}:-default}}"
        )
    return value
