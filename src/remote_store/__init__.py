"""One simple API for file storage, awaitable under asyncio and trio, and blocking.

errors paths models capabilities config    the vocabulary: values, no I/O
backend        the contract that every kind of storage fulfils
backends/      memory, local, and those that extras bring
_runtime/      where work runs: worker threads, loops, or the caller's own thread
_http/         an HTTP client on asyncio, for backends' hot paths
_async/        AsyncStore, AsyncRegistry and streams, written by hand
_sync/         Store, Registry and streams: generated from _async, never edited
transfer/      many files at once: options, events, report, and the engine
aio            transfers for AsyncStore; those for Store are in remote_store itself
cli/           the command line
typing         names for annotations
testing/       the contract suite and the faulty backend, for anybody's use
"""

from ._async import AsyncRegistry, AsyncStore, open_async_store
from ._sync import (
    Registry,
    Store,
    apply_plan,
    copy_tree,
    delete_tree,
    discard_journal,
    download,
    open_store,
    plan_sync,
    read_many,
    sync,
    upload,
    write_many,
)
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
from .transfer import (
    Action,
    EventKind,
    PlanItem,
    TransferEvent,
    TransferFailed,
    TransferOptions,
    TransferReport,
)

__version__ = "0.1.0"

__all__ = [
    "Action",
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
    "EventKind",
    "FileInfo",
    "FolderInfo",
    "InvalidPath",
    "NotFound",
    "PermissionDenied",
    "PlanItem",
    "PreconditionFailed",
    "Registry",
    "RegistryConfig",
    "RemoteFile",
    "RemoteFolder",
    "RemotePath",
    "RemoteStoreError",
    "Store",
    "StoreProfile",
    "TransferEvent",
    "TransferFailed",
    "TransferOptions",
    "TransferReport",
    "WriteOptions",
    "WriteResult",
    "__version__",
    "apply_plan",
    "copy_tree",
    "delete_tree",
    "discard_journal",
    "download",
    "open_async_store",
    "open_store",
    "plan_sync",
    "read_many",
    "register_backend",
    "sync",
    "upload",
    "write_many",
]
