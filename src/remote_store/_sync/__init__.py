"""The blocking face. All modules but ``_support`` are generated from ``_async``."""

from ._many import read_many, write_many
from ._mirror import apply_plan, plan_sync, sync
from ._open import open_store
from ._read_stream import ReadStream
from ._registry import Registry
from ._store import Store
from ._transfer import copy_tree, delete_tree, discard_journal, download, upload
from ._write_stream import WriteStream

__all__ = [
    "ReadStream",
    "Registry",
    "Store",
    "WriteStream",
    "apply_plan",
    "copy_tree",
    "delete_tree",
    "discard_journal",
    "download",
    "open_store",
    "plan_sync",
    "read_many",
    "sync",
    "upload",
    "write_many",
]
