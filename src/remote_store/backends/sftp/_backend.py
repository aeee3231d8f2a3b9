"""``SFTPBackend``: the contract in terms of the coroutines beside it, each operation one leaf."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from ... import _runtime
from ..._runtime.tasks import current_loop, soon
from ...backend import Backend, Pages, Reader, Writer
from ...capabilities import OPERATIONS, Capability, CapabilitySet
from ...errors import NotFound
from ...models import FileInfo, WriteOptions, WriteResult
from .._temporaries import refuse_reserved
from . import _change, _copy
from ._api import Api
from ._download import Download
from ._errors import NAME
from ._facts import info_of
from ._files import Files
from ._listing import SFTPPages, Walk, begin_walk
from ._options import MIB, HostKeyPolicy, Options, from_url, options_of
from ._publish import try_links
from ._streams import SFTPReader, SFTPWriter
from ._sweep import sweep
from ._upload import Upload

if TYPE_CHECKING:
    from asyncssh import SFTPClient, SSHKey

T = TypeVar("T")
_ALL: Final = CapabilitySet({*OPERATIONS, Capability.EXCLUSIVE_CREATE})


class SFTPBackend(Backend):
    """Files in a folder of a server that speaks SFTP.

    Nothing is asked of the server before the first operation. A connection that was lost
    is made anew by the next call; calls that only look or read are repeated then.

    Args:
        host: name or address of the server.
        port: where it listens.
        username: who logs in; by default the user who runs the program.
        password: for servers that take one.
        pkey: private key to log in with: what ``load_private_key`` returns, its text, or the
            path of its file. Without a key and a password the agent and the usual key files
            are tried.
        passphrase: what the private key is encrypted with.
        base_path: the folder that is the root of this storage; no link leads out of it. A
            relative one begins where the login does.
        host_key_policy: what to do about a server whose key is not known.
        known_host_keys: known keys, as lines of OpenSSH's ``known_hosts``. By default the
            environment's ``SFTP_KNOWN_HOST_KEYS``, and then ``host_keys_path``.
        host_keys_path: file with the known keys; ``~/.ssh/known_hosts`` by default.
        config: ``known_host_keys`` as part of a configuration; the argument wins.
        timeout: seconds for each step of connecting, and a sixth of how long the server may be
            silent while an answer of it is waited for.
        connect_kwargs: further options of ``asyncssh.connect``, such as ``tunnel`` (a jump host),
            ``config`` (files like ``~/.ssh/config``) or ``client_certs``; they win over the rest. A
            ``client_factory`` may answer what a server asks; host keys are left to the policy,
            so there is no ``known_hosts``.
        connections: most connections at once for each event loop.
        durable: have the server bring each file to its disk before a write returns, where it
            knows how to.
        memory_limit: most bytes in flight for one file.
        answers: called in a thread with each question that the server asks at a login, such as
            that for a one-time code, and returns the answer. One for a password is answered with
            ``password``, where that is given. What is asked again has been refused, and is not
            answered a second time.

    Raises:
        ValueError: an argument makes no sense.
    """

    def __init__(
        self,
        host: str,
        *,
        port: int = 22,
        username: str | None = None,
        password: str | None = None,
        pkey: SSHKey | str | os.PathLike[str] | None = None,
        passphrase: str | None = None,
        base_path: str = "/",
        host_key_policy: HostKeyPolicy | str = HostKeyPolicy.STRICT,
        known_host_keys: str | None = None,
        host_keys_path: str | os.PathLike[str] | None = None,
        config: Mapping[str, Any] | None = None,
        timeout: float = 10,
        connect_kwargs: Mapping[str, Any] | None = None,
        connections: int = 1,
        durable: bool = False,
        memory_limit: int = 16 * MIB,
        answers: Callable[[str], str] | None = None,
    ) -> None:
        self._take(
            options_of(
                config, host=host, port=port, username=username, password=password, pkey=pkey,
                passphrase=passphrase, base_path=base_path, host_key_policy=host_key_policy,
                known_host_keys=known_host_keys, host_keys_path=host_keys_path, timeout=timeout,
                connect_kwargs=connect_kwargs, connections=connections, durable=durable,
                memory_limit=memory_limit, answers=answers,
            )
        )  # fmt: skip

    def _take(self, options: Options) -> None:
        self._options = options
        self._api = Api(options)

    @property
    def name(self) -> str:
        return NAME

    @property
    def capabilities(self) -> CapabilitySet:
        return _ALL if self._api.exclusive else CapabilitySet(set(_ALL) - {Capability.EXCLUSIVE_CREATE})

    async def probe(self) -> CapabilitySet:
        async def find_out(files: Files) -> None:
            await try_links(files)
            await self._api.files()  # takes note of it

        await self.ping()
        await self._api.change("", find_out)
        return self.capabilities

    def __repr__(self) -> str:
        return f"SFTPBackend({self._options.where!r}, base_path={self._options.base_path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        options, key = self._options, self._options.pkey
        if key is not None and not isinstance(key, str):
            options = replace(options, pkey=key.export_private_key().decode())
        return _rebuild, (type(self), {each.name: getattr(options, each.name) for each in fields(options)})

    # -- questions -------------------------------------------------------------

    async def is_file(self, path: str) -> bool:
        return await self._kind(path) == stat.S_IFREG

    async def is_folder(self, path: str) -> bool:
        return await self._kind(path) == stat.S_IFDIR

    async def exists(self, path: str) -> bool:
        return await self._kind(path) in (stat.S_IFREG, stat.S_IFDIR)

    async def _kind(self, path: str) -> int:
        return await self._api.look(path, lambda files: files.kind(path))

    async def get_file_info(self, path: str) -> FileInfo:
        async def look(files: Files) -> FileInfo:
            return info_of(path, await files.file_facts(path))

        return await self._api.look(path, look)

    async def ping(self) -> None:
        if await self._kind("") != stat.S_IFDIR:
            base = self._options.base_path
            raise NotFound(f"the base path {base!r} is not there; create it", path="", backend=NAME)

    # -- content ---------------------------------------------------------------

    async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
        async def read(files: Files) -> bytes:
            download = self._download(files, path, start, length)
            try:
                return await download.whole()
            finally:
                download.close()

        return await self._api.look(path, read)

    @property
    def stream_memory(self) -> int:
        return self._options.memory_limit

    def within_memory(self, size: int, *, part_size: int | None = None) -> Backend:
        if size >= self._options.memory_limit:
            return self
        return self._with(_options=replace(self._options, memory_limit=max(MIB, size)))

    async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
        async def begin(files: Files) -> Download:
            download = self._download(files, path, start, length)
            try:
                await download.open()
            except BaseException:
                download.close()
                raise
            return download

        return SFTPReader(self._api.down, await self._api.look(path, begin, undo=_close_soon))

    def _download(self, files: Files, path: str, start: int, length: int | None) -> Download:
        return Download(files, path, start, length, self._options.memory_limit)

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        async def write(files: Files) -> WriteResult:
            upload = self._upload(files, path, overwrite)
            try:
                small = len(view) <= files.channel.limits.write
                await (upload.open_new() if small and not overwrite else upload.open())
                if small:
                    return await upload.put(view, at_once=not atomic)
                for at in range(0, len(view), MIB):
                    with view[at : at + MIB] as piece:
                        await upload.write(piece)
                return await upload.commit()
            except BaseException:
                await _runtime.shielded_on_asyncio(upload.abort)
                raise

        with data[:] as view:  # let go of at the end, though a job in another thread may still hold it
            return await self._api.change(path, write)

    async def open_write(
        self, path: str, *, overwrite: bool = False, atomic: bool = False, options: WriteOptions | None = None
    ) -> Writer:
        async def begin(files: Files) -> tuple[Upload, Any]:
            upload = self._upload(files, path, overwrite)
            try:
                await upload.open()
            except BaseException:
                await _runtime.shielded_on_asyncio(upload.abort)
                raise
            return upload, current_loop()

        upload, loop = await self._api.change(path, begin, undo=_discard_soon)
        return SFTPWriter(self._api.down, self._api.down_shielded, upload, loop)

    def _upload(self, files: Files, path: str, overwrite: bool) -> Upload:
        return Upload(files, path, overwrite, self._options.durable, self._options.memory_limit)

    # -- changes ---------------------------------------------------------------

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self._api.change(path, lambda files: _change.delete_file(files, path, missing_ok))

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self._api.change(path, lambda files: _change.delete_folder(files, path, recursive, missing_ok))

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        refuse_reserved(dst, NAME)
        return await self._api.change(src, lambda files: _change.move(files, src, dst, overwrite))

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        refuse_reserved(dst, NAME)
        durable, memory = self._options.durable, self._options.memory_limit
        return await self._api.change(
            src, lambda files: _copy.copy(files, src, dst, overwrite, durable, memory)
        )

    async def sweep_temporaries(self, *, older_than: float = 86400) -> int:
        """Delete the temporary files that killed writers and lost connections left behind.

        A server that cannot rename over a file has the old one moved aside while it is replaced. One
        that is still there gets its name back if nothing has that; else it is deleted.

        Args:
            older_than: seconds for which one must not have changed, by the server's clock, to be
                deleted: a writer that is alive may be slow, but it does write.

        Returns:
            How many were deleted or put back.
        """
        return await self._api.change("", lambda files: sweep(files, older_than))

    # -- listing ---------------------------------------------------------------

    def list_pages(
        self, path: str, *, recursive: bool = False, files: bool = True, folders: bool = True
    ) -> Pages:
        async def begin() -> Walk:
            refuse_reserved(path, NAME)
            return await begin_walk(await self._api.files(), path, recursive)

        return SFTPPages(self._api.down, begin, path, files, folders)

    # -- identity --------------------------------------------------------------

    @property
    def location(self) -> str:
        return f"sftp://{self._options.username or ''}@{self._options.where}{self._options.base_path}"

    async def place(self, path: str) -> tuple[str, str]:
        options = self._options
        server = f"sftp://{options.username or ''}@{options.where.lower()}"
        return server, posixpath.normpath(f"{options.base_path}/{path}").strip("/")

    def to_key(self, native: str) -> str:
        for base in (self._options.base_path, (self._api.root or b"").decode("utf-8", "surrogateescape")):
            root = base.rstrip("/") + "/"
            if base and native.startswith(root):
                return native.removeprefix(root).strip("/")
        return native

    async def sftp_client(self) -> SFTPClient:
        """Return asyncssh's own SFTP client, on the connection of the running asyncio loop.

        It is closed with the connection, by ``aclose``; ``unwrap(asyncssh.SFTPClient)`` gives it too
        from now on. Its names are those of the server, and its errors are asyncssh's.

        Raises:
            BackendUnavailable: there is no connection to be had.
        """

        async def start() -> SFTPClient:
            files = await self._api.files()
            return await files.link.stock()

        return await self._api.down("", start)

    def unwrap(self, type_hint: type[T]) -> T:
        from asyncssh import SFTPClient, SSHClientConnection

        found: object = None
        if type_hint in (SSHClientConnection, SFTPClient) and (link := self._api.link_of_this_loop()):
            found = link.connection if type_hint is SSHClientConnection else link.peek_stock()
        return cast(T, found) if found is not None else super().unwrap(type_hint)

    @classmethod
    def from_url(cls, url: str) -> tuple[Backend, str]:
        options, root = from_url(url)
        return cls(**options), root

    async def aclose(self) -> None:
        await _runtime.shielded_on_asyncio(self._api.aclose)  # or connections would stay open


def _close_soon(download: Download) -> None:
    soon(download.loop, download.close)


def _discard_soon(begun: tuple[Upload, Any]) -> None:
    soon(begun[1], begun[0].discard)


def _rebuild(cls: type[SFTPBackend], options: dict[str, Any]) -> SFTPBackend:
    backend = cls.__new__(cls)
    backend._take(Options(**options))
    return backend
