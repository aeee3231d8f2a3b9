"""Libraries that copy folders.

Each takes a job, gets ready, and returns what is to be timed: from the connection to the last file.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmarks.transfer_places import BUCKET, MIB, Job

Ready = Callable[[], object]
RANGE: Final = 8 * MIB
"""Bytes of a part, where a peer reads large files in parts."""
GCM: Final = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"


def our_backend(job: Job) -> Any:
    from remote_store import backends

    if job.kind != "local":
        import_module(
            {"s3": "aiobotocore.session", "sftp": "asyncssh"}[job.kind]
        )  # others have theirs by now
    found = job.servers
    if job.kind == "s3":
        return backends.S3Backend(
            BUCKET, endpoint_url=found.s3_url, key=found.key, secret=found.secret, region_name="us-east-1"
        )
    if job.kind == "local":
        return backends.LocalBackend(job.remote)
    return backends.SFTPBackend(
        "127.0.0.1", port=found.ssh_port, username=found.ssh_user, pkey=found.ssh_key,
        known_host_keys=found.known_host_keys, base_path=job.remote,
    )  # fmt: skip


def our_path(job: Job) -> str:
    return job.remote if job.kind == "s3" else ""


def ours(job: Job, loop: str = "asyncio") -> Ready:
    from benchmarks.harness import run_on
    from remote_store import AsyncStore, aio

    backend = our_backend(job)

    async def main() -> None:
        async with AsyncStore(backend) as store:
            if job.up:
                await aio.upload(job.local, store, our_path(job))
            else:
                await aio.download(store, our_path(job), job.local)

    return lambda: run_on(loop, main)


def ours_blocking(job: Job) -> Ready:
    from remote_store import Store, download, upload

    backend = our_backend(job)

    def main() -> None:
        with Store(backend) as store:
            if job.up:
                upload(job.local, store, our_path(job))
            else:
                download(store, our_path(job), job.local)

    return main


def files_below(folder: str) -> list[tuple[str, str]]:
    """Return all files: where each is, and its path below the folder."""
    found = [os.path.join(top, name) for top, _, names in os.walk(folder) for name in names]
    return [(path, os.path.relpath(path, folder)) for path in found]


async def lanes(at_once: int, call: Callable[..., Awaitable[object]], arguments: Iterable[Any]) -> None:
    """Make many calls, so many at once."""
    waiting = iter(arguments)

    async def lane() -> None:
        for each in waiting:
            await call(*each)

    await asyncio.gather(*(lane() for _ in range(at_once)))


def obstore(job: Job, at_once: int) -> Ready:
    obs: Any = import_module("obstore")
    found = job.servers
    store: Any = import_module("obstore.store").S3Store(
        BUCKET, endpoint=found.s3_url, access_key_id=found.key, secret_access_key=found.secret,
        region="us-east-1", client_options={"allow_http": True},
    )  # fmt: skip

    async def put(path: str, name: str) -> None:
        await obs.put_async(store, f"{job.remote}/{name}", Path(path))

    async def get(key: str, size: int) -> None:
        path = Path(job.local, os.path.relpath(key, job.remote))
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            if size <= RANGE:
                file.write(await (await obs.get_async(store, key)).bytes_async())
                return

            async def part(start: int) -> None:
                length = min(RANGE, size - start)
                data = await obs.get_range_async(store, key, start=start, length=length)
                os.pwrite(file.fileno(), data, start)

            await lanes(at_once, part, ((start,) for start in range(0, size, RANGE)))

    async def main() -> None:
        if job.up:
            await lanes(at_once, put, files_below(job.local))
            return
        entries = [entry async for page in obs.list(store, f"{job.remote}/") for entry in page]
        await lanes(at_once, get, ((entry["path"], entry["size"]) for entry in entries))

    return lambda: asyncio.run(main())


def s3fs(job: Job) -> Ready:
    found = job.servers
    make: Any = import_module("s3fs").S3FileSystem

    def main() -> None:
        system = make(
            key=found.key, secret=found.secret, endpoint_url=found.s3_url, skip_instance_cache=True,
            client_kwargs={"region_name": "us-east-1"}, config_kwargs={"max_pool_connections": 64},
        )  # fmt: skip
        if job.up:
            system.put(f"{job.local}/", f"{BUCKET}/{job.remote}/", recursive=True)
        else:
            system.get(f"{BUCKET}/{job.remote}/", f"{job.local}/", recursive=True)

    return main


def asyncssh(job: Job, **options: Any) -> Ready:
    library: Any = import_module("asyncssh")
    found = job.servers

    async def main() -> None:
        async with (
            library.connect(
                "127.0.0.1", found.ssh_port, username=found.ssh_user, client_keys=[found.ssh_key],
                known_hosts=None, config=None, **options,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):  # fmt: skip
            if job.up:
                await sftp.mput(f"{job.local}/*", job.remote, recurse=True)
            else:
                await sftp.mget(f"{job.remote}/*", job.local, recurse=True)

    return lambda: asyncio.run(main())


def published(job: Job, at_once: int = 16) -> Ready:
    """PyPI's remote-store, which copies file by file: in threads, each with a store of its own for SFTP."""
    backends: Any = import_module("remote_store.backends")
    store_of: Any = import_module("remote_store").Store
    found = job.servers

    def make() -> Any:
        if job.kind == "s3":
            return store_of(backends.S3Backend(
                bucket=BUCKET, endpoint_url=found.s3_url, key=found.key, secret=found.secret,
                region_name="us-east-1",
            ))  # fmt: skip
        key = import_module("paramiko").Ed25519Key.from_private_key_file(found.ssh_key)
        return store_of(backends.SFTPBackend(
            "127.0.0.1", port=found.ssh_port, pkey=key, known_host_keys=found.known_host_keys,
            base_path=job.remote, username=found.ssh_user,
        ))  # fmt: skip

    def main() -> None:
        from benchmarks.sftp_other_peers import ForEachThread

        store: ForEachThread[Any] = ForEachThread(make)
        prefix = our_path(job)

        def put(file: tuple[str, str]) -> None:
            with open(file[0], "rb") as content:
                store().write(f"{prefix}/{file[1]}".lstrip("/"), content)

        def get(name: str) -> None:
            path = Path(job.local, os.path.relpath(name, prefix or "."))
            path.parent.mkdir(parents=True, exist_ok=True)
            with store().read(name) as stream, open(path, "wb") as file:
                file.writelines(iter(lambda: stream.read(MIB), b""))

        with ThreadPoolExecutor(at_once) as threads:
            if job.up:
                list(threads.map(put, files_below(job.local)))
            else:
                names = [str(info.path) for info in store().list_files(prefix, recursive=True)]
                list(threads.map(get, names))
        for each in store.made:
            each.close()

    return main
