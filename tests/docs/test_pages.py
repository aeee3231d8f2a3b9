"""The code in README.md and in the pages runs, and names what exists.

A page is one program: its blocks run one after another, in one process and in an empty
folder. ``<!-- not run: REASON -->`` in the line above a block is the only way out; such a
block has to compile all the same. A file that a page reads with ``from_toml("NAME")`` is the
page's TOML block.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .support import PAGES, ROOT, Block, as_program, assert_clean, blocks, page_id, python_blocks, run_script

WITH_CODE = [page for page in PAGES if python_blocks(page.read_text())]
INCLUDED = re.compile(r'--8<-- "([^"]+)"')


@pytest.mark.parametrize("page", WITH_CODE, ids=page_id)
def test_blocks_compile(page: Path) -> None:
    for block in python_blocks(page.read_text()):
        compile(as_program([block]), str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("page", WITH_CODE, ids=page_id)
def test_a_page_runs(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    program = as_program([block for block in python_blocks(text) if block.runs])
    named = re.findall(r'from_toml\("([^"]+)"\)', program)
    for name, block in zip(named, (b for b in blocks(text) if b.language == "toml"), strict=False):
        (tmp_path / name).write_text(block.code)
    script = tmp_path / "temporary" / f"page_{page.stem}.py"  # no name of a module that it imports
    script.parent.mkdir()
    script.write_text(program)
    assert_clean(run_script(script, cwd=tmp_path))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_included_files_exist(page: Path) -> None:
    for name in INCLUDED.findall(page.read_text()):
        assert (ROOT / "docs" / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_to_files_of_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!\w+:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_blocks_are_found_with_their_place_and_their_marker() -> None:
    text = (
        "# A\n\n```python\na = 1\n```\n\n<!-- not run: needs a server -->\n```python\nb = 2\n```\n"
        '=== "tab"\n\n    ``` {.python title="x"}\n    c = 3\n    ```\n\n<!-- not run: -->\n'
        "```toml\nd = 4\n```\n"
        '```python\n--8<-- "x.py"\n```\n'
    )
    assert [*blocks(text)][:4] == [
        Block("python", "a = 1\n", 4, True),
        Block("python", "b = 2\n", 9, False),
        Block("python", "c = 3\n", 14, True),
        Block("toml", "d = 4\n", 19, True),
    ]
    assert len(python_blocks(text)) == 3
    assert as_program(python_blocks(text)).splitlines()[13] == "c = 3"
