"""Where the server of the SFTP benchmark is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Calls = dict[str, Callable[..., Any]]


@dataclass(frozen=True)
class Place:
    """A server, and the folders of the benchmark: ``folder`` with keys, ``data`` for files."""

    port: int
    folder: Path
    data: str

    @property
    def key(self) -> str:
        return str(self.folder / "user")
