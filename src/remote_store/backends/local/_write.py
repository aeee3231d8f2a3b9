"""Writing one file: a temporary in the target's folder, put under its name at the end.

So a reader, a crash or a ``kill -9`` meets the old file or the new one, never a part.
A temporary is locked while its writer lives; one that can be locked is a dead one's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from typing import Final

from ..._types import Buffer
from ...errors import AlreadyExists, InvalidPath
from ...models import WriteResult
from ...paths import RemotePath
from .. import _temporaries
from . import _system
from ._root import READ, Folder, Root

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES: Final = 20
"""How often a target folder may vanish between finding and using it before that is an error."""
_NO_SUCH_CALL: Final = frozenset((errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK))
PERMISSIONS: Final = 0o777  # set-user-ID and the like do not survive new content, as in a plain write
_PLAIN_MODE: Final = 0o666  # the kernel takes the umask off, as for any plain write


class TempFile:
    """A file on its way to its name. Dropping it, unless committed, removes it."""

    def __init__(
        self, root: Root, key: str, *, overwrite: bool, durable: bool = False, mode: int | None = None
    ) -> None:
        self._root, self._key, self._overwrite, self._durable = root, key, overwrite, durable
        self._created: list[str] = []
        self._folder: Folder | None = None
        self._temp = ""
        self._process = os.getpid()
        self.fd = -1
        self.size = 0
        try:
            self._open(mode)
        except BaseException:
            self.abort()
            raise

    def _open(self, mode: int | None) -> None:
        for attempt in range(_TRIES):
            try:
                existing = self._find_target()
                self._create(_PLAIN_MODE if mode is None else mode)
            except FileNotFoundError:  # the folder was deleted after it was found
                self._root.close()
                if attempt == _TRIES - 1:
                    raise
            else:
                if existing is not None:
                    self._inherit(existing)
                elif mode is not None:
                    os.fchmod(self.fd, mode)  # what the umask took off
                return

    def _find_target(self) -> os.stat_result | None:
        """Find folder and name of the target; refuse what cannot be written."""
        folder, name = find_parent(self._root, self._key, self._created)
        existing = facts_of(folder, name)
        if existing is not None and stat.S_ISLNK(existing.st_mode):
            folder, name = self._root.resolve(self._key)  # write through the link, to where it leads
            existing = facts_of(folder, name)
        self._folder, self._name = folder, name
        check_target(existing, self._key, self._overwrite)
        return existing

    def _create(self, mode: int) -> None:
        assert self._folder is not None
        while self.fd < 0:
            self._temp = _temporaries.new_name()
            self.fd = os.open(self._temp, _CREATE, mode, dir_fd=self._folder.fd)
            if not _lock(self.fd) or os.fstat(self.fd).st_nlink == 0:
                self._close()  # taken for a dead one, and swept, in the moment before it was locked

    def _inherit(self, existing: os.stat_result) -> None:
        """Take over owner and mode of the file that is going to be replaced."""
        mine = os.fstat(self.fd)
        if (existing.st_uid, existing.st_gid) != (mine.st_uid, mine.st_gid):
            with suppress(PermissionError):  # only root may give files away
                os.fchown(self.fd, existing.st_uid, existing.st_gid)
        if (mode := existing.st_mode & PERMISSIONS) != mine.st_mode & PERMISSIONS:
            os.fchmod(self.fd, mode)

    def write(self, data: Buffer) -> None:
        """Append all of the data; one system call takes at most 2 GiB, so it may need several."""
        rest = memoryview(data)
        while (count := os.write(self.fd, rest)) < len(rest):
            self.size += count
            rest = rest[count:]
        self.size += count

    def commit(self) -> WriteResult:
        """Put the file under its name."""
        assert self._folder is not None
        if self._durable:
            os.fsync(self.fd)
        if self._overwrite:
            os.rename(self._temp, self._name, src_dir_fd=self._folder.fd, dst_dir_fd=self._folder.fd)
        else:
            move_exclusive(self._folder, self._temp, self._folder, self._name)
        self._temp = ""
        if self._durable:
            sync_names(self._root, self._folder, self._created)
        self._created.clear()
        self._close()
        self._folder = None
        return WriteResult(RemotePath._of(self._key), self.size)

    def abort(self) -> None:
        """Leave nothing behind; harmless after ``commit``."""
        if os.getpid() != self._process:
            self._temp = ""  # a forked child holds a copy: the file is its parent's
            self._created.clear()
        if self._temp and self._folder is not None:
            with suppress(OSError):
                os.unlink(self._temp, dir_fd=self._folder.fd)
        self._temp = ""
        self._close()
        if self._created:
            self._root.unmake(self._created)
            self._created.clear()
        self._folder = None

    def _close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if hasattr(self, "size"):  # Ctrl-C may come before there is anything
            self.abort()


def _lock(fd: int) -> bool:
    """Lock a new temporary; return False if somebody else holds it already."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks, where nothing can be swept either
    return True


def write_whole(root: Root, key: str, data: memoryview, overwrite: bool, durable: bool) -> WriteResult:
    """Write a whole file in one step."""
    file = TempFile(root, key, overwrite=overwrite, durable=durable)
    try:
        file.write(data)
        return file.commit()
    finally:
        file.abort()


def find_parent(root: Root, key: str, created: list[str]) -> tuple[Folder, str]:
    """Open the folder for a new name, made if missing; a file on the way is the caller's mistake."""
    try:
        return root.parent(key, created)
    except NotADirectoryError as error:
        raise InvalidPath("a parent of this path is a file, so nothing can be below it", path=key) from error


def facts_of(folder: Folder, name: str) -> os.stat_result | None:
    """Return the facts of a name itself, links not followed; None if it is free."""
    try:
        return os.lstat(name, dir_fd=folder.fd)
    except FileNotFoundError:
        return None


def check_target(existing: os.stat_result | None, key: str, overwrite: bool) -> None:
    """Refuse to write onto a folder, or onto a file unless told to."""
    if existing is None:
        return
    if stat.S_ISDIR(existing.st_mode):
        raise InvalidPath("this is a folder, not a file", path=key)
    if not overwrite:
        raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=key)


def move_exclusive(src_folder: Folder, src: str, dst_folder: Folder, dst: str) -> None:
    """Rename onto a free name; FileExistsError if it is taken. One of many racing callers wins."""
    try:
        _system.rename_noreplace(src_folder.fd, src, dst_folder.fd, dst)
        return
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL:
            raise
    try:
        os.link(src, dst, src_dir_fd=src_folder.fd, dst_dir_fd=dst_folder.fd, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL:
            raise
        _claim(src_folder, src, dst_folder, dst)
    else:
        os.unlink(src, dir_fd=src_folder.fd)


def _claim(src_folder: Folder, src: str, dst_folder: Folder, dst: str) -> None:
    # No exclusive rename and no hard links (FAT, some network mounts): an empty file
    # claims the name, exclusively, and is replaced at once.
    os.close(os.open(dst, _CREATE, 0o600, dir_fd=dst_folder.fd))
    try:
        os.rename(src, dst, src_dir_fd=src_folder.fd, dst_dir_fd=dst_folder.fd)
    except BaseException:
        os.unlink(dst, dir_fd=dst_folder.fd)
        raise


def sync_names(root: Root, folder: Folder, created: list[str]) -> None:
    """Make the names in a folder durable, and those of the folders made on the way to it."""
    sync_folder(folder)
    for key in reversed(created):
        parent, _ = root.parent(key)
        with parent:
            sync_folder(parent)


def sync_folder(folder: Folder) -> None:
    """Make the names in a folder durable."""
    sync(os.open(".", READ | os.O_DIRECTORY, dir_fd=folder.fd))


def sync(fd: int) -> None:
    """Make a file or a folder durable, and close it."""
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
