"""Links to folders, in and as what is moved by fsspec: the folders that they lead to are not touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.services import SFTPServer

from remote_store import InvalidPath, Store
from remote_store.backends import LocalBackend, SFTPBackend
from remote_store.ext.fsspec import RemoteStoreFileSystem

FILES = ["d/f", "d/s/g", "real/x", "real/y"]


@pytest.fixture(params=["local", "sftp"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "local":
        backend: Any = LocalBackend(tmp_path)
    else:
        sshd: SFTPServer = request.getfixturevalue("sshd")
        backend = SFTPBackend(base_path=str(tmp_path), **sshd.options)
    with Store(backend) as store:
        for path in FILES:
            store.write(path, path.encode())
        yield store


@pytest.mark.spec("FSS-025")
@pytest.mark.parametrize(
    ("link", "source"),
    [
        ("link", "link"),
        ("link", "link/"),
        ("d/link", "d"),
        ("d/s/link", "d"),
        ("d/link", "*"),
        ("d/link", ["real/x", "d"]),
        ("d/link", "d/*"),
    ],
)
def test_nothing_is_moved_with_a_link_to_a_folder(
    store: Store, tmp_path: Path, link: str, source: Any
) -> None:
    fs = RemoteStoreFileSystem(store=store)
    (tmp_path / link).symlink_to(tmp_path / "real")
    with pytest.raises(InvalidPath, match="link to a folder") as caught:
        fs.mv(source, "new/", recursive=True)
    assert caught.value.path == link
    assert fs.find("") == FILES
    assert not (tmp_path / "new").exists()
    fs.mv(f"{link}/*", "new/", recursive=True)  # what is behind it is named by this
    assert fs.find("") == ["d/f", "d/s/g", "new/x", "new/y"]
    assert (tmp_path / link).is_symlink()


@pytest.mark.spec("FSS-025")
def test_links_elsewhere_hinder_nothing(store: Store, tmp_path: Path) -> None:
    fs = RemoteStoreFileSystem(store=store)
    for link in ("link", "d/s/link"):
        (tmp_path / link).symlink_to(tmp_path / "real")
    fs.mv("real", "new", recursive=True)
    fs.mv("d", "new/", recursive=True, maxdepth=1)
    assert fs.find("") == ["d/s/g", "new/f", "new/x", "new/y"]
