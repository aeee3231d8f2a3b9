"""All that can be done with a path, for the tests of what lies behind it."""

from __future__ import annotations

import os
from collections.abc import Callable

from remote_store import Store

Operation = Callable[[Store, str], object]


def read_stream(store: Store, path: str) -> bytes:
    with store.read(path) as stream:
        return stream.read()


def write_stream(store: Store, path: str) -> None:
    with store.open_write(path, overwrite=True) as stream:
        stream.write(b"NEW")
        stream.write(b"!")


def info(store: Store, path: str) -> int:
    size = store.get_file_info(path).size
    assert size != len(b"SECRET"), "told about a file outside"
    return size


def copy_in(store: Store, path: str) -> bytes:
    store.copy(path, "copied", overwrite=True)
    return store.read_bytes("copied")


def copy_out(store: Store, path: str) -> None:
    store.write("mine", b"NEW!", overwrite=True)
    store.copy("mine", path, overwrite=True)


def move_out(store: Store, path: str) -> None:
    store.write("mine", b"NEW!", overwrite=True)
    store.move("mine", path, overwrite=True)


def move_in(store: Store, path: str) -> bytes:
    store.move(path, "moved", overwrite=True)
    return store.read_bytes("moved")


def glob(store: Store, path: str) -> object:
    return list(store.glob(f"{path}/**")) or store.is_file(
        f"{path}/f"
    )  # where all others refuse, it finds nothing


ON_FILES: dict[str, Operation] = {
    "read_bytes": lambda store, path: store.read_bytes(path),
    "read": read_stream,
    "get_file_info": info,
    "is_file": lambda store, path: store.is_file(path),
    "write": lambda store, path: store.write(path, b"NEW!", overwrite=True),
    "write_atomic": lambda store, path: store.write_atomic(path, b"NEW!", overwrite=True),
    "open_write": write_stream,
    "copy from": copy_in,
    "copy to": copy_out,
    "move to": move_out,
}
BELOW_A_FOLDER: dict[str, Operation] = ON_FILES | {
    "move from": move_in,
    "delete": lambda store, path: store.delete(path, missing_ok=True),
    "write anew": lambda store, path: store.write(f"{path}.{os.urandom(1).hex()}", b"NEW!"),
    "make folders": lambda store, path: store.write(f"{path}.d/{os.urandom(1).hex()}/f", b"NEW!"),
}
FOLDERS: dict[str, Operation] = {
    "list_files": lambda store, path: list(store.list_files(path)),
    "list below": lambda store, path: list(store.list_files(f"{path}/sub")),
    "list_folders": lambda store, path: list(store.list_folders(path)),
    "iter_children": lambda store, path: list(store.iter_children(path)),
    "recursive": lambda store, path: list(store.list_files(path, recursive=True)),
    "glob": glob,
    "walk": lambda store, path: list(store.walk(path)),
    "get_folder_info": lambda store, path: store.get_folder_info(path),
    "is_folder": lambda store, path: store.is_folder(path),
    "delete_folder": lambda store, path: store.delete_folder(path, recursive=True, missing_ok=True),
    "delete below": lambda store, path: store.delete_folder(f"{path}/sub", recursive=True, missing_ok=True),
}
