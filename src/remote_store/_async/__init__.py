"""The hand-written face, and everything both faces share. ``_sync`` is generated from it."""

from ._listing import Listing
from ._open import open_async_store
from ._read_stream import AsyncReadStream
from ._registry import AsyncRegistry
from ._store import AsyncStore
from ._write_stream import AsyncWriteStream

__all__ = [
    "AsyncReadStream",
    "AsyncRegistry",
    "AsyncStore",
    "AsyncWriteStream",
    "Listing",
    "open_async_store",
]
