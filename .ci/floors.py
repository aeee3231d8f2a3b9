"""Run the tests with the oldest supported versions: ``python3 .ci/floors.py [PYTEST ARGUMENT...]``.

The versions are the lower bounds that ``pyproject.toml`` promises for the core
dependencies and the extras. They get an environment of their own, ``.venv-floors``.
"""

from __future__ import annotations

import re
import sys

import environment


def floors() -> list[str]:
    import tomllib  # here, so that an old Python is told so by the line above

    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    tested = ("trio", "s3", "sftp", "cli", "arrow", "zarr", "fsspec")
    promised = [*project["dependencies"], *(each for name in tested for each in extras[name])]
    return [re.sub(r"^([\w.-]+)>=([\w.]+)$", r"\1==\2", requirement) for requirement in promised]


if __name__ == "__main__":
    pins = floors()
    python = environment.prepare("test", name=".venv-floors", pins=pins)
    environment.say(f"running the tests with {', '.join(pins)}")
    sys.exit(environment.call(python, *environment.ON_ALL_CORES, "--dist=loadfile", *sys.argv[1:]))
