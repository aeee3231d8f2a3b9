"""The virtual environments that the scripts of this folder work in.

Plain standard library, so that a machine with Python, pip and git can start here.
As a script, ``python3 .ci/environment.py GROUP...`` makes ``.venv`` with these
dependency groups of ``pyproject.toml`` and prints the path of its Python.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
PIP_WITH_GROUPS = (25, 1)
ON_ALL_CORES = ("-m", "pytest", f"--numprocesses={(os.cpu_count() or 1) + 1}")
"""A process more than there are cores, because now and then one waits for a server."""

if sys.version_info < OLDEST:
    raise SystemExit(
        f"remote-store needs Python 3.{OLDEST[1]} or newer, and this is {sys.version.split()[0]}"
    )


def prepare(*groups: str, name: str = ".venv", pins: Sequence[str] = ()) -> Path:
    """Return the Python of an environment in which the checkout and these groups are installed.

    It is made when it is missing, and brought up to date when ``pyproject.toml`` or the
    pins changed since; otherwise this takes no time.
    """
    folder = ROOT / name
    python = _python_of(folder)
    stamp = folder / "installed.json"
    installed = _installed(stamp, pins) if _works(python) else None
    if installed is not None and set(groups) <= installed:
        return python
    if not _works(python):
        create(folder)
    _install(python, groups, pins)
    stamp.write_text(json.dumps({"state": _state(pins), "groups": sorted({*groups, *(installed or ())})}))
    return python


def create(folder: Path) -> Path:
    """Make an empty virtual environment with pip and return its Python."""
    if sys.version_info < OLDEST:
        raise SystemExit(
            f"remote-store needs Python 3.{OLDEST[1]} or newer; this is {sys.version.split()[0]}"
        )
    say(f"making a virtual environment in {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    if importlib.util.find_spec("ensurepip") is not None:
        run(sys.executable, "-m", "venv", folder)
    else:
        _create_without_ensurepip(folder)
    return _python_of(folder)


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command that prepares something; if it fails, end this script with its exit code."""
    code = _wait(subprocess.Popen(command, cwd=cwd, env=env, stdout=sys.stderr))
    if code:
        say(f"failed with exit code {code}: {' '.join(map(str, command))}")
        raise SystemExit(code)


def call(*command: str | Path, cwd: Path | None = ROOT) -> int:
    """Run the command that a script is there for, and return its exit code."""
    return _wait(subprocess.Popen(command, cwd=cwd))


def say(message: str) -> None:
    """Tell the person in front of the screen what is going on."""
    print(f"[remote-store] {message}", file=sys.stderr, flush=True)


def need(program: str, package: str) -> None:
    """Make sure that a program of the system is there; install Debian's package of it if that can be."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    if shutil.which(program, path=places):
        return
    if not shutil.which("apt-get") or os.geteuid():
        raise SystemExit(f"{program} is missing; install it first (Debian and Ubuntu: apt install {package})")
    say(f"{program} is missing; installing {package} with apt-get")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "--quiet", "update", env=quiet)
    run("apt-get", "--quiet", "install", "--yes", "--no-install-recommends", package, env=quiet)


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the command heard Ctrl-C too, and ends in its own way


def _succeeds(*command: str | Path, env: dict[str, str] | None = None) -> bool:
    return subprocess.run(command, env=env, stdout=sys.stderr, check=False).returncode == 0


def _install(python: Path, groups: Sequence[str], pins: Sequence[str]) -> None:
    say(f"installing remote-store, and what it needs for: {', '.join(groups)}; this may take a minute")
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    if groups and _pip_version(python) < PIP_WITH_GROUPS:
        run(*pip, "--upgrade", "pip>=25.1")
    with tempfile.TemporaryDirectory() as temporary:
        constraints = Path(temporary, "pins.txt")
        constraints.write_text("\n".join(pins))
        # pip reads dependency groups from the pyproject.toml of the folder it runs in.
        run(*pip, "--constraint", constraints, "--editable", ".", *(f"--group={group}" for group in groups))


def _create_without_ensurepip(folder: Path) -> None:
    """Debian splits ensurepip off its Python: ask virtualenv, else apt."""
    with tempfile.TemporaryDirectory() as temporary:
        env = {**os.environ, "PYTHONPATH": temporary}
        say("this Python has no ensurepip; trying virtualenv")
        have = importlib.util.find_spec("virtualenv") is not None or _succeeds(
            sys.executable, "-m", "pip", "--quiet", "install", "--target", temporary, "virtualenv"
        )
        if have and _succeeds(sys.executable, "-m", "virtualenv", "--quiet", folder, env=env):
            return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not shutil.which("apt-get") or os.geteuid():
        raise SystemExit(f"cannot make a virtual environment; install {package} or virtualenv")
    say(f"trying apt-get install {package}")
    run("apt-get", "--quiet", "update")
    run("apt-get", "--quiet", "install", "--yes", package)
    run(sys.executable, "-m", "venv", folder)


def _python_of(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def _works(python: Path) -> bool:
    """Return True unless the environment is missing, or its Python was removed or moved."""
    return python.exists() and _succeeds(python, "-c", "import pip")


def _pip_version(python: Path) -> tuple[int, ...]:
    code = "import pip; print(pip.__version__)"
    text = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def _state(pins: Sequence[str]) -> str:
    """Return a digest of everything that an installation depends on."""
    content = (ROOT / "pyproject.toml").read_bytes()
    rest = json.dumps([str(ROOT), *pins]).encode()
    return hashlib.sha256(content + rest).hexdigest()


def _installed(stamp: Path, pins: Sequence[str]) -> set[str] | None:
    """Return the groups that are installed and up to date, None if nothing is."""
    try:
        found = json.loads(stamp.read_text())
        return set(found["groups"]) if found["state"] == _state(pins) else None
    except (OSError, ValueError, KeyError):
        return None


if __name__ == "__main__":
    prepared = prepare(*sys.argv[1:])
    print(prepared)
