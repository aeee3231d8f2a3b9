"""Each blocking operation, interrupted by Ctrl-C at its first, second, ... last possible moment."""

from __future__ import annotations

import gc
import io
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
from blockbuster import BlockBuster
from tests.runtime import operations
from tests.runtime.interrupts import Moments
from tests.runtime.operations import BIG, STEP, Change, check, content_of, pieces, prepared, small_steps
from tests.runtime.support import assert_nothing_left, descriptors

from remote_store import Store, _runtime
from remote_store._runtime._where import state
from remote_store.backends import LocalBackend
from remote_store.backends.local import _change

MOST: Final = 120
"""Interruptions for each operation and backend, spread evenly over all of its moments."""


# -- the operations ----------------------------------------------------------------------------

Blocking = Callable[[Store], object]
OPERATIONS: Final[list[tuple[Blocking, Change]]] = []


def operation(change: Change = "none") -> Callable[[Blocking], Blocking]:
    def add(run: Blocking) -> Blocking:
        OPERATIONS.append((run, change))
        return run

    return add


@operation()
def questions(store: Store) -> None:
    store.exists("old")
    store.is_file("dir/a")
    store.is_folder("dir/sub")
    store.get_file_info("dir/b")
    store.ping()


@operation()
def get_folder_info(store: Store) -> None:
    store.get_folder_info("dir")


@operation()
def read_bytes(store: Store) -> None:
    assert store.read_bytes("old") == b"old content"


@operation()
def read_bytes_below(store: Store) -> None:
    assert store.read_bytes("dir/sub/d") == b"dddd"


@operation()
def read_bytes_of_a_big_file(store: Store) -> None:
    assert store.read_bytes("big", length=3 * STEP) == BIG[: 3 * STEP]


@operation()
def read(store: Store) -> None:
    with store.read("big") as stream:
        assert stream.read(10) == BIG[:10]
        assert stream.read() == BIG[10:]


@operation()
def read_without_closing(store: Store) -> None:
    store.read("big").read(10)


@operation()
def open_read_and_seek(store: Store) -> None:
    with store.open_read("big") as stream:
        stream.seek(-5, io.SEEK_END)
        assert stream.read() == BIG[-5:]


@operation("whole")
def write(store: Store) -> None:
    store.write("new", b"new content")


@operation("whole")
def write_over(store: Store) -> None:
    store.write("old", b"new content", overwrite=True)


@operation("whole")
def write_into_new_folders(store: Store) -> None:
    store.write("n/e/w", b"new content")


@operation("whole")
def write_much(store: Store) -> None:
    store.write("n/new", BIG)


@operation("whole")
def write_a_file(store: Store) -> None:
    store.write("n/new", io.BytesIO(BIG))


@operation("whole")
def write_an_iterable(store: Store) -> None:
    store.write("old", pieces(), overwrite=True)


@operation("whole")
def write_atomic(store: Store) -> None:
    store.write_atomic("old", BIG, overwrite=True)


@operation("whole")
def open_write(store: Store) -> None:
    with store.open_write("n/new") as stream:
        for piece in pieces():
            stream.write(piece)


@operation("whole")
def open_write_over(store: Store) -> None:
    with store.open_write("old", overwrite=True, atomic=True) as stream:
        stream.write(BIG)


@operation("whole")
def delete(store: Store) -> None:
    store.delete("old")


@operation("partial")
def delete_folder(store: Store) -> None:
    store.delete_folder("dir", recursive=True)


@operation("whole")
def copy(store: Store) -> None:
    store.copy("big", "n/new")


@operation("whole")
def copy_over(store: Store) -> None:
    store.copy("big", "old", overwrite=True)


@operation("whole")
def move(store: Store) -> None:
    store.move("big", "n/new")


@operation("whole")
def move_over(store: Store) -> None:
    store.move("big", "old", overwrite=True)


@operation("copied")
def move_to_another_mount(store: Store) -> None:
    store.move("big", "old", overwrite=True)


@operation()
def sweep_temporaries(store: Store) -> None:
    backend = store._inner._scope.backend
    assert isinstance(backend, LocalBackend)
    _runtime.drive(backend.sweep_temporaries())


@operation()
def list_files(store: Store) -> None:
    assert len(list(store.list_files(recursive=True))) == 7


@operation()
def list_files_and_leave(store: Store) -> None:
    next(store.list_files(recursive=True))


@operation()
def iter_children(store: Store) -> None:
    assert len(list(store.iter_children("dir"))) == 4


@operation()
def walk(store: Store) -> None:
    assert len(list(store.walk())) >= 4


@operation()
def glob(store: Store) -> None:
    assert len(list(store.glob("d*/**/[a-e]"))) == 5


# -- the test ----------------------------------------------------------------------------------

SWALLOWED: Final = {"__del__", "close", "tell", "iterate"}
"""Where an interruption may get lost: Python drops errors of finalizers, and ``io`` some of ``tell``."""
USUAL: Final = ("KeyboardInterrupt()", "ResourceWarning('unclosed scandir iterator")
"""What Python itself says when an interruption falls into a finalizer, or between a call and its ``with``."""


class Attempt:
    """One interruption of one operation, and what it left."""

    def __init__(self, run: Blocking, root: Path, portable: bool) -> None:
        backend = prepared("local", root)
        assert isinstance(backend, LocalBackend)
        backend._root._openat2 = not portable
        self.run, self.root, self.store = run, root, Store(backend)
        self.before, self._open_before = content_of(self.store), descriptors()
        self.after: dict[str, Any] = {}
        self.names: list[str] = []
        self.place = ""

    def signalled(self, number: int, frame: FrameType | None) -> None:
        """Take the signal, and see where it came."""
        assert frame is not None
        self.place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_qualname}"
        while frame is not None:
            self.names.append(frame.f_code.co_name)
            frame = frame.f_back
        raise KeyboardInterrupt

    def make(self, moments: Moments, moment: int | None) -> Iterator[str]:
        """Run the operation, cut off at a moment; yield what is wrong afterwards."""
        done = False
        try:
            if moment is None:
                moments.find(lambda: self.run(self.store))
            else:
                moments.interrupt(moment, lambda: self.run(self.store))
            done = True
        except KeyboardInterrupt:
            pass
        if done and moment is not None and not SWALLOWED & set(self.names):
            yield "the interruption got lost"
        if state.inline:
            yield "the thread believes that it is still in a blocking call"
            state.inline = False
        try:
            if descriptors() - self._open_before:
                gc.collect()
            assert_nothing_left(self._open_before, self.root)
        except AssertionError as error:
            yield str(error).partition("\n")[0]
        self.after = content_of(self.store)
        self.store.write("still works", b"1")
        self.store.close()
        shutil.rmtree(self.root)


@pytest.mark.spec("LOC-018", "STORE-031", "STR-013", "BE-014", "RUN-002", "RUN-005")
@pytest.mark.parametrize("portable", [False, True], ids=["openat2", "walk"])
@pytest.mark.parametrize(("run", "change"), OPERATIONS, ids=[run.__name__ for run, _ in OPERATIONS])
@pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning"
)  # made, and then interrupted
def test_interrupted_at_every_moment(
    run: Blocking,
    change: Change,
    portable: bool,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    blockbuster: BlockBuster,
) -> None:
    blockbuster.deactivate()  # its own functions stand between ours and the system's
    small_steps(monkeypatch)
    if run is move_to_another_mount:
        monkeypatch.setattr(_change, "_rename", _other_mount)
    gc.collect()
    gc.freeze()  # so that collecting is quick from here on
    unraisable: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda hook: unraisable.append(repr(hook.exc_value)))
    moments = Moments(__file__, operations.__file__)
    run(Attempt(run, folder / "warm", portable).store)
    whole = Attempt(run, folder / "whole", portable)
    assert list(whole.make(moments, None)) == []
    assert len(moments) > 10
    wrong: list[str] = []
    for moment in range(0, len(moments), len(moments) // MOST + 1):
        attempt = Attempt(run, folder / str(moment), portable)
        with signals(attempt.signalled):
            problems = list(attempt.make(moments, moment))
            assert attempt.place, "the operation went another way than before"
        try:
            check(change, whole.before, attempt.after, whole.after, done=False)
        except AssertionError as error:
            problems.append(str(error).partition("\n")[0])
        problems += [f"lost: {error}" for error in unraisable if not error.startswith(USUAL)]
        unraisable.clear()
        wrong += [f"{attempt.place}: {problem}" for problem in problems]
    gc.unfreeze()
    assert not wrong, "\n".join(sorted(set(wrong)))


def _other_mount(*args: object) -> bool:
    return False


@contextmanager
def signals(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
