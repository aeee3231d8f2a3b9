"""Two Linux system calls that the ``os`` module does not offer.

``openat2(2)`` with RESOLVE_BENEATH lets the kernel refuse any path that leaves a
folder, symlinks included, with no moment between check and use. ``renameat2(2)`` with
RENAME_NOREPLACE moves a file only onto a free name. Where a call is missing (other
systems, old kernels, strict sandboxes) it raises OSError with ENOSYS or EPERM, and the
caller goes a portable way.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from functools import lru_cache
from typing import Final

_OPENAT2: Final = 437  # one number on every architecture: the call is younger than the shared table
_NO_MAGICLINKS: Final = 0x02
_BENEATH: Final = 0x08
_NOREPLACE: Final = 1

_ENCODING: Final = sys.getfilesystemencoding()
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_syscall = (
    ctypes.CFUNCTYPE(
        ctypes.c_long,
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        use_errno=True,
    )(("syscall", _libc))
    if _libc is not None
    else None
)
_renameat2 = getattr(_libc, "renameat2", None)


@lru_cache(maxsize=32)
def _how(flags: int, mode: int) -> bytes:
    return struct.pack("=QQQ", flags | os.O_CLOEXEC, mode, _BENEATH | _NO_MAGICLINKS)


def open_beneath(folder: int, path: str, flags: int, mode: int = 0) -> int:
    """Open a path below a folder's descriptor; EXDEV if it leaves the folder.

    ``mode`` must be 0 unless ``flags`` creates.
    """
    if _syscall is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    how = _how(flags, mode)
    name = path.encode(_ENCODING, "surrogateescape")  # os.fsencode, without its type checks
    while True:
        descriptor = _syscall(_OPENAT2, folder, name, how, len(how))
        if descriptor >= 0:
            return int(descriptor)
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))


def rename_noreplace(src_folder: int, src: str, dst_folder: int, dst: str) -> None:
    """Rename, but raise FileExistsError if the new name is taken."""
    if _renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _renameat2(src_folder, os.fsencode(src), dst_folder, os.fsencode(dst), _NOREPLACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
