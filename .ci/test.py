"""Run the tests: ``python3 .ci/test.py [PYTEST ARGUMENT...]``.

Makes ``.venv`` in the checkout when it is not there yet. Without arguments all tests run, on
all cores, and their coverage must reach the limit of ``pyproject.toml``; arguments go to
pytest, and coverage is left aside.
"""

from __future__ import annotations

import sys

import environment


def main(arguments: list[str]) -> int:
    environment.need("sshd", "openssh-server")  # a real server for the tests of SFTP
    python = environment.prepare("test")
    environment.say("running the tests")
    if arguments:
        return environment.call(python, "-m", "pytest", *arguments)
    coverage = (python, "-m", "coverage")
    environment.run(*coverage, "erase")
    # A process for each core; a file stays together for its fixtures' sake.
    failed = environment.call(*coverage, "run", "-m", "pytest", "--numprocesses=auto", "--dist=loadfile")
    environment.run(*coverage, "combine", "--quiet")
    too_little = environment.call(*coverage, "report")
    return failed or too_little


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
