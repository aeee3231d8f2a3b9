"""Every rule in ``sdd/specs`` has a test, and every rule a test names is there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).resolve().parents[1]
SPECS = ROOT / "sdd" / "specs"
TEST_FOLDERS = (ROOT / "tests", ROOT / "src" / "remote_store" / "testing")

PREFIXES = {
    "http.md": "HTTP",
    "paths.md": "PATH",
    "models.md": "MOD",
    "capabilities.md": "CAP",
    "errors.md": "ERR",
    "config.md": "CFG",
    "registry.md": "REG",
    "store.md": "STORE",
    "streams.md": "STR",
    "backend.md": "BE",
    "local.md": "LOC",
    "memory.md": "MEM",
    "s3.md": "S3",
    "s3-pyarrow.md": "S3PA",
    "sftp.md": "SFTP",
    "transfer.md": "XFER",
    "cli.md": "CLI",
    "runtime.md": "RUN",
    "facade.md": "GEN",
    "arrow.md": "ARW",
    "zarr.md": "ZARR",
    "fsspec.md": "FSS",
    "testing.md": "TST",
}
RULE = re.compile(r"- \*\*([A-Z][A-Z0-9]*-\d{3})\*\* \S.*\.\Z")


def rules(folder: Path = SPECS) -> Iterator[tuple[str, str]]:
    """Yield each ID that the specs define, with the place."""
    for file in sorted(folder.glob("*.md")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if match := RULE.match(line):
                yield match[1], f"{file.name}:{number}"


def named(source: str, place: str) -> Iterator[tuple[str, str]]:
    """Yield each ID that a ``pytest.mark.spec(...)`` or ``@spec(...)`` names, with the place.

    Raises:
        ValueError: a mark names no ID, or one that cannot be read off the source.
    """
    for mark in ast.walk(ast.parse(source, place)):
        if not _is_spec_mark(mark):
            continue
        where = f"{place}:{mark.lineno}"
        if not mark.args or mark.keywords:
            raise ValueError(f"{where}: a spec mark takes IDs and nothing else")
        for argument in mark.args:
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise ValueError(f"{where}: write the IDs of a spec mark as plain strings")
            yield argument.value, where


def misplaced(source: str, place: str) -> Iterator[str]:
    """Yield the place of each spec mark on something that pytest does not collect."""
    for node in ast.walk(ast.parse(source, place)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("test"):
            yield from (f"{place}:{mark.lineno}" for mark in node.decorator_list if _is_spec_mark(mark))


def _is_spec_mark(node: ast.AST) -> TypeGuard[ast.Call]:
    # The public contract suite has a decorator of its own: a stranger's pytest knows no such mark.
    return (
        isinstance(node, ast.Call) and re.search(r"(\bmark\.|\A)spec\Z", ast.unparse(node.func)) is not None
    )


def sources() -> Iterator[tuple[str, str]]:
    """Yield each file that may hold tests: its text and its name."""
    for folder in TEST_FOLDERS:
        for file in sorted(folder.rglob("*.py")):
            yield file.read_text(encoding="utf-8"), str(file.relative_to(ROOT))


def test_every_rule_has_a_test() -> None:
    tested = {name for source, place in sources() for name, _ in named(source, place)}
    untested = [f"{name} ({place})" for name, place in rules() if name not in tested]
    assert not untested, f"{len(untested)} rules have no test: {', '.join(untested)}"


def test_every_named_rule_exists() -> None:
    known = {name for name, _ in rules()}
    marks = [mark for source, place in sources() for mark in named(source, place)]
    unknown = [f"{name} ({place})" for name, place in marks if name not in known]
    assert not unknown, f"tests name rules that no spec has: {', '.join(unknown)}"


def test_only_tests_name_rules() -> None:
    places = [at for source, place in sources() for at in misplaced(source, place)]
    assert not places, f"spec marks on functions that are no tests: {', '.join(places)}"


def test_no_rule_is_defined_twice() -> None:
    counts = Counter(name for name, _ in rules())
    twice = [name for name, count in counts.items() if count > 1]
    assert not twice, f"defined more than once: {', '.join(twice)}"


def test_every_spec_file_has_its_prefix() -> None:
    assert {file.name for file in SPECS.glob("*.md")} == set(PREFIXES)
    owners = {name: PREFIXES[place.partition(":")[0]] for name, place in rules()}
    strays = [name for name, owner in owners.items() if name.partition("-")[0] != owner]
    assert not strays, f"rules in the wrong file: {', '.join(strays)}"


def test_every_bullet_of_a_spec_is_a_rule() -> None:
    bullets = [
        f"{file.name}: {line}"
        for file in sorted(SPECS.glob("*.md"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.lstrip().startswith(("- ", "* ")) and not RULE.match(line)
    ]
    assert not bullets, f"not of the form '- **ID** sentence.': {bullets}"


def test_every_decision_is_short_and_in_the_index() -> None:
    index = (ROOT / "sdd" / "README.md").read_text(encoding="utf-8")
    for file in sorted((ROOT / "sdd" / "adrs").glob("*.md")):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert len(lines) < 60, f"{file.name} is longer than an ADR should be"
        headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
        assert headings == ["Context", "Decision", "Consequences"], file.name
        assert f"(adrs/{file.name})" in index, f"{file.name} is missing in sdd/README.md"


MARKS = """
import pytest
from pytest import mark

pytestmark = pytest.mark.spec("MOD-001")

@pytest.mark.spec("PATH-001", "PATH-002")
def test_function(): ...

@mark.spec("ERR-001")
class TestClass:
    @pytest.mark.anyio
    @pytest.mark.spec("ERR-002")
    async def test_method(self, backend): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.spec("CAP-001"))])
def test_parameter(x): ...

@pytest.mark.spec("CFG-001")
def helper(): ...

class Part:
    @spec("BE-001", "BE-002")
    @needs("write")
    async def test_rule(self, store): ...

SOURCE = 'pytest.mark.spec("REG-001")'
"""


def test_marks_are_found_wherever_they_stand() -> None:
    found = {name for name, _ in named(MARKS, "x.py")}
    assert found == {
        "MOD-001",
        "PATH-001",
        "PATH-002",
        "ERR-001",
        "ERR-002",
        "CAP-001",
        "CFG-001",
        "BE-001",
        "BE-002",
    }
    assert list(misplaced(MARKS, "x.py")) == ["x.py:19"]


@pytest.mark.parametrize("arguments", ["", "*IDS", "'A-001', why='x'", "f'A-{n}'", "1"])
def test_a_mark_that_cannot_be_read_is_refused(arguments: str) -> None:
    with pytest.raises(ValueError, match=r"x\.py:1"):
        list(named(f"pytest.mark.spec({arguments})", "x.py"))


def test_rules_are_read_with_their_place(tmp_path: Path) -> None:
    text = "# A\n\n- **A-001** One.\n- **A-1** No rule.\n- **A-002** no end\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    assert list(rules(tmp_path)) == [("A-001", "a.md:3")]
