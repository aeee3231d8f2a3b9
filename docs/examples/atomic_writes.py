"""What readers see while a file is written, and after a write that went wrong."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator

from remote_store import AlreadyExists, AsyncStore, Store
from remote_store.backends import LocalBackend


def fails_half_way() -> Iterator[bytes]:
    yield b"the beginning, and then "
    raise RuntimeError("the source broke")


def blocking(store: Store) -> None:
    # write_atomic() demands that nobody ever sees a part of the file, even if this process is killed.
    # A storage that cannot promise that refuses, and never does something weaker instead.
    store.write_atomic("state.json", json.dumps({"offset": 1}).encode())
    store.write_atomic("state.json", json.dumps({"offset": 2}).encode(), overwrite=True)
    print("state:", store.read_text("state.json"))

    # When the source of the content fails, its error comes out, and the old file is still there.
    try:
        store.write_atomic("state.json", fails_half_way(), overwrite=True)
    except RuntimeError as error:
        print(f"{error}; state:", store.read_text("state.json"))

    # The same when the content is made step by step.
    try:
        with store.open_write("report.txt", atomic=True) as report:
            report.write(b"half a report")
            raise RuntimeError("changed my mind")
    except RuntimeError as error:
        print(f"{error}; report is there:", store.exists("report.txt"))

    # Whoever reads while a file is replaced reads the old one to its end.
    with store.read("state.json") as reader:
        store.write_atomic("state.json", b"new", overwrite=True)
        print("the reader got:", reader.read(), "and now there is:", store.read_bytes("state.json"))

    print("files:", sorted(str(info.path) for info in store.list_files()))


async def one_winner(store: AsyncStore) -> None:
    # Without overwrite, the storage itself decides who was first. That makes a lock file of one line.
    async def take_the_lock(name: str) -> str | None:
        try:
            await store.write_text("job.lock", name)
        except AlreadyExists:
            return None
        return name

    takers = await asyncio.gather(*(take_the_lock(f"task {number}") for number in range(20)))
    winners = [name for name in takers if name is not None]
    print(
        "winners:",
        len(winners),
        "and the file names the winner:",
        [await store.read_text("job.lock")] == winners,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        # With durable=True each write also waits until the disk has it, in case of a power cut.
        backend = LocalBackend(temporary, durable=True)
        with Store(backend) as opened:
            blocking(opened)
            asyncio.run(one_winner(AsyncStore(backend)))
