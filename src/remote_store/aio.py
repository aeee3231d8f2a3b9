"""Transfers of many files, awaited: for ``AsyncStore``, under asyncio and trio.

The same functions, blocking and for ``Store``, are in ``remote_store`` itself.
"""

from ._async._transfer import copy_tree, delete_tree, download, read_many, upload, write_many

__all__ = ["copy_tree", "delete_tree", "download", "read_many", "upload", "write_many"]
