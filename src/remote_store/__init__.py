"""One simple API for file storage, awaitable under asyncio and trio, and blocking.

errors paths models capabilities config    the vocabulary: values, no I/O
backend        the contract that every kind of storage fulfils
backends/      memory, local, and those that extras bring
_runtime/      where work runs: worker threads, loops, or the caller's own thread
_http/         an HTTP client on asyncio, for backends' hot paths
_async/        AsyncStore, AsyncRegistry and streams, written by hand
_sync/         Store, Registry and streams: generated from _async, never edited
typing         names for annotations
testing/       the contract suite and the faulty backend, for anybody's use
"""

from ._async import AsyncRegistry, AsyncStore, open_async_store
from ._sync import Registry, Store, open_store
from .backend import Backend
from .backends._known import register_backend
from .capabilities import Capability, CapabilitySet
from .config import BackendConfig, RegistryConfig, StoreProfile
from .errors import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from .models import FileInfo, FolderInfo, RemoteFile, RemoteFolder, WriteOptions, WriteResult
from .paths import RemotePath

__version__ = "0.1.0"

__all__ = [
    "AlreadyExists",
    "AsyncRegistry",
    "AsyncStore",
    "Backend",
    "BackendConfig",
    "BackendUnavailable",
    "Capability",
    "CapabilityNotSupported",
    "CapabilitySet",
    "DirectoryNotEmpty",
    "FileInfo",
    "FolderInfo",
    "InvalidPath",
    "NotFound",
    "PermissionDenied",
    "PreconditionFailed",
    "Registry",
    "RegistryConfig",
    "RemoteFile",
    "RemoteFolder",
    "RemotePath",
    "RemoteStoreError",
    "Store",
    "StoreProfile",
    "WriteOptions",
    "WriteResult",
    "__version__",
    "open_async_store",
    "open_store",
    "register_backend",
]
