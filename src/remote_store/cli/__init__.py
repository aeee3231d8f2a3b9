"""The command line: ``remote-store``, and ``python -m remote_store.cli``.

_app        the program: what all commands have in common
_places     where a location leads: a store and a path in it
_look       commands that change nothing: ls, tree, find, stat, du, cat
_change     commands that change things in place: rm, mv
_copy       cp, put, get: transfers
_telling    what a transfer does, as it comes
_progress   how far a transfer is; _bar: on a terminal; _counting: of how much; _under_way: now
_mirror     sync, check
_stores     ping, config
_bench      bench, a folder of its own and a table; _measuring: what it measures
_output     names, sizes and JSON lines; _streams: where they go
_errors     one line for each error, and the exit code

Needs the extra ``cli``. The blocking face is used throughout.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from ._streams import standing


def main() -> None:
    """Run the program; exits with its code."""
    standing()
    try:
        from ._app import app

        app()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich", "click", "shellingham"):
            raise
        _end(f"the command line needs {error.name}; pip install 'remote-store[cli]'", 2)
    except KeyboardInterrupt:  # commands have their own words; this came before, or after
        _end("interrupted; run the command again to go on", 130)


def _end(line: str, code: int) -> NoReturn:
    print(f"remote-store: {line}", file=sys.stderr)
    sys.exit(code)
