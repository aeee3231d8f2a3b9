"""An S3 server that keeps nothing: it answers at once, so that what is measured is the client.

``python -m benchmarks.s3_server FOLDER`` prints the ports it listens on as JSON. Names tell
what an object is: ``64k/anything`` has 64 KiB. What is put is thrown away, and listings are
ten pages of the same thousand lines, each with its own keys. No signature is looked at. Only
what is in ``FOLDER/files`` is there as it is, below ``files/``. How many requests came, but for this
one, is told at ``/requests``.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import httptools

from benchmarks.s3_logins import PAGE_KEYS, PAGES, SIZES

LATE_SECONDS: Final = 0.010
_CONTENT: Final = bytes(1 << 20)
_TIME: Final = "Tue, 24 Nov 2026 08:00:00 GMT"
_RANGE: Final = re.compile(rb"bytes=(\d+)-(\d*)")
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE: Final = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def page(number: int) -> bytes:
    """Return one page of a listing, as Amazon writes them."""
    lines = "".join(
        f"<Contents><Key>many/{number:02}{line:04}</Key><LastModified>2026-11-24T08:00:00.000Z</LastModified>"
        f"<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>1024</Size>"
        f"<StorageClass>STANDARD</StorageClass></Contents>"
        for line in range(PAGE_KEYS)
    )
    last = number == PAGES - 1
    more = "" if last else f"<NextContinuationToken>{number + 1}</NextContinuationToken>"
    return (
        f"{_XML}<ListBucketResult {_NAMESPACE}><Name>benchmark</Name><Prefix>many/</Prefix>{more}"
        f"<KeyCount>{PAGE_KEYS}</KeyCount><MaxKeys>{PAGE_KEYS}</MaxKeys>"
        f"<IsTruncated>{'false' if last else 'true'}</IsTruncated>{lines}</ListBucketResult>"
    ).encode()


class Connection(asyncio.Protocol):
    """One connection: requests one after another, bodies dropped."""

    requests = 0
    """Of all connections."""

    def __init__(self, late: float, pages: list[bytes], folder: Path) -> None:
        self.late, self.pages, self.folder = late, pages, folder
        self.parser = httptools.HttpRequestParser(self)
        self.target, self.headers = b"", dict[bytes, bytes]()
        self.ready = asyncio.Event()
        self.ready.set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.ready.set()  # who streams sees that nobody listens

    def pause_writing(self) -> None:
        self.ready.clear()

    def resume_writing(self) -> None:
        self.ready.set()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.target, self.headers = b"", {}

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if b"expect" in self.headers:
            self.soon(self.transport.write, b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_message_complete(self) -> None:
        part = _RANGE.match(self.headers.get(b"range", b""))
        self.soon(self.answer, self.parser.get_method().decode(), self.target.decode(), part)

    def soon(self, call: Any, *args: Any) -> None:
        if self.late:
            asyncio.get_running_loop().call_later(self.late, call, *args)
        else:
            call(*args)

    def answer(self, method: str, target: str, part: re.Match[bytes] | None) -> None:
        parts = urlsplit(target)
        if parts.path == "/requests":
            self.say("200 OK", str(Connection.requests).encode())
            return
        Connection.requests += 1
        query = parse_qs(parts.query, keep_blank_values=True)
        key = unquote(parts.path).partition("/")[2].partition("/")[2]
        if method == "POST":
            self.say("200 OK", self.upload(query).encode(), "Content-Type: application/xml\r\n")
        elif not key:
            token = query.get("continuation-token", ["0"])[0]
            self.say("200 OK", self.pages[int(token)], "Content-Type: application/xml\r\n")
        elif method == "PUT":
            self.say("200 OK", b"")
        elif method == "DELETE":
            self.say("204 No Content", b"")
        elif key.startswith("files/"):
            self.give_file(method, key, part)
        else:
            self.give(method, SIZES.get(key.partition("/")[0], 1024), part)

    def give_file(self, method: str, key: str, part: re.Match[bytes] | None) -> None:
        """Answer GET and HEAD of what is in the folder."""
        try:
            content = memoryview(_content(self.folder / key))
        except OSError:
            self.say("404 Not Found", b"")
            return
        start, end, status, more = _part(len(content), part)
        self.say(status, b"" if method == "HEAD" else content[start:end], more, end - start)

    @staticmethod
    def upload(query: dict[str, list[str]]) -> str:
        if "uploads" in query:
            answer, rest = "InitiateMultipartUploadResult", "<UploadId>1</UploadId>"
        else:
            answer, rest = "CompleteMultipartUploadResult", "<ETag>&quot;1-1&quot;</ETag>"
        return f"{_XML}<{answer} {_NAMESPACE}><Bucket>benchmark</Bucket><Key>k</Key>{rest}</{answer}>"

    def give(self, method: str, size: int, part: re.Match[bytes] | None) -> None:
        """Answer GET and HEAD."""
        start, end, status, more = _part(size, part)
        length = end - start
        if method == "HEAD" or length <= len(_CONTENT):
            self.say(status, b"" if method == "HEAD" else _CONTENT[:length], more, length)
        else:
            self.say(status, b"", more, length)
            self.task = asyncio.get_running_loop().create_task(self.stream(length))

    async def stream(self, left: int) -> None:
        while left:
            await self.ready.wait()
            if self.transport.is_closing():
                return
            self.transport.write(_CONTENT[: min(left, 1 << 18)])
            left -= min(left, 1 << 18)

    def say(self, status: str, body: bytes | memoryview, more: str = "", length: int | None = None) -> None:
        size = len(body) if length is None else length
        head = (
            f"HTTP/1.1 {status}\r\nServer: AmazonS3\r\nDate: {_TIME}\r\nx-amz-request-id: 0\r\n"
            f'ETag: "0123456789abcdef0123456789abcdef"\r\n{more}Content-Length: {size}\r\n\r\n'
        )
        self.transport.writelines((head.encode(), body))


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


def _part(size: int, part: re.Match[bytes] | None) -> tuple[int, int, str, str]:
    """Return where a part begins and ends, the status, and the headers that tell of it."""
    start, end, status, more = 0, size, "200 OK", "Accept-Ranges: bytes\r\n"
    if part is not None:
        start, end = int(part[1]), min(int(part[2]) + 1, size) if part[2] else size
        status = "206 Partial Content"
        more += f"Content-Range: bytes {start}-{end - 1}/{size}\r\n"
    return start, end, status, f"{more}Last-Modified: {_TIME}\r\nContent-Type: application/octet-stream\r\n"


async def serve(folder: Path) -> None:
    import trustme

    loop, pages = asyncio.get_running_loop(), [page(number) for number in range(PAGES)]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ports: dict[str, int] = {}
    for name, late, tls in (("plain", 0.0, None), ("late", LATE_SECONDS, None), ("tls", 0.0, context)):
        server = await loop.create_server(partial(Connection, late, pages, folder), "127.0.0.1", 0, ssl=tls)
        ports[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until who started us is gone


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(Path(sys.argv[1])))
    else:
        uvloop.run(serve(Path(sys.argv[1])))
