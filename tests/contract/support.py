"""What the tests of this folder share."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

from tests.support import untraced

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    """How one test ended."""

    suite: str
    test: str
    way: str
    ended: Literal["passed", "failed", "skipped"]
    reason: str


def run_pytest(folder: Path, *arguments: str | Path, report: Path) -> list[Outcome]:
    """Run pytest in a process of its own and return how each test ended.

    Its coverage is not measured: no line runs here only. It always is told that this is CI, where
    pytest explains failures at any length: a failing suite must end soon there, too.
    """
    env = untraced() | {"CI": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=line",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:zarr",
        f"--junitxml={report}",
    ]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [_outcome(case) for case in ET.parse(report).iter("testcase")]


def _outcome(case: ET.Element) -> Outcome:
    name, _, parameters = case.attrib["name"].partition("[")
    marks = {child.tag: child for child in case}
    failed = marks.get("failure", marks.get("error"))
    skipped = marks.get("skipped")
    ended: Literal["passed", "failed", "skipped"]
    ended = "failed" if failed is not None else "skipped" if skipped is not None else "passed"
    mark = failed if failed is not None else skipped
    return Outcome(
        suite=case.attrib["classname"].rpartition(".")[2],
        test=name,
        way=parameters.rstrip("]").partition("-")[0],
        ended=ended,
        reason="" if mark is None else mark.attrib.get("message", ""),
    )
