"""What a call of ``close`` means to who writes: libraries make it after a failure too (ADR 0022)."""

from __future__ import annotations

import sys
from types import FrameType, TracebackType

from ..errors import RemoteStoreError

_Raised = tuple[BaseException, TracebackType | None] | None


class Closing:
    """Made when a file is opened for writing; asked when it is closed."""

    def __init__(self) -> None:
        self._outer = _in_flight()  # this one is being handled already, and none of the file's

    def failure(self, name: str) -> BaseException | None:
        """Return why the file is not to be stored, for ``close`` to raise; None if it is.

        Who closes a file while handling an error is not to believe that it is there: it is
        that very error, with a note.
        """
        outer, self._outer = self._outer, None
        found = _in_flight()
        if found is not None and found != outer:
            found[0].add_note(f"{name!r} was not stored: its stream was closed while this was being raised")
            return found[0]
        if _dropped_by_arrow(sys._getframe()):
            return RemoteStoreError(
                "the writer of this file was dropped without close(), so the file is not stored;"
                " use the writer as a context manager",
                path=name,
            )
        return None


def _in_flight() -> _Raised:
    """Return the exception that is being handled in this thread."""
    error = sys.exception()
    return None if error is None else (error, error.__traceback__)


def _dropped_by_arrow(frame: FrameType | None) -> bool:
    """Return True if a finalizer of pyarrow is what closes the file."""
    while frame is not None:
        if frame.f_code.co_name == "__del__" and frame.f_globals.get("__name__", "").startswith("pyarrow"):
            return True
        frame = frame.f_back
    return False
