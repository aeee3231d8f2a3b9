"""Stores as Arrow sees them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow.fs import PyFileSystem
from tests.ext.places import store_of

from remote_store import Store
from remote_store.ext.arrow import pyarrow_fs


@pytest.fixture(params=["memory", "local", "s3", "sftp"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with store_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def fs(store: Store) -> PyFileSystem:
    return pyarrow_fs(store)
