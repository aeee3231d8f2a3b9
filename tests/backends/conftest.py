"""A root, what lies outside of it, and a store on both ways to resolve paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backends.support import WAYS, is_temporary, local, tree

from remote_store import Store
from remote_store.backends import LocalBackend


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Give a folder beside the root, with what nobody may read, list, overwrite or delete."""
    folder = tmp_path / "outside"
    (folder / "sub").mkdir(parents=True)
    (folder / "f").write_bytes(b"SECRET")
    (folder / "sub" / "f").write_bytes(b"SECRET")
    (folder / "secret").write_bytes(b"SECRET")
    return folder


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backend(root: Path, way: str) -> LocalBackend:
    """Give a backend, once for each way to resolve paths."""
    return local(root, way)


@pytest.fixture
def store(backend: LocalBackend) -> Store:
    return Store(backend)


@pytest.fixture
def plain(root: Path) -> Store:
    """Give a store that is made once, where the way to resolve paths is not the point."""
    return Store(LocalBackend(root))


@pytest.fixture
def no_temporaries(root: Path) -> Iterator[None]:
    """Fail a test that leaves temporary files behind."""
    yield
    assert [name for name in tree(root) if is_temporary(Path(name).name)] == []
