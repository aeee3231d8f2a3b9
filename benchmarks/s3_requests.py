"""What does a request to S3 cost the client, in processor time?

Against a SeaweedFS on the same machine, whose own time is not counted. Beyond this machine
the wire takes milliseconds for everybody, and the client's processor time decides how many
requests one process can make.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import OURS, Case, Target, Work, quiet

TITLE = "Requests to S3, processor time of the client"
BUCKET: Final = "benchmark"
KEYS: Final = 1000
CONTENT: Final = bytes(1024)
BY_CLIENT: Final = f"{OURS}, hot_path=False"
Calls = dict[str, Callable[[str], Awaitable[object]]]


def prepare(work: Work) -> None:
    from botocore.session import Session
    from tests.services import seaweedfs

    stack = ExitStack()
    atexit.register(stack.close)
    server = stack.enter_context(seaweedfs(work.folder / "server"))
    (work.folder / "server.json").write_text(json.dumps(server.options))
    client: Any = Session().create_client("s3", **in_botocores_words(server.options))
    client.create_bucket(Bucket=BUCKET)
    for number in range(KEYS):
        client.put_object(Bucket=BUCKET, Key=f"many/{number:04}", Body=CONTENT)
    client.close()


def in_botocores_words(options: dict[str, Any]) -> dict[str, Any]:
    names = {"key": "aws_access_key_id", "secret": "aws_secret_access_key"}
    return {names.get(name, name): value for name, value in options.items()}


# -- each peer's calls: get, put and head of a key, and a listing -----------------------


@asynccontextmanager
async def ours(options: dict[str, Any], *, hot_path: bool) -> AsyncIterator[Calls]:
    from remote_store import AsyncStore
    from remote_store.backends import S3Backend

    async def listed(_: str) -> None:
        assert len([info async for info in store.list_files("many")]) == KEYS

    async with AsyncStore(S3Backend(BUCKET, **options, hot_path=hot_path)) as store:
        yield {
            "get": store.read_bytes,
            "put": lambda key: store.write(key, CONTENT, overwrite=True),
            "head": store.get_file_info,
            "list": listed,
        }


@asynccontextmanager
async def aiobotocore(options: dict[str, Any]) -> AsyncIterator[Calls]:
    from aiobotocore.session import AioSession

    async def get(key: str) -> None:
        async with (await client.get_object(Bucket=BUCKET, Key=key))["Body"] as body:
            await body.read()

    async def listed(_: str) -> None:
        page = await client.list_objects_v2(Bucket=BUCKET, Prefix="many/")
        assert len(page["Contents"]) == KEYS

    client: Any
    async with AioSession().create_client("s3", **in_botocores_words(options)) as client:
        yield {
            "get": get,
            "put": lambda key: client.put_object(Bucket=BUCKET, Key=key, Body=CONTENT),
            "head": lambda key: client.head_object(Bucket=BUCKET, Key=key),
            "list": listed,
        }


@asynccontextmanager
async def obstore(options: dict[str, Any]) -> AsyncIterator[Calls]:
    import obstore as module
    from obstore.store import S3Store

    store = S3Store(
        BUCKET,
        endpoint=options["endpoint_url"],
        access_key_id=options["key"],
        secret_access_key=options["secret"],
        region=options["region_name"],
        client_options={"allow_http": True},
    )

    async def get(key: str) -> None:
        await (await module.get_async(store, key)).bytes_async()

    async def listed(_: str) -> None:
        assert sum([len(chunk) async for chunk in module.list(store, "many/")]) == KEYS

    yield {
        "get": get,
        "put": lambda key: module.put_async(store, key, CONTENT),
        "head": lambda key: module.head_async(store, key),
        "list": listed,
    }


@asynccontextmanager
async def opendal(options: dict[str, Any]) -> AsyncIterator[Calls]:
    from opendal import AsyncOperator

    store = AsyncOperator(
        "s3",
        bucket=BUCKET,
        endpoint=options["endpoint_url"],
        access_key_id=options["key"],
        secret_access_key=options["secret"],
        region=options["region_name"],
    )

    async def listed(_: str) -> None:
        assert len([entry async for entry in await store.list("many/")]) >= KEYS

    yield {
        "get": store.read,
        "put": lambda key: store.write(key, CONTENT),
        "head": store.stat,
        "list": listed,
    }


PEERS: Final[dict[str, tuple[str, Callable[..., Any]]]] = {
    OURS: (OURS, partial(ours, hot_path=True)),
    BY_CLIENT: (OURS, partial(ours, hot_path=False)),
    "aiobotocore": ("aiobotocore", aiobotocore),
    "obstore": ("obstore", obstore),
    "OpenDAL": ("OpenDAL", opendal),
}
JOBS: Final = {
    "GET 1 KiB, one at a time": ("get", 1, 600),
    "GET 1 KiB, 10 at once": ("get", 10, 1000),
    "PUT 1 KiB, 10 at once": ("put", 10, 600),
    "HEAD, 10 at once": ("head", 10, 1000),
    "list 1,000 keys": ("list", 1, 20),
}


def measure(opened: Callable[..., Any], verb: str, at_once: int, count: int, work: Work) -> float:
    options = json.loads(Path(work.folder / "server.json").read_text())
    count = max(at_once, count // work.pick(1, 10))

    async def main() -> float:
        async with AsyncExitStack() as stack:
            call = (await stack.enter_async_context(opened(options)))[verb]
            keys = [f"{'new' if verb == 'put' else 'many'}/{number % KEYS:04}" for number in range(count)]

            async def lane(part: list[str]) -> None:
                for key in part:
                    await call(key)

            await asyncio.gather(*(lane(keys[n : n + 1]) for n in range(at_once)))
            with quiet():
                start = time.process_time()
                await asyncio.gather(*(lane(keys[n::at_once]) for n in range(at_once)))
                return (time.process_time() - start) / count

    return asyncio.run(main())


CASES = [
    Case(group, label, partial(measure, opened, verb, at_once, count), peer, "ms" if verb == "list" else "us")
    for group, (verb, at_once, count) in JOBS.items()
    for label, (peer, opened) in PEERS.items()
]
TARGETS = [
    *(Target(group, "a fifth of aiobotocore", 1 / 5, "aiobotocore") for group in JOBS if "list" not in group),
    *(Target(group, "level with obstore", 1, "obstore") for group in JOBS),
    Target("list 1,000 keys", "a twentieth of aiobotocore", 1 / 20, "aiobotocore"),
]
