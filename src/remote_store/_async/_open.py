"""A store from a URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..backends._known import backend_class, type_of_scheme
from ._store import AsyncStore


def open_async_store(url: str) -> AsyncStore:
    """Return the store that a URL names; closing the store closes its backend.

    ``file:///absolute/folder`` is a folder of this machine, ``memory://`` a new store in
    memory. Other schemes belong to the backend type of the same name. Options of the
    backend may follow as a query: ``file:///data?durable=true``.

    Raises:
        ValueError: the scheme is unknown, its extra is not installed, or the URL does
            not fit the backend; the message says what does.
    """
    if not isinstance(url, str):
        raise TypeError(f"url must be str, not {type(url).__name__}")
    parts = urlsplit(url)
    if "://" not in url:
        raise ValueError(f"{url!r} is no URL; write file:///absolute/folder for a folder, or memory://")
    backend, root = backend_class(type_of_scheme(parts.scheme)).from_url(url)
    return AsyncStore(backend, root)
