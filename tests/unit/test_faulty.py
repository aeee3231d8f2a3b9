"""``FaultyBackend``: nothing without a script, and then what the script says, where it says it."""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
import time
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio
import pytest
import trio
from tests.unit.support import run_in, worlds

from remote_store import (
    AsyncStore,
    Backend,
    BackendUnavailable,
    InvalidPath,
    PermissionDenied,
    RemoteStoreError,
    Store,
    WriteOptions,
    WriteResult,
)
from remote_store.backend import Pages, Part, PartWriter, Reader, Writer
from remote_store.backends import MemoryBackend
from remote_store.testing import Fault, FaultyBackend
from remote_store.testing._script import OPERATIONS, Kind, Record

DATA = bytes(range(256)) * 40  # 10 KiB
T = TypeVar("T")


class Parted(MemoryBackend):
    """Takes a file in parts, too, as long as nobody dies."""

    async def open_parts(
        self,
        path: str,
        *,
        size: int,
        overwrite: bool = False,
        options: WriteOptions | None = None,
        token: str | None = None,
    ) -> PartWriter:
        return Parts(self, path)


class Parts(PartWriter):
    token, part_size = "token", 10

    def __init__(self, backend: Backend, path: str) -> None:
        self._backend, self._path = backend, path
        self._data = b""

    async def confirmed(self, parts: Sequence[Part]) -> list[Part]:
        return list(parts)

    async def write(self, number: int, data: Any, crc32: int) -> Part:
        self._data += bytes(data)
        return Part(number, len(data), crc32)

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        return await self._backend.write_bytes(self._path, memoryview(self._data))

    async def abort(self) -> None:
        self._data = b""


async def filled(*faults: Fault, seed: int = 0) -> FaultyBackend:
    """Return a backend with a few files, whose calls count from now on."""
    inner = Parted()
    for path in ("a", "b", "d/c", "d/e/f"):
        await inner.write_bytes(path, memoryview(DATA))
    return FaultyBackend(inner, faults, seed=seed)


async def everything(backend: Backend) -> list[Any]:
    """Call every operation once or more, and return what they say."""
    answers: list[Any] = []

    async def ask(call: Awaitable[Any]) -> Any:
        try:
            answer = await call
        except RemoteStoreError as error:
            answer = repr(error)
        plain = isinstance(answer, (bytes, bool, int, str, type(None)))
        answers.append(
            answer if plain else isinstance(answer, (Reader, Writer, PartWriter)) or str(type(answer))
        )
        return answer

    for path in ("a", "d", "d/e/f", "missing"):
        for call in (backend.is_file, backend.is_folder, backend.exists):
            await ask(call(path))
        await ask(backend.get_file_info(path))
        await ask(backend.get_folder_info(path))
        await ask(backend.read_bytes(path, start=3, length=2000))
        reader = await ask(backend.open_read(path, start=1))
        if isinstance(reader, Reader):
            for size in (100, 10_000, 5):
                await ask(reader.read(size))
            await ask(reader.seek(10))
            buffer = bytearray(50)
            await ask(reader.readinto(memoryview(buffer)))
            answers.append(bytes(buffer))
            await ask(reader.aclose())
        pages = backend.list_pages(path, recursive=True)
        for _ in range(2):
            try:
                answers.append([str(entry.path) for entry in await pages.__anext__()])
            except (StopAsyncIteration, RemoteStoreError) as error:
                answers.append(repr(error))
        await ask(pages.aclose())
    for path in ("new/1", "new/2", "a"):
        writer = await ask(backend.open_write(path, overwrite=path != "a"))
        if isinstance(writer, Writer):
            for chunk in (b"one", b"two" * 100):
                await ask(writer.write(chunk))
            await ask(writer.commit() if path == "new/1" else writer.abort())
    parts = await ask(backend.open_parts("new/parts", size=5))
    if isinstance(parts, PartWriter):
        await ask(parts.confirmed([]))
        part = await ask(parts.write(1, b"one", 0))
        await ask(parts.commit([part]))
        await ask(parts.abort())
        await ask(parts.aclose())
    await ask(backend.forget_parts("new/parts", datetime.now(UTC)))
    await ask(backend.write_bytes("new/3", memoryview(DATA)))
    await ask(backend.copy("a", "new/4"))
    await ask(backend.move("new/4", "new/5"))
    await ask(backend.delete("new/5"))
    await ask(backend.delete("new/5"))
    await ask(backend.delete_folder("new"))
    await ask(backend.delete_folder("new", recursive=True))
    await ask(backend.ping())
    await ask(backend.probe())
    await ask(backend.presign("a/file", method="GET", expires=60))
    await ask(backend.aclose())
    return answers


# -- without a script ----------------------------------------------------------------------


@pytest.mark.spec("TST-005")
@worlds
def test_without_a_script_it_behaves_as_the_inner_backend_does(world: str) -> None:
    async def main() -> None:
        faulty = await filled()
        assert await everything(faulty) == await everything((await filled()).inner)
        assert {record.operation for record in faulty.log} == OPERATIONS, "every operation was called"
        assert all(record.fault is None for record in faulty.log)

    run_in(world, main)


@pytest.mark.spec("TST-005")
def test_every_operation_of_the_contract_is_one() -> None:
    operations = set()
    contracts = {"": Backend, "reader.": Reader, "writer.": Writer, "parts.": PartWriter, "pages.": Pages}
    for prefix, contract in contracts.items():
        operations |= {
            prefix + name for name, member in vars(contract).items() if inspect.iscoroutinefunction(member)
        }
    renamed = {"reader.readinto": "reader.read", "pages.__anext__": "pages.next", "copy_from": "copy"}
    operations -= {"place", "unmake"}  # what they are asked for is no file
    assert {renamed.get(name, name) for name in operations} | {"list_pages"} == OPERATIONS


@pytest.mark.spec("TST-005", "TST-006")
@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@worlds
def test_a_fault_can_strike_every_operation(world: str, operation: str) -> None:
    async def main() -> None:
        fault = Fault(operation)
        faulty = await filled(fault)
        answers = await everything(faulty)
        struck = [record for record in faulty.log if record.fault is not None]
        assert [(record.operation, record.number, record.fault) for record in struck] == [
            (operation, 1, fault)
        ]
        text = f"scripted error in {operation}"
        assert sum(text in answer for answer in answers if isinstance(answer, str)) == 1

    run_in(world, main)


@pytest.mark.spec("TST-005")
def test_faults_can_be_added_later() -> None:
    faulty = FaultyBackend(MemoryBackend())
    store = Store(faulty)
    store.write("f", b"x")
    store.write("g", b"x")
    faulty.script(Fault("write_bytes", at=2))
    store.write("h", b"x")
    with pytest.raises(BackendUnavailable):
        store.write("i", b"x")
    store.write("i", b"x")
    assert [record.number for record in faulty.log if record.operation == "write_bytes"] == [1, 2, 3, 4, 5]
    with pytest.raises(TypeError, match="not str"):
        faulty.script("read_bytes")  # type: ignore[arg-type]  # the point of the test


# -- where and how often -------------------------------------------------------------------


def struck(faulty: FaultyBackend) -> list[int]:
    return [record.number for record in faulty.log if record.fault is not None]


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        (Fault("is_file"), [1]),
        (Fault("is_file", at=3), [3]),
        (Fault("is_file", at=3, times=2), [3, 4]),
        (Fault("is_file", at=8, times=None), [8, 9, 10]),
        (Fault("is_file", at=11), []),
        (Fault("*", times=2), [1, 2]),
        (Fault("exists", times=None), []),
        (Fault("is_file", path="a", times=None), [1, 3, 5, 7, 9]),
        (Fault("is_file", path="a", at=2), [3]),
        (Fault("is_file", path="?", at=2), [2]),
        (Fault("is_file", path="**", at=3), [3]),
        (Fault("is_file", path="A", times=None), []),
        (Fault("is_file", probability=1, times=2), [1, 2]),
    ],
)
@worlds
def test_a_fault_strikes_at_its_point(world: str, fault: Fault, numbers: list[int]) -> None:
    async def main() -> None:
        faulty = await filled(fault)
        errors = []
        for path in ["a", "b"] * 5:
            try:
                assert await faulty.is_file(path)
            except BackendUnavailable as error:
                errors.append((error.path, error.backend))
        assert struck(faulty) == numbers
        assert errors == [("b" if number % 2 == 0 else "a", "memory") for number in numbers]
        assert [(record.operation, record.path) for record in faulty.log] == [
            ("is_file", "a"),
            ("is_file", "b"),
        ] * 5

    run_in(world, main)


@pytest.mark.spec("TST-006")
@worlds
def test_the_first_fault_that_is_due_strikes_and_all_count(world: str) -> None:
    async def main() -> None:
        first, second = Fault("ping", at=2, error=KeyError), Fault("*", times=2, error=ValueError)
        faulty = await filled(first, second)
        outcomes = []
        for _ in range(4):
            try:
                await faulty.ping()
            except (KeyError, ValueError) as error:
                outcomes.append(type(error).__name__)
            else:
                outcomes.append("done")
        assert outcomes == ["ValueError", "KeyError", "ValueError", "done"]

    run_in(world, main)


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize("path", ["a", "new", "n*"])
@pytest.mark.parametrize("operation", ["move", "copy"])
def test_either_path_of_a_move_or_copy_will_do(operation: str, path: str) -> None:
    async def main() -> None:
        faulty = await filled(Fault(operation, path=path))
        with pytest.raises(BackendUnavailable):
            await getattr(faulty, operation)("a", "new")
        await getattr(faulty, operation)("a", "new")
        assert [record.path for record in faulty.log] == ["a", "a"]

    run_in("blocking", main)


@pytest.mark.spec("TST-006")
def test_many_threads_share_the_count() -> None:
    store = Store(FaultyBackend(MemoryBackend(), [Fault("exists", at=50, times=25)]))

    def ask(_: int) -> bool:
        try:
            return store.exists("f")
        except BackendUnavailable:
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(200))) == 25
    backend = store.unwrap(FaultyBackend)
    assert [record.number for record in backend.log] == list(range(1, 201))
    assert struck(backend) == list(range(50, 75))


# -- kinds -----------------------------------------------------------------------------------


class Strange(Exception):
    pass


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize("error", [PermissionDenied, Strange, KeyboardInterrupt, TimeoutError])
@worlds
def test_an_error_by_class(world: str, error: type[BaseException]) -> None:
    async def main() -> None:
        faulty = await filled(Fault("read_bytes", error=error))
        with pytest.raises(error, match="scripted error in read_bytes") as caught:
            await faulty.read_bytes("a")
        assert type(caught.value) is error
        if isinstance(caught.value, RemoteStoreError):
            assert (caught.value.path, caught.value.backend) == ("a", "memory")
        assert await faulty.read_bytes("a") == DATA

    run_in(world, main)


@pytest.mark.spec("TST-006")
def test_an_error_as_it_is_given() -> None:
    error = PermissionDenied("not today", retryable=True)
    store = Store(FaultyBackend(MemoryBackend(), [Fault("exists", error=error)]), "root")
    with pytest.raises(PermissionDenied) as caught:
        store.exists("f")
    assert caught.value is error
    assert (error.path, error.backend, error.retryable) == ("f", "memory", True)


@pytest.mark.spec("TST-006")
@worlds
def test_an_error_strikes_before_anything_is_done(world: str) -> None:
    async def main() -> None:
        faulty = await filled(*(Fault(name) for name in ("write_bytes", "delete", "writer.commit", "move")))
        for call in (
            lambda: faulty.write_bytes("new", memoryview(b"x")),
            lambda: faulty.delete("a"),
            lambda: faulty.move("a", "new"),
        ):
            with pytest.raises(BackendUnavailable):
                await call()
        writer = await faulty.open_write("new")
        await writer.write(b"x")
        with pytest.raises(BackendUnavailable):
            await writer.commit()
        assert not await faulty.exists("new")
        assert await faulty.exists("a")
        await writer.commit()
        assert await faulty.read_bytes("new") == b"x", "struck once, then done"

    run_in(world, main)


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize("operation", ["aclose", "reader.aclose", "writer.abort", "pages.aclose"])
@worlds
def test_what_closes_is_closed_although_it_fails(world: str, operation: str) -> None:
    closed: list[str] = []

    class Watched(MemoryBackend):
        async def aclose(self) -> None:
            closed.append("aclose")

        async def open_read(self, path: str, *, start: int = 0, length: int | None = None) -> Reader:
            return watched(await super().open_read(path), Reader, "aclose")

        async def open_write(
            self,
            path: str,
            *,
            overwrite: bool = False,
            atomic: bool = False,
            options: WriteOptions | None = None,
        ) -> Writer:
            return watched(await super().open_write(path), Writer, "abort")

        def list_pages(self, path: str, **options: bool) -> Pages:
            return watched(super().list_pages(path, **options), Pages, "aclose")

    def watched(session: T, kind: type[Any], name: str) -> T:
        inner = getattr(session, name)

        async def close() -> None:
            closed.append(f"{kind.__name__.lower()}.{name}")
            await inner()

        setattr(session, name, close)
        return session

    async def main() -> None:
        faulty = FaultyBackend(Watched(), [Fault(operation)])
        await faulty.write_bytes("a", memoryview(DATA))
        session: Any = faulty
        if operation == "reader.aclose":
            session = await faulty.open_read("a")
        elif operation == "writer.abort":
            session = await faulty.open_write("new")
        elif operation == "pages.aclose":
            session = faulty.list_pages("")
        with pytest.raises(BackendUnavailable, match="scripted"):
            await getattr(session, operation.partition(".")[2] or operation)()
        assert closed == [operation]

    run_in(world, main)


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize("size", [None, 1, 7, 5000, 10**6])
@worlds
def test_a_short_read_gives_fewer_bytes_and_right_ones(world: str, size: int | None) -> None:
    async def main() -> None:
        faulty = await filled(Fault("reader.read", "short_read", times=None, size=size), seed=3)
        reader = await faulty.open_read("a")
        chunks = []
        while chunk := await reader.read(1000):
            chunks.append(chunk)
        assert b"".join(chunks) == DATA
        assert all(1 <= len(chunk) < 1000 for chunk in chunks)
        if size is not None:
            assert len(chunks[0]) == min(size, 999)
        await reader.seek(0)
        buffer = bytearray(1000)
        count = await reader.readinto(memoryview(buffer))
        assert 1 <= count < 1000
        assert buffer == DATA[:count] + bytes(1000 - count), "the rest of the buffer is not touched"
        assert await reader.readinto(memoryview(bytearray(1))) == 1, "one byte cannot be fewer"

    run_in(world, main)


@pytest.mark.spec("TST-006")
@worlds
def test_streams_put_short_reads_together(world: str) -> None:
    async def main() -> None:
        store = AsyncStore(await filled(Fault("reader.read", "short_read", times=None)))
        async with await store.read("a") as stream:
            assert await stream.read(5000) == DATA[:5000]
            buffer = bytearray(3000)
            assert await stream.readinto(buffer) == 3000
            assert buffer == DATA[5000:8000]
            assert await stream.read() == DATA[8000:]

    run_in(world, main)


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize("size", [None, 0, 10])
@worlds
def test_truncation_ends_the_content_early(world: str, size: int | None) -> None:
    async def main() -> None:
        faulty = await filled(
            Fault("read_bytes", "truncate", size=size), Fault("reader.read", "truncate", at=2, size=size)
        )
        data = await faulty.read_bytes("a")
        assert data == DATA[: len(data)]
        assert len(data) == size if size is not None else len(data) < len(DATA)
        assert await faulty.read_bytes("a") == DATA
        reader = await faulty.open_read("a")
        assert await reader.read(100) == DATA[:100]
        more = await reader.read(100)
        assert more == DATA[100 : 100 + len(more)]
        assert len(more) == size if size is not None else len(more) < 100
        for _ in range(3):
            assert await reader.read(100) == b"", "it stays at its end"
            assert await reader.readinto(memoryview(bytearray(9))) == 0
        await reader.seek(0)
        assert await reader.read(10**6) == DATA

    run_in(world, main)


def flipped_bits(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


@pytest.mark.spec("TST-006")
@worlds
def test_a_flip_changes_one_bit(world: str) -> None:
    async def main() -> None:
        faulty = await filled(
            *(Fault(name, "flip") for name in ("read_bytes", "reader.read", "write_bytes", "writer.write"))
        )
        assert flipped_bits(await faulty.read_bytes("a"), DATA) == 1
        reader = await faulty.open_read("a")
        assert flipped_bits(await reader.read(10**6), DATA) == 1
        given = bytearray(DATA)
        await faulty.write_bytes("one", memoryview(given))
        assert given == DATA, "the caller's own buffer is left alone"
        assert flipped_bits(await faulty.inner.read_bytes("one"), DATA) == 1
        writer = await faulty.open_write("two")
        await writer.write(memoryview(given))
        await writer.write(given)
        await writer.commit()
        assert flipped_bits(await faulty.inner.read_bytes("two"), DATA * 2) == 1
        assert await faulty.read_bytes("a") == DATA

    run_in(world, main)


@pytest.mark.spec("TST-006")
@worlds
def test_nothing_to_spoil_is_left_alone(world: str) -> None:
    async def main() -> None:
        for kind in ("flip", "truncate"):
            faulty = await filled(Fault("*", kind, times=None))
            await faulty.write_bytes("empty", memoryview(b""))
            assert await faulty.read_bytes("empty") == b""
            reader = await faulty.open_read("empty")
            assert await reader.read(10) == b""

    run_in(world, main)


@pytest.mark.spec("TST-006")
def test_spoiled_bytes_arrive_at_the_user() -> None:
    store = Store(FaultyBackend(MemoryBackend(), [Fault("reader.read", "flip")]))
    store.write("f", DATA)
    with store.read("f") as stream:
        assert flipped_bits(stream.read(), DATA) == 1


@pytest.mark.spec("TST-006")
@worlds
def test_a_delay_waits_and_then_goes_on(world: str) -> None:
    async def main() -> None:
        faulty = await filled(Fault("read_bytes", "delay", seconds=0.01))
        before = time.monotonic()
        assert await faulty.read_bytes("a") == DATA
        assert time.monotonic() - before >= 0.009

    run_in(world, main)


@pytest.mark.spec("TST-006")
@worlds
def test_a_stall_ends_at_its_limit(world: str) -> None:
    async def main() -> None:
        faulty = await filled(Fault("read_bytes", "stall", seconds=0.01))
        with pytest.raises(BackendUnavailable, match="scripted stall in read_bytes") as caught:
            await faulty.read_bytes("a")
        assert (caught.value.path, caught.value.retryable) == ("a", True)
        assert await faulty.read_bytes("a") == DATA

    run_in(world, main)


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize("kind", ["stall", "delay"])
@pytest.mark.parametrize("world", ["asyncio", "trio", "anyio on asyncio"])
def test_waiting_can_be_cancelled(world: str, kind: Kind) -> None:
    """With the limit an hour away, this test would hang if it could not."""

    async def main() -> None:
        faulty = await filled(Fault("exists", kind, seconds=3600))
        if world == "asyncio":
            task = asyncio.create_task(faulty.exists("a"))
            while not faulty.log:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif world == "trio":
            with trio.move_on_after(0.01) as scope:
                await faulty.exists("a")
            assert scope.cancelled_caught
        else:
            with anyio.move_on_after(0.01) as shared:
                await faulty.exists("a")
            assert shared.cancelled_caught
        assert await faulty.exists("a")

    run_in("trio" if world == "trio" else "asyncio", main)


@pytest.mark.spec("TST-006")
def test_a_blocking_caller_gets_out_with_ctrl_c() -> None:
    store = Store(FaultyBackend(MemoryBackend(), [Fault("exists", "stall", seconds=3600)]))
    main = threading.main_thread().ident
    assert main == threading.get_ident()
    assert main is not None
    timer = threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        store.exists("f")
    timer.join()
    assert not store.exists("f")


# -- the seed ----------------------------------------------------------------------------------

CHAOS = (
    Fault("*", "delay", times=None, probability=0.2, seconds=0.001),
    Fault("*", times=None, probability=0.1),
    Fault("reader.read", "short_read", times=None, probability=0.5),
    Fault("*", "flip", times=None, probability=0.3),
    Fault("reader.read", "truncate", at=5, times=2, path="d/**"),
)


def chaos(world: str, seed: int) -> tuple[list[Record], list[Any]]:
    async def main() -> tuple[list[Record], list[Any]]:
        faulty = await filled(*CHAOS, seed=seed)
        answers = await everything(faulty)
        return faulty.log, answers

    return run_in(world, main)


@pytest.mark.spec("TST-007")
@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_and_calls_give_the_same_faults_in_every_world(seed: int) -> None:
    log, answers = chaos("asyncio", seed)
    assert len({record.fault for record in log}) >= 3, "there was something to repeat"
    for world in ("trio", "blocking", "asyncio"):
        assert chaos(world, seed) == (log, answers)


@pytest.mark.spec("TST-007")
def test_another_seed_gives_other_faults() -> None:
    assert len({str(chaos("blocking", seed)[0]) for seed in range(5)}) == 5


@pytest.mark.spec("TST-007")
def test_other_calls_in_between_do_not_move_a_fault() -> None:
    fault = Fault("is_file", times=None, probability=0.3)

    async def main(between: int) -> list[int]:
        faulty = await filled(fault)
        for _ in range(50):
            try:
                await faulty.is_file("a")
            except BackendUnavailable:
                pass
            for _ in range(between):
                await faulty.is_folder("a")
        return struck(faulty)

    alone = run_in("blocking", lambda: main(0))
    assert 5 < len(alone) < 25
    assert run_in("blocking", lambda: main(2)) == alone


@pytest.mark.spec("TST-007")
def test_both_faces_meet_the_same_faults() -> None:
    def script() -> FaultyBackend:
        return FaultyBackend(MemoryBackend(), [Fault("*", times=None, probability=0.3)], seed=11)

    def outcome(error: BaseException | None) -> str:
        return "" if error is None else str(error)

    async def awaited() -> tuple[list[str], list[Record]]:
        backend, outcomes = script(), []
        store = AsyncStore(backend)
        for number in range(20):
            try:
                await store.write(f"{number}", b"x")
                await store.delete(f"{number}")
                error = None
            except RemoteStoreError as raised:
                error = raised
            outcomes.append(outcome(error))
        return outcomes, backend.log

    def blocking() -> tuple[list[str], list[Record]]:
        backend, outcomes = script(), []
        store = Store(backend)
        for number in range(20):
            try:
                store.write(f"{number}", b"x")
                store.delete(f"{number}")
                error = None
            except RemoteStoreError as raised:
                error = raised
            outcomes.append(outcome(error))
        return outcomes, backend.log

    assert run_in("asyncio", awaited) == run_in("trio", awaited) == blocking()


# -- scripts that make no sense -------------------------------------------------------------------


@pytest.mark.spec("TST-006")
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"operation": "read"}, "unknown operation 'read'; there are: \\*, aclose, copy"),
        ({"operation": "reader.readinto"}, "unknown operation"),
        ({"operation": "*", "kind": "explode"}, "unknown kind 'explode'; there are: error, short_read"),
        (
            {"operation": "delete", "kind": "flip"},
            "'flip' cannot strike 'delete'; it can strike: \\*, parts.write, read_bytes",
        ),
        ({"operation": "read_bytes", "kind": "short_read"}, "it can strike: \\*, reader.read$"),
        ({"operation": "writer.write", "kind": "truncate"}, "'truncate' cannot strike"),
        ({"operation": "*", "at": 0}, "counted from 1"),
        ({"operation": "*", "times": 0}, "counted from 1"),
        ({"operation": "*", "probability": 0}, "above 0 and at most 1, not 0"),
        ({"operation": "*", "probability": 1.5}, "above 0 and at most 1"),
        ({"operation": "*", "seconds": -1}, "must not be negative"),
        ({"operation": "*", "kind": "truncate", "size": -1}, "must not be negative"),
    ],
)
def test_a_script_that_makes_no_sense(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Fault(**given)


@pytest.mark.spec("TST-006")
def test_a_pattern_that_makes_no_sense() -> None:
    with pytest.raises(InvalidPath, match="bad set"):
        Fault("*", path="[z-a]")


@pytest.mark.spec("TST-006")
def test_a_path_with_magic_in_it_is_taken_as_it_is_too() -> None:
    store = Store(FaultyBackend(MemoryBackend(), [Fault("write_bytes", path="a[1].txt", times=None)]))
    store.write("b", b"")
    for path in ("a[1].txt", "a1.txt"):
        with pytest.raises(BackendUnavailable):
            store.write(path, b"")
