"""Each blocking operation, interrupted by Ctrl-C at its first, second, ... last moment at which Python lets it through."""

from __future__ import annotations

import dis
import gc
import io
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import pytest

from remote_store import Store, _runtime
from remote_store._runtime._where import state
from remote_store.backends import LocalBackend
from remote_store.backends.local import _change
from tests.runtime.operations import BIG, STEP, Change, check, content_of, pieces, prepared, small_steps
from tests.runtime.support import assert_nothing_left, descriptors

MOST: Final = 120
"""Interruptions for each operation and backend, spread evenly over all of its moments."""
_AFTER: Final = ("CALL", "JUMP_BACKWARD", "POP_JUMP_BACKWARD")


class Interrupter:
    """Raises KeyboardInterrupt at the n-th moment at which the interpreter would run a signal handler.

    Those are not all lines: CPython looks for signals when a function begins, when a loop
    goes back, and when a function written in C has returned, before its result is stored.
    A ``__del__`` is left out: what is raised in one is lost, whoever wrote it.
    """

    def __init__(self, at: int) -> None:
        self.at = at
        self.moments = 0
        self._last: dict[FrameType, str] = {}

    @property
    def hit(self) -> bool:
        return self.moments >= self.at

    @contextmanager
    def __call__(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)
            self._last.clear()

    def _enter(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename == __file__ or _in_finalizer(frame):
            return None
        if frame.f_back is not None:
            self._last.pop(frame.f_back, None)  # a call of a Python function: it looks when it begins
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self._moment()
        return self._step

    def _step(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
        if event == "opcode":
            if self._last.get(frame, "").startswith(_AFTER):
                self._moment()
            self._last[frame] = _operations(frame.f_code).get(frame.f_lasti, "")
        else:
            self._last.pop(frame, None)
        return self._step

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.at:
            raise KeyboardInterrupt


def _in_finalizer(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


_known: dict[CodeType, dict[int, str]] = {}


def _operations(code: CodeType) -> dict[int, str]:
    if code not in _known:
        _known[code] = {instruction.offset: instruction.opname for instruction in dis.get_instructions(code)}
    return _known[code]


# -- the operations ----------------------------------------------------------------------------

Blocking = Callable[[Store], object]
OPERATIONS: Final[list[tuple[Blocking, Change, str]]] = []


def operation(change: Change = "none", *, only: str = "") -> Callable[[Blocking], Blocking]:
    def add(run: Blocking) -> Blocking:
        OPERATIONS.append((run, change, only))
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
    assert store.read_bytes("dir/../big", length=3 * STEP) == BIG[: 3 * STEP]


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


@operation("partial", only="local")
def move_to_another_mount(store: Store) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_change, "_rename", lambda *args: False)
        store.move("big", "old", overwrite=True)


@operation(only="local")
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


@pytest.mark.spec("LOC-018", "STORE-031", "STR-013", "BE-014", "RUN-002", "RUN-005")
@pytest.mark.parametrize("portable", [False, True], ids=["openat2", "walk"])
@pytest.mark.parametrize(("run", "change", "only"), OPERATIONS, ids=[run.__name__ for run, *_ in OPERATIONS])
def test_interrupted_at_every_moment(
    run: Blocking, change: Change, only: str, portable: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)

    def one(name: str, at: int) -> tuple[bool, dict[str, Any], dict[str, Any]]:
        """Return whether the moment came, and what was there before and is there now."""
        backend = prepared("local", folder / name)
        assert isinstance(backend, LocalBackend)
        backend._root._openat2 = not portable
        store = Store(backend)
        before, open_before = content_of(store), descriptors()
        interrupter = Interrupter(at)
        try:
            with interrupter():
                run(store)
        except KeyboardInterrupt:
            pass
        else:
            assert not interrupter.hit, "the interruption was lost"
        assert not state.inline
        try:
            assert_nothing_left(open_before, folder / name)
        except AssertionError:
            gc.collect()
            assert_nothing_left(open_before, folder / name)
        now = content_of(store)
        store.write("still works", b"1")
        store.close()
        shutil.rmtree(folder / name)
        nonlocal moments
        moments = max(moments, interrupter.moments)
        return interrupter.hit, before, now

    moments = 0
    _, before, after = one("reference", 10**9)
    assert moments > 3
    for at in range(1, moments + 1, moments // MOST + 1):
        hit, _, now = one(str(at), at)
        check(change, before, now, after, done=not hit)
