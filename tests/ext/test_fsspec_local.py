"""What becomes of local files that ``get`` writes to: what the builtin ``open`` would make of them."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from fsspec.callbacks import Callback

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


class Unbuffered(io.RawIOBase):
    """Takes a thousand bytes at once."""

    def __init__(self) -> None:
        self.data = b""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        taken = bytes(data)[:1000]
        self.data += taken
        return len(taken)


def test_an_unbuffered_file_gets_all(fs: RemoteStoreFileSystem) -> None:
    fs.pipe_file("big", bytes(range(250)) * 20)
    one, several, plain = Unbuffered(), Unbuffered(), Unbuffered()
    callback = Callback()
    fs.get_file("big", one, callback=callback)
    fs.get(["big"], [several])
    fs.get_file("big", plain)
    assert one.data == several.data == plain.data == bytes(range(250)) * 20
    assert callback.value == callback.size == 5000


def test_an_empty_file_is_written_in_place(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=tmp_path) as file:
        fs.get_file("f", file.name)
        assert file.read() == b"new"
        fs.get("d/g", file.name)
        assert (Path(file.name).read_bytes(), file.seek(0), file.read()) == (b"other", 0, b"new")


def test_an_empty_file_stays_empty_after_a_failure(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    inode = empty.stat().st_ino

    class Failing(Callback):  # type: ignore[misc]  # fsspec has no types
        def relative_update(self, inc: int = 1) -> None:
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fs.get_file("f", str(empty), callback=Failing())
    assert (empty.read_bytes(), empty.stat().st_ino) == (b"", inode)
    assert list(tmp_path.iterdir()) == [empty]


def test_a_file_without_a_name(fs: RemoteStoreFileSystem, tmp_path: Path) -> None:
    with (tmp_path / "gone").open("w+b") as file:
        (tmp_path / "gone").unlink()
        fs.get_file("f", f"/proc/self/fd/{file.fileno()}")
        assert file.read() == b"new"
    assert list(tmp_path.iterdir()) == []
    there, here = os.pipe()
    fs.get("f", f"/dev/fd/{here}")
    os.close(here)
    with open(there, "rb") as pipe:
        assert pipe.read() == b"new"


@pytest.mark.parametrize("kind", ["missing", "file", "folder"])
def test_a_slash_at_the_end_is_a_folder(fs: RemoteStoreFileSystem, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind != "missing":
        target.mkdir() if kind == "folder" else target.write_bytes(b"old")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IsADirectoryError):
        fs.get_file("f", f"{target}/")
    assert sorted(tmp_path.rglob("*")) == before
    assert kind != "file" or target.read_bytes() == b"old"
