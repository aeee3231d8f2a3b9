"""Servers of our own for what OpenSSH's does not do on demand, and a way between that can be cut."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh

from remote_store.backends import SFTPBackend

SECRET = "correct horse"


class InThread:
    """An event loop in a thread, for servers beside the code under test."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Run a coroutine function there, and wait for it."""

        async def main() -> Any:
            return await call(*args)

        return asyncio.run_coroutine_threadsafe(main(), self.loop).result(20)

    def close(self) -> None:
        """End the loop."""
        self.do(self._cancel_all)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(20)
        self.loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.wait(others) if others else None


class Login(asyncssh.SSHServer):
    """Takes one password, and counts what is tried."""

    def __init__(self, tried: list[str]) -> None:
        self._tried = tried

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._tried.append(password)
        return password == SECRET


class Server(InThread):
    """asyncssh's own server, which takes a password."""

    def __init__(self, key: Any, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
        super().__init__()
        self.tried: list[str] = []
        self.host, self._login = host, options.pop("login", Login)
        options.setdefault("sftp_factory", True)
        self._options = options
        self._acceptor = self.do(self._listen, key, port)
        self.port: int = self._acceptor.get_port()

    async def _listen(self, key: asyncssh.SSHKey, port: int) -> Any:
        return await asyncssh.listen(
            self.host,
            port,
            server_host_keys=[key],
            server_factory=lambda: self._login(self.tried),
            **self._options,
        )

    def close(self) -> None:
        """Stop it, its connections too."""
        self.do(self._stop)
        super().close()

    async def _stop(self) -> None:
        self._acceptor.close()
        await self._acceptor.wait_closed()

    def backend(self, folder: Path, **options: Any) -> SFTPBackend:
        """Return a backend on this server."""
        usual = {"username": "somebody", "password": SECRET, "base_path": str(folder), "port": self.port}
        return SFTPBackend(self.host, **{**usual, **options})


class Way(InThread):
    """A TCP proxy that can be cut, or fall silent."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = True
        self.connections = 0
        self._server = self.do(asyncio.start_server, self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                while not self._flows:
                    await asyncio.sleep(0.01)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    @property
    def open(self) -> int:
        """How many ends of connections are open."""
        return sum(not writer.is_closing() for writer in self._writers)

    def cut(self) -> None:
        """Break all connections."""
        self.do(self._cut)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def hold(self) -> None:
        """Let nothing through any more."""
        self._flows = False

    def flow(self) -> None:
        """Let everything through again."""
        self._flows = True

    def close(self) -> None:
        """Stop it."""
        self.flow()
        self.cut()
        self._server.close()
        super().close()


def silent_port() -> tuple[socket.socket, int]:
    """Return a port that takes connections and says nothing."""
    listening = socket.create_server(("127.0.0.1", 0))
    return listening, int(listening.getsockname()[1])


def known(server: Server, key: asyncssh.SSHKey, host: str | None = None) -> str:
    """Return a line of known_hosts for a server."""
    name = f"[{host or server.host}]:{server.port}"
    return f"{name} {key.export_public_key().decode()}"
