"""Copies from one folder of the machine into another, as two backends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.backends.support import mode
from tests.transfer.support import WAYS, call

from remote_store import Backend, TransferEvent, TransferFailed, TransferOptions
from remote_store._runtime import drive
from remote_store.backends import LocalBackend
from remote_store.errors import AlreadyExists, CapabilityNotSupported, NotFound, RemoteStoreError
from remote_store.models import WriteResult
from remote_store.wrapper import BackendWrapper

LARGE = os.urandom(20 << 20)


@pytest.fixture
def left(tmp_path: Path) -> LocalBackend:
    made = LocalBackend(tmp_path / "left")
    for name, data in (("d/small", b"content"), ("empty", b""), ("large", LARGE)):
        path = tmp_path / "left" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return made


@pytest.fixture
def right(tmp_path: Path) -> LocalBackend:
    return LocalBackend(tmp_path / "right")


def content(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.spec("LOC-030", "LOC-020", "BE-020")
def test_a_copy(tmp_path: Path, left: LocalBackend, right: LocalBackend) -> None:
    os.chmod(tmp_path / "left/d/small", 0o640)
    assert right.copies_from(left)
    assert not right.copies_are_quick
    assert drive(right.copy_from(left, "d/small", "new/name")).size == 7
    assert (tmp_path / "right/new/name").read_bytes() == b"content"
    assert mode(tmp_path / "right/new/name") == 0o640
    with pytest.raises(AlreadyExists):
        drive(right.copy_from(left, "empty", "new/name"))
    with pytest.raises(NotFound) as caught:
        drive(right.copy_from(left, "none", "new/name", overwrite=True))
    assert caught.value.path == "none"
    drive(right.copy_from(left, "large", "new/name", overwrite=True))
    assert content(tmp_path / "right") == {"new/name": LARGE}


@pytest.mark.spec("LOC-030")
def test_the_same_file_by_another_root(tmp_path: Path, left: LocalBackend) -> None:
    below = LocalBackend(tmp_path / "left/d")
    drive(below.copy_from(left, "d/small", "small", overwrite=True))
    assert (tmp_path / "left/d/small").read_bytes() == b"content"


@pytest.mark.spec("LOC-030")
def test_a_link_out_of_the_other_root(tmp_path: Path, left: LocalBackend, right: LocalBackend) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "left/link").symlink_to(tmp_path / "secret")
    with pytest.raises(RemoteStoreError):
        drive(right.copy_from(left, "link", "f"))
    assert content(tmp_path / "right") == {}


@pytest.mark.spec("LOC-030", "BE-020")
def test_a_subclass_is_none(tmp_path: Path, right: LocalBackend) -> None:
    class Reversed(LocalBackend):
        async def read_bytes(self, path: str, *, start: int = 0, length: int | None = None) -> bytes:
            return (await super().read_bytes(path, start=start, length=length))[::-1]

    other = Reversed(tmp_path / "left")
    assert not right.copies_from(other)
    assert not other.copies_from(right)
    assert other.copies_from(other)
    with pytest.raises(CapabilityNotSupported):
        drive(right.copy_from(other, "f", "f"))


def how(way: str, left: Backend, right: Backend, **options: object) -> set[str]:
    """Copy all, and return how that was done."""
    seen: list[TransferEvent] = []
    call(way, "copy_tree", left, "", right, on_event=seen.append, **options)
    return {event.detail for event in seen if event.detail}


@pytest.mark.spec("LOC-030", "XFER-009", "XFER-015")
@pytest.mark.parametrize("way", WAYS)
def test_transfers(tmp_path: Path, left: LocalBackend, right: LocalBackend, way: str) -> None:
    assert how(way, left, right) == {"copied by the storage"}
    assert content(tmp_path / "right") == content(tmp_path / "left")
    again = TransferOptions(verify="full", overwrite=True)
    assert how(way, left, right, options=again) == {"copied by the storage, verified by reading back"}
    third = LocalBackend(tmp_path / "third")
    assert "copied by the storage" not in how(way, left, third, journal=tmp_path / "journal")
    assert content(tmp_path / "third") == content(tmp_path / "left")


@pytest.mark.spec("XFER-015")
def test_a_copy_of_other_bytes(tmp_path: Path, left: LocalBackend, right: LocalBackend) -> None:
    class Damaging(BackendWrapper):
        async def copy_from(
            self, source: Backend, src: str, dst: str, *, overwrite: bool = False
        ) -> WriteResult:
            result = await super().copy_from(source, src, dst, overwrite=overwrite)
            if src == "d/small":
                await self.inner.write_bytes(dst, memoryview(b"contemt"), overwrite=True)
            return result

    with pytest.raises(TransferFailed, match="holds other bytes") as caught:
        how("asyncio", left, Damaging(right), options=TransferOptions(verify="full", retries=0))
    assert [failure.path for failure in caught.value.report.failures] == ["d/small"]
    assert content(tmp_path / "right") == {"empty": b"", "large": LARGE}
