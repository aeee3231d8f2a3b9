"""S3 with PyArrow's data path: large content comes through ``pyarrow.fs.S3FileSystem``.

All else, and all that decides, is the S3 backend's own: it is the one backend that stands
on another (ADR 0020).

_mapping   the options of the S3 backend in the words of Arrow's file system
_files     the file system, the threads it is called in, and reading with it
_download  one object on its way down, by Arrow from where that is worth it
_upload    one object on its way up, under a name of its own first
_backend   the contract in terms of these
"""

from ._backend import S3PyArrowBackend

__all__ = ["S3PyArrowBackend"]
