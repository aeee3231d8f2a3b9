"""Whose a file is and who may use it, after each way to write one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.support import as_root, mode, umask

from remote_store import Store

MIB = 1 << 20


def stream(store: Store, path: str, overwrite: bool) -> None:
    with store.open_write(path, overwrite=overwrite) as writer:
        writer.write(b"new")


WRITES: dict[str, Callable[[Store, str, bool], object]] = {
    "write": lambda store, path, overwrite: store.write(path, b"new", overwrite=overwrite),
    "write_atomic": lambda store, path, overwrite: store.write_atomic(path, b"new", overwrite=overwrite),
    "large": lambda store, path, overwrite: store.write(path, bytes(9 * MIB), overwrite=overwrite),
    "iterable": lambda store, path, overwrite: store.write(path, iter([b"new"]), overwrite=overwrite),
    "open_write": stream,
}
writes = pytest.mark.parametrize("write", WRITES)


@pytest.mark.spec("LOC-020")
@writes
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000, 0o027])
def test_a_new_file_has_the_mode_of_the_umask(plain: Store, root: Path, write: str, mask: int) -> None:
    with umask(mask):
        WRITES[write](plain, "sub/f", False)
    assert mode(root / "sub/f") == 0o666 & ~mask
    assert mode(root / "sub") == 0o777 & ~mask


@pytest.mark.spec("LOC-020")
@writes
@pytest.mark.parametrize("bits", [0o600, 0o640, 0o755, 0o666, 0o444, 0o400, 0o777])
def test_an_overwritten_file_keeps_its_mode(plain: Store, root: Path, write: str, bits: int) -> None:
    (root / "f").write_bytes(b"old")
    (root / "f").chmod(bits)
    with umask(0o022):
        WRITES[write](plain, "f", True)
    assert mode(root / "f") == bits
    assert (root / "f").read_bytes() != b"old"


@pytest.mark.spec("LOC-020", "LOC-005")
def test_a_write_through_a_link_keeps_the_mode_of_its_target(plain: Store, root: Path) -> None:
    (root / "f").write_bytes(b"old")
    (root / "f").chmod(0o640)
    os.symlink("f", root / "link")
    plain.write("link", b"new", overwrite=True)
    assert mode(root / "f") == 0o640


@pytest.mark.spec("LOC-020")
def test_new_content_is_never_open_to_more_than_the_old(plain: Store, root: Path) -> None:
    (root / "f").write_bytes(b"old")
    (root / "f").chmod(0o600)
    with umask(0), plain.open_write("f", overwrite=True) as writer:
        writer.write(b"private")
        writer.flush()
        assert sorted(mode(path) for path in root.iterdir()) == [0o600, 0o600]


@pytest.mark.spec("LOC-020")
@writes
@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o6777, 0o1644])
def test_special_bits_do_not_survive_new_content(plain: Store, root: Path, write: str, bits: int) -> None:
    (root / "f").write_bytes(b"old")
    (root / "f").chmod(bits)
    WRITES[write](plain, "f", True)
    assert mode(root / "f") == bits & 0o777


@pytest.mark.spec("LOC-020", "LOC-024")
@pytest.mark.parametrize("bits", [0o600, 0o640, 0o755, 0o664, 0o444, 0o666, 0o777])
def test_a_copy_brings_its_mode_to_a_new_name(plain: Store, root: Path, bits: int) -> None:
    (root / "f").write_bytes(b"content")
    (root / "f").chmod(bits)
    with umask(0o022):
        plain.copy("f", "sub/g")
    assert mode(root / "sub/g") == bits
    assert mode(root / "f") == bits


@pytest.mark.spec("LOC-020", "LOC-024")
@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o6711])
def test_a_copy_brings_no_special_bits(plain: Store, root: Path, bits: int) -> None:
    (root / "f").write_bytes(b"content")
    (root / "f").chmod(bits)
    plain.copy("f", "g")
    assert mode(root / "g") == bits & 0o777


@pytest.mark.spec("LOC-020", "LOC-024")
@pytest.mark.parametrize(("source", "target"), [(0o755, 0o600), (0o600, 0o755), (0o444, 0o666)])
def test_a_copy_onto_a_file_keeps_the_mode_of_that(
    plain: Store, root: Path, source: int, target: int
) -> None:
    for name, bits in (("f", source), ("g", target)):
        (root / name).write_bytes(name.encode())
        (root / name).chmod(bits)
    plain.copy("f", "g", overwrite=True)
    assert (root / "g").read_bytes() == b"f"
    assert mode(root / "g") == target


@pytest.mark.spec("LOC-020", "LOC-023")
def test_a_move_changes_no_mode(plain: Store, root: Path) -> None:
    (root / "f").write_bytes(b"f")
    (root / "g").write_bytes(b"g")
    (root / "f").chmod(0o751)
    (root / "g").chmod(0o600)
    plain.move("f", "g", overwrite=True)
    assert mode(root / "g") == 0o751


@as_root
@pytest.mark.spec("LOC-020")
@writes
@pytest.mark.parametrize("bits", [0o644, 0o600, 0o6755])
def test_an_overwritten_file_keeps_its_owner(plain: Store, root: Path, write: str, bits: int) -> None:
    (root / "f").write_bytes(b"old")
    os.chown(root / "f", 1234, 5678)
    (root / "f").chmod(bits)
    WRITES[write](plain, "f", True)
    facts = (root / "f").stat()
    assert (facts.st_uid, facts.st_gid) == (1234, 5678)
    assert mode(root / "f") == bits & 0o777
    WRITES[write](plain, "g", False)
    assert (root / "g").stat().st_uid == os.geteuid()


@pytest.mark.spec("LOC-020")
def test_what_cannot_be_given_away_is_kept(plain: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    (root / "f").write_bytes(b"old")
    (root / "f").chmod(0o640)
    real = os.lstat

    def foreign(path: str, *, dir_fd: int | None = None) -> os.stat_result:
        facts = real(path, dir_fd=dir_fd)
        return os.stat_result([*facts[:4], 4321, *facts[5:10]])

    monkeypatch.setattr(os, "lstat", foreign)
    monkeypatch.setattr(os, "fchown", refused)
    plain.write("f", b"new", overwrite=True)
    monkeypatch.undo()
    assert (root / "f").read_bytes() == b"new"
    assert mode(root / "f") == 0o640
