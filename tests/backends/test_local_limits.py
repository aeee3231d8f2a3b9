"""Limits and rights that only a process of its own can have: sizes, open files, other users."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.backends.support import script, shared_folder, tree

from remote_store import Store

PREPARED = """
import os, resource, signal, sys
from contextlib import suppress
from pathlib import Path
from remote_store import *
from remote_store.backends import LocalBackend

folder = Path(sys.argv[1])
backend = LocalBackend(folder)
backend._root._openat2 = sys.argv[2] == "kernel"
store = Store(backend)

def kind(call, *args, **options):
    # Return what an error says of itself.
    try:
        call(*args, **options)
    except RemoteStoreError as error:
        return f"{type(error).__name__} {error.path} {error.retryable}"
    return "no error"

def stream(key):
    with store.open_write(key) as writer:
        for _ in range(100):
            writer.write(bytes(10_000))
"""


@pytest.mark.spec("LOC-027", "LOC-019", "LOC-014")
def test_a_file_larger_than_allowed(root: Path, way: str) -> None:
    (root / "old").write_bytes(b"old")
    (root / "large").write_bytes(bytes(200_000))
    printed = script(
        PREPARED
        + """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
print(kind(store.write, "a/f", bytes(200_000)))
print(kind(store.write_atomic, "old", bytes(200_000), overwrite=True))
print(kind(store.write, "b/f", iter([bytes(60_000)] * 4)))
print(kind(stream, "c/f"))
print(kind(store.copy, "large", "d/f"))
del os.copy_file_range
print(kind(store.copy, "large", "d/f"))
print(store.write("fits", bytes(100_000)).size)
""",
        root,
        way,
    )
    assert printed.splitlines() == [
        *(f"RemoteStoreError {key} False" for key in ("a/f", "old", "b/f", "c/f", "d/f", "d/f")),
        "100000",
    ]
    assert sorted(os.listdir(root)) == ["fits", "large", "old"]
    assert (root / "old").read_bytes() == b"old"


@pytest.mark.spec("LOC-027", "LOC-019", "LOC-018")
def test_too_many_open_files(root: Path, way: str) -> None:
    (root / "sub").mkdir()
    (root / "sub/f").write_bytes(b"content")
    printed = script(
        PREPARED
        + """
store.write("sub/other", b"old")
store.read_bytes("sub/f")
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
for free in range(8):  # each call gets a little further before it finds none
    held = []
    soft = len(os.listdir("/dev/fd")) + 40
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with suppress(OSError):
        while True:
            held.append(os.open("/", os.O_RDONLY))
    for fd in held[:free]:
        os.close(fd)
    found = {
        kind(store.read_bytes, "sub/f"), kind(store.write, "new/f", b"x"),
        kind(list, store.list_files("sub")),
        kind(store.copy, "sub/f", "new/g"), kind(store.delete_folder, "nothing/at/all", missing_ok=True),
        kind(store.write, "sub/other", b"new", overwrite=True), kind(list, store.walk()),
        kind(store.get_file_info, "sub/f"),
    }
    for fd in held[free:]:
        os.close(fd)
    for key in ("new/f", "new/g"):
        store.delete(key, missing_ok=True)
    with suppress(NotFound):
        store.delete_folder("new")
    store.write("sub/other", b"old", overwrite=True)
    found.discard("no error")
    kinds = {text.split()[0] + text[-5:] for text in found}
    assert kinds <= {"RemoteStoreError True"}, found
    assert found if free < 1 else True
print(sorted(str(file.path) for file in store.list_files(recursive=True)))
""",
        root,
        way,
    )
    assert printed == "['sub/f', 'sub/other']\n"
    assert tree(root) == {"sub": None, "sub/f": b"content", "sub/other": b"old"}


@pytest.mark.spec("LOC-027", "LOC-019", "STORE-021")
def test_missing_rights(way: str) -> None:
    with shared_folder() as folder:
        for name in ("closed", "fixed", "open"):
            (folder / name).mkdir()
            (folder / name / "f").write_bytes(b"content")
        (folder / "open/private").write_bytes(b"content")
        (folder / "open/private").chmod(0)
        printed = script(
            PREPARED
            + """
if os.geteuid() == 0:
    for name in ("closed", "fixed", "open", "open/f", "open/private"):
        os.chown(folder / name, 65534, 65534)
    os.setgid(65534)
    os.setuid(65534)
os.chmod(folder / "closed", 0)
os.chmod(folder / "fixed", 0o555)
try:
    for call, *args in (
        (store.read_bytes, "closed/f"),
        (store.is_file, "closed/f"),
        (store.exists, "closed/f"),
        (store.get_file_info, "closed/f"),
        (store.write, "closed/g", b"x"),
        (store.write, "closed/sub/g", b"x"),
        (store.delete, "closed/f"),
        (list, store.list_files("closed")),
        (list, store.walk("closed")),
        (store.get_folder_info, "closed"),
        (store.read_bytes, "open/private"),
        (store.copy, "open/private", "open/g"),
        (store.write, "fixed/g", b"x"),
        (store.write, "fixed/sub/g", b"x"),
        (stream, "fixed/g"),
        (store.delete, "fixed/f"),
        (store.move, "fixed/f", "open/h"),
        (store.copy, "open/f", "fixed/h"),
        (store.move, "open/f", "fixed/h"),
    ):
        print(kind(call, *args))
    print(kind(store.delete_folder, "fixed", recursive=True))
    print(store.read_bytes("fixed/f"), store.read_bytes("open/f"))
    store.write("open/private", b"new", overwrite=True)
    print(oct((folder / "open/private").stat().st_mode & 0o777))
finally:
    os.chmod(folder / "closed", 0o755)
    os.chmod(folder / "fixed", 0o755)
""",
            folder,
            way,
        )
        keys = [
            *("closed/f", "closed/f", "closed/f", "closed/f", "closed/g", "closed/sub/g", "closed/f"),
            *("closed", "closed", "closed", "open/private", "open/private"),
            *("fixed/g", "fixed/sub/g", "fixed/g", "fixed/f"),
            "open/h",  # a rename does not say which of the two folders refused
            *("fixed/h", "fixed/h", "fixed"),
        ]
        lines = printed.splitlines()
        assert lines[: len(keys)] == [f"PermissionDenied {key} False" for key in keys]
        assert lines[len(keys) :] == ["b'content' b'content'", "0o0"]
        assert sorted(tree(folder)) == [
            *("closed", "closed/f", "fixed", "fixed/f", "open", "open/f", "open/private"),
        ]


@pytest.mark.spec("LOC-002", "LOC-027")
def test_a_root_that_cannot_be_made() -> None:
    with shared_folder() as folder:
        printed = script(
            PREPARED
            + """
if os.geteuid() == 0:
    os.setuid(65534)
os.chmod(folder / "mine", 0) if (folder / "mine").exists() else os.mkdir(folder / "mine", 0o500)
print(kind(LocalBackend, folder / "mine/a/b"))
""",
            folder,
            "kernel",
        )
        assert printed == f"PermissionDenied {folder}/mine/a/b False\n"


@pytest.mark.spec("LOC-022")
def test_a_file_beyond_two_gib(plain: Store, root: Path) -> None:
    with (root / "f").open("wb") as sparse:
        sparse.truncate((2 << 30) + 5)
        sparse.seek(2 << 30)
        sparse.write(b"12345")
    assert plain.get_file_info("f").size == (2 << 30) + 5
    assert plain.read_bytes("f", start=(2 << 30) - 1) == b"\x0012345"
    with plain.open_read("f") as stream:
        stream.seek(-3, 2)
        assert stream.read() == b"345"
