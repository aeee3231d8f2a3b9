"""Async libraries, each as a context manager that gives coroutine functions by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from benchmarks.s3_logins import (
    BUCKET,
    KEYS,
    STEP,
    Calls,
    Server,
    Zeros,
    botocore_options,
    obstore_store,
    our_backend,
)  # fmt: skip


@asynccontextmanager
async def ours(server: Server, *, arrow: bool = False, **options: Any) -> AsyncIterator[Calls]:
    from remote_store import AsyncStore

    async def listed(_: str) -> None:
        assert len([info async for info in store.list_files("many")]) == KEYS

    async def download(key: str) -> int:
        async with await store.read(key) as stream:
            return sum([len(chunk) async for chunk in stream])

    async def upload(key: str, size: int) -> None:
        await store.write(key, (bytes(STEP) for _ in range(size // STEP)), overwrite=True)

    async with AsyncStore(our_backend(server, options, arrow=arrow)) as store:
        await store.ping()  # loads what is loaded late
        yield {
            "get": store.read_bytes,
            "put": lambda key, content: store.write(key, content, overwrite=True),
            "head": store.get_file_info,
            "list": listed,
            "download": download,
            "upload": upload,
        }


@asynccontextmanager
async def aiobotocore(server: Server) -> AsyncIterator[Calls]:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

    async def get(key: str) -> None:
        async with (await client.get_object(Bucket=BUCKET, Key=key))["Body"] as body:
            await body.read()

    async def listed(_: str) -> None:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="many/")
        assert sum([len(page["Contents"]) async for page in pages]) == KEYS

    async def download(key: str) -> int:
        total = 0
        async with (await client.get_object(Bucket=BUCKET, Key=key))["Body"] as body:
            while chunk := await body.read(STEP):
                total += len(chunk)
        return total

    client: Any
    config = AioConfig(max_pool_connections=64)
    async with AioSession().create_client("s3", config=config, **botocore_options(server)) as client:
        yield {
            "get": get,
            "put": lambda key, content: client.put_object(Bucket=BUCKET, Key=key, Body=content),
            "head": lambda key: client.head_object(Bucket=BUCKET, Key=key),
            "list": listed,
            "download": download,
        }


@asynccontextmanager
async def s3fs(server: Server) -> AsyncIterator[Calls]:
    fs: Any = import_module("s3fs").S3FileSystem(
        key="k", secret="s", asynchronous=True, endpoint_url=server.url, skip_instance_cache=True,
        use_listings_cache=False,
        client_kwargs={"region_name": "us-east-1", "verify": server.ca_file or None},
        config_kwargs={"max_pool_connections": 64},
    )  # fmt: skip
    session = await fs.set_session()

    async def listed(_: str) -> None:
        assert len(await fs._find(f"{BUCKET}/many")) == KEYS

    yield {
        "get": lambda key: fs._cat_file(f"{BUCKET}/{key}"),
        "put": lambda key, content: fs._pipe_file(f"{BUCKET}/{key}", content),
        "head": lambda key: fs._info(f"{BUCKET}/{key}", refresh=True),
        "list": listed,
        "upload": lambda key, size: fs._pipe_file(f"{BUCKET}/{key}", bytes(size)),
    }
    await session.close()


@asynccontextmanager
async def obstore(server: Server) -> AsyncIterator[Calls]:
    module, store = import_module("obstore"), obstore_store(server)

    async def get(key: str) -> None:
        await (await module.get_async(store, key)).bytes_async()

    async def listed(_: str) -> None:
        assert sum([len(chunk) async for chunk in module.list(store, "many/")]) == KEYS

    async def download(key: str) -> int:
        stream = (await module.get_async(store, key)).stream(min_chunk_size=STEP)
        return sum([len(chunk) async for chunk in stream])

    yield {
        "get": get,
        "put": lambda key, content: module.put_async(store, key, content),
        "head": lambda key: module.head_async(store, key),
        "list": listed,
        "download": download,
        "upload": lambda key, size: module.put_async(store, key, Zeros(size)),
    }


@asynccontextmanager
async def opendal(server: Server) -> AsyncIterator[Calls]:
    from opendal import AsyncOperator

    store: Any = AsyncOperator(
        "s3", bucket=BUCKET, endpoint=server.url, access_key_id="k", secret_access_key="s", region="us-east-1"
    )

    async def listed(_: str) -> None:
        assert len([entry async for entry in await store.list("many/")]) >= KEYS

    async def download(key: str) -> int:
        total = 0
        async with await store.open(key, "rb") as file:
            while chunk := await file.read(STEP):
                total += len(chunk)
        return total

    async def upload(key: str, size: int) -> None:
        async with await store.open(key, "wb", chunk=8 * STEP) as file:
            for _ in range(size // STEP):
                await file.write(bytes(STEP))

    yield {
        "get": store.read, "put": store.write, "head": store.stat, "list": listed,
        "download": download, "upload": upload,
    }  # fmt: skip
