"""A file as Arrow writes it: complete under its name when it is closed, and not there at all otherwise.

Arrow closes its streams whether the writing went well or not: ``with`` blocks of its
streams, and its writers, call ``close`` when they are left by an exception too, and
writers call it when they are dropped. What a call of ``close`` means is therefore found out
here (ADR 0022).
"""

from __future__ import annotations

from ..._sync import WriteStream
from ..._types import Buffer
from .._closing import Closing


class OutputFile:
    """A binary file that Arrow writes to. Dropping it without ``close`` leaves the target as it was."""

    def __init__(self, stream: WriteStream) -> None:
        self._stream = stream
        self._closing = Closing()
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
        failure = self._closing.failure(self._stream.name)
        if failure is None:
            self._stream.__exit__(None, None, None)
            return
        self._stream.__exit__(type(failure), failure, failure.__traceback__)
        raise failure
