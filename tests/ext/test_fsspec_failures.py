"""The file system of fsspec where the storage fails: nothing is empty or done because of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remote_store import (
    BackendUnavailable,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.backends import MemoryBackend
from remote_store.ext.fsspec import RemoteStoreFileSystem
from remote_store.testing import Fault, FaultyBackend

FILES = {"a/f": b"1", "a/b/g": b"2", "c/h": b"3"}
LOOKS: dict[str, Callable[[RemoteStoreFileSystem], Any]] = {
    "walk": lambda fs: list(fs.walk("")),
    "find": lambda fs: fs.find(""),
    "find to a depth": lambda fs: fs.find("", maxdepth=5),
    "glob": lambda fs: fs.glob("*/*"),
    "glob at any depth": lambda fs: fs.glob("**"),
    "du": lambda fs: fs.du(""),
    "rm": lambda fs: fs.rm("a/*"),
    "cp": lambda fs: fs.cp("a/*", "new/"),
    "mv": lambda fs: fs.mv("a/*", "new/"),
}


def failing(error: type[RemoteStoreError], path: str | None = "a") -> RemoteStoreFileSystem:
    """Return a file system where listing one folder, or any, fails."""
    inner = MemoryBackend()
    RemoteStoreFileSystem(store=Store(inner)).pipe(FILES)
    return RemoteStoreFileSystem(
        store=Store(FaultyBackend(inner, [Fault("list_pages", error=error, path=path, times=99)]))
    )


@pytest.mark.spec("FSS-030")
@pytest.mark.parametrize("error", [BackendUnavailable, RemoteStoreError])
@pytest.mark.parametrize("name", LOOKS)
def test_a_listing_that_fails_is_an_error(error: type[RemoteStoreError], name: str) -> None:
    fs = failing(error, None)
    with pytest.raises(error, match="scripted"):
        LOOKS[name](fs)


@pytest.mark.spec("FSS-030")
def test_walk_leaves_out_what_is_forbidden_or_gone() -> None:
    for error in (PermissionDenied, NotFound):
        fs = failing(error)
        assert [step[0] for step in fs.walk("")] == ["", "c"]
        with pytest.raises(error):
            list(fs.walk("", on_error="raise"))
    assert failing(NotFound).find("", maxdepth=5) == ["c/h"]
    with pytest.raises(PermissionError):
        failing(PermissionDenied).find("", maxdepth=5)
    fs, seen = failing(BackendUnavailable), []
    assert [step[0] for step in fs.walk("", on_error=seen.append)] == ["", "c"]
    assert [type(error) for error in seen] == [BackendUnavailable]
    with pytest.raises(BackendUnavailable):
        list(failing(BackendUnavailable).walk(""))
