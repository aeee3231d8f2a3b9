"""Blocking libraries, each as a context manager that gives functions by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from benchmarks.s3_logins import (
    BUCKET,
    KEYS,
    LARGE,
    STEP,
    Calls,
    Server,
    Zeros,
    botocore_options,
    obstore_store,
    our_backend,
)  # fmt: skip


def calls_of(store: Any) -> Calls:
    """Return the calls of a blocking store: ours, or PyPI's remote-store, which has the same names."""

    def download(key: str) -> int:
        with store.read(key) as stream:  # going over it would give lines
            return sum(map(len, iter(lambda: stream.read(STEP), b"")))

    return {
        "get": store.read_bytes,
        "put": lambda key, content: store.write(key, content, overwrite=True),
        "head": store.get_file_info,
        "list": lambda _: len(list(store.list_files("many"))),
        "download": download,
    }


@contextmanager
def ours_blocking(server: Server, *, arrow: bool = False) -> Iterator[Calls]:
    from remote_store import Store

    def upload(key: str, size: int) -> None:
        store.write(key, (bytes(STEP) for _ in range(size // STEP)), overwrite=True)

    with Store(our_backend(server, {}, arrow=arrow)) as store:
        store.ping()  # loads what is loaded late
        yield {**calls_of(store), "upload": upload}


@contextmanager
def boto3(server: Server) -> Iterator[Calls]:
    from botocore.config import Config

    config = Config(max_pool_connections=64)
    client: Any = import_module("boto3").client("s3", config=config, **botocore_options(server))

    def listed(_: str) -> None:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="many/")
        assert sum(len(page["Contents"]) for page in pages) == KEYS

    def download(key: str) -> int:
        with open("/dev/null", "wb") as sink:
            client.download_fileobj(BUCKET, key, sink)
        return LARGE

    yield {
        "get": lambda key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read(),
        "put": lambda key, content: client.put_object(Bucket=BUCKET, Key=key, Body=content),
        "head": lambda key: client.head_object(Bucket=BUCKET, Key=key),
        "list": listed,
        "download": download,
        "upload": lambda key, size: client.upload_fileobj(Zeros(size), BUCKET, key),
    }
    client.close()


@contextmanager
def obstore_threads(server: Server) -> Iterator[Calls]:
    module, store = import_module("obstore"), obstore_store(server)
    yield {
        "get": lambda key: module.get(store, key).bytes(),
        "put": lambda key, content: module.put(store, key, content),
        "head": lambda key: module.head(store, key),
        "list": lambda _: sum(len(chunk) for chunk in module.list(store, "many/")),
        "download": lambda key: sum(
            len(chunk) for chunk in module.get(store, key).stream(min_chunk_size=STEP)
        ),
        "upload": lambda key, size: module.put(store, key, Zeros(size)),
    }


@contextmanager
def pyarrow(server: Server) -> Iterator[Calls]:
    module: Any = import_module("pyarrow.fs")
    scheme, _, host = server.url.partition("://")
    trust = {"tls_ca_file_path": server.ca_file} if server.ca_file else {}
    fs = module.S3FileSystem(
        access_key="k", secret_key="s", region="us-east-1", scheme=scheme, endpoint_override=host, **trust
    )

    def get(key: str) -> None:
        with fs.open_input_stream(f"{BUCKET}/{key}") as file:
            file.read()

    def put(key: str, content: bytes) -> None:
        with fs.open_output_stream(f"{BUCKET}/{key}") as file:
            file.write(content)

    def download(key: str) -> int:
        total = 0
        with fs.open_input_stream(f"{BUCKET}/{key}") as file:
            while chunk := file.read(STEP):
                total += len(chunk)
        return total

    def upload(key: str, size: int) -> None:
        with fs.open_output_stream(f"{BUCKET}/{key}") as file:
            for _ in range(size // STEP):
                file.write(bytes(STEP))

    yield {
        "get": get, "put": put, "head": lambda key: fs.get_file_info(f"{BUCKET}/{key}"),
        "list": lambda _: fs.get_file_info(module.FileSelector(f"{BUCKET}/many", recursive=True)),
        "download": download, "upload": upload,
    }  # fmt: skip


@contextmanager
def published(server: Server, *, arrow: bool = False) -> Iterator[Calls]:
    name = "S3PyArrowBackend" if arrow else "S3Backend"
    backend: Any = getattr(import_module("remote_store.backends"), name)(
        bucket=BUCKET, endpoint_url=server.url, key="k", secret="s", region_name="us-east-1",
        client_options={"client_kwargs": {"verify": server.ca_file or None}},
    )  # fmt: skip
    store: Any = import_module("remote_store").Store(backend)
    yield {
        **calls_of(store),
        "upload": lambda key, size: store.write(key, Zeros(size), overwrite=True),
    }
