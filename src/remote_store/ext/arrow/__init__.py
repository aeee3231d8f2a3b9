"""Any store as a file system of Apache Arrow. Needs the extra ``arrow``.

from remote_store.ext.arrow import pyarrow_fs

table = pyarrow.parquet.read_table("sales", filesystem=pyarrow_fs(store))
"""

try:
    from ._handler import StoreHandler, pyarrow_fs
except ModuleNotFoundError as error:
    if error.name == "pyarrow":
        error.add_note('install it with: pip install "remote-store[arrow]"')
    raise

__all__ = ["StoreHandler", "pyarrow_fs"]
