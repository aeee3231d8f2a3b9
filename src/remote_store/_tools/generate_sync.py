"""Write the blocking face from the async one.

    python -m remote_store._tools.generate_sync            write the files
    python -m remote_store._tools.generate_sync --check    fail if they are not up to date

Each public method of a listed class becomes one line that drives the async method.
Signatures and docstrings are carried over; bodies are not. A shape that this tool does
not know stops it with file and line, and so does a rename that is never used.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from . import _rules as rules
from ._emitting import Generator, Renamer, UnknownShape


def _formatted(text: str) -> str:
    """Return the text without unused imports, in the project's format."""
    for command in (
        ["check", "--fix", "--quiet", "--select=F401,F811,I", "--exit-zero"],
        ["format", "--quiet"],
    ):
        arguments = [sys.executable, "-m", "ruff", *command, f"--stdin-filename={rules.TARGET / 'x.py'}", "-"]
        done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=True)  # noqa: S603 - our own command line
        text = done.stdout
    return text


def generate() -> dict[Path, str]:
    """Return the text of every generated file.

    Raises:
        UnknownShape: the source has a shape without a rule, or a rename was not needed.
    """
    renamer = Renamer()
    files = {rules.TARGET / face.name: _formatted(Generator(face, renamer).run()) for face in rules.FACES}
    if unused := set(rules.RENAMES) - renamer.used:
        raise UnknownShape(f"these renames are never used, so remove them: {sorted(unused)}")
    return files


def stale(files: dict[Path, str]) -> list[Path]:
    """Return the files on disk that differ, are missing, or carry the marker without a source."""
    wrong = [
        path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    marked = [
        path for path in rules.TARGET.glob("**/*.py") if rules.MARKER in path.read_text(encoding="utf-8")
    ]
    return wrong + [path for path in marked if path not in files]


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or check them. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, fail if anything would change")
    options = parser.parse_args(arguments)
    files = generate()
    wrong = stale(files)
    if options.check:
        for path in wrong:
            print(f"not up to date: {path.relative_to(rules.PACKAGE)}", file=sys.stderr)
        return 1 if wrong else 0
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    for path in set(wrong) - set(files):
        path.unlink()
    print(f"{len(wrong)} of {len(files)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
