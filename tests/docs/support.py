"""Pages with code in them, and scripts run as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "docs" / "changelog.md", *sorted((ROOT / "docs" / "pages").rglob("*.md"))]

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
MARKER = re.compile(r"<!-- not run: \S.* -->\s*\Z")
"""Stands in the line above a block that is not to be run, with the reason."""


@dataclass(frozen=True)
class Block:
    """A fenced block; ``line`` is that of its first line of code, counted from 1."""

    language: str
    code: str
    line: int
    runs: bool


def blocks(text: str) -> Iterator[Block]:
    for match in FENCE.finditer(text):
        language = re.match(r"[\s{.]*([\w-]*)", match["info"])
        assert language is not None
        yield Block(
            language[1],
            textwrap.dedent(match["body"]),
            text.count("\n", 0, match.start("body")) + 1,
            MARKER.search(text[: match.start()]) is None,
        )


def python_blocks(text: str) -> list[Block]:
    """Return the Python in a page, but for files that are included: those are run as examples."""
    return [
        block for block in blocks(text) if block.language == "python" and not block.code.startswith("--8<--")
    ]


def as_program(page: list[Block]) -> str:
    """Join blocks into one program, each at the line of the page that it stands on."""
    lines: list[str] = []
    for block in page:
        lines += [""] * (block.line - 1 - len(lines))
        lines += block.code.splitlines()
    return "\n".join(lines) + "\n"


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


WITHOUT_PRIVILEGES = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
if sys.platform == "linux":  # from this set root has its privileges when a program starts
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def run_script(
    script: Path, *arguments: str, cwd: Path, privileged: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a script with everything turned on that finds mistakes, and its temporary files below ``cwd``.

    Without privileges, root too has to keep to the modes of files.
    """
    temporary = cwd / "temporary"
    temporary.mkdir(exist_ok=True)
    first = [] if privileged else [sys.executable, "-c", WITHOUT_PRIVILEGES]
    return subprocess.run(
        [*first, sys.executable, "-W", "error", "-X", "dev", str(script), *arguments],
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def assert_clean(done: subprocess.CompletedProcess[str], code: int = 0) -> None:
    # Debug mode has asyncio remark on slow steps, and a busy machine makes any step slow: that is no fault.
    assert done.returncode == code, done.stdout + done.stderr
    for word in ("Traceback", "Warning", "Exception ignored", "never awaited", "never retrieved"):
        assert word not in done.stderr, done.stderr
