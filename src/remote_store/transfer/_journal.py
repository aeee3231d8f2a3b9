"""What is done of a transfer, in a file that outlives the process. Blocking: for worker threads.

SQLite keeps it whole whenever the process is killed. The file is locked as long as it is open.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NoReturn, TypeAlias

from ..errors import BackendUnavailable, RemoteStoreError
from ..parts import Part

Statement: TypeAlias = tuple[str, tuple[Any, ...]]

_APPLICATION: Final = 0x52_53_4A_31
"""Marks the file as ours, for those who ask what it is."""
SUFFIXES: Final = ("", "-shm", "-wal", "-journal")
"""What the names of its files end in: SQLite keeps some beside it."""
_TABLES: Final = """
CREATE TABLE call (arguments TEXT NOT NULL);
CREATE TABLE files (
    target BLOB PRIMARY KEY, done INTEGER NOT NULL, source TEXT, size INTEGER, etag TEXT,
    token TEXT, since TEXT
) WITHOUT ROWID;
CREATE TABLE parts (
    target BLOB, number INTEGER, size INTEGER, crc32 INTEGER, receipt TEXT, PRIMARY KEY (target, number)
) WITHOUT ROWID;
CREATE TABLE lines (number INTEGER PRIMARY KEY, digest BLOB NOT NULL)
"""


@dataclass(slots=True)
class Entry:
    """What is known of one file.

    Attributes:
        done: it has arrived.
        source: the version of the source that is meant.
        size: length in bytes of what arrived, or of what is written in parts.
        etag: what the target said of it, if it said something.
        token: of the ``PartWriter`` that was begun.
        since: when writing in parts was begun; None where it was not.
        parts: those that have arrived, by number.
    """

    done: bool = False
    source: str = ""
    size: int = 0
    etag: str | None = None
    token: str | None = None
    since: datetime | None = None
    parts: dict[int, Part] = field(default_factory=dict)


def begun(target: str, source: str) -> Statement:
    """Note that a file may arrive from now on."""
    return "INSERT OR REPLACE INTO files (target, done, source) VALUES (?, 0, ?)", (_key(target), source)


def in_parts(target: str, entry: Entry) -> Sequence[Statement]:
    """Note that a file is written in parts, of which there are none yet."""
    since = entry.since.isoformat() if entry.since is not None else None
    return (
        (
            "INSERT OR REPLACE INTO files VALUES (?, 0, ?, ?, NULL, ?, ?)",
            (_key(target), entry.source, entry.size, entry.token, since),
        ),
        ("DELETE FROM parts WHERE target = ?", (_key(target),)),
    )


def arrived(target: str, part: Part) -> Statement:
    """Note a part."""
    return "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?)", (_key(target), *part)


def done(target: str, source: str, size: int, etag: str | None) -> Sequence[Statement]:
    """Note that a file has arrived."""
    return (
        (
            "INSERT OR REPLACE INTO files (target, done, source, size, etag) VALUES (?, 1, ?, ?, ?)",
            (_key(target), source, size, etag),
        ),
        ("DELETE FROM parts WHERE target = ?", (_key(target),)),
    )


def forgotten(target: str) -> Sequence[Statement]:
    """Note that nothing is known of a file."""
    return tuple((f"DELETE FROM {table} WHERE target = ?", (_key(target),)) for table in ("files", "parts"))  # noqa: S608


class Journal:
    """The file, open and locked.

    Args:
        path: the file; made if it is missing.
        call: what the transfer was asked to do; None takes what is there.

    Attributes:
        fresh: it was made just now.

    Raises:
        BackendUnavailable: somebody else has it open.
        RemoteStoreError: it is another transfer's, or no journal; or it cannot be opened.
    """

    def __init__(self, path: str, call: dict[str, Any] | None) -> None:
        self._path = os.path.abspath(path)  # no name that SQLite gives a meaning of its own
        self._file = self._connected()
        try:
            self.call = self._checked(call)
        except sqlite3.Error as error:
            self.close()
            self._raise(error)
        except BaseException:
            self.close()
            raise

    def _connected(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            self._raise(error)

    def _checked(self, call: dict[str, Any] | None) -> dict[str, Any]:
        self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.fresh = not self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not self.fresh and self._file.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise self._error("this file is no journal of a transfer; give another path")
        self._file.execute("PRAGMA journal_mode = WAL")  # it is ours, so we may change it
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute("BEGIN EXCLUSIVE")
        if self.fresh:
            self._file.execute(f"PRAGMA application_id = {_APPLICATION}")
            for table in _TABLES.split(";"):
                self._file.execute(table)
            self._file.execute("INSERT INTO call VALUES (?)", (json.dumps(call or {}),))
        self._file.execute("COMMIT")
        found: dict[str, Any] = json.loads(self._file.execute("SELECT arguments FROM call").fetchone()[0])
        if call is not None and found != call:
            raise self._error(
                f"this journal belongs to another transfer: {_difference(found, call)}. Give the same"
                " arguments as then, or another journal; discard_journal gives that transfer up"
            )
        return found

    def run(self, statements: Iterable[Statement]) -> None:
        """Write down several things, all or nothing."""
        try:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                for text, values in statements:
                    self._file.execute(text, values)
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._raise(error)

    def entry(self, target: str) -> Entry | None:
        """Return what is known of a file."""
        try:
            row = self._file.execute(
                "SELECT done, source, size, etag, token, since FROM files WHERE target = ?", (_key(target),)
            ).fetchone()
            if row is None:
                return None
            since = datetime.fromisoformat(row[5]) if row[5] else None
            parts = self._file.execute(
                "SELECT number, size, crc32, receipt FROM parts WHERE target = ?", (_key(target),)
            )
            found = {number: Part(number, *rest) for number, *rest in parts}
            return Entry(bool(row[0]), row[1] or "", row[2] or 0, row[3], row[4], since, found)
        except sqlite3.Error as error:
            self._raise(error)

    def unfinished(self) -> list[str]:
        """Return the files that are being written in parts."""
        try:
            rows = self._file.execute("SELECT target FROM files WHERE since IS NOT NULL").fetchall()
        except sqlite3.Error as error:
            self._raise(error)
        return [target.decode("utf-8", "surrogatepass") for (target,) in rows]

    def lines(self, first: int, digests: Sequence[bytes]) -> None:
        """Note the lines of a plan from a number on, or compare them with what was noted.

        Raises:
            RemoteStoreError: it is another plan.
        """
        try:
            known = self._file.execute(
                "SELECT number, digest FROM lines WHERE number >= ? AND number < ?",
                (first, first + len(digests)),
            ).fetchall()
        except sqlite3.Error as error:
            self._raise(error)
        for number, digest in known:
            if digests[number - first] != digest:
                raise self._error(
                    f"this journal belongs to another plan, from line {number} on. Apply the same plan"
                    " as then, or give another journal; discard_journal gives that transfer up"
                )
        numbered = enumerate(digests[len(known) :], first + len(known))
        self.run([("INSERT INTO lines VALUES (?, ?)", pair) for pair in numbered])

    def ended(self, count: int) -> None:
        """Take note that a plan has so many lines.

        Raises:
            RemoteStoreError: there were more before, so it is another plan.
        """
        try:
            known = self._file.execute("SELECT max(number) FROM lines").fetchone()[0] or 0
        except sqlite3.Error as error:
            self._raise(error)
        if known > count:
            raise self._error(
                f"this journal belongs to another plan, of {known} lines at least, not of {count}. Apply the"
                " same plan as then, or give another journal; discard_journal gives that transfer up"
            )

    def close(self) -> None:
        """Close the file, and let others have it."""
        with suppress(sqlite3.Error):
            self._file.close()

    def delete(self) -> None:
        """Close it, and delete it."""
        self.close()
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                os.unlink(self._path + suffix)

    def _raise(self, error: sqlite3.Error) -> NoReturn:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise BackendUnavailable(
                "this journal is in use by another transfer; wait for its end, or give another journal",
                path=self._path,
                retryable=False,
            ) from error
        if code == sqlite3.SQLITE_NOTADB:
            raise self._error("this file is no journal of a transfer; give another path") from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise self._error(
                f"the journal cannot be written ({error}); give a path in a folder that is there and yours"
            ) from error
        raise self._error(f"the journal failed ({error}); make room, or give another path") from error

    def _error(self, message: str) -> RemoteStoreError:
        return RemoteStoreError(message, path=self._path)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def _key(target: str) -> bytes:
    return target.encode("utf-8", "surrogatepass")  # names of local files need not be Unicode


def _difference(found: dict[str, Any], call: dict[str, Any]) -> str:
    names = dict.fromkeys(name for name in (*found, *call) if found.get(name) != call.get(name))
    return "; ".join(f"its {name} is {found.get(name)!r}, not {call.get(name)!r}" for name in names)
