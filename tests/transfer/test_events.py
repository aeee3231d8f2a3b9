"""What is told of a transfer."""

from __future__ import annotations

import json
import pickle
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.transfer.support import WAYS, call, memory

import remote_store
from remote_store import (
    AsyncStore,
    Backend,
    BackendUnavailable,
    EventKind,
    PermissionDenied,
    Store,
    TransferEvent,
    TransferFailed,
    TransferOptions,
    TransferReport,
    WriteResult,
    aio,
)
from remote_store.backend import Writer
from remote_store.backends import LocalBackend
from remote_store.testing import Fault, FaultyBackend
from remote_store.transfer import _retry
from remote_store.wrapper import BackendWrapper, WriterWrapper

K = EventKind
FILES = {f"{number}": bytes(number * 1000) for number in range(20)} | {"large": bytes(3 << 20)}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.spec("XFER-017")
def test_the_steps_of_each_file(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "FIRST_PAUSE", 0.001)
    left = FaultyBackend(
        memory(FILES),
        [
            Fault("read_bytes", path="3"),
            Fault("reader.read", at=2),
            Fault("read_bytes", path="5", times=None),
        ],
    )
    right = memory({"7": b"there"})
    seen: list[TransferEvent] = []
    options = TransferOptions(skip_existing=True, large_file_threshold=1 << 20, concurrency=5)
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", left, "", right, options=options, on_event=seen.append)
    steps: dict[str, list[Any]] = defaultdict(list)
    for event in seen:
        steps[event.path].append(event.kind)
    assert steps["1"] == [K.PLANNED, K.STARTED, K.BYTES, K.DONE]
    assert steps["3"] == [K.PLANNED, K.STARTED, K.RETRIED, K.BYTES, K.DONE]
    assert steps["5"] == [K.PLANNED, K.STARTED, K.RETRIED, K.RETRIED, K.RETRIED, K.FAILED]
    assert steps["7"] == [K.PLANNED, K.STARTED, K.SKIPPED]
    large = steps["large"]
    assert large == [K.PLANNED, K.STARTED, K.BYTES, K.RETRIED, K.BYTES, K.BYTES, K.BYTES, K.DONE]

    report = caught.value.report
    again = TransferReport()
    for event in seen:
        again.add(event)
    again.seconds = report.seconds
    assert again == report
    moved = sum(event.size for event in seen if event.kind is K.BYTES)
    undone = sum(event.size for event in seen if event.kind is K.RETRIED)
    assert (report.moved_bytes, report.done_bytes) == (moved, moved - undone)
    assert undone == 1 << 20


class LosesAnswers(BackendWrapper):
    """Stores each file, and loses the answer the first time."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lost = 0

    def lose(self) -> None:
        if not self.lost:
            self.lost = 1
            raise BackendUnavailable("the answer was lost", retryable=True)

    async def write_bytes(self, path: str, data: memoryview, **given: Any) -> WriteResult:
        result = await super().write_bytes(path, data, **given)
        self.lose()
        return result

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> WriteResult:
        result = await super().copy(src, dst, overwrite=overwrite)
        self.lose()
        return result

    async def open_write(self, path: str, **given: Any) -> Writer:
        return Loses(await super().open_write(path, **given), self)

    def within_memory(self, memory: int, *, part_size: int | None = None) -> Backend:
        return self


class Loses(WriterWrapper):
    def __init__(self, inner: Writer, backend: LosesAnswers) -> None:
        super().__init__(inner)
        self._backend = backend

    async def commit(self) -> WriteResult:
        result = await super().commit()
        self._backend.lose()
        return result


@pytest.mark.spec("XFER-017", "XFER-013")
@pytest.mark.parametrize("kind", ["memory", "local"])
@pytest.mark.parametrize("how", ["whole", "streamed", "on server", "planned"])
def test_a_lost_answer(
    way: str, how: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_retry, "FIRST_PAUSE", 0.001)
    data = bytes(3 << 20 if how == "streamed" else 1000)
    inner = memory() if kind == "memory" else LocalBackend(tmp_path)
    losing, left = LosesAnswers(inner), memory({"a/f": data})
    if how == "on server":
        Store(inner).write("a/f", data)
        left = losing  # type: ignore[assignment]
    seen: list[TransferEvent] = []
    options = TransferOptions(large_file_threshold=1 << 20)
    if how == "planned":
        Store(inner).write("b/f", b"old")
        plan = list(remote_store.plan_sync(Store(left), "a", Store(inner), "b"))
        report = call(way, "apply_plan", plan, left, "a", losing, "b", options=options, on_event=seen.append)
    else:
        report = call(way, "copy_tree", left, "a", losing, "b", options=options, on_event=seen.append)
    assert (report.done, report.retries) == (1, 1)
    moved = sum(event.size for event in seen if event.kind is K.BYTES)
    undone = sum(event.size for event in seen if event.kind is K.RETRIED)
    assert (report.moved_bytes, report.done_bytes) == (moved, moved - undone)
    assert report.done_bytes == len(data)
    assert undone == (len(data) if how == "streamed" else 0)


@pytest.mark.spec("XFER-018")
def test_where_it_is_called(way: str) -> None:
    here = threading.get_ident()
    seen: list[int] = []
    busy = threading.Lock()

    def look(_: TransferEvent) -> None:
        assert busy.acquire(blocking=False)
        seen.append(threading.get_ident())
        busy.release()

    call(way, "copy_tree", memory(FILES), "", memory(), on_event=look)
    assert (here in seen, len(set(seen)) > 0) == (way != "blocking", True)


@pytest.mark.spec("XFER-018")
@pytest.mark.parametrize("kind", [K.PLANNED, K.STARTED, K.BYTES, K.DONE])
def test_what_it_raises(way: str, kind: EventKind) -> None:
    class OfTheCaller(Exception):
        pass

    def fail(event: TransferEvent) -> None:
        if event.kind is kind:
            raise OfTheCaller

    with pytest.raises(OfTheCaller):
        call(way, "copy_tree", memory(FILES), "", memory(), on_event=fail)


@pytest.mark.spec("XFER-018")
@pytest.mark.parametrize("kind", [K.PLANNED, K.STARTED, K.BYTES, K.DONE])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program(way: str, kind: EventKind, error: type[BaseException]) -> None:
    raised = error("mine")

    def fail(event: TransferEvent) -> None:
        if event.kind is kind:
            raise raised

    async def fail_awaited(event: TransferEvent) -> None:
        fail(event)

    for on_event in (fail,) if way == "blocking" else (fail, fail_awaited):
        with pytest.raises(error) as caught:
            call(way, "copy_tree", memory(FILES), "", memory(), on_event=on_event)
        assert caught.value is raised


@pytest.mark.spec("XFER-018")
def test_a_coroutine_function(way: str) -> None:
    seen: list[TransferEvent] = []
    busy = 0

    class Telling:
        async def __call__(self, event: TransferEvent) -> None:
            nonlocal busy
            busy += 1
            await anyio.sleep(0)
            assert busy == 1
            busy -= 1
            seen.append(event)

    async def tell(event: TransferEvent) -> None:
        await Telling()(event)

    for on_event in (tell, Telling()):
        seen.clear()
        if way == "blocking":
            with pytest.raises(TypeError, match="coroutine function"):
                call(way, "copy_tree", memory(FILES), "", memory(), on_event=on_event)
            continue
        report = call(way, "copy_tree", memory(FILES), "", memory(), on_event=on_event)
        again = TransferReport()
        for event in seen:
            again.add(event)
        again.seconds = report.seconds
        assert again == report
        assert report.done == len(FILES)


@pytest.mark.spec("XFER-017")
def test_deletions_move_nothing(way: str) -> None:
    seen: list[TransferEvent] = []
    backend, other = memory({"d/f": b"123", "d/g": b"4"}), memory({"new": b"12"})
    reports = [
        call(way, "sync", other, "", backend, "d", delete=True, on_event=seen.append),
        call(way, "delete_tree", backend, "d", on_event=seen.append),
    ]
    assert [(each.done, each.planned_bytes, each.done_bytes, each.moved_bytes) for each in reports] == [
        (3, 2, 2, 2), (1, 0, 0, 0),
    ]  # fmt: skip
    assert sum(event.size for event in seen if event.kind is K.DONE) == 2


@pytest.mark.spec("XFER-018")
def test_it_may_use_a_blocking_store() -> None:
    log = Store(memory())

    def note(event: TransferEvent) -> None:
        log.write(f"{event.kind.value}/{event.path}", b"", overwrite=True)

    remote_store.copy_tree(Store(memory(FILES)), "", Store(memory()), on_event=note)
    assert len(list(log.list_files("done"))) == len(FILES)


@pytest.mark.spec("XFER-019")
def test_reports(tmp_path: Path) -> None:
    left = FaultyBackend(memory(FILES), [Fault("read_bytes", path="5", times=None)])
    with pytest.raises(TransferFailed) as caught:
        call("blocking", "copy_tree", left, "", memory(), options=TransferOptions(retries=0))
    report = caught.value.report
    report.save(tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text())
    assert saved == report.as_dict()
    assert (saved["done"], saved["failed"]) == (20, 1)
    assert saved["failures"][0]["path"] == "5"
    assert saved["failures"][0]["error"] == "BackendUnavailable"
    text = str(report)
    assert "20  3.2 MiB" in text
    assert "  5: " in text
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.report.as_dict()) == (str(caught.value), report.as_dict())


@pytest.mark.spec("XFER-019")
def test_what_became_of_each_file(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "FIRST_PAUSE", 0.001)
    left = FaultyBackend(
        memory(dict.fromkeys("abc", b"12")),
        [Fault("read_bytes", path="b", times=2), Fault("read_bytes", path="c", error=PermissionDenied)],
    )
    options = TransferOptions(skip_existing=True, keep_outcomes=True)
    with pytest.raises(TransferFailed) as caught:
        call(way, "copy_tree", left, "", memory({"a": b"there"}), options=options)
    report = caught.value.report
    assert report.outcomes is not None
    found = {each.path: (each.kind, each.size, each.attempts) for each in report.outcomes}
    assert found == {"a": (K.SKIPPED, 2, 1), "b": (K.DONE, 2, 3), "c": (K.FAILED, 2, 1)}
    told = {each["path"]: each for each in json.loads(json.dumps(report.as_dict()))["outcomes"]}
    assert told["b"]["detail"] == "whole, size compared"
    assert "scripted" in told["c"]["detail"]
    assert pickle.loads(pickle.dumps(report)).outcomes == report.outcomes
    assert call(way, "copy_tree", memory({"a": b""}), "", memory()).outcomes is None


@pytest.mark.spec("XFER-019")
def test_long_and_empty_reports() -> None:
    report = TransferReport()
    assert report.bytes_per_second == 0.0
    assert "done             0  0 B" in str(report)
    for number in range(25):
        report.add(TransferEvent(K.FAILED, f"f{number}", error=BackendUnavailable("gone")))
    assert "f19: gone\n  and 5 more failures" in str(report)
    assert remote_store.transfer.report.human(3 * 1024**7) == "3145728.0 PiB"


@pytest.mark.spec("XFER-020")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"concurrency": 0}, ValueError), ({"concurrency": True}, TypeError),
        ({"concurrency": "8"}, TypeError),
        ({"memory_limit": 1000}, ValueError), ({"large_file_threshold": -1}, ValueError),
        ({"part_size": 1 << 20}, ValueError), ({"part_size": 5e6}, TypeError),
        ({"retries": -1}, ValueError), ({"verify": "maybe"}, ValueError),
        ({"on_error": "ignore"}, ValueError),
        ({"overwrite": True, "skip_existing": True}, ValueError),
    ],
)  # fmt: skip
def test_options_that_make_no_sense(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        TransferOptions(**wrong)


@pytest.mark.spec("XFER-020")
def test_what_is_no_store(way: str, tmp_path: Path) -> None:
    rests: dict[str, tuple[Any, ...]] = {
        "copy_tree": ("", memory()), "delete_tree": ("",), "read_many": ([],), "write_many": ([],),
    }  # fmt: skip
    for function, rest in rests.items():
        with pytest.raises(TypeError, match=r"a [sS]tore is needed"):
            call(way, function, "s3://bucket", *rest)
        with pytest.raises(TypeError, match="options must be TransferOptions"):
            call(way, function, memory(), *rest, options={"concurrency": 3})
    with pytest.raises(TypeError):
        remote_store.upload(tmp_path, AsyncStore(memory()))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        aio.read_many(Store(memory()), [])  # type: ignore[arg-type]


@pytest.mark.spec("XFER-020")
def test_a_closed_store() -> None:
    closed = Store(memory())
    closed.close()
    with pytest.raises(BackendUnavailable, match="closed"):
        remote_store.copy_tree(closed, "", Store(memory()))
    with pytest.raises(BackendUnavailable, match="closed"):
        remote_store.read_many(closed, [])
