"""What is raised when, and what an error knows."""

from __future__ import annotations

import asyncio
import pickle
import tempfile
from collections.abc import AsyncIterator

from remote_store import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    RemoteStoreError,
    Store,
)
from remote_store.backends import LocalBackend


def one_by_one(store: Store) -> None:
    store.write("folder/file.txt", b"old")

    try:
        store.read_bytes("folder//missing.txt")
    except NotFound as error:
        # The path is as it was written here, and the original error is kept as the cause.
        print("not found:", error.path, "| cause:", type(error.__cause__).__name__)

    try:
        store.write("folder/file.txt", b"new")
    except AlreadyExists:
        print("exists:", store.read_bytes("folder/file.txt"), "was not touched")

    try:
        store.delete_folder("folder")
    except DirectoryNotEmpty as error:
        print("not empty:", error.message)

    # Malformed, outside of the root, or the wrong kind of thing: one error for all of these.
    for path in ("../outside.txt", "", "folder"):
        try:
            store.read_bytes(path)
        except InvalidPath as error:
            print(f"invalid: {path!r}: {error.message}")

    # A wrong type is a mistake in the program, not in the storage.
    try:
        store.write("text.txt", "text")  # type: ignore[arg-type]
    except TypeError as error:
        print("type:", error)


def by_builtin(store: Store) -> None:
    # Each error is also the builtin that fits, for code that knows nothing of this library.
    try:
        store.read_bytes("missing.txt")
    except FileNotFoundError as error:
        print("builtin:", isinstance(error, RemoteStoreError))


def all_at_once(store: Store) -> None:
    # Everything that comes from the storage is a RemoteStoreError, and says whether to try again.
    for path in ("missing.txt", "folder/file.txt/below"):
        try:
            store.read_bytes(path)
        except RemoteStoreError as error:
            print("any:", type(error).__name__, "| retryable:", error.retryable, "| backend:", error.backend)
            # It also survives the way to another process.
            copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
            print("  in another process:", repr(copy) == repr(error))


async def never_ends() -> AsyncIterator[bytes]:
    while True:
        yield b"on and on"
        await asyncio.sleep(0.01)


async def awaited(store: AsyncStore) -> None:
    try:
        await store.read("missing.txt")  # raises here, not at the first chunk
    except NotFound as error:
        print("awaited:", error)

    # What cancels a task is never caught or wrapped, and a cancelled write leaves nothing behind.
    try:
        async with asyncio.timeout(0.05):
            await store.write("slow.txt", never_ends())
    except TimeoutError:
        print("timeout: as asyncio raises it; the file is there:", await store.exists("slow.txt"))

    await store.aclose()
    try:
        await store.exists("folder/file.txt")
    except BackendUnavailable as error:
        print("closed:", error.message)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        with Store(LocalBackend(temporary)) as opened:
            one_by_one(opened)
            by_builtin(opened)
            all_at_once(opened)
        asyncio.run(awaited(AsyncStore(LocalBackend(temporary))))
