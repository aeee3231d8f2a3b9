"""The base path: one that is a link, relative, or not there yet."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from remote_store import Store
from remote_store.backends import SFTPBackend

Make = Callable[..., SFTPBackend]


@pytest.fixture
def relative() -> Iterator[str]:
    """Give the name of a folder where logins begin, which is not there."""
    name = f"remote-store-{uuid4().hex}"
    yield name
    shutil.rmtree(Path.home() / name, ignore_errors=True)


def works(store: Store) -> None:
    """Write what makes the base path, and use it."""
    assert not store.exists("a/f")
    store.write("a/f", b"x")
    assert store.exists("a/f")
    assert store.read_bytes("a/f") == b"x"
    store.write("a/f", b"y", overwrite=True)
    store.move("a/f", "g")
    assert [str(info.path) for info in store.list_files("", recursive=True)] == ["g"]


@pytest.mark.spec("SFTP-020")
@pytest.mark.parametrize("rest", ["", "not", "not/yet", "not/yet/there/"])
def test_below_a_link(make: Make, root: Path, rest: str) -> None:
    (root / "real").mkdir()
    (root / "link").symlink_to("real")
    with Store(make(base_path=f"{root}/link/{rest}")) as store:
        works(store)
    assert (root / "real" / rest / "g").read_bytes() == b"y"


@pytest.mark.spec("SFTP-020", "SFTP-028")
@pytest.mark.parametrize("rest", ["", "/not", "/not/yet"])
def test_a_relative_one(make: Make, relative: str, rest: str) -> None:
    native = str(Path.home().resolve() / (relative + rest) / "a/f")
    backend = make(base_path=relative + rest)
    assert backend.to_key(native) == native
    with Store(backend) as store:
        works(store)
        assert store.to_key(native) == store.to_key(f"{relative}{rest}/a/f") == "a/f"


@pytest.mark.spec("SFTP-020")
@pytest.mark.parametrize("base", ["/", "//"])
def test_all_that_the_server_shows(make: Make, root: Path, base: str) -> None:
    with Store(make(base_path=base)) as store:
        store.write(f"{root}/f".strip("/"), b"x")
    assert (root / "f").read_bytes() == b"x"


@pytest.mark.spec("SFTP-028")
def test_names_below_a_link(make: Make, root: Path) -> None:
    (root / "real").mkdir()
    (root / "link").symlink_to("real")
    with Store(make(base_path=str(root / "link"))) as store:
        assert store.to_key(f"{root}/real/f") == f"{root}/real/f"
        store.ping()
        assert store.to_key(f"{root}/real/f") == store.to_key(f"{root}/link/f") == "f"
        assert store.to_key(f"{root}/realm/f") == f"{root}/realm/f"
