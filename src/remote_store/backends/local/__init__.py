"""Files in a folder of this machine.

_backend   LocalBackend: which job answers which call, and where errors are translated
_session   streams: a reader over a Handle, a writer over a TempFile
_parts     a file that one process after the other writes
_read _write _change _listing   the jobs, blocking, on (folder descriptor, name) pairs
_root      names below a root that no path can leave
_names _errors _system   temporary names, the error table, two Linux calls
"""

from ._backend import LocalBackend

__all__ = ["LocalBackend"]
