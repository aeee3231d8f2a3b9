"""What a local backend is called, and what it is in another process."""

from __future__ import annotations

import copy
import pickle
import shutil
from pathlib import Path

import pytest

from remote_store import RemotePath, Store
from remote_store.backends import LocalBackend, MemoryBackend
from remote_store.errors import CapabilityNotSupported


@pytest.mark.spec("LOC-004")
def test_to_key(plain: Store, root: Path) -> None:
    backend = LocalBackend(root)
    for native, key in {
        f"{root}/f": "f",
        f"{root}/a/b.txt": "a/b.txt",
        f"{root}/a/": "a",
        f"{root}2/f": f"{root}2/f",
        str(root.parent): str(root.parent),
        "f": "f",
        "a/b": "a/b",
        "": "",
        "/": "/",
        "s3://bucket/f": "s3://bucket/f",
        "\ud800\0": "\ud800\0",
    }.items():
        assert backend.to_key(native) == key
    assert LocalBackend("/").to_key("/etc/hosts") == "etc/hosts"
    assert plain.to_key(f"{root}/a/b.txt") == "a/b.txt"
    assert plain.child("a").to_key(f"{root}/a/b.txt") == "b.txt"


@pytest.mark.spec("LOC-004")
def test_unwrap(root: Path) -> None:
    backend = LocalBackend(f"{root}/../{root.name}")
    found = backend.unwrap(Path)
    assert found == root
    assert isinstance(found, Path)
    with pytest.raises(CapabilityNotSupported, match="no native str"):
        backend.unwrap(str)
    with pytest.raises(CapabilityNotSupported):
        MemoryBackend().unwrap(Path)


@pytest.mark.spec("LOC-001", "LOC-021")
@pytest.mark.parametrize("durable", [False, True])
def test_pickling(root: Path, durable: bool) -> None:
    backend = LocalBackend(root, durable=durable)
    Store(backend).write("f", b"content")
    for twin in (pickle.loads(pickle.dumps(backend)), copy.copy(backend), copy.deepcopy(backend)):
        assert isinstance(twin, LocalBackend)
        assert twin._durable is durable
        assert repr(twin) == repr(backend) == f"LocalBackend({str(root)!r})"
        assert Store(twin).read_bytes(RemotePath("f")) == b"content"
    shutil.rmtree(root)
    pickle.loads(pickle.dumps(backend))
    assert not root.exists(), "taking a backend to another process makes no folders there"
