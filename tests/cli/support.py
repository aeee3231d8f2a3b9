"""What tests of commands have in common."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from remote_store import Store
from remote_store.backends import LocalBackend

Run = Callable[..., "Done"]
FILES = {"a.txt": b"hi\n", "sub/b.csv": b"yo\n", "sub/deep/c.csv": bytes(3000)}
PROGRAM = [sys.executable, "-m", "remote_store.cli"]
SECRET = "s3cr3t-v4lue"
CONFIG = f"""\
[backends.disk]
type = "local"
options = {{ root = "root" }}
[backends.bucket]
type = "s3"
options = {{ bucket = "b", key = "AKIA", secret = "{SECRET}" }}
[stores.s]
backend = "disk"
root_path = "x"
[stores.far]
backend = "bucket"
"""


class Done:
    """What a run of the program gave."""

    def __init__(self, result: Any) -> None:
        self.code: int = result.exit_code
        self.out: str = result.stdout
        self.err: str = result.stderr
        self.lines = self.out.splitlines()

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


def there(folder: str) -> dict[str, bytes]:
    """Return all files below a folder of this machine."""
    store = Store(LocalBackend(folder))
    return {str(info.path): store.read_bytes(info.path) for info in store.list_files(recursive=True)}
