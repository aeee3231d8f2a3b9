"""More libraries and programs for SFTP: file systems for fsspec, PyPI's remote-store, rclone."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from benchmarks.sftp_place import Calls, Place

T = TypeVar("T")
STEP = 1 << 20


class ForEachThread(Generic[T]):
    """One object for each thread: clients on paramiko hang when they are shared."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._local = make, threading.local()
        self.made: list[T] = []

    def __call__(self) -> T:
        if not hasattr(self._local, "value"):
            self._local.value = self._make()
            self.made.append(self._local.value)
        value: T = self._local.value
        return value


@contextmanager
def by_fsspec(place: Place) -> Iterator[Calls]:
    """The file system that comes with fsspec, on paramiko."""
    from fsspec.implementations.sftp import SFTPFileSystem

    def make() -> Any:
        return SFTPFileSystem(
            "127.0.0.1", port=place.port, key_filename=place.key, allow_agent=False,
            look_for_keys=False, skip_instance_cache=True,
        )  # fmt: skip

    system = ForEachThread(make)

    def put(name: str, data: bytes) -> None:
        system().pipe_file(f"{place.data}/{name}", data)

    def get(name: str) -> bytes:
        content: bytes = system().cat_file(f"{place.data}/{name}")
        return content

    def atomic(name: str, data: bytes) -> None:
        put(f"{name}.temporary", data)
        system().mv(f"{place.data}/{name}.temporary", f"{place.data}/{name}")

    def down(name: str) -> int:
        with system().open(f"{place.data}/{name}", "rb") as file:
            return sum(map(len, iter(lambda: file.read(STEP), b"")))

    yield {
        "put": put,
        "get": get,
        "atomic": atomic,
        "stat": lambda name: system().info(f"{place.data}/{name}"),
        "list": lambda folder: len(system().ls(f"{place.data}/{folder}", detail=True)),
        "walk": lambda folder: len(system().find(f"{place.data}/{folder}")),
        "up": lambda name, source: system().put_file(source, f"{place.data}/{name}"),
        "down": down,
    }
    for each in system.made:
        each.client.close()


@contextmanager
def by_sshfs(place: Place) -> Iterator[Calls]:
    """The file system for fsspec on asyncssh; its loop runs in a thread, and is shared by all."""
    from sshfs import SSHFileSystem

    login: dict[str, Any] = {"client_keys": [place.key], "known_hosts": None}
    system = SSHFileSystem("127.0.0.1", port=place.port, skip_instance_cache=True, **login)

    def at(name: str) -> str:
        return f"{place.data}/{name}"

    def atomic(name: str, data: bytes) -> None:
        system.pipe_file(at(f"{name}.temporary"), data)
        system.mv(at(f"{name}.temporary"), at(name))

    def down(name: str) -> int:
        system.get_file(at(name), "/dev/null")
        return int(system.info(at(name))["size"])

    yield {
        "put": lambda name, data: system.pipe_file(at(name), data),
        "get": lambda name: system.cat_file(at(name)),
        "atomic": atomic,
        "stat": lambda name: system.info(at(name)),
        "list": lambda folder: len(system.ls(at(folder), detail=True)),
        "walk": lambda folder: len(system.find(at(folder))),
        "up": lambda name, source: system.put_file(source, at(name)),
        "down": down,
    }


@contextmanager
def published(place: Place) -> Iterator[Calls]:
    """PyPI's remote-store, on paramiko."""
    import paramiko

    from remote_store import Store
    from remote_store.backends import SFTPBackend

    known = f"[127.0.0.1]:{place.port} {(place.folder / 'host.pub').read_text()}"

    def make() -> Any:
        key = paramiko.Ed25519Key.from_private_key_file(place.key)
        options: dict[str, Any] = {"known_host_keys": known, "base_path": place.data, "username": "root"}
        return Store(SFTPBackend("127.0.0.1", port=place.port, pkey=key, **options))

    store: ForEachThread[Any] = ForEachThread(make)

    def down(name: str) -> int:
        with store().read(name) as stream:
            return sum(map(len, iter(lambda: stream.read(STEP), b"")))

    def up(name: str, source: str) -> None:
        with open(source, "rb") as file:
            store().write(name, file, overwrite=True)

    yield {
        "put": lambda name, data: store().write(name, data),
        "get": lambda name: store().read_bytes(name),
        "atomic": lambda name, data: store().write_atomic(name, data, overwrite=True),
        "stat": lambda name: store().get_file_info(name),
        "list": lambda folder: sum(1 for _ in store().list_files(folder)),
        "walk": lambda folder: sum(1 for _ in store().list_files(folder, recursive=True)),
        "up": up,
        "down": down,
    }
    for each in store.made:
        each.close()


@contextmanager
def by_rclone(place: Place) -> Iterator[Calls]:
    """The program, with the time it takes to start and to connect; whole files only."""
    remote = f":sftp,host=127.0.0.1,port={place.port},key_file={place.key},user=root:"

    def copied(source: str, target: str) -> None:
        subprocess.run(["rclone", "--config", "/dev/null", "--quiet", "copyto", source, target], check=True)

    def down(name: str) -> int:
        there = f"{place.data}/{os.getpid()}"  # it takes no /dev/null
        copied(f"{remote}{place.data}/{name}", there)
        size = os.stat(there).st_size
        os.unlink(there)
        return size

    def up(name: str, source: str) -> None:
        copied(source, f"{remote}{place.data}/{name}")

    yield {"down": down, "up": up, "stat": lambda _: None}
