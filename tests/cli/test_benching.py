"""bench."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
from tests.cli.support import FILES, Run, there

from remote_store import PermissionDenied, Store


@pytest.mark.spec("CLI-017", "CLI-018")
def test_bench(run: Run) -> None:
    done = run("bench", "s:sub", "--count", "5", "--size", "3000k", "--concurrency", "2", "--json").json
    found = {(line["what"], line["at_once"]): line for line in done}
    assert [key for key in found if key[1] == 1] == [
        (what, 1) for what in ("write 4 KiB", "stat", "read 4 KiB", "list", "delete", "upload", "download")
    ]
    assert [key[0] for key in found if key[1] == 2] == ["write 4 KiB", "read 4 KiB", "upload", "download"]
    for line in done:
        single = line["what"] not in ("list", "upload", "download") and line["at_once"] == 1
        assert (line["median_seconds"] is not None) == single
        assert not single or line["p95_seconds"] >= line["median_seconds"] > 0
        assert line["files_per_second"] > 0
    assert {what: line["files"] for (what, at_once), line in found.items() if at_once == 1} == {
        "write 4 KiB": 5, "stat": 5, "read 4 KiB": 5, "list": 11, "delete": 5, "upload": 1, "download": 1,
    }  # fmt: skip
    assert found["read 4 KiB", 2]["bytes"] == found["write 4 KiB", 1]["bytes"] == 5 * 4096
    assert found["upload", 2]["bytes"] == found["download", 2]["bytes"] == 2 * 3000 * 1024
    assert there("root/x") == FILES
    shown = run("bench", "s:", "--count", "2", "--size", "1k").lines
    assert shown[0].split()[0] == "at"
    assert [line.split()[0] for line in shown[1:]] == [
        "write", "stat", "read", "write", "read", "list", "delete", *("upload", "download") * 2,
    ]  # fmt: skip


@pytest.mark.spec("CLI-019")
def test_bench_ends_in_time(run: Run) -> None:
    long = ("--count", "1000000", "--size", "1T", "--concurrency", "2", "--seconds", "0.1")
    done = run("bench", "memory://", *long, "--json").json
    assert len(done) == 11
    assert all(0 < line["files"] < 1_000_000 for line in done)
    assert all(line["bytes"] < 1 << 40 for line in done)


@pytest.mark.spec("CLI-018")
def test_bench_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no such folder" in run("bench", "s:new", code=3).err
    assert "no such folder" in run("bench", "s:a.txt", code=3).err
    assert "such as 1M" in run("bench", "s:", "--size", "much", code=2).err
    wrong = {"get_file_info": PermissionDenied("no"), "read": KeyboardInterrupt(), "delete": OSError("disk")}
    for name, error in wrong.items():
        with monkeypatch.context() as patched:
            patched.setattr(Store, name, Mock(side_effect=error))
            run("bench", "s:", "--count", "2", code=130 if name == "read" else 1)
        assert there("root/x") == FILES
        assert not list((tmp_path / "root" / "x").glob("remote-store-bench-*"))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "delete_folder", Mock(side_effect=PermissionDenied("not allowed")))
        said = run("bench", "s:sub", "--count", "2", "--size", "1k", code=1).err
    (left,) = (tmp_path / "root" / "x" / "sub").glob("remote-store-bench-*")
    assert f"s:sub/{left.name} may still be there; delete it with rm --recursive" in said
