"""Run the tests: ``python3 .ci/test.py [PYTEST ARGUMENT...]``.

Makes ``.venv`` in the checkout when it is not there yet. Without arguments all tests run, on
all cores, and their coverage must reach the limit of ``pyproject.toml``; arguments go to
pytest, and coverage is left aside.
"""

from __future__ import annotations

import sys
from pathlib import Path

import environment

UNMEASURED = (
    "test_example.py",
    "test_minimal.py",
    "test_s3.py",
    "test_s3_by_aiohttp.py",
    "test_s3_by_client.py",
    "test_s3_others.py",
    "test_s3_pyarrow.py",
    "test_s3_tls.py",
    "test_sftp.py",
    "test_sftp_others.py",
)
"""Files of ``tests/contract`` whose coverage is not measured, which takes as long as the tests themselves.

They run code that other tests run, too: on local disk and in memory the contract, in
``tests/backends`` the backends.
"""
ON_ALL_CORES = ("-m", "pytest", "--numprocesses=auto", "--dist=loadfile", "--durations=12")
"""A process for each core; a file stays together for its fixtures' sake."""


def main(arguments: list[str]) -> int:
    environment.need("sshd", "openssh-server")  # a real server for the tests of SFTP
    python = environment.prepare("test")
    environment.say("running the tests")
    if arguments:
        return environment.call(python, "-m", "pytest", *arguments)
    coverage = (python, "-m", "coverage")
    environment.run(*coverage, "erase")
    unmeasured = [str(Path("tests", "contract", name)) for name in UNMEASURED]
    failed = environment.call(python, *ON_ALL_CORES, *unmeasured)
    others = [f"--ignore={file}" for file in unmeasured]
    failed = environment.call(*coverage, "run", *ON_ALL_CORES, *others) or failed
    environment.run(*coverage, "combine", "--quiet")
    too_little = environment.call(*coverage, "report")
    return failed or too_little


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
