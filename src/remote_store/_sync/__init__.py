"""The blocking face. All modules but ``_support`` are generated from ``_async``."""

from ._open import open_store
from ._read_stream import ReadStream
from ._registry import Registry
from ._store import Store
from ._write_stream import WriteStream

__all__ = ["ReadStream", "Registry", "Store", "WriteStream", "open_store"]
