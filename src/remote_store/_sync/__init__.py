"""The blocking face. All modules but ``_support`` are generated from ``_async``."""

from ._open import open_store
from ._read_stream import ReadStream
from ._registry import Registry
from ._store import Store
from ._transfer import copy_tree, delete_tree, download, read_many, upload, write_many
from ._write_stream import WriteStream

__all__ = [
    "ReadStream",
    "Registry",
    "Store",
    "WriteStream",
    "copy_tree",
    "delete_tree",
    "download",
    "open_store",
    "read_many",
    "upload",
    "write_many",
]
