"""Arrow's file system, the threads it is called in, and one object read with it."""

from __future__ import annotations

import os
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from ..._runtime.tasks import Task, begun, current_loop, unbroken
from ..._runtime.threads import Threads
from ...errors import RemoteStoreError
from ..s3._api import Api
from ..s3._objects import etag_of
from ._mapping import arguments_of

if TYPE_CHECKING:
    from pyarrow import NativeFile
    from pyarrow.fs import S3FileSystem

_forked = False


def _after_fork() -> None:
    global _forked
    _forked = "pyarrow._s3fs" in sys.modules  # its connections and threads are the parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class ArrowFailed(ConnectionError):
    """Arrow could not read it, or not the version that was wanted. The control path finds out why."""


class ArrowFiles:
    """The file system of one backend. It is made anew when the credentials change, or the bucket's place."""

    def __init__(self, api: Api, threads: int) -> None:
        self._api, self.threads = api, Threads(threads)
        self._made: tuple[dict[str, Any], S3FileSystem] | None = None
        self._making: tuple[dict[str, Any], object, Task[S3FileSystem]] | None = None

    @property
    def latest(self) -> S3FileSystem | None:
        """The file system if there is one by now."""
        return self._made[1] if self._made is not None and not _forked else None

    def can_name(self, key: str) -> bool:
        """Return True if Arrow has a path for this key."""
        return not _forked and all(key.split("/"))

    async def current(self) -> S3FileSystem | None:
        """Return the file system that has the credentials of now; None if Arrow cannot know them.

        Raises:
            RemoteStoreError: Arrow does not take what it is told.
        """
        arguments = await arguments_of(await self._api.connection(), self._api.bucket)
        if arguments is None or _forked:
            return None
        made = self._made
        if made is not None and made[0] == arguments:
            return made[1]
        # One for all that ask now: Arrow makes none while a server lets its reads wait.
        making, loop = self._making, current_loop()
        if making is None or making[:2] != (arguments, loop) or making[2].done():
            making = self._making = arguments, loop, begun(self._make, arguments)
        return await unbroken(making[2])

    async def _make(self, arguments: dict[str, Any]) -> S3FileSystem:
        system = await self.threads.call_and_leave(_made_of, arguments)
        self._made, self._making = (arguments, system), None
        return system

    def forget(self) -> None:
        """Let go of the file system."""
        self._made = None


def _made_of(arguments: dict[str, Any]) -> S3FileSystem:
    try:
        from pyarrow.fs import AwsDefaultS3RetryStrategy, AwsStandardS3RetryStrategy, S3FileSystem
    except ImportError as error:
        raise RemoteStoreError('pyarrow is missing: pip install "remote-store[s3-pyarrow]"') from error

    mode, tries = arguments["retry_strategy"]
    kind = AwsStandardS3RetryStrategy if mode == "standard" else AwsDefaultS3RetryStrategy
    try:
        return S3FileSystem(**{**arguments, "retry_strategy": kind(max_attempts=tries)})
    except TypeError as error:
        if "tls_ca_file_path" not in arguments:
            raise
        raise RemoteStoreError(
            "verify (or AWS_CA_BUNDLE): this version of pyarrow takes no CA; upgrade pyarrow"
        ) from error
    except (ValueError, OSError) as error:  # Arrow's own errors are of these kinds
        raise RemoteStoreError(f"pyarrow does not take the options of the backend: {error}") from error


class Source:
    """One version of an object, for any number of reads at once.

    Arrow cannot be told which version to read. So each piece that it has read is given only
    after a look at the object, which still has to be what it was when it was opened.
    """

    def __init__(self, files: ArrowFiles, api: Api, key: str, headers: dict[str, Any]) -> None:
        self._files, self._api, self._key, self._headers = files, api, key, headers
        self._opened: tuple[S3FileSystem, Task[NativeFile]] | None = None
        self.usable = bool(headers.get("ETag")) and files.can_name(key)

    async def read(self, start: int, length: int, ranges: Ranges) -> bytes:
        """Return a part. Raises ArrowFailed, from then on for every read."""
        try:
            file = await self._file()
            data = await self._files.threads.call_and_leave(ranges.read_at, file, length, start)
            if len(data) != length:
                raise ArrowFailed("the object is shorter than it was")
            await self._compare()
        except ArrowFailed:
            self.usable = False
            raise
        except (OSError, ValueError, NotImplementedError) as error:  # Arrow's own errors are of these kinds
            if isinstance(error, RemoteStoreError):
                raise
            self.usable = False
            raise ArrowFailed("Arrow could not read this") from error
        return data

    async def _file(self) -> NativeFile:
        system = await self._files.current()
        if system is None:
            raise ArrowFailed("Arrow cannot reach the bucket as the client does")
        if self._opened is None or self._opened[0] is not system:
            self._opened = system, begun(self._files.threads.call_and_leave, self._open, system)
        return await unbroken(self._opened[1])

    def _open(self, system: S3FileSystem) -> NativeFile:
        file = system.open_input_file(f"{self._api.bucket}/{self._key}")
        told = {"ETag": file.metadata().get("ETag", b"").decode()}
        if etag_of(told) != etag_of(self._headers):
            raise ArrowFailed("Arrow finds another version, or another object")
        return file

    async def _compare(self) -> None:
        """See that the version is still the one that was opened."""
        found = await self._api.head(self._key)
        if found is None or any(found.get(name) != self._headers.get(name) for name in _VERSION):
            raise ArrowFailed("the object was changed")


_VERSION = ("ETag", "LastModified", "VersionId")


class Ranges:
    """Reads from one place on, until it is stopped: no thread begins to read for nobody."""

    def __init__(self, source: Source, offset: int) -> None:
        self._source, self._offset = source, offset
        self.stopped = False

    async def fetch(self, start: int, end: int) -> deque[bytes]:
        """Return a range."""
        return deque((await self._source.read(self._offset + start, end - start, self),))

    def read_at(self, file: NativeFile, length: int, start: int) -> bytes:
        """Read in a worker thread."""
        if self.stopped:
            raise ArrowFailed("nobody waits for this")
        data: bytes = file.read_at(length, start)
        return data
