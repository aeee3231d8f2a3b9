"""Transfers of many files, awaited: for ``AsyncStore``, under asyncio and trio.

The same functions, blocking and for ``Store``, are in ``remote_store`` itself.
"""

from ._async._many import read_many, write_many
from ._async._mirror import apply_plan, plan_sync, sync
from ._async._transfer import copy_tree, delete_tree, discard_journal, download, upload

__all__ = [
    "apply_plan",
    "copy_tree",
    "delete_tree",
    "discard_journal",
    "download",
    "plan_sync",
    "read_many",
    "sync",
    "upload",
    "write_many",
]
