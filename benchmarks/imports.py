"""How long does ``import remote_store`` take, and what does it bring along?

The time of a new interpreter that imports, minus that of one that does nothing.
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import Final

from benchmarks.harness import OURS, PUBLISHED, Case, Sample, Target, Work

TITLE = "Importing"
MODULES: Final = {
    OURS: "remote_store",
    "aiofiles": "aiofiles",
    "anyio": "anyio",
    "fsspec": "fsspec",
    "obstore": "obstore",
    "OpenDAL": "opendal",
    PUBLISHED: "remote_store",
}
CORE: Final = {"remote_store", "anyio", "idna", "sniffio", "typing_extensions"}
"""The package, its one dependency, and what that needs."""
FIRST_USE: Final = """
import sys
from remote_store import Store
from remote_store.backends import LocalBackend
Store(LocalBackend(sys.argv[1])).exists("a.txt")
"""
LOADED: Final = """
import sys
before = set(sys.modules)
import {module}
names = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(name for name in names - sys.stdlib_module_names if not name.startswith("_")))
"""


def prepare(work: Work) -> None:
    work.folder.mkdir(parents=True)


def run(code: str, work: Work) -> str:
    # Isolated, so that neither the current folder nor the environment adds anything.
    command = [sys.executable, "-I", "-c", code, str(work.folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def seconds(code: str, work: Work) -> float:
    start = time.perf_counter()
    run(code, work)
    return time.perf_counter() - start


def measure(code: str, work: Work) -> float:
    run(code, work)  # the files are in the page cache, and compiled, from here on
    pairs = [seconds(code, work) - seconds("pass", work) for _ in range(work.pick(5, 2))]
    return sorted(pairs)[len(pairs) // 2]


def loaded(module: str, work: Work) -> Sample:
    names = run(LOADED.format(module=module), work).split()
    extra = [name for name in names if name not in CORE]
    return Sample(len(extra), f"loaded: {' '.join(names)}")


TIME, FIRST, PACKAGES = (
    "time of an import",
    "import, open a local store, ask",
    "packages beyond the core loaded",
)
CASES = [
    *(Case(TIME, peer, partial(measure, f"import {module}"), peer, "ms") for peer, module in MODULES.items()),
    *(Case(FIRST, peer, partial(measure, FIRST_USE), peer, "ms") for peer in (OURS, PUBLISHED)),
    Case(PACKAGES, OURS, partial(loaded, "remote_store"), OURS, ""),
]
TARGETS = [
    Target(TIME, "under 60 ms", 0.060),
    Target(PACKAGES, "none", 0),
]
