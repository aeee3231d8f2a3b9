"""Memory: however large the file or the folder is, a bounded part of it is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.backends.memory import added
from tests.services import SFTPServer

STREAMED = 1024
LIMIT, LISTING_LIMIT = 64.0, 32.0
FILES = 100_000

ways = pytest.mark.parametrize("way", ["blocking", "asyncio", "trio"])
pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc to look into"),
    pytest.mark.timeout(300),
]


@pytest.mark.spec("SFTP-024")
@ways
def test_streams_hold_what_is_in_flight(sshd: SFTPServer, root: Path, way: str) -> None:
    options: dict[str, Any] = {**sshd.options, "base_path": str(root)}
    for job in ("write", "read"):
        assert added(way, job, "sftp", options, STREAMED) < LIMIT
    (root / "large").unlink()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of many files, all of them names of one."""
    root = tmp_path_factory.mktemp("root")
    (root / "many").mkdir()
    (root / "warm").mkdir()
    first = root / "many" / "0"
    for number in range(FILES):
        if number % 50_000 == 0:  # file systems bound the names of one file
            first = root / "many" / str(number)
            first.touch()
        else:
            (root / "many" / str(number)).hardlink_to(first)
    return root


@pytest.mark.spec("SFTP-021")
@ways
def test_listings_hold_a_page(sshd: SFTPServer, many: Path, way: str) -> None:
    options: dict[str, Any] = {**sshd.options, "base_path": str(many)}
    assert added(way, "list", "sftp", options, 0) < LISTING_LIMIT
