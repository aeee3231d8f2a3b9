"""The run itself: arguments, rounds, what is printed."""

from __future__ import annotations

import argparse
import compileall
import importlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from benchmarks import published
from benchmarks.harness import OURS, PEERS, PUBLISHED, Case, Sample, Target, Work
from benchmarks.processes import Workers
from benchmarks.report import Group, Line

QUESTIONS: Final = (
    "small_reads",
    "small_writes",
    "streaming",
    "listing",
    "file_info",
    "imports",
    "memory",
    "s3_requests",
    "s3_bulk",
    "s3_arrow",
    "parquet_scan",
    "sftp_files",
    "transfers",
    "concurrency",
)
SOURCE: Final = Path(__file__).parents[1] / "src"
BUSY: Final = 0.5
"""A load average beyond this is noted."""


def versions(workers: Workers) -> dict[str, str | None]:
    return {peer: workers.ask(peer, distribution=name).get("version") for peer, name in PEERS.items()}


def measure(
    name: str, work: Work, rounds: int, workers: Workers, present: set[str], part: str = ""
) -> Iterator[Group]:
    """Answer one question: every group in so many rounds, and in each round every line once.

    Only the groups count whose title holds ``part``. Each is given when it is done.
    """
    question = importlib.import_module(f"benchmarks.{name}")
    say(f"{name}: preparing")
    question.prepare(work)
    groups: dict[str, list[Line]] = {}
    for case in question.CASES:
        if part not in case.group:
            continue
        failure = "" if case.peer in present else "not installed"
        groups.setdefault(case.group, []).append(Line(case, [], failure))
    for title, lines in groups.items():
        for number in range(rounds):
            say(f"{name}: {title}: round {number + 1} of {rounds}")
            for line in lines if number % 2 == 0 else reversed(lines):  # who comes first has no advantage
                if not line.failure:
                    take(line, name, work, workers)
        yield Group(title, lines, targets(question, title))


def take(line: Line, question: str, work: Work, workers: Workers) -> None:
    case: Case = line.case
    reply = workers.ask(
        case.peer,
        fresh=case.fresh,
        question=question,
        case=[case.group, case.label],
        folder=str(work.folder),
        quick=work.quick,
    )
    if "error" in reply:
        line.failure, line.samples = reply["error"], []
    else:
        line.samples.append(Sample(reply["value"], reply["note"]))


def targets(question: ModuleType, group: str) -> list[Target]:
    return [target for target in question.TARGETS if target.group == group]


def machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def say(text: str) -> None:
    print(f"[benchmarks] {text}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py", description="Measure remote_store beside other libraries, in one run."
    )
    parser.add_argument("question", nargs="*", help=f"one or more of: {', '.join(QUESTIONS)} (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes and few rounds: shows that all works"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often each line is measured (default: 7, with --quick 2)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all samples and figures to this file"
    )
    parser.add_argument(
        "--data", type=Path, help="an existing folder to work in (default: the temporary folder)"
    )
    parser.add_argument(
        "--cache", type=Path, default=published.default_cache(), help="where environments are kept"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="only tables whose title holds this text")
    parser.add_argument("--without-published", action="store_true", help="leave out PyPI's remote-store")
    chosen = parser.parse_args()
    unknown = set(chosen.question) - set(QUESTIONS)
    if unknown:
        parser.error(f"there is no question {', '.join(sorted(unknown))}; there are: {', '.join(QUESTIONS)}")
    chosen.rounds = chosen.rounds or (2 if chosen.quick else 7)
    return chosen


def main() -> None:
    chosen = arguments()
    compileall.compile_dir(SOURCE, quiet=1)  # as installing does for the others
    pythons = dict.fromkeys(PEERS, Path(sys.executable))
    del pythons[PUBLISHED]
    if not chosen.without_published:
        pythons[PUBLISHED] = published.prepare(chosen.cache)
    result: dict[str, Any] = {
        "machine": machine(),
        "quick": chosen.quick,
        "rounds": chosen.rounds,
        "questions": [],
    }
    with (
        tempfile.TemporaryDirectory(prefix="remote-store-benchmarks-", dir=chosen.data) as data,
        Workers(pythons) as workers,
    ):
        found = result["versions"] = versions(workers)
        print(f"{result['machine']}\n{found}")
        if result["machine"]["load"] > BUSY:
            print("This machine is busy with something else: the figures will be wrong.")
        if chosen.quick:
            print(
                "A quick run: sizes are a tenth or less of what the titles say, and the figures mean little."
            )
        for name in chosen.question or QUESTIONS:
            work = Work(Path(data, name), chosen.quick)
            present = {peer for peer in found if found[peer]}
            print(f"\n== {importlib.import_module(f'benchmarks.{name}').TITLE}")
            groups: list[Any] = []
            result["questions"].append({"question": name, "groups": groups})
            for group in measure(name, work, chosen.rounds, workers, present, chosen.only):
                print(group.text(), flush=True)
                groups.append(group.data())
                if chosen.json:  # by now, for a run may be stopped
                    chosen.json.write_text(json.dumps(result, indent=1))
    say(f"measured: {OURS} {found[OURS]}")
