"""What the tests of this folder share: a server in between that does what networks and servers do."""

from __future__ import annotations

import http.client
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.s3_buckets import Buckets
from tests.services import KEY, SECRET

from remote_store.backends import S3Backend

MIB = 1 << 20
WATCHDOG = 60.0


@dataclass
class Asked:
    """One request as it came; a hook may change it before it goes on."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def operation(self) -> str:
        """What is asked: the method, and the parts of the query that tell its kind."""
        query = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        kinds = [
            name for name in ("uploads", "uploadId", "partNumber", "list-type", "delete") if name in query
        ]
        copied = ["copy"] if any(name.lower() == "x-amz-copy-source" for name, _ in self.headers) else []
        return " ".join([self.method, *kinds, *copied])

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass
class Reply:
    """An answer, and how it is spoilt on its way."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    length: int | None = None
    cut: int | None = None
    """Close the connection after so many bytes of the body."""
    flip: int | None = None
    """Turn a bit of this byte of the body."""
    reset: bool = False
    """Reset the connection instead of closing it; without ``cut``, before any answer."""
    chunked: bool = False
    """Do not say how long the body is."""
    silent: bool = False
    """Say nothing more after ``cut`` bytes; without ``cut``, nothing at all."""


def error_reply(status: int, code: str, **headers: str) -> Reply:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as scripted</Message></Error>".encode()
    return Reply(status, body, [("Content-Type", "application/xml"), *headers.items()])


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, proxy: Proxy, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: clients that go away are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: Any) -> None:
        """Stay quiet."""

    def setup(self) -> None:
        super().setup()
        self.server.proxy.connected(self.connection)

    def finish(self) -> None:
        super().finish()
        self.server.proxy.disconnected(self.connection)

    def handle_any(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        body = self.read_chunks() if chunked else self.rfile.read(size)
        if len(body) < size:
            self.close_connection = True
            return
        self.send(self.server.proxy.answer(Asked(self.command, self.path, self.headers.items(), body)))

    def read_chunks(self) -> bytes:
        """Read a body whose length was not said before."""
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # a trailer
        return b"".join(chunks)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def send(self, reply: Reply) -> None:
        if reply.cut is not None or not (reply.reset or reply.silent):
            self.say(reply)
        if reply.silent:
            self.server.proxy.silenced += 1
            assert self.server.proxy.closing.wait(WATCHDOG)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        if reply.reset or reply.silent or reply.cut is not None:
            self.close_connection = True

    def say(self, reply: Reply) -> None:
        body = bytearray(reply.body)
        if reply.flip is not None:
            body[reply.flip] ^= 1
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            body = bytearray(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), bytes(body)))
        else:
            self.send_header("Content-Length", str(len(body) if reply.length is None else reply.length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if reply.cut is None else body[: reply.cut])
        self.wfile.flush()


Hook = Callable[[Asked, Callable[[], Reply]], Reply]
"""Answers a request; the second argument asks the real server."""


class Proxy:
    """A server in a thread, in front of a real one if it is given one."""

    def __init__(self, upstream: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.open: set[socket.socket] = set()
        self.closing = threading.Event()
        self.silenced = 0
        self.hook: Hook = lambda asked, ask: ask()
        self._upstream = urlsplit(upstream).netloc
        self._server = _Server(self, tls)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        for each in list(self.open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # gone already
        self._server.server_close()

    def connected(self, connection: socket.socket) -> None:
        self.connections += 1
        self.open.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        self.open.discard(connection)

    def operations(self) -> list[str]:
        return [asked.operation for asked in self.asked]

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.hook(asked, lambda: self._forward(asked))

    def _forward(self, asked: Asked) -> Reply:
        connection = http.client.HTTPConnection(self._upstream, timeout=WATCHDOG)
        try:
            connection.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
            for name, value in asked.headers:
                if name.lower() != "transfer-encoding":
                    connection.putheader(name, value)
            if asked.header("transfer-encoding"):
                connection.putheader("Content-Length", str(len(asked.body)))
            connection.endheaders(asked.body)
            answer = connection.getresponse()
            headers = [(n, v) for n, v in answer.getheaders() if n.lower() not in _HOP]
            length = int(answer.headers["Content-Length"] or 0) if asked.method == "HEAD" else None
            return Reply(answer.status, answer.read(), headers, length)
        finally:
            connection.close()


_HOP = ("content-length", "connection", "transfer-encoding")


def quick(bucket: str, url: str, client: dict[str, Any] | None = None, **options: Any) -> S3Backend:
    """Return a backend that asks once and does not wait long."""
    usual = {"retries": {"total_max_attempts": 1}, "connect_timeout": 20, "read_timeout": 30}
    login = {"key": KEY, "secret": SECRET, "region_name": "us-east-1"}
    known = {"conditional_writes": True}  # so that tests see their own requests only
    return S3Backend(
        bucket, endpoint_url=url, client_options={**usual, **(client or {})}, **(login | known | options)
    )


def nothing_unfinished(buckets: Buckets, bucket: str) -> None:
    """Fail if parts of uploads stay on the server."""
    end = time.monotonic() + 10
    while found := buckets.unfinished(bucket):
        assert time.monotonic() < end, f"never ended: {found}"
        time.sleep(0.05)
