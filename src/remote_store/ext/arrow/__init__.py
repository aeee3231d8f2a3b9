"""Any store as a file system of Apache Arrow. Needs the extra ``arrow``.

from remote_store.ext.arrow import pyarrow_fs

table = pyarrow.parquet.read_table("sales", filesystem=pyarrow_fs(store))
"""

from ._handler import StoreHandler, pyarrow_fs

__all__ = ["StoreHandler", "pyarrow_fs"]
