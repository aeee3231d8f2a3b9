"""cp, sync and check."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.support import FILES, Run, there


@pytest.mark.spec("CLI-006")
def test_cp(run: Run, tmp_path: Path) -> None:
    assert run("get", "s:", "out").err.startswith("3 of 3 files, 3,006 bytes in ")
    assert there("out") == FILES
    run("put", "out/sub", "s:again")
    run("cp", "s:a.txt", "s:new/")
    run("cp", "s:a.txt", "s:sub")
    run("cp", "s:a.txt", "s:one")
    assert there("root/x").keys() == {
        *FILES, "again/b.csv", "again/deep/c.csv", "new/a.txt", "sub/a.txt", "one",
    }  # fmt: skip
    done = run("cp", "out", "s:", code=1)
    assert len([line for line in done.err.splitlines() if "the file exists; give --overwrite" in line]) == 3
    assert "0 of 3 files, 0 bytes, 3 failed" in done.err
    assert "3 skipped" in run("cp", "out", "s:", "--skip-existing").err
    assert "3 of 3" in run("cp", "out", "s:", "--overwrite", "--verify", "--concurrency", "2").err
    assert run("cp", "out", "s:", "--fail-fast", code=1).err.count("the file exists") == 1
    done = run("cp", "out", "s:dry", "--dry-run")
    assert sorted(line.strip() for line in done.lines) == [
        "3  a.txt: would be copied", "3  sub/b.csv: would be copied", "3000  sub/deep/c.csv: would be copied",
    ]  # fmt: skip
    assert not (tmp_path / "root" / "x" / "dry").exists()
    assert run("cp", "out", "s:quiet", "-q").err == ""
    assert "no such file" in run("cp", "missing", "s:", code=3).err
    assert "no such file" in run("cp", "s:missing", "out", code=3).err
    assert "exclude each other" in run("cp", "out", "s:", "--overwrite", "--skip-existing", code=2).err


@pytest.mark.spec("CLI-006")
def test_a_dry_copy_tells_what_is_there(run: Run) -> None:
    run("cp", "s:sub", "out")
    for option, told in (
        ([], "is there, and would fail"),
        (["--skip-existing"], "is there, and would be skipped"),
        (["--overwrite"], "would be copied"),
    ):
        lines = run("cp", "s:sub/b.csv", "out/", "--dry-run", *option).lines
        assert [line.strip() for line in lines] == [f"3  b.csv: {told}"]


@pytest.mark.spec("CLI-006")
def test_links_to_files_are_followed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "file").symlink_to(tmp_path / "root" / "x" / "a.txt")
    (tmp_path / "d" / "folder").symlink_to("../root/x/sub")
    run("cp", "d", "out")
    run("cp", "d/file", "named/")
    run("cp", "d/folder", "inside")
    assert (there("out"), there("named")) == ({"file": b"hi\n"}, {"file": b"hi\n"})
    assert there("inside").keys() == {"b.csv", "deep/c.csv"}


@pytest.mark.spec("CLI-012")
def test_lines_now_and_then(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote_store.cli._progress.SECONDS", 0.0)
    lines = run("cp", "s:", "out", "--concurrency", "1").err.splitlines()
    assert lines[0] == "0 files, 0 bytes so far"
    assert lines[-2] == "3 files, 3,006 bytes so far"
    assert lines[-1].startswith("3 of 3 files, 3,006 bytes in ")
    assert "so far" not in run("cp", "s:", "quiet", "-q").err


@pytest.mark.spec("CLI-016")
def test_sync_and_check(run: Run, tmp_path: Path) -> None:
    assert "3 of 3 files" in run("sync", "s:", "out").err
    assert run("check", "s:", "out").lines == []
    assert run("sync", "s:", "out").err == ""
    (tmp_path / "out" / "more").write_bytes(b"x")
    (tmp_path / "out" / "a.txt").write_bytes(b"longer")
    assert sorted(run("check", "s:", "out", code=1).lines) == [
        "a.txt: 3 bytes instead of 6", "more: the source has no such file",
    ]  # fmt: skip
    assert {line["difference"] for line in run("check", "s:", "out", "--json", code=1).json} == {
        "update", "delete",
    }  # fmt: skip
    (tmp_path / "out" / "sub" / "b.csv").unlink()
    dry = run("sync", "s:", "out", "--delete", "--dry-run").lines
    assert sorted(line.strip() for line in dry) == [
        "-  more: would be deleted, the source has no such file",
        "3  a.txt: would be replaced, 3 bytes instead of 6",
        "3  sub/b.csv: would be copied, the target has no such file",
    ]
    told = run("sync", "s:", "out", "--delete", "--dry-run", "--json").json
    assert "dry run: would be deleted, the source has no such file" in [line.get("detail") for line in told]
    run("sync", "s:", "out", "--delete", "-q")
    assert there("out") == FILES
    (tmp_path / "out" / "a.txt").unlink()
    (tmp_path / "out" / "a.txt").mkdir()
    assert "a.txt" in run("sync", "s:", "out", code=1).err
    assert "check the path" in run("sync", "s:missing", "out", "--delete", code=3).err
    assert there("out").keys() == FILES.keys() - {"a.txt"}
