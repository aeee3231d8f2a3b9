"""Any store as a file system of fsspec, under the protocol ``remote-store``.

_places      where a path leads: a store, and a path in it
_filesystem  the class: what fsspec asks for, awaited and blocking
_listing     looking: info, ls, find, walk
_facts       times, versions and URLs of files
_changing    copying, moving, deleting, making folders
_local       to and from the local disk
_file        open files
_errors      errors in the words of the builtins
"""

from ._filesystem import RemoteStoreFileSystem

__all__ = ["RemoteStoreFileSystem"]
