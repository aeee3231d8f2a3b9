"""A file that mv finds at both ends under different names is not deleted."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.support import Done
from tests.s3_buckets import Buckets
from tests.services import KEY, SECRET, S3Server, SFTPServer
from typer.testing import CliRunner

from remote_store.cli._app import app
from remote_store.cli._moving import may_be_one
from remote_store.transfer.plan import Version


def move(*arguments: str, code: int = 1) -> Done:
    done = Done(CliRunner().invoke(app, ["mv", *arguments]))
    assert done.code == code, (done.out, done.err)
    return done


def refused(*arguments: str) -> None:
    err = move(*arguments).err
    assert err.count("\n") == 1
    known = "the target lies within the source; copy to a place outside" in err
    known = known or "; nothing was moved. Leave out --overwrite, or" in err
    assert known or re.search("nothing was moved. .* delete the ones that are not needed", err)


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.spec("CLI-024")
@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("options", [["--overwrite"], []], ids=repr)
@pytest.mark.parametrize("what", ["d", "d/f"])
@pytest.mark.parametrize("kind", ["seaweedfs", "rclone"])
def test_an_object_under_another_address(
    request: pytest.FixtureRequest, what: str, kind: str, options: list[str]
) -> None:
    server: S3Server = request.getfixturevalue(kind)
    buckets = Buckets(server)
    bucket = buckets.new()
    url = f"s3://{bucket}/{what}?endpoint_url={server.endpoint_url}"
    for key in ("d/f", "d/sub/g"):
        buckets._client.put_object(Bucket=bucket, Key=key, Body=b"keep me")
    for other in (f"{url}&region_name=us-east-1", url.replace("127.0.0.1", "localhost")):
        refused(*options, url, other)
        assert sorted(buckets.keys(bucket)) == ["d/f", "d/sub/g"]
    refused("--overwrite", f"s3://{bucket}/d/f?endpoint_url={server.endpoint_url}/", url)
    assert sorted(buckets.keys(bucket)) == ["d/f", "d/sub/g"]
    buckets.close()


@pytest.mark.spec("CLI-008", "CLI-024")
@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("kind", ["seaweedfs", "rclone"])
def test_between_stores_all_else_is_moved(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    server: S3Server = request.getfixturevalue(kind)
    buckets = Buckets(server)
    bucket = buckets.new()
    url = f"s3://{bucket}/d?endpoint_url={server.endpoint_url}"
    for key in ("d/f", "d/sub/g"):
        buckets._client.put_object(Bucket=bucket, Key=key, Body=b"keep me")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "g").write_bytes(b"another")
    os.utime(tmp_path / "sub" / "g", (1, 1))
    move("--overwrite", url, str(tmp_path), code=0)
    assert buckets.keys(bucket) == []
    assert [(tmp_path / name).read_bytes() for name in ("f", "sub/g")] == [b"keep me"] * 2
    buckets.close()


@pytest.mark.spec("CLI-024")
@pytest.mark.parametrize("options", [["--overwrite"], []], ids=repr)
def test_a_folder_of_this_machine_through_a_link(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "x" / "sub").mkdir(parents=True)
    (tmp_path / "x" / "sub" / "f").write_bytes(b"keep me")
    (tmp_path / "y").symlink_to(tmp_path / "x")
    refused(*options, f"{tmp_path}/x/sub", f"{tmp_path}/y/sub")
    assert (tmp_path / "x" / "sub" / "f").read_bytes() == b"keep me"


@pytest.fixture
def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with files in ``src``, and ``dst``, which is for links into it."""
    monkeypatch.chdir(tmp_path)
    for name, data in {"sub/deep/f": b"precious", "other/deep/f": b"also mine"}.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        os.utime(path, (1, 1))
    (tmp_path / "dst").mkdir()
    return tmp_path


def kept(folder: Path) -> None:
    assert (folder / "src/sub/deep/f").read_bytes() == b"precious"
    assert (folder / "src/other/deep/f").read_bytes() == b"also mine"


@pytest.mark.spec("CLI-024")
@pytest.mark.parametrize("options", [["--overwrite"], []], ids=repr)
@pytest.mark.parametrize("link", ["sub", "sub/deep"])
@pytest.mark.parametrize("to", ["sub", "other"])
def test_a_target_with_a_link_to_a_folder_of_the_source(
    linked: Path, options: list[str], link: str, to: str
) -> None:
    path = linked / "dst" / link
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(linked / "src" / link.replace("sub", to))
    refused(*options, "src", "dst")
    kept(linked)
    assert not (linked / "dst" / "other").exists()


@pytest.mark.spec("CLI-024")
@pytest.mark.parametrize("options", [["--overwrite"], []], ids=repr)
def test_a_link_to_a_folder_of_the_source_over_sftp(
    sshd: SFTPServer, linked: Path, options: list[str]
) -> None:
    configure(sshd, linked)
    (linked / "dst" / "sub").symlink_to("../src/sub")
    for sides in (["far:src", "far:dst"], ["src", "far:dst"], ["far:src", "dst"]):
        refused(*options, *sides)
        kept(linked)


@pytest.mark.spec("CLI-024", "CLI-029")
def test_where_a_link_leads_elsewhere_files_are_moved(linked: Path) -> None:
    (linked / "elsewhere" / "deep").mkdir(parents=True)
    (linked / "elsewhere" / "deep" / "f").write_bytes(b"precious")
    (linked / "dst" / "sub").symlink_to("../elsewhere")
    move("src", "dst", code=0)
    assert (linked / "elsewhere" / "deep" / "f").read_bytes() == b"precious"
    assert (linked / "dst" / "other" / "deep" / "f").read_bytes() == b"also mine"
    assert not (linked / "src").exists()


@pytest.mark.spec("CLI-029")
@pytest.mark.parametrize("to", ["other", "../elsewhere"])
def test_files_do_not_replace_each_other_through_links(linked: Path, to: str) -> None:
    (linked / "elsewhere").mkdir()
    (linked / "dst" / "other").mkdir()
    (linked / "dst" / "sub").symlink_to(to)
    refused("--overwrite", "src", "dst")
    kept(linked)
    if to == "other":  # the one arrives, the other finds it there
        assert "the file exists" in move("src", "dst").err
        kept(linked)


@pytest.mark.spec("CLI-024")
def test_what_is_copied_through_a_link_into_the_source_stays(linked: Path) -> None:
    (linked / "src" / "third").mkdir()
    (linked / "dst" / "sub").symlink_to("../src/third")
    assert "src/third/deep/f: it came while files were moved" in move("src", "dst").err
    assert (linked / "dst" / "sub" / "deep" / "f").read_bytes() == b"precious"
    assert (linked / "dst" / "other" / "deep" / "f").read_bytes() == b"also mine"


@pytest.mark.spec("CLI-024")
def test_a_name_that_no_path_can_have_behind_a_link(linked: Path) -> None:
    (linked / "src" / "sub" / "a\\b").write_bytes(b"odd")
    (linked / "elsewhere").mkdir()
    (linked / "dst" / "sub").symlink_to("../elsewhere")
    assert "no path as text can have this name" in move("src", "dst").err
    (linked / "elsewhere" / "a\\b").hardlink_to(linked / "src" / "sub" / "a\\b")
    refused("src", "dst")
    kept(linked)


def configure(sshd: SFTPServer, folder: Path) -> None:
    """Make a folder of this machine a store ``far``."""
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in sshd.options.items())
    (folder / "remote-store.toml").write_text(
        f'[backends.far]\ntype = "sftp"\n[backends.far.options]\n{lines}'
        f'[stores.far]\nbackend = "far"\nroot_path = "{str(folder).lstrip("/")}"\n'
    )


@pytest.mark.spec("CLI-024")
@pytest.mark.parametrize("what", ["", "/f"])
@pytest.mark.parametrize("there", [False, True])
def test_a_file_of_this_machine_over_sftp(
    sshd: SFTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, there: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    configure(sshd, tmp_path)
    Path("x").mkdir()
    Path("x/f").write_bytes(b"keep me")
    sides = [f"far:x{what}", f"./x{what}"]
    refused("--overwrite", *(reversed(sides) if there else sides))
    assert Path("x/f").read_bytes() == b"keep me"


NOW = datetime(2026, 11, 27, 6, tzinfo=UTC)


def info(size: int = 1, seconds: float | None = 0, etag: str | None = None) -> Version:
    return Version(size, None if seconds is None else NOW + timedelta(seconds=seconds), etag)


@pytest.mark.spec("CLI-024")
@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        (info(), info(), True),
        (info(), info(2), False),
        (info(), info(seconds=0.7), True),
        (info(), info(seconds=1.1), False),
        (info(), info(seconds=None), True),
        (info(etag="a"), info(), True),
        (info(etag="a"), info(etag="a"), True),
        (info(etag="a"), info(etag="b"), False),
        (info(seconds=None, etag="a"), info(etag="b"), False),
    ],
)
def test_what_tells_two_files_apart(one: Version, other: Version, may_be: bool) -> None:
    assert may_be_one(one, other) is may_be
    assert may_be_one(other, one) is may_be
