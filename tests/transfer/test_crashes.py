"""Transfers whose process is killed, over and over: all arrives, and little of it is sent twice."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket
from urllib.parse import urlsplit

import pytest
from tests.s3_buckets import Buckets
from tests.services import S3Server
from tests.transfer.processes import Process, told

from remote_store import Store, read_many
from remote_store.backends import S3Backend

MIB = 1 << 20
PART = 5 * MIB
KILLS = int(os.environ.get("REMOTE_STORE_CRASHES", "8"))
SEED = int(os.environ.get("REMOTE_STORE_CRASH_SEED", "1"))
FILES_AT_ONCE = int(os.environ.get("REMOTE_STORE_CRASH_FILES", "4"))
"""Each of them has one part under way, so that is what a kill may cost."""
LARGE = [11 * MIB, 17 * MIB + 5, 23 * MIB] * (1 + KILLS // 10)


class Bodies:
    """Counts the bytes of the bodies in a stream of HTTP requests."""

    def __init__(self) -> None:
        self._head, self._left = b"", 0

    def feed(self, data: bytes) -> int:
        """Take what was sent next; return how much of it belongs to bodies."""
        counted = 0
        while data:
            if self._left:
                taken = min(self._left, len(data))
                counted, self._left, data = counted + taken, self._left - taken, data[taken:]
                continue
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                break
            self._head = b""
            found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            assert b"chunked" not in head.lower()
            self._left = int(found[1]) if found else 0
        return counted


class Counting:
    """Passes bytes on between a client and a server, counts content that the client sends, and kills it.

    What makes the number full is passed on only when the client is dead, so that it cannot end before.
    """

    _victim: Process | None

    def __init__(self, port: int) -> None:
        self.sent = 0
        self._at, self._victim, self._pause = 0, None, 0.0
        self._port = port
        self._lock = threading.Lock()
        self._listening = create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = create_connection(("127.0.0.1", self._port))
            threading.Thread(target=self._pass, args=(near, far, Bodies()), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, None), daemon=True).start()

    def _pass(self, source: socket, target: socket, bodies: Bodies | None) -> None:
        try:
            while data := source.recv(1 << 16):
                if bodies is not None:
                    count = bodies.feed(data)
                    self._count(count)
                target.sendall(data)
        except OSError:
            pass  # killed
        finally:
            for each in (source, target):
                try:
                    each.shutdown(SHUT_RDWR)
                except OSError:
                    pass
            source.close()

    def _count(self, count: int) -> None:
        with self._lock:
            self.sent += count
            if self._victim is None or self.sent < self._at:
                return
            victim, self._victim = self._victim, None
        time.sleep(self._pause)
        victim.kill()

    def kill(self, victim: Process, at: int, pause: float) -> None:
        """Kill a process once so much has been sent by all there were, and a moment has passed."""
        with self._lock:
            self._at, self._victim, self._pause = at, victim, pause
        victim.was_killed()

    def close(self) -> None:
        self._listening.shutdown(SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@contextmanager
def counting(server: S3Server) -> Iterator[Counting]:
    port = urlsplit(server.endpoint_url).port
    assert port
    proxy = Counting(port)
    try:
        yield proxy
    finally:
        proxy.close()


def mixed(folder: Path, files: int, large: list[int]) -> dict[str, bytes]:
    """Make files of many sizes; return them."""
    dice = random.Random(SEED)
    made = {}
    for number in range(files):
        made[f"{number % 9}/{number % 4}/{number:03} ü"] = dice.randbytes(int(4 ** dice.uniform(0, 8.6)))
    for number, size in enumerate(large):
        made[f"{number}/large"] = dice.randbytes(size)
    for name, data in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return made


@pytest.mark.spec("XFER-029", "XFER-030", "XFER-031")
@pytest.mark.timeout(KILLS * 30)
def test_the_crash_loop(tmp_path: Path, seaweedfs: S3Server, buckets: Buckets) -> None:
    made = mixed(tmp_path / "from", 500, LARGE)
    total = sum(map(len, made.values()))
    dice = random.Random(SEED)
    moments = sorted(dice.randrange(total * 97 // 100) for _ in range(KILLS))
    bucket = buckets.new()
    log = tmp_path / "log"
    with counting(seaweedfs) as proxy:
        target = {
            **seaweedfs.options, "bucket": bucket, "part_size": PART, "concurrency": 1,
            "endpoint_url": proxy.url, "conditional_writes": True,
        }  # fmt: skip
        arguments = {
            "source": ["local", {"root": str(tmp_path / "from")}], "target": ["s3", target],
            "options": {"concurrency": FILES_AT_ONCE}, "journal": str(tmp_path / "journal"), "log": str(log),
        }  # fmt: skip
        for moment in moments:
            proxy.kill(Process(arguments), moment, dice.uniform(0, 0.02))
        report = Process(arguments).report()
        again = proxy.sent
        assert Process(arguments).report()["skipped"] == len(made)
    print(f"{KILLS} kills, {total} bytes, {proxy.sent - total} sent again, told {told(log) - total} again")
    assert report["failed"] == 0
    assert report["done"] + report["skipped"] == len(made)
    with Store(S3Backend(bucket, **seaweedfs.options)) as store:
        there = dict(read_many(store, store.list_files("copy", recursive=True)))
    assert {path.removeprefix("copy/"): data for path, data in there.items()} == made
    assert buckets.unfinished(bucket) == []
    assert len(buckets.keys(bucket)) == len(made)
    assert proxy.sent == again
    assert proxy.sent - total <= total // 20 + KILLS * PART * FILES_AT_ONCE
    assert told(log) <= total  # what has arrived is never sent again
    buckets.drop(bucket)
