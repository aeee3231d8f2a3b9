"""Any store as a file system of fsspec, under the protocols ``remote-store`` and ``remotestore``.

_places      where a path leads: a store, and a path in it
_filesystem  the class: what fsspec asks for, awaited and blocking
_listing     looking: info, ls, find, walk
_facts       times, versions and URLs of files
_content     whole files and parts of them, several at once
_changing    deleting, making folders
_copying     copying and moving
_local       to and from the local disk
_local_file  a file of it that is written
_file        open files
_errors      errors in the words of the builtins
"""

from ._filesystem import RemoteStoreFileSystem

__all__ = ["RemoteStoreFileSystem"]
