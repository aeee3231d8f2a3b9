"""A store from a URL."""

from __future__ import annotations

from ..backends._known import class_of_scheme, require_whole
from ._store import AsyncStore


def open_async_store(url: str) -> AsyncStore:
    """Return the store that a URL names; closing the store closes its backend.

    ``file:///absolute/folder`` is a folder of this machine, ``memory://`` a new store in
    memory. Other schemes belong to the backend type of the same name. Options of the
    backend may follow as a query: ``file:///data?durable=true``.

    Raises:
        ValueError: the scheme is unknown, its extra is not installed, the URL has a ``#``,
            or it does not fit the backend; the message says what does.
    """
    if not isinstance(url, str):
        raise TypeError(f"url must be str, not {type(url).__name__}")
    require_whole(url)
    scheme, separator, _ = url.partition("://")
    backend, root = class_of_scheme(scheme.lower() if separator else "").from_url(url)
    return AsyncStore(backend, root)
