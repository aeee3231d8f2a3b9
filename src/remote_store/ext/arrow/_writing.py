"""A file as Arrow writes it: complete under its name when it is closed, and not there at all otherwise.

Arrow closes its streams whether the writing went well or not: ``with`` blocks of its
streams, and its writers, call ``close`` when they are left by an exception too, and
writers call it when they are dropped. What a call of ``close`` means is therefore found out
here (ADR 0022).
"""

from __future__ import annotations

import sys
from types import FrameType, TracebackType

from ..._sync import WriteStream
from ..._types import Buffer
from ...errors import RemoteStoreError

_Raised = tuple[BaseException, TracebackType | None] | None


class OutputFile:
    """A binary file that Arrow writes to. Dropping it without ``close`` leaves the target as it was."""

    def __init__(self, stream: WriteStream) -> None:
        self._stream = stream
        self._outer = _in_flight()  # this one is being handled already, and none of ours
        stream.__enter__()
        self.closed = False

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._stream.tell()

    def write(self, data: Buffer) -> int:
        """Take all of a buffer, and return its length."""
        return self._stream.write(data)

    def flush(self) -> None:
        """Do nothing: the file is there when it is closed."""

    def close(self) -> None:
        """Store the file, unless an exception is on its way or its writer was dropped.

        Raises:
            BaseException: that exception again, with a note: who closes a stream while
                handling an error is not to believe that the file is there.
            RemoteStoreError: the storage failed, or the writer was dropped.
        """
        if self.closed:
            return
        self.closed = True
        failure, self._outer = self._failure(), None
        if failure is None:
            self._stream.__exit__(None, None, None)
            return
        failure.add_note(
            f"{self._stream.name!r} was not stored: its stream was closed while this was being raised"
        )
        self._stream.__exit__(type(failure), failure, failure.__traceback__)
        raise failure

    def _failure(self) -> BaseException | None:
        found = _in_flight()
        if found is not None and found != self._outer:
            return found[0]
        if _dropped_by_arrow(sys._getframe()):
            return RemoteStoreError(
                "the writer of this file was dropped without close(), so the file is not stored;"
                " use the writer as a context manager",
                path=self._stream.name,
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
