"""A server that does to the bytes of HTTP what a test wants."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WATCHDOG = 30.0


@dataclass
class Peer:
    """The server's side of one connection."""

    sock: socket.socket
    number: int
    pending: bytes = b""

    def request(self) -> tuple[str, dict[str, str], bytes]:
        """Wait for a request: its first line, its headers, its body."""
        head = self.head()
        body = self.exactly(int(head[1].get("content-length", 0)))
        return *head, body

    def head(self) -> tuple[str, dict[str, str]]:
        while b"\r\n\r\n" not in self.pending:
            self.more()
        text, _, self.pending = self.pending.partition(b"\r\n\r\n")
        first, *lines = text.decode("ascii").split("\r\n")
        return first, dict(line.split(": ", 1) for line in lines)

    def exactly(self, size: int) -> bytes:
        while len(self.pending) < size:
            self.more()
        body, self.pending = self.pending[:size], self.pending[size:]
        return body

    def more(self) -> None:
        data = self.sock.recv(1 << 16)
        if not data:
            raise EOFError
        self.pending += data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def gone(self) -> bool:
        """Wait until the client closes the connection."""
        try:
            while self.sock.recv(1 << 16):
                pass
        except OSError:
            pass
        return True


Handler = Callable[[Peer], None]


@dataclass
class Server:
    port: int
    handler: Handler
    count: int = 0
    open: int = 0
    most: int = 0
    socks: list[socket.socket] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        with self.lock:
            self.count += 1
            self.socks.append(sock)
            number = self.count
            self.open += 1
            self.most = max(self.most, self.open)
        sock.settimeout(WATCHDOG)
        try:
            if tls is not None:
                sock = tls.wrap_socket(sock, server_side=True)
            self.handler(Peer(sock, number))
        except (EOFError, OSError):
            pass  # the client went away, or the handler closed the connection
        except BaseException as error:
            self.failures.append(error)
        finally:
            sock.close()
            with self.lock:
                self.open -= 1


@contextmanager
def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server for as long as the block lasts; each connection has a thread with the handler."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1], handler)
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threads.append(thread := threading.Thread(target=server.serve, args=(sock, tls)))
            thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(WATCHDOG)
        for sock in server.socks:  # those of a client that failed and closed nothing
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # closed already
        for thread in threads:
            thread.join(WATCHDOG)
        assert not any(thread.is_alive() for thread in threads)
        assert not server.failures, server.failures


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def always(reply: bytes) -> Handler:
    """Answer every request with the same bytes."""

    def handler(peer: Peer) -> None:
        while True:
            peer.request()
            peer.send(reply)

    return handler
