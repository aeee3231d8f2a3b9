"""Files in parts on local disk: a temporary that waits for the next process."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from tests.backends.support import tree

from remote_store import BackendUnavailable, NotFound, RemoteStoreError
from remote_store._runtime import drive
from remote_store.backend import Part, PartWriter
from remote_store.backends import LocalBackend

SIZE = (8 << 20) + 5


def put(writer: PartWriter, number: int, data: bytes) -> Part:
    return drive(writer.write(number, data, zlib.crc32(data)))


@pytest.mark.spec("LOC-029", "BE-023")
def test_one_writes_and_others_wait(tmp_path: Path) -> None:
    backend, other = LocalBackend(tmp_path), LocalBackend(tmp_path)
    writer = drive(backend.open_parts("d/f", size=SIZE))
    put(writer, 2, b"12345")
    for each in (backend, other):
        with pytest.raises(BackendUnavailable, match="somebody else"):
            drive(each.open_parts("d/f", size=SIZE, token=writer.token))
    assert drive(other.sweep_temporaries()) == 0
    drive(writer.aclose())
    again = drive(other.open_parts("d/f", size=SIZE, token=writer.token))
    with pytest.raises(RemoteStoreError, match="Bad file"):
        put(writer, 1, b"too late")
    del again
    assert drive(other.sweep_temporaries()) == 1
    with pytest.raises(NotFound):
        drive(backend.open_parts("d/f", size=SIZE, token=writer.token))
    assert tree(tmp_path) == {"d": None}


@pytest.mark.spec("LOC-029", "LOC-020")
def test_it_is_whole_or_not_there(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    (tmp_path / "f").write_bytes(b"old")
    (tmp_path / "f").chmod(0o604)
    writer = drive(backend.open_parts("f", size=SIZE, overwrite=True))
    part = put(writer, 1, bytes(8 << 20))
    with pytest.raises(RemoteStoreError, match="parts of this file are missing"):
        drive(writer.commit([part]))
    assert (tmp_path / "f").read_bytes() == b"old"
    drive(writer.aclose())
    writer = drive(backend.open_parts("f", size=SIZE, overwrite=True, token=writer.token))
    last = put(writer, 2, b"12345")
    drive(writer.commit([part, last]))
    assert (tmp_path / "f").read_bytes() == bytes(8 << 20) + b"12345"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o604
    assert list(tree(tmp_path)) == ["f"]


@pytest.mark.spec("LOC-029")
@pytest.mark.parametrize("token", ["", "8 f", "x .~remote-store-0123456789abcdef.tmp", "8 ../f"])
def test_what_is_no_token(tmp_path: Path, token: str) -> None:
    (tmp_path / "f").write_bytes(b"mine")
    with pytest.raises(NotFound):
        drive(LocalBackend(tmp_path).open_parts("g", size=SIZE, token=token))
    assert tree(tmp_path) == {"f": b"mine"}
