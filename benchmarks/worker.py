"""The process in which one peer is measured: reads a request per line, answers with a line.

Started by ``run.py`` as ``python -m benchmarks.worker``, in whatever environment has the peer.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.harness import Sample, Work


def answer(request: dict[str, Any]) -> dict[str, Any]:
    if "distribution" in request:
        return {"version": _version(request["distribution"])}
    question = importlib.import_module(f"benchmarks.{request['question']}")
    (case,) = (c for c in question.CASES if [c.group, c.label] == request["case"])
    sample = case.measure(Work(Path(request["folder"]), request["quick"]))
    if not isinstance(sample, Sample):
        sample = Sample(sample)
    return {"value": sample.value, "note": sample.note}


def _version(distribution: str) -> str | None:
    if not distribution:
        return sys.version.split()[0]
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 - one peer's failure is a line in the report, not the end of it
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
