"""``RemoteStoreFileSystem``: what fsspec asks for, awaited and blocking."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from fsspec.asyn import get_loop
from fsspec.compression import compr
from fsspec.core import get_compression
from fsspec.spec import AbstractFileSystem
from fsspec.transaction import Transaction
from fsspec.utils import stringify_path

from ..._async import AsyncStore
from ..._runtime import drive, on_asyncio
from ..._sync import Store
from ...config import RegistryConfig
from ...errors import CapabilityNotSupported
from ._content import Content, may_replace, options_of
from ._details import of_file
from ._errors import IsAFolder
from ._facts import Facts
from ._file import Compressed, RemoteStoreFile, Text, WholeFiles
from ._local import Local
from ._places import close_shared, inside, places_of

DRIVEN: Final = (
    "cat_file", "cp_file", "created", "du", "exists", "expand_path", "find", "get_file", "glob", "info",
    "isdir", "isfile", "ls", "makedirs", "mkdir", "modified", "mv_file", "put_file", "rm_file", "rmdir",
    "sign", "size", "checksum", "ukey",
)  # fmt: skip
"""What a blocking caller does in his own thread."""
AT_ONCE: Final = ("cat", "cat_ranges", "copy", "get", "mv", "put", "rm", "sizes")
"""What does several things at once, and needs a loop for that: this library's own."""
TEXT: Final = ("encoding", "errors", "newline")
WRITING: Final = {"wb": True, "xb": False}


class RemoteStoreFileSystem(Local, Content, Facts):
    """A store, or all stores of a configuration, as a file system of fsspec.

    Over one store, paths are those of the store. Over a configuration, the first component of
    a path is the name of a store: ``remote-store://reports/2024/may.csv``. Libraries that take no
    hyphen before ``://`` (xarray) know it as ``remotestore://``.

    It can be pickled, over a store object if its backend can. It may be shared by threads, works
    inside of a running event loop and after a fork, and keeps nothing that it has listed.
    With ``asynchronous=True`` the methods with an underscore are awaited, on asyncio.

    Args:
        store: a ``Store`` or ``AsyncStore``, which stays the caller's to close, or a URL as
            ``open_store`` takes it. Of one URL there is one store in a process.
        config: a TOML file, a mapping or a ``RegistryConfig``; of equal ones the connections
            are shared. Without ``store`` and ``config`` it is the file that the command line
            takes: ``REMOTE_STORE_CONFIG``, or ``remote-store.toml``.
        options: what every file system of fsspec takes: ``asynchronous``, ``batch_size``.

    Raises:
        ValueError: there is no configuration, or the URL or configuration does not fit.
    """

    protocol: ClassVar[tuple[str, ...]] = ("remote-store", "remotestore")
    transaction_type: ClassVar[type[Transaction]] = WholeFiles
    cachable: ClassVar[bool] = False  # stores of equal looks would be taken for the same

    def __init__(
        self,
        *,
        store: Store | AsyncStore | str | None = None,
        config: str | os.PathLike[str] | Mapping[str, Any] | RegistryConfig | None = None,
        asynchronous: bool = False,
        **options: Any,
    ) -> None:
        options.pop("loop", None)
        # Told the truth, fsspec would start its thread now, though it may never be needed.
        super().__init__(asynchronous=True, **options)
        self.asynchronous = asynchronous
        self._places = places_of(store, config)

    @property
    def loop(self) -> Any:
        """The loop of fsspec, which some libraries ask for."""
        return None if self.asynchronous else get_loop()

    @property
    def fsid(self) -> str:
        """Name of the file system, the same for equal arguments."""
        return f"remote-store-{self._fs_token}"

    @property
    def _fs_token(self) -> str:
        return str(self._places.identity or self._fs_token_)

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._places.portable:
            raise TypeError(
                "a file system over this store cannot be pickled; make it from a configuration or a URL,"
                " as in RemoteStoreFileSystem(config='remote-store.toml')"
            )
        return _make, (type(self), self.storage_args, self.storage_options)

    @classmethod
    def clear_instance_cache(cls) -> None:
        """Close the stores that file systems of this class have opened by configuration or URL."""
        super().clear_instance_cache()
        close_shared()

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        """Return a path without its protocol, and without a slash around it; two are not two of ours."""
        found = super()._strip_protocol(path)
        if not isinstance(found, str):
            return found
        text = found if found.startswith("//") else found.removeprefix("/")
        return f"{text}//" if text and stringify_path(path).endswith("//") else text

    # -- content ---------------------------------------------------------------

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        """Write a file; of several with ``mode="create"`` at once exactly one succeeds."""
        if not self._intrans:
            drive(self._pipe_file(path, value, mode, **kwargs))
            return
        with self.open(path, "wb" if may_replace(mode) else "xb", **kwargs) as file:
            file.write(value)

    def pipe(self, path: Any, value: Any = None, **kwargs: Any) -> None:
        """Write one file, or several of a mapping at once."""
        if self._intrans or isinstance(path, str):
            AbstractFileSystem.pipe(self, path, value, **kwargs)
        else:
            drive(on_asyncio(functools.partial(self._pipe, path, value, **kwargs)))

    def open(self, path: str, mode: str = "rb", *args: Any, compression: Any = None, **kwargs: Any) -> Any:
        """Open a file, as the builtin does; for reading (``r``) or for writing anew (``w``, ``x``).

        The file is there, whole, once it is closed, and not at all if that is because of an
        exception. Fields of ``WriteOptions`` (``content_type`` and others) are keywords for writing.
        """
        if "r" in mode:
            return super().open(path, mode, *args, compression=compression, **kwargs)
        binary = "b" in mode
        text = {name: kwargs.pop(name) for name in TEXT if name in kwargs and not binary}
        file = super().open(path, mode.replace("t", "").replace("b", "") + "b", *args, **kwargs)
        if (kind := get_compression(path, compression)) is not None:
            file = Compressed(compr[kind](file, mode="w"), file)
        return file if binary else Text(file, **text)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: Any = None,
        autocommit: bool = True,
        cache_options: Any = None,
        cache_type: str = "readahead",
        **kwargs: Any,
    ) -> RemoteStoreFile:
        """Open a file for reading, or for writing anew.

        Raises:
            CapabilityNotSupported: the mode is to append, or to change in place.
            TypeError: a keyword means nothing here.
        """
        place = inside(self._places, path)
        details: Any = options_of({name: kwargs[name] for name in kwargs if name != "size"})
        if mode == "rb":
            if details is not None:
                raise TypeError(f"{', '.join(kwargs)}: this is for writing")
            place, info = drive(self._file_info(path))
            if info is None:
                raise IsAFolder("this is a folder, not a file", path=path)
            details = (info, of_file(place.prefix, info))
        elif mode not in WRITING:
            raise CapabilityNotSupported(
                f"the mode {mode!r} is none of 'rb', 'wb' and 'xb': what is stored is not changed in place;"
                " read the file and write it anew",
                path=path,
                capability="append",
            )
        return RemoteStoreFile(
            self, path, place, details, mode=mode, block_size=block_size, autocommit=autocommit,
            cache_options=cache_options, cache_type=cache_type,
        )  # fmt: skip

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        """Write an empty file.

        Raises:
            CapabilityNotSupported: with ``truncate=False``, it is there: its time is the storage's own.
        """
        if not truncate and self.exists(path):
            raise CapabilityNotSupported(
                "the time of a file is that of its writing; write it anew", path=path, capability="touch"
            )
        super().touch(path, **kwargs)

    # -- looking ---------------------------------------------------------------

    def walk(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Iterator[Any]:
        """Go through folders, a listing for each; links to folders are named, and not gone into."""
        steps = self._walk(path, maxdepth, **kwargs)
        try:
            while True:
                yield drive(steps.__anext__())
        except StopAsyncIteration:
            return
        finally:
            drive(steps.aclose())


def _make(cls: type[RemoteStoreFileSystem], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return cls(*args, **options)


def _driven(name: str) -> Callable[..., Any]:
    def call(self: RemoteStoreFileSystem, *args: Any, **kwargs: Any) -> Any:
        return drive(getattr(self, f"_{name}")(*args, **kwargs))

    return call


def _at_once(name: str) -> Callable[..., Any]:
    def call(self: RemoteStoreFileSystem, *args: Any, **kwargs: Any) -> Any:
        return drive(on_asyncio(functools.partial(getattr(self, f"_{name}"), *args, **kwargs)))

    return call


for _names, _kind in ((DRIVEN, _driven), (AT_ONCE, _at_once)):
    for _name in _names:
        _call = functools.wraps(getattr(AbstractFileSystem, _name, _kind(_name)))(_kind(_name))
        _call.__name__ = _name
        setattr(RemoteStoreFileSystem, _name, _call)
