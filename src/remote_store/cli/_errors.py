"""One line for each error, with the next step, and the exit code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import typer

from ..errors import NotFound, RemoteStoreError
from ._output import printable

F = TypeVar("F", bound=Callable[..., Any])

FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

_OPTIONS: Final = {
    "pass overwrite=True": "give --overwrite",
    "pass recursive=True": "give --recursive",
    "use delete_folder()": "give --recursive",
    "use delete()": "leave out --recursive",
    "pass key and secret": "set key and secret in the configuration",
    "pass anon=True": "set anon=true",
    "use HostKeyPolicy.TRUST_ON_FIRST_USE": 'set host_key_policy = "tofu"',
    "pass verify=PATH of": "set verify to the path of",
    "pass from_file=True": "set from_file = true",
    "; discard_journal gives": "; discard-journal gives",
}
"""What messages advise in Python, and what does the same here."""

_MISUSED: Final = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""The base of what Typer says of a command line; it has no public name."""

debug = False
"""Let errors through, with their tracebacks: set by ``--debug``."""


class Usage(Exception):
    """The command line asks for something that makes no sense."""


def reporting(command: F) -> F:
    """Turn errors of a command into a line and an exit code."""

    @functools.wraps(command)
    def reported(*args: Any, **options: Any) -> Any:
        try:
            return _flushed(command, *args, **options)
        except BrokenPipeError:
            # Who reads has gone away, as `head` does; nor may the interpreter try again at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from None
        except KeyboardInterrupt as error:
            how = str(error) or "run the command again to go on"
            complain(f"interrupted; nothing is half written; {how}")
            raise typer.Exit(INTERRUPTED) from None
        except _MISUSED as error:
            if advice := _advice(error):  # else the help is shown already
                complain(advice)
            raise typer.Exit(USAGE) from None
        except (RemoteStoreError, Usage, ValueError, TypeError, OSError) as error:
            if debug:
                raise
            complain(words(error))
            raise typer.Exit(code_of(error)) from None

    return reported  # type: ignore[return-value]


def _flushed(command: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Run a command, and write all that it has printed while somebody is there to tell of failures."""
    try:
        result = command(*args, **options)
    except typer.Exit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return result


def _advice(error: Any) -> str:
    """Return what is wrong with a command line, and where to read how it is right."""
    message = " ".join(error.format_message().split()).rstrip(".")
    command = error.ctx.command_path if error.ctx is not None else "remote-store"
    return f"{message}; see {command} --help" if message else ""


def words(error: BaseException, path: str | None = None) -> str:
    """Return an error as one line, with its path, which may be given as a location."""
    if isinstance(error, OSError) and error.filename is None and not isinstance(error, RemoteStoreError):
        return f"the output cannot be written: {error.strerror or error}"  # all else has a name
    if not isinstance(error, RemoteStoreError):
        return " ".join(str(error).split())
    message = " ".join(error.message.split())
    for in_python, here in _OPTIONS.items():
        message = message.replace(in_python, here)
    where = path or error.path
    return f"{where}: {message}" if where else message


def code_of(error: BaseException) -> int:
    """Return the exit code for an error."""
    if isinstance(error, (NotFound, FileNotFoundError)):
        return NOT_FOUND
    if isinstance(error, RemoteStoreError | OSError):
        return FAILED
    return USAGE


def complain(line: str) -> None:
    """Print what went wrong on the error stream."""
    note(f"remote-store: {line}")


def note(line: str) -> None:
    """Print a line that is no result on the error stream."""
    print(printable(line), file=sys.stderr, flush=True)
