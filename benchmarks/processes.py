"""The processes in which the peers are measured, seen from the one that asks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.published import clean_environment

ROOT: Final = Path(__file__).resolve().parent.parent


class Worker:
    """A process in which one peer is measured."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker"],
            cwd=ROOT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            return {"error": f"the process ended with code {self._process.wait()}"}
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Workers:
    """One process for each peer, and new ones for those cases that want one."""

    def __init__(self, pythons: dict[str, Path]) -> None:
        self._pythons = pythons
        self._running: dict[str, Worker] = {}

    def ask(self, peer: str, *, fresh: bool = False, **request: Any) -> dict[str, Any]:
        if peer not in self._pythons:
            return {"error": "left out"}
        if fresh:
            worker = Worker(self._pythons[peer])
            try:
                return worker.ask(**request)
            finally:
                worker.close()
        if peer not in self._running:
            self._running[peer] = Worker(self._pythons[peer])
        return self._running[peer].ask(**request)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._running.values():
            worker.close()
