"""The libraries that speak to S3: what their calls have in common, and how each is told of the server."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple

SIZES: Final = {"1k": 1 << 10, "64k": 64 << 10, "big": 256 << 20, "64m": 64 << 20, "512m": 512 << 20}
"""Of objects whose names begin with that and a slash."""
PAGES: Final = 10
PAGE_KEYS: Final = 1000
BUCKET: Final = "benchmark"
KEYS: Final = PAGES * PAGE_KEYS
STEP: Final = 1 << 20
LARGE: Final = SIZES["big"]
Calls = dict[str, Callable[..., Any]]


class Server(NamedTuple):
    """Where the server is; with TLS, and whom to trust then."""

    url: str
    ca_file: str = ""


class Zeros(io.RawIOBase):
    """A file of a size, all zeros, that takes no room."""

    def __init__(self, size: int) -> None:
        self.left = self.size = size

    def readable(self) -> bool:
        return True

    def read(self, n: int = -1) -> bytes:
        count = self.left if n < 0 else min(n, self.left)
        self.left -= count
        return bytes(count)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size - self.left

    def seek(self, offset: int, whence: int = 0) -> int:
        self.left = self.size - (
            offset if whence == 0 else self.size + offset if whence == 2 else self.tell()
        )
        return self.tell()


def our_backend(server: Server, options: dict[str, Any], *, arrow: bool = False) -> Any:
    from remote_store.backends import S3Backend, S3PyArrowBackend

    client = {"verify": server.ca_file} if server.ca_file else {}
    login: dict[str, Any] = {"key": "k", "secret": "s", "region_name": "us-east-1"}
    kind = S3PyArrowBackend if arrow else S3Backend
    return kind(
        BUCKET, endpoint_url=server.url, client_options=client, conditional_writes=True, **login, **options
    )


def botocore_options(server: Server) -> dict[str, Any]:
    return {
        "endpoint_url": server.url,
        "aws_access_key_id": "k",
        "aws_secret_access_key": "s",
        "region_name": "us-east-1",
        "verify": server.ca_file or None,
    }


def obstore_store(server: Server) -> Any:
    client: dict[str, Any] = {"allow_http": True}
    if server.ca_file:
        client["allow_invalid_certificates"] = True  # it takes no authority of our own
    return import_module("obstore.store").S3Store(
        BUCKET, endpoint=server.url, access_key_id="k", secret_access_key="s", region="us-east-1",
        client_options=client,
    )  # fmt: skip
