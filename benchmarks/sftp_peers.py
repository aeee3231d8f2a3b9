"""The same jobs on SFTP by different libraries: each gives coroutines or functions by name.

``put`` and ``get`` are for small files, ``up`` and ``down`` for a large one, ``atomic`` writes
beside the target and renames over it, ``list`` counts the entries of a folder with their
facts, ``walk`` the files of a tree.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from benchmarks import sftp_other_peers as others
from benchmarks.harness import OURS, PUBLISHED
from benchmarks.sftp_place import Calls, Place

GCM: Final = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"


def name_of(entry: Any) -> str:
    return str(entry.filename)


def our_backend(place: Place) -> Any:
    from remote_store.backends import SFTPBackend

    known = f"[127.0.0.1]:{place.port} {(place.folder / 'host.pub').read_text()}"
    return SFTPBackend(
        "127.0.0.1", port=place.port, pkey=place.key, known_host_keys=known, base_path=place.data
    )


@asynccontextmanager
async def ours(place: Place) -> AsyncIterator[Calls]:
    from remote_store import AsyncStore

    async with AsyncStore(our_backend(place)) as store:

        async def down(name: str) -> int:
            size = 0
            async with await store.read(name) as stream:
                async for chunk in stream:
                    size += len(chunk)
            return size

        async def up(name: str, source: str) -> None:
            with open(source, "rb") as file:
                await store.write(name, file, overwrite=True)

        async def entries(folder: str, **more: Any) -> int:
            return sum([1 async for _ in store.list_files(folder, **more)])

        yield {
            "put": partial(store.write, overwrite=False),
            "get": store.read_bytes,
            "stat": store.get_file_info,
            "atomic": partial(store.write_atomic, overwrite=True),
            "list": entries,
            "walk": partial(entries, recursive=True),
            "up": up,
            "down": down,
        }


@contextmanager
def ours_blocking(place: Place) -> Iterator[Calls]:
    from remote_store import Store

    with Store(our_backend(place)) as store:

        def down(name: str) -> int:
            size = 0
            with store.read(name) as stream:
                while chunk := stream.read(1 << 20):
                    size += len(chunk)
            return size

        def up(name: str, source: str) -> None:
            with open(source, "rb") as file:
                store.write(name, file, overwrite=True)

        yield {
            "put": store.write,
            "get": store.read_bytes,
            "stat": store.get_file_info,
            "atomic": partial(store.write_atomic, overwrite=True),
            "list": lambda folder: sum(1 for _ in store.list_files(folder)),
            "walk": lambda folder: sum(1 for _ in store.list_files(folder, recursive=True)),
            "up": up,
            "down": down,
        }


@asynccontextmanager
async def by_asyncssh(place: Place, **options: Any) -> AsyncIterator[Calls]:
    import asyncssh

    async with (
        asyncssh.connect(
            "127.0.0.1", place.port, client_keys=[place.key], known_hosts=None, config=None, **options
        ) as connection,
        connection.start_sftp_client() as sftp,
    ):
        await sftp.chdir(place.data)

        async def put(name: str, data: bytes) -> None:
            async with sftp.open(name, "xb") as file:
                await file.write(data)

        async def get(name: str) -> bytes:
            async with sftp.open(name, "rb") as file:
                content: bytes = await file.read()
                return content

        async def atomic(name: str, data: bytes) -> None:
            await put(f"{name}.temporary", data)
            await sftp.posix_rename(f"{name}.temporary", name)

        async def walk(folder: str) -> int:
            count = 0
            async for entry in sftp.scandir(folder):
                if entry.filename in (".", ".."):
                    continue
                if stat.S_ISDIR(entry.attrs.permissions or 0):
                    count += await walk(f"{folder}/{name_of(entry)}")
                else:
                    count += 1
            return count

        async def down(name: str) -> int:
            await sftp.get(name, "/dev/null")
            return (await sftp.stat(name)).size or 0

        async def up(name: str, source: str) -> None:
            await sftp.put(source, name)

        yield {
            "put": put, "get": get, "stat": sftp.stat, "atomic": atomic, "list": walk, "walk": walk,
            "up": up, "down": down,
        }  # fmt: skip


@contextmanager
def by_paramiko(place: Place) -> Iterator[Calls]:
    """One client for each thread: a shared one hangs."""
    import paramiko

    local, made = threading.local(), []

    def client() -> Any:
        if not hasattr(local, "sftp"):
            ssh = paramiko.SSHClient()
            ssh.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            login: dict[str, Any] = {"key_filename": place.key, "allow_agent": False, "look_for_keys": False}
            ssh.connect("127.0.0.1", place.port, **login)
            made.append(ssh)
            local.sftp = ssh.open_sftp()
            local.sftp.chdir(place.data)
        return local.sftp

    def put(name: str, data: bytes) -> None:
        with client().open(name, "wx") as file:
            file.write(data)

    def get(name: str) -> bytes:
        with client().open(name, "rb") as file:
            content: bytes = file.read()
            return content

    def atomic(name: str, data: bytes) -> None:
        put(f"{name}.temporary", data)
        client().posix_rename(f"{name}.temporary", name)

    def walk(folder: str) -> int:
        count = 0
        for entry in client().listdir_attr(folder):
            inside = f"{folder}/{entry.filename}"
            count += walk(inside) if stat.S_ISDIR(entry.st_mode) else 1
        return count

    def down(name: str) -> int:
        with open("/dev/null", "wb") as sink:  # get() compares the size of what it wrote
            return int(client().getfo(name, sink))

    try:
        yield {
            "put": put, "get": get, "stat": lambda name: client().stat(name), "atomic": atomic,
            "list": walk, "walk": walk, "up": lambda name, source: client().put(source, name), "down": down,
        }  # fmt: skip
    finally:
        for each in made:
            each.close()


@contextmanager
def by_openssh(place: Place, cipher: str) -> Iterator[Calls]:
    """The program, with the time it takes to connect: it does whole files only."""
    import subprocess

    def batch(line: str) -> None:
        command = [
            "sftp", "-q", "-b", "-", "-P", str(place.port), "-i", place.key, "-c", cipher, "-o",
            "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-F", "/dev/null", "127.0.0.1",
        ]  # fmt: skip
        subprocess.run(command, input=line.encode(), check=True, stdout=subprocess.DEVNULL)

    def down(name: str) -> int:
        batch(f"get {place.data}/{name} /dev/null\n")
        return os.stat(f"{place.data}/{name}").st_size

    def up(name: str, source: str) -> None:
        batch(f"put {source} {place.data}/{name}\n")

    yield {"down": down, "up": up, "stat": lambda _: None}


@dataclass(frozen=True)
class Peer:
    """A library, the process that has it, and how it is called."""

    process: str
    opened: Callable[[Place], Any]
    blocking: bool = False
    large_only: bool = False
    never_far: bool = False
    """Large files over the long way take it minutes: it waits a round trip for each piece."""


PEERS: Final = {
    OURS: Peer(OURS, ours),
    f"{OURS}, blocking": Peer(OURS, ours_blocking, blocking=True),
    "asyncssh": Peer("asyncssh", by_asyncssh),
    "asyncssh, tuned": Peer("asyncssh", partial(by_asyncssh, encryption_algs=GCM, window=16 << 20)),
    "paramiko": Peer("paramiko", by_paramiko, blocking=True),
    "fsspec": Peer("fsspec", others.by_fsspec, blocking=True, never_far=True),
    "sshfs": Peer("asyncssh", others.by_sshfs, blocking=True),
    PUBLISHED: Peer(PUBLISHED, others.published, blocking=True, never_far=True),
    "rclone": Peer("os", others.by_rclone, True, True),
    "sftp, gcm": Peer("os", partial(by_openssh, cipher="aes128-gcm@openssh.com"), True, True),
}
