"""What becomes of local files that ``get`` writes to: what the builtin ``open`` would make of them."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from remote_store import Store
from remote_store.backends import MemoryBackend
from remote_store.ext.fsspec import RemoteStoreFileSystem

pytestmark = pytest.mark.spec("FSS-022")


@pytest.fixture
def fs() -> RemoteStoreFileSystem:
    fs = RemoteStoreFileSystem(store=Store(MemoryBackend()))
    fs.pipe({"f": b"new", "d/g": b"other"})
    return fs


def test_a_link_is_followed(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "real"
    real.write_bytes(b"old")
    link, further, dangling = (tmp_path / name for name in ("link", "further", "dangling"))
    link.symlink_to("there/real")
    further.symlink_to("link")
    dangling.symlink_to("there/missing")
    fs.get("f", str(further))
    assert (further.readlink(), link.readlink()) == (Path("link"), Path("there/real"))
    assert real.read_bytes() == b"new"
    fs.get_file("d/g", str(dangling))
    assert dangling.is_symlink()
    assert sorted(path.name for path in real.parent.iterdir()) == ["missing", "real"]
    assert (real.parent / "missing").read_bytes() == b"other"


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o640])
def test_permissions_stay(fs: RemoteStoreFileSystem, tmp_path: Path, mode: int) -> None:
    target = tmp_path / "f"
    target.write_bytes(b"old")
    target.chmod(mode)
    fs.get_file("f", str(target))
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_new_file_has_the_usual_permissions(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    fs.get_file("f", str(tmp_path / "got"))
    (tmp_path / "usual").write_bytes(b"")
    assert (tmp_path / "got").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_file_that_may_not_be_written(
    fs: RemoteStoreFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may always
    with pytest.raises(PermissionError) as caught:
        fs.get_file("f", str(tmp_path / "f"))
    assert caught.value.filename == str(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_pipe_is_written_to(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    fs.get("f", str(pipe))
    reader.join(20)
    assert found == [b"new"]
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    fs.get("f", os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize("length", [240, 255])
def test_a_long_name(fs: RemoteStoreFileSystem, tmp_path: Path, length: int) -> None:
    target = tmp_path / ("n" * length)
    fs.get_file("f", str(target))
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_no_file(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        fs.get_file("f", str(tmp_path / "folder"))
    assert list((tmp_path / "folder").iterdir()) == []
