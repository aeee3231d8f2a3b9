"""Copying, moving and deleting, as jobs that yield between short steps."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Final, TypeAlias, TypeVar

from ...errors import DirectoryNotEmpty, InvalidPath, NotFound, RemoteStoreError
from ...models import WriteResult
from ...paths import RemotePath
from .._temporaries import is_temporary
from ._errors import about
from ._read import Handle, not_a_file
from ._root import Folder, Root
from ._write import (
    TempFile,
    check_target,
    facts_of,
    find_parent,
    move_exclusive,
    sync,
    sync_folder,
    sync_names,
)

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]

STEP_BYTES: Final = 8 << 20
_TRIES: Final = 10
_AS_IT_IS: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NOT_OURS: Final = frozenset((errno.EACCES, errno.EPERM, errno.EISDIR, errno.ELOOP, errno.ENXIO))
"""Somebody else's temporary, or a folder, link or pipe that has the name of one."""
_NO_KERNEL_COPY: Final = frozenset(
    (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY)
)


def copy_file(
    root: Root, src: str, dst: str, overwrite: bool, durable: bool, src_root: Root | None = None
) -> Steps[WriteResult]:
    """Copy content and permission bits, also from below another root.

    On file systems with reflinks no data moves at all.
    """
    source = Handle(src_root or root, src)
    try:
        with about(dst):
            target = TempFile(root, dst, overwrite=overwrite, durable=durable, mode=source.mode)
        try:
            while target.size < source.size:
                with about(dst):
                    _copy_step(source, target)
                yield
            source.check()
            with about(dst):
                return target.commit()
        finally:
            target.abort()
    finally:
        source.close()


def _copy_step(source: Handle, target: TempFile) -> None:
    count = 0
    if hasattr(os, "copy_file_range"):
        try:
            count = os.copy_file_range(source.fd, target.fd, STEP_BYTES, target.size)
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
    if count:
        target.size += count
        return
    # The kernel declined, or sees no data in a file that user space can read (some
    # special file systems). The descriptor's own offset is at target.size either way.
    data = source.pread(STEP_BYTES, target.size)
    if not data:
        raise RemoteStoreError(
            "the file was changed while it was being copied; copy it again", path=source.key
        )
    target.write(data)


def move_file(root: Root, src: str, dst: str, overwrite: bool, durable: bool) -> Steps[WriteResult]:
    """Rename a file; across mounts, copy it and delete the source when the copy stands."""
    facts = root.stat(src)
    if not stat.S_ISREG(facts.st_mode):
        raise not_a_file(facts, src)
    if durable:
        sync(root.open_file(src))
    if not _rename(root, src, facts, dst, overwrite, durable):
        if root.kind(dst) is not None and os.path.samestat(root.stat(dst), facts):
            raise InvalidPath(
                "the target is a link to the source, on another mount; delete the link first", path=dst
            )
        yield from copy_file(root, src, dst, overwrite, durable)
        delete_file(root, src, missing_ok=True)
        if durable:
            sync_folder(root.parent(src)[0])
    return WriteResult(RemotePath._of(dst), facts.st_size)


def _rename(root: Root, src: str, facts: os.stat_result, dst: str, overwrite: bool, durable: bool) -> bool:
    """Rename and return True; False if the two names are on different mounts."""
    src_folder, src_name = root.parent(src)
    created: list[str] = []
    try:
        with about(dst):
            dst_folder, dst_name = find_parent(root, dst, created)
            existing = facts_of(dst_folder, dst_name)
            if existing is not None and stat.S_ISLNK(existing.st_mode) and root.kind(dst) == stat.S_IFDIR:
                raise InvalidPath("this is a link to a folder, not a file", path=dst)
            check_target(existing, dst, overwrite)
            try:
                _rename_at(src_folder, src_name, facts, dst_folder, dst_name, existing, overwrite)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                return False
            if durable:
                sync_names(root, dst_folder, created)
                sync_folder(src_folder)
            created.clear()
            return True
    finally:
        root.unmake(created)


def _rename_at(
    src_folder: Folder,
    src: str,
    facts: os.stat_result,
    dst_folder: Folder,
    dst: str,
    existing: os.stat_result | None,
    overwrite: bool,
) -> None:
    if not overwrite:
        move_exclusive(src_folder, src, dst_folder, dst)
        return
    if existing is not None and _are_two(src_folder, src, facts, dst_folder, dst, existing):
        os.unlink(src, dir_fd=src_folder.fd)  # rename(2) would leave both
    else:
        os.rename(src, dst, src_dir_fd=src_folder.fd, dst_dir_fd=dst_folder.fd)


def _are_two(
    src_folder: Folder, src: str, facts: os.stat_result, dst_folder: Folder, dst: str, there: os.stat_result
) -> bool:
    """Return True for two names of one file; False for two files, and for one name that is reached twice.

    That may be through a link to its folder, or in other letters where these are the same.
    """
    mine = os.lstat(src, dir_fd=src_folder.fd)
    if stat.S_ISLNK(mine.st_mode):
        return os.path.samestat(there, facts)  # a link must not replace its own target
    if mine.st_nlink == 1 or not os.path.samestat(there, mine):
        return False
    return src != dst or not os.path.samestat(os.fstat(src_folder.fd), os.fstat(dst_folder.fd))


def delete_file(root: Root, key: str, missing_ok: bool) -> None:
    """Delete a file, or a symbolic link itself."""
    try:
        folder, name = root.parent(key)
        with folder:
            facts = os.lstat(name, dir_fd=folder.fd)
            if stat.S_ISDIR(facts.st_mode):
                raise InvalidPath("this is a folder, not a file; use delete_folder()", path=key)
            os.unlink(name, dir_fd=folder.fd)
    except (FileNotFoundError, NotADirectoryError):
        if not missing_ok:
            raise


def delete_folder(root: Root, key: str, recursive: bool, missing_ok: bool) -> Steps[None]:
    """Delete a folder; a link to a folder is never followed into."""
    try:
        folder, name = root.parent(key)
        facts = os.lstat(name, dir_fd=folder.fd)
    except (FileNotFoundError, NotADirectoryError):
        if missing_ok:
            return
        raise
    if not stat.S_ISDIR(facts.st_mode):
        raise InvalidPath(_not_a_folder(facts), path=key)
    for attempt in range(_TRIES):
        try:
            yield from _empty(folder, name, key, recursive)
            os.rmdir(name, dir_fd=folder.fd)
            return
        except FileNotFoundError:
            if not missing_ok:
                raise NotFound("the folder was deleted by somebody else meanwhile", path=key) from None
            return
        except RecursionError as error:
            raise RemoteStoreError(
                "the folder is nested too deeply; delete inner folders first", path=key
            ) from error
        except OSError as error:  # new files came while the old ones went
            if error.errno != errno.ENOTEMPTY or isinstance(error, RemoteStoreError) or attempt == _TRIES - 1:
                raise


def _not_a_folder(facts: os.stat_result) -> str:
    if stat.S_ISLNK(facts.st_mode):
        return "this is a symbolic link, not a folder; use delete()"
    return "this is a file, not a folder; use delete()"


def _empty(parent: Folder, name: str, key: str, recursive: bool) -> Steps[None]:
    """Delete what is in a folder; without ``recursive`` only dead temporaries, which nobody sees."""
    with Folder(
        os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent.fd)
    ) as inside:
        folders = []  # for later, so that one descriptor a level is open, not two
        for entry, is_folder in _names_in(inside):
            yield
            if not recursive:
                if not (is_temporary(entry) and sweep(inside, entry)):
                    raise DirectoryNotEmpty(
                        "the folder is not empty; pass recursive=True to delete all", path=key
                    )
            elif is_folder:
                folders.append(entry)
            else:
                with suppress(FileNotFoundError):
                    os.unlink(entry, dir_fd=inside.fd)
        for entry in folders:
            yield
            with suppress(FileNotFoundError):
                yield from _empty(inside, entry, f"{key}/{entry}", recursive)
                os.rmdir(entry, dir_fd=inside.fd)


def _names_in(folder: Folder) -> Iterator[tuple[str, bool]]:
    """Yield each name and whether it is a real folder, from a snapshot of bounded size, until empty."""
    with os.scandir(folder.fd) as entries:
        for entry in entries:
            yield entry.name, entry.is_dir(follow_symlinks=False)


def sweep(folder: Folder, name: str) -> bool:
    """Delete a temporary whose writer is dead; return whether it is gone."""
    try:
        try:
            fd = os.open(name, os.O_WRONLY | _AS_IT_IS, dir_fd=folder.fd)
        except PermissionError:  # it has the mode of a file that is read-only
            fd = os.open(name, os.O_RDONLY | _AS_IT_IS, dir_fd=folder.fd)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(name, dir_fd=folder.fd)
    except OSError:
        return False  # its writer lives, or there are no locks to tell
    finally:
        os.close(fd)
    return True


def sweep_all(root: Root) -> Steps[int]:
    """Delete every dead temporary below the root; return how many there were."""
    count = 0
    pending = [""]
    while pending:
        key = pending.pop()
        with suppress(FileNotFoundError), Folder(root.open(key, os.O_RDONLY | os.O_DIRECTORY)) as folder:
            for name, is_folder in _names_in(folder):
                yield
                if is_folder:
                    pending.append(f"{key}/{name}" if key else name)
                elif is_temporary(name) and sweep(folder, name):
                    count += 1
    return count
