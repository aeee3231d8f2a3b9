"""Show what the library does, on a folder of yours: ``python3 .ci/demo.py [FOLDER]``.

Makes ``.venv`` in the checkout when it is not there yet, then runs ``docs/examples/demo.py``.
"""

from __future__ import annotations

import sys

import environment

if __name__ == "__main__":
    python = environment.prepare("demo")
    demo = environment.ROOT / "docs" / "examples" / "demo.py"
    sys.exit(environment.call(python, demo, *sys.argv[1:], cwd=None))  # cwd: FOLDER may be relative to it
