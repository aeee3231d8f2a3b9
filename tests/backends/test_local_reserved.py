"""The names of temporary files are nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.support import DEAD, tree

from remote_store import InvalidPath, NotFound, RemoteStoreError, Store
from remote_store._runtime import drive
from remote_store.backends import LocalBackend

CALLS: dict[str, Callable[[Store, str], object]] = {
    "read": lambda store, path: store.read(path),
    "read_bytes": lambda store, path: store.read_bytes(path),
    "write": lambda store, path: store.write(path, b"x", overwrite=True),
    "stream": lambda store, path: store.write(path, iter([b"x"]), overwrite=True),
    "delete": lambda store, path: store.delete(path, missing_ok=True),
    "delete_folder": lambda store, path: store.delete_folder(path, recursive=True, missing_ok=True),
    "move from": lambda store, path: store.move(path, "g"),
    "move to": lambda store, path: store.move("f", path, overwrite=True),
    "copy from": lambda store, path: store.copy(path, "g"),
    "copy to": lambda store, path: store.copy("f", path, overwrite=True),
    "get_file_info": lambda store, path: store.get_file_info(path),
    "get_folder_info": lambda store, path: store.get_folder_info(path),
    "list_files": lambda store, path: list(store.list_files(path)),
    "exists": lambda store, path: store.exists(path),
    "is_file": lambda store, path: store.is_file(path),
    "is_folder": lambda store, path: store.is_folder(path),
}


@pytest.mark.spec("LOC-015")
@pytest.mark.parametrize("path", [DEAD, f"sub/{DEAD}", f"{DEAD}/f", f"a/{DEAD}/b"])
@pytest.mark.parametrize("call", CALLS)
def test_its_name_is_reserved(plain: Store, root: Path, call: str, path: str) -> None:
    (root / "f").write_bytes(b"content")
    (root / "sub").mkdir()
    for folder in (root, root / "sub"):
        (folder / DEAD).write_bytes(b"dead")
    before = tree(root)
    with pytest.raises(InvalidPath, match="reserved") as caught:
        CALLS[call](plain, path)
    assert (caught.value.path, caught.value.backend) == (path, "local")
    assert tree(root) == before


@pytest.mark.spec("LOC-015", "LOC-010")
@pytest.mark.parametrize(
    "name",
    [
        ".~remote-store-0123456789abcde.tmp",
        ".~remote-store-0123456789abcdef0.tmp",
        ".~remote-store-0123456789ABCDEF.tmp",
        ".~remote-store-0123456789abcdef.tm",
        ".~remote-store-0123456789abcdef.tmp\n",
        "~remote-store-0123456789abcdef.tmp",
        "x.~remote-store-0123456789abcdef.tmp",
        ".~remote-store-",
    ],
)
def test_names_that_are_only_alike_are_not(plain: Store, root: Path, name: str) -> None:
    plain.write(name, b"content")
    assert plain.read_bytes(name) == b"content"
    assert [file.name for file in plain.list_files()] == [name]
    assert drive(LocalBackend(root).sweep_temporaries()) == 0
    with pytest.raises((NotFound, InvalidPath)):
        plain.read_bytes(f"{name}/f")
    with pytest.raises(RemoteStoreError):
        plain.delete_folder(name)
    plain.delete(name)
