"""Every example runs, says what it should, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import EXAMPLES, ROOT, assert_clean, run_script

EXPECTED = {
    "quickstart.py": [
        "stored reports/may.csv 15 bytes",
        r"a part of it: b'sales'",
        r"awaited b'day,sales\n1,30\n'",
        "listed reports/june.csv 15",
    ],
    "file_operations.py": [
        "exists: True False",
        "kinds: True True",
        "folder: 3 files, 61 bytes",
        "logs: ['inbox/old/c.log']",
        "child: folder inbox/old",
        "walk: 'inbox': ['old'] ['a.txt', 'b.txt']",
        "archive: ['2026/a.txt', '2026/b.txt']",
        "left: ['inbox/old/c.log', 'readme.md']",
    ],
    "streaming.py": [
        "stored 8388608 bytes",
        "and back 8388608 bytes",
        r"a part: b'\x03\x03\x03\x03'",
        "numbers: 499500",
        "from the zip file: b'hello'",
        "copied to the other store: 4194304 bytes",
        r"the log: b'first\nsecond\n'",
    ],
    "atomic_writes.py": [
        'state: {"offset": 2}',
        'the source broke; state: {"offset": 2}',
        "changed my mind; report is there: False",
        """the reader got: b'{"offset": 2}' and now there is: b'new'""",
        "files: ['state.json']",
        "winners: 1 and the file names the winner: True",
    ],
    "configuration.py": [
        "on the disk: 20 sold",
        "awaited: 20 sold",
        "reports: ['may.txt']",
        "BackendConfig(type='sftp', options={'host': 'example.org', 'password': '***'})",
        "refused: unknown key 'backend' in the configuration; did you mean 'backends'?",
        "by URL: 20 sold",
    ],
    "error_handling.py": [
        "not found: folder//missing.txt | cause: FileNotFoundError",
        "exists: b'old' was not touched",
        "invalid: 'folder': this is a folder, not a file",
        "builtin: True",
        "any: NotFound | retryable: False | backend: local",
        "  in another process: True",
        "timeout: as asyncio raises it; the file is there: False",
    ],
    "custom_backend.py": ["notes/tomorrow.txt 8", "it rains"],
}


def test_every_example_is_expected_to_say_something() -> None:
    assert {path.name for path in EXAMPLES} - {"demo.py"} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    done = run_script(ROOT / "docs" / "examples" / name, cwd=tmp_path)
    assert_clean(done)
    lines = done.stdout.splitlines()
    assert [line for line in EXPECTED[name] if line not in lines] == [], done.stdout
    assert [str(path) for path in tmp_path.rglob("*")] == [str(tmp_path / "temporary")]
