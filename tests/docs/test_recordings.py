"""The pictures of the command line: the script still makes them, and the pages show those that it makes."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from .support import PAGES, ROOT, run_script

SCRIPT = ROOT / "docs" / "recordings.py"
IMAGES = ROOT / "docs" / "pages" / "images"
LARGEST = 60 << 10


def test_the_script_makes_what_the_pages_show(tmp_path: Path) -> None:
    done = run_script(SCRIPT, "--local", "--into", str(tmp_path / "made"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2026/may/29.jpg" in done.stdout
    made = {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}
    assert made.keys() == {path.name for path in IMAGES.iterdir()}
    for name, text in made.items():
        ET.fromstring(text)
        assert len(text) < LARGEST, name
    shown = {name for page in PAGES for name in re.findall(r"images/([\w.-]+)", page.read_text())}
    assert shown == made.keys()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_pictures_ask_nobody() -> None:
    for path in IMAGES.iterdir():
        assert path.stat().st_size < LARGEST
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text.replace("https://www.textualize.io", "")
