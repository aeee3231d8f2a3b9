"""System calls that are missing, stop short or refuse: the result is the same."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.backends.support import fails

from remote_store import BackendUnavailable, RemoteStoreError, Store
from remote_store.backends.local import _change

Patch = pytest.MonkeyPatch
CONTENT = bytes(range(256)) * 100
pytestmark = pytest.mark.usefixtures("no_temporaries")


# -- writes that stop short -----------------------------------------------------------------------


@pytest.mark.spec("LOC-022", "LOC-014")
@pytest.mark.parametrize("how", ["write", "write_atomic", "iterable", "open_write", "copy"])
@pytest.mark.parametrize("most", [1, 1000, 25_599])
def test_a_short_write_is_continued(
    plain: Store, root: Path, monkeypatch: Patch, how: str, most: int
) -> None:
    (root / "source").write_bytes(CONTENT)
    real, counts = os.write, []

    def short(fd: int, data: memoryview) -> int:
        counts.append(real(fd, memoryview(data)[:most]))
        return counts[-1]

    monkeypatch.setattr(os, "write", short)
    if how == "copy":
        monkeypatch.delattr(os, "copy_file_range", raising=False)
        result = plain.copy("source", "f")
    elif how == "iterable":
        result = plain.write("f", iter([CONTENT[:300], b"", CONTENT[300:]]))
    elif how == "open_write":
        with plain.open_write("f") as writer:
            writer.write(CONTENT)
        assert writer.result is not None
        result = writer.result
    else:
        result = getattr(plain, how)("f", CONTENT)
    monkeypatch.undo()
    assert result.size == len(CONTENT)
    assert (root / "f").read_bytes() == CONTENT
    assert len(counts) >= len(CONTENT) / most


@pytest.mark.spec("LOC-022", "LOC-026")
def test_a_short_read_is_continued(plain: Store, root: Path, monkeypatch: Patch) -> None:
    (root / "f").write_bytes(CONTENT)
    read, pread, preadv = os.read, os.pread, os.preadv
    monkeypatch.setattr(os, "read", lambda fd, n: read(fd, min(n, 1000)))
    monkeypatch.setattr(os, "pread", lambda fd, n, at: pread(fd, min(n, 1000), at))
    monkeypatch.setattr(os, "preadv", lambda fd, to, at: preadv(fd, [to[0][:1000]], at))
    assert plain.read_bytes("f") == CONTENT
    assert plain.read_bytes("f", start=100, length=5000) == CONTENT[100:5100]
    with plain.open_read("f") as stream:
        assert stream.read() == CONTENT
    with plain.open_read("f") as stream:
        assert b"".join(iter(lambda: stream.read(3000), b"")) == CONTENT
    assert plain.copy("f", "g").size == len(CONTENT)


# -- copies ---------------------------------------------------------------------------------------

NO_KERNEL_COPY: dict[str, Callable[..., Any] | None] = {
    "absent": None,
    "nothing": lambda *args: 0,
    **{errno.errorcode[number]: fails(number) for number in _change._NO_KERNEL_COPY},
}


@pytest.mark.spec("LOC-024")
@pytest.mark.parametrize("kind", NO_KERNEL_COPY)
def test_a_copy_without_the_kernel(plain: Store, root: Path, monkeypatch: Patch, kind: str) -> None:
    (root / "f").write_bytes(CONTENT)
    (root / "f").chmod(0o640)
    call = NO_KERNEL_COPY[kind]
    if call is None:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    else:
        monkeypatch.setattr(os, "copy_file_range", call, raising=False)
    monkeypatch.setattr(_change, "STEP_BYTES", 1000)
    assert plain.copy("f", "sub/g").size == len(CONTENT)
    assert (root / "sub/g").read_bytes() == (root / "f").read_bytes() == CONTENT
    assert (root / "sub/g").stat().st_mode == (root / "f").stat().st_mode


@pytest.mark.spec("LOC-024")
def test_the_kernel_may_give_up_half_way(plain: Store, root: Path, monkeypatch: Patch) -> None:
    (root / "f").write_bytes(CONTENT)
    calls: list[int] = []

    def twice(src: int, dst: int, count: int, offset: int) -> int:
        calls.append(offset)
        if len(calls) > 2:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return os.write(dst, os.pread(src, min(count, 700), offset))

    monkeypatch.setattr(os, "copy_file_range", twice, raising=False)
    monkeypatch.setattr(_change, "STEP_BYTES", 1000)
    plain.copy("f", "g")
    assert calls[:3] == [0, 700, 1400]
    assert (root / "g").read_bytes() == CONTENT


@pytest.mark.spec("LOC-024", "LOC-019", "LOC-027")
def test_a_copy_that_fails_leaves_nothing(plain: Store, root: Path, monkeypatch: Patch) -> None:
    (root / "f").write_bytes(CONTENT)
    monkeypatch.setattr(os, "copy_file_range", fails(errno.EIO), raising=False)
    with pytest.raises(BackendUnavailable, match="I/O error") as caught:
        plain.copy("f", "a/b/g")
    assert caught.value.path == "a/b/g"
    assert os.listdir(root) == ["f"]


@pytest.mark.spec("LOC-024", "LOC-025")
@pytest.mark.parametrize("change", ["grows", "shrinks", "is touched"])
def test_a_source_that_changes_is_not_copied(
    plain: Store, root: Path, monkeypatch: Patch, change: str
) -> None:
    (root / "f").write_bytes(CONTENT)

    def changing(src: int, dst: int, count: int, offset: int) -> int:
        if change == "is touched":
            os.utime(root / "f", ns=(1, 1))
        else:
            os.truncate(root / "f", 30_000 if change == "grows" else 1500)
        data = os.pread(src, min(count, 1000), offset)
        return os.write(dst, data) if data else 0

    monkeypatch.setattr(os, "copy_file_range", changing, raising=False)
    with pytest.raises(RemoteStoreError, match="changed while") as caught:
        plain.copy("f", "g")
    assert caught.value.path == "f"
    assert not (root / "g").exists()
