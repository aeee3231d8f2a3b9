"""Names below a root: every path is opened so that it cannot leave the root.

The kernel does it in one call where it can. Elsewhere a walk opens one component at a
time without following links, reads each link itself, and gives up where one leads
out. Neither leaves a moment in which a swapped symlink could redirect the call.
Everything that changes names works on (folder descriptor, last name) pairs.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from typing import Final, Self

from ...errors import InvalidPath, RemoteStoreError
from . import _system

READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO must not hang the open
_PATH: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC
_FOLDER: Final = _PATH | os.O_DIRECTORY
_LINKS: Final = 40  # Linux's own limit on links in one path
_RECHECK_SECONDS: Final = 1.0
_UNDECIDED: Final = frozenset(
    (errno.EXDEV, errno.EAGAIN, errno.ENOSYS, errno.EPERM, errno.E2BIG, errno.EINVAL, errno.ENAMETOOLONG)
)
"""What openat2 answers when the walk has to decide: absolute links, races, deep paths, no such call."""


class Folder:
    """An open folder descriptor; closed with the object."""

    __slots__ = ("_keep", "fd")

    def __init__(self, fd: int, keep: Folder | None = None) -> None:
        self.fd = fd
        self._keep = keep  # a borrowed descriptor belongs to this one, and stays open with it

    def borrow(self) -> Folder:
        """Return a second handle that does not close the descriptor."""
        return Folder(self.fd, self)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0 and self._keep is None:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "fd"):  # Ctrl-C may come before there is one
            self.close()


class Root:
    """The folder that a backend may not leave. Safe to share between threads."""

    def __init__(self, path: str, *, use_openat2: bool = True) -> None:
        self.path = path
        self._openat2 = use_openat2
        self._folder: Folder | None = None
        self._checked = 0.0

    def open(self, key: str, flags: int) -> int:
        """Open a file or folder that exists; the caller closes the descriptor."""
        root = self._current()
        if self._openat2:
            try:
                return _system.open_beneath(root.fd, key or ".", flags)
            except OSError as error:
                if error.errno not in _UNDECIDED:
                    raise
        folder, name = self.resolve(key)
        with folder:
            return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder.fd)

    def open_file(self, key: str) -> int:
        """Open a file for reading, or whatever else is there under its name."""
        if "/" not in key and key:
            try:  # nothing on the way to a name in the root itself can lead elsewhere
                root = self._current()  # a reference: without one, another thread may close it now
                return os.open(key, READ | os.O_NOFOLLOW, dir_fd=root.fd)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
        return self.open(key, READ)

    def folder(self, key: str) -> Folder:
        """Open a folder for use with ``dir_fd``."""
        return Folder(self.open(key, _FOLDER)) if key else self._current().borrow()

    def stat(self, key: str) -> os.stat_result:
        """Return the facts of what a path leads to."""
        if not key:
            return os.stat(self.path)
        if "/" not in key:  # nothing on the way to a name in the root itself can lead elsewhere
            root = self._current()
            facts = os.lstat(key, dir_fd=root.fd)
            if not stat.S_ISLNK(facts.st_mode):
                return facts
        fd = -1
        try:
            fd = self.open(key, _PATH if _PATH != os.O_RDONLY | os.O_CLOEXEC else READ)
            return os.fstat(fd)
        finally:
            if fd >= 0:
                os.close(fd)

    def kind(self, key: str) -> int | None:
        """Return S_IFREG, S_IFDIR or another file type; None if nothing is there."""
        try:
            return stat.S_IFMT(self.stat(key).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def parent(self, key: str, created: list[str] | None = None) -> tuple[Folder, str]:
        """Open the folder that holds a name, which need not exist itself.

        With ``created``, missing folders are made, and listed there outermost first.
        """
        head, _, name = key.rpartition("/")
        if not name:
            raise InvalidPath("the root itself cannot be changed; name something below it", path=key)
        while True:
            try:
                return self.folder(head), name
            except InvalidPath as error:
                error.path = key  # what the caller named, not the folder on the way
                raise
            except FileNotFoundError:
                if created is None:
                    raise
                self.close()  # the root itself may have been replaced: look again
                self._make(head, created)

    def _make(self, key: str, created: list[str]) -> None:
        if not key:
            os.makedirs(self.path, exist_ok=True)
            return
        folder, name = self.parent(key, created)
        with folder:
            try:
                created.append(key)  # before, so that Ctrl-C finds it noted
                os.mkdir(name, dir_fd=folder.fd)
            except OSError as error:
                created.pop()
                if not isinstance(error, FileExistsError):
                    raise
                # A dangling link is no folder, and making one through it is not ours to do.
                if stat.S_ISLNK(os.lstat(name, dir_fd=folder.fd).st_mode) and self.kind(key) is None:
                    raise InvalidPath(f"{key!r} is a symbolic link that leads nowhere", path=key) from None

    def unmake(self, created: list[str]) -> None:
        """Remove folders that ``parent`` made, as far as they are still empty."""
        for key in reversed(created):
            with suppress(OSError, RemoteStoreError):
                folder, name = self.parent(key)
                with folder:
                    os.rmdir(name, dir_fd=folder.fd)

    def resolve(self, key: str) -> tuple[Folder, str]:
        """Walk to a path, links followed; return the real folder and the last real name."""
        os.fsencode(key)  # raises, as openat2 does, before anything on the way can be missing
        trail = [self._current().borrow()]
        todo = key.split("/")[::-1] if key else ["."]
        links = 0
        while True:
            name = todo.pop()
            if name == "..":
                if len(trail) == 1:
                    raise _escape(key)
                trail.pop()
            elif name not in ("", "."):
                target = _link_target(name, trail[-1])
                if target is not None:
                    links += 1
                    if links > _LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                    if target.startswith("/"):
                        target = self._relative(target, key)
                        del trail[1:]
                    todo += target.split("/")[::-1]
                elif todo:
                    trail.append(Folder(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=trail[-1].fd)))
                else:
                    return trail[-1], name
            if not todo:
                return trail[-1], "."

    def _relative(self, target: str, key: str) -> str:
        # Only a guess at where the link leads: the walk goes on from the root and checks each step.
        real = os.path.realpath(target)
        if real != self.path and not real.startswith(self.path.rstrip("/") + "/"):
            raise _escape(key)
        return real[len(self.path) :].lstrip("/")

    def _current(self) -> Folder:
        """Return the root's descriptor, opened anew when the path no longer leads to it."""
        folder = self._folder
        if folder is not None and folder.fd < 0:
            folder = None  # in a cycle of garbage it may be finalized before a writer that still needs it
        now = time.monotonic()
        if folder is not None and now < self._checked + _RECHECK_SECONDS:
            return folder
        if folder is None or not self._same(folder):
            self._folder = folder = Folder(os.open(self.path, _FOLDER))
        self._checked = now
        return folder

    def _same(self, folder: Folder) -> bool:
        try:
            here, there = os.fstat(folder.fd), os.stat(self.path)
        except FileNotFoundError:
            return False
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)

    def close(self) -> None:
        """Let go of the descriptor; calls under way keep it until they end."""
        self._folder = None


def _link_target(name: str, folder: Folder) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder.fd)
    except FileNotFoundError:
        return None  # the open that follows says so, or a new file takes the name
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None  # not a link
        raise


def _escape(key: str) -> InvalidPath:
    return InvalidPath("the path leads outside of the store's root through a symbolic link", path=key)
