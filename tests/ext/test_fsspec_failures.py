"""The file system of fsspec where the storage fails: nothing is empty or done because of that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.transaction import Transaction

from remote_store import (
    BackendUnavailable,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.backends import LocalBackend, MemoryBackend
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
    fs = failing(BackendUnavailable)
    seen: list[OSError] = []
    assert [step[0] for step in fs.walk("", on_error=seen.append)] == ["", "c"]
    assert [type(error) for error in seen] == [BackendUnavailable]
    with pytest.raises(BackendUnavailable):
        list(failing(BackendUnavailable).walk(""))


@pytest.mark.spec("FSS-019")
def test_folders_are_made_after_one_was_lost(tmp_path: Path) -> None:
    """Somebody takes the folder away as soon as it is made; so it looks as if there were none."""

    class Raced(LocalBackend):
        race = True

        async def delete(self, path: str, *, missing_ok: bool = False) -> None:
            await super().delete(path, missing_ok=missing_ok)
            if self.race:
                await super().delete_folder("d")

    backend = Raced(tmp_path)
    fs = RemoteStoreFileSystem(store=Store(backend))
    fs.mkdir("d")
    assert not fs.isdir("d")
    backend.race = False
    fs.mkdir("d")
    fs.makedirs("e/f")
    assert [fs.isdir(path) for path in ("d", "e/f")] == [True, True]


@pytest.mark.spec("FSS-019")
def test_no_folder_is_asked_for_where_there_are_none() -> None:
    backend = FaultyBackend(MemoryBackend(), [])
    fs = RemoteStoreFileSystem(store=Store(backend))
    fs.mkdir("d")
    fs.makedirs("e/f", exist_ok=True)
    assert backend.log == []


def _complete_of_2024(self: Any, commit: bool = True) -> None:
    """Do what fsspec 2024.12 did."""
    while self.files:
        file = self.files.popleft()
        file.commit() if commit else file.discard()
    self.fs._intrans = False
    self.fs._transaction = None
    self.fs = None


@pytest.mark.spec("FSS-013")
@pytest.mark.parametrize("old", [False, True])
def test_a_transaction_whose_commit_fails_has_ended(old: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if old:
        monkeypatch.setattr(Transaction, "complete", _complete_of_2024)
    backend = FaultyBackend(
        MemoryBackend(), [Fault("writer.commit", path="b"), Fault("writer.abort", path="c", error=OSError)]
    )
    fs = RemoteStoreFileSystem(store=Store(backend))
    with pytest.raises(BackendUnavailable, match=r"writer\.commit"), fs.transaction:
        for name in "abcd":
            fs.pipe_file(name, b"1")
    assert fs.find("") == ["a"]
    assert [record.path for record in backend.log if record.operation == "writer.abort"] == ["b", "c", "d"]
    fs.pipe_file("later", b"2")
    assert fs.cat_file("later") == b"2"
    with fs.transaction:
        fs.pipe_file("b", b"3")
    assert fs.cat_file("b") == b"3"


@pytest.mark.spec("FSS-005")
def test_all_stores_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    async def aclose(self: MemoryBackend) -> None:
        closed.append(self)
        if len(closed) != 2:
            raise BackendUnavailable(f"number {len(closed)}")

    monkeypatch.setattr(MemoryBackend, "aclose", aclose)
    config = {"backends": {"m": {"type": "memory"}}, "stores": {"one": {"backend": "m"}}}
    RemoteStoreFileSystem(config=config).exists("one/f")
    RemoteStoreFileSystem(store="memory://").exists("f")
    with pytest.raises(BackendUnavailable, match="number 1"):
        RemoteStoreFileSystem.clear_instance_cache()
    assert len(closed) == 2
    RemoteStoreFileSystem(config=config).exists("one/f")
    RemoteStoreFileSystem(store="memory://").exists("f")
    with pytest.raises(ExceptionGroup, match="could not be closed") as caught:
        RemoteStoreFileSystem.clear_instance_cache()
    assert [str(error) for error in caught.value.exceptions] == ["number 3", "number 4"]
    RemoteStoreFileSystem.clear_instance_cache()
