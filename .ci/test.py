"""Run the tests: ``python3 .ci/test.py [PYTEST ARGUMENT...]``.

Makes ``.venv`` in the checkout when it is not there yet. Without arguments all tests run, on
all cores, and their coverage must reach the limit of ``pyproject.toml``; arguments go to
pytest, and coverage is left aside.
"""

from __future__ import annotations

import sys

import environment

UNMEASURED = (
    "tests/contract/test_s3.py",
    "tests/contract/test_s3_pyarrow.py",
    "tests/contract/test_sftp.py",
    "tests/contract/test_sftp_others.py",
    "tests/contract/test_s3_tls.py",
    "tests/contract/test_s3_others.py",
    "tests/contract/test_s3_by_client.py",
    "tests/contract/test_s3_by_aiohttp.py",
    "tests/backends/s3/test_s3_memory.py",
    "tests/backends/sftp/test_sftp_memory.py",
    "tests/system",
    "tests/runtime/test_cancel_matrix.py",
    "tests/runtime/test_interrupt_matrix.py",
    "tests/ext/test_fsspec_suite.py",
    "tests/backends/s3/test_names.py",
    "tests/transfer/test_between.py",
    "tests/contract/test_example.py",
    "tests/contract/test_minimal.py",
)
"""Tests whose coverage is not measured, which takes as long as the tests themselves.

They run code that other tests run, too: on local disk and in memory the contract, in
``tests/backends`` the backends. Those that take longest come first, so that no process
is left with one of them while the others have nothing to do any more.
"""
IN_ONE_PLACE = ("--dist=loadscope", "--no-loadscope-reorder", "--durations=12")
"""A class, or what else is in a file, stays together for its fixtures' sake, and comes when it is named."""


def main(arguments: list[str]) -> int:
    environment.need("sshd", "openssh-server")  # a real server for the tests of SFTP
    python = environment.prepare("test")
    environment.say("running the tests")
    if arguments:
        return environment.call(python, "-m", "pytest", *arguments)
    coverage = (python, "-m", "coverage")
    tests = (*environment.ON_ALL_CORES, *IN_ONE_PLACE)
    environment.run(*coverage, "erase")
    failed = environment.call(python, *tests, *UNMEASURED)
    others = [f"--ignore={path}" for path in UNMEASURED]
    failed = environment.call(*coverage, "run", *tests, *others) or failed
    environment.run(*coverage, "combine", "--quiet")
    too_little = environment.call(*coverage, "report")
    return failed or too_little


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
