"""Ctrl-C at a chosen moment of a piece of code.

CPython looks for signals at certain instructions only: when a function begins, when a
loop goes back, and when a call of a function written in C returns. There, and only
there, KeyboardInterrupt can come into Python code. This module finds all these moments
in one run of a piece of code, and in a further run sends a real signal right before
one of them.

The signal has to be sent by a trace function that is itself written in C: in one
written in Python the interpreter would find the signal at once, and interrupt the
tracing instead of the code.
"""

from __future__ import annotations

import ctypes
import dis
import functools
import itertools
import sys
from collections import defaultdict
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

_LOOKS: Final = ("CALL", "JUMP_BACKWARD", "POP_JUMP_BACKWARD")
_NOTHING: Final[Any] = functools.partial(sys.audit, "tests.nothing")  # a trace function that does nothing


def _sender() -> Any:
    send = ctypes.PyDLL(None).PyErr_SetInterrupt
    send.argtypes = [ctypes.py_object] * 3
    # What it returns is taken for the next trace function. It returns nothing sensible,
    # so this says in C: whatever it is, _NOTHING.
    send.restype = defaultdict(itertools.repeat(_NOTHING).__next__).__getitem__  # type: ignore[assignment]  # any callable
    return send


_send: Final = _sender()


class Moments:
    """The moments of one piece of code at which Ctrl-C can come, counted from 0.

    The code runs several times, and must take the same way each time. Frames of the
    files in ``untouched`` are the caller's own, and are left alone.
    """

    def __init__(self, *untouched: str) -> None:
        self._untouched = {__file__, *untouched}
        self._before: list[int] = []  # for each moment: the event after which its frame comes to it
        self._events = 0
        self._arm = -1
        self._last: dict[
            int, int
        ] = {}  # of each frame, by id: to hold frames would keep their variables alive
        self._trace: Any = None

    def __len__(self) -> int:
        return len(self._before)

    def find(self, code: Callable[[], object]) -> None:
        """Run the code and find its moments."""
        self._before.clear()
        self._run(code, -1)

    def interrupt(self, moment: int, code: Callable[[], object]) -> None:
        """Run the code and interrupt it at a moment; KeyboardInterrupt comes out of it."""
        self._run(code, self._before[moment])

    def _run(self, code: Callable[[], object], arm: int) -> None:
        self._events, self._arm = 0, arm
        self._trace = functools.partial(self._step)
        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for this before settrace, once
        sys.settrace(self._enter)
        try:
            code()
        finally:
            sys.settrace(before)
            self._last.clear()

    def _enter(self, frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename in self._untouched:
            return None
        frame.f_trace = self._trace  # and Python 3.13 for this before the next line
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step(frame, event, arg)

    def _step(self, frame: FrameType, event: str, arg: object) -> Any:
        self._events += 1
        if self._arm < 0:
            if event == "opcode" and _looks(frame.f_code, frame.f_lasti):
                self._before.append(self._last[id(frame)])
            self._last[id(frame)] = self._events
        elif self._arm == self._events:
            sys.settrace(_NOTHING)
            self._trace.__setstate__((_NOTHING, (), {}, {}))  # all other frames have this one object
            return _send  # at this frame's next event
        return self._trace


_known: dict[CodeType, set[int]] = {}


def _looks(code: CodeType, offset: int) -> bool:
    if code not in _known:
        _known[code] = {at.offset for at in dis.get_instructions(code) if at.opname.startswith(_LOOKS)}
    return offset in _known[code]
