"""Run the test suite with coverage: ``python3 .ci/test.py [PYTEST ARGUMENT...]``.

Makes ``.venv`` in the checkout when it is not there yet. Without arguments everything
is tested and the coverage must reach the limit of ``pyproject.toml``.
"""

from __future__ import annotations

import sys

import environment


def main(arguments: list[str]) -> int:
    python = environment.prepare("test")
    coverage = (python, "-m", "coverage")
    environment.run(*coverage, "erase")
    environment.say("running the tests")
    failed = environment.call(*coverage, "run", "-m", "pytest", *arguments)
    environment.run(*coverage, "combine", "--quiet")
    limit = ["--fail-under=0"] if arguments else []
    too_little = environment.call(*coverage, "report", *limit)
    return failed or too_little


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
