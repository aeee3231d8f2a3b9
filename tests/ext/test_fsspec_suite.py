"""fsspec's own tests for implementations, over stores on four kinds of storage."""

from __future__ import annotations

import itertools
import os
import posixpath
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec.tests.abstract as suite
import pytest
from fsspec.implementations.local import LocalFileSystem
from tests.s3_buckets import Buckets
from tests.services import S3Server, SFTPServer

from remote_store import Store
from remote_store.backends import LocalBackend, MemoryBackend, S3Backend, SFTPBackend
from remote_store.ext.fsspec import RemoteStoreFileSystem

EVERYTHING = "REMOTE_STORE_FSSPEC_SUITE" in os.environ
"""Run all tests on S3 and SFTP too, which takes a minute more."""
GLOBS = ("test_copy_glob_edge_cases", "test_get_glob_edge_cases", "test_put_glob_edge_cases")
"""32 tests each: patterns are matched on this side, and on S3 by the first of these over its listings."""
numbers = itertools.count()
pytestmark = pytest.mark.spec("FSS-020")


class OnStore(suite.AbstractFixtures):  # type: ignore[misc]  # fsspec has no types
    """Fixtures that the suite asks for; the subclasses give the store."""

    @pytest.fixture
    def fs(self, store: Store) -> RemoteStoreFileSystem:
        return RemoteStoreFileSystem(store=store)

    @pytest.fixture
    def local_fs(self) -> LocalFileSystem:
        return LocalFileSystem(auto_mkdir=True)

    @pytest.fixture
    def fs_path(self) -> str:
        return f"suite-{next(numbers)}"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return posixpath.join


class Suite(
    OnStore,
    suite.AbstractCopyTests,  # type: ignore[misc]
    suite.AbstractGetTests,  # type: ignore[misc]
    suite.AbstractOpenTests,  # type: ignore[misc]
    suite.AbstractPipeTests,  # type: ignore[misc]
    suite.AbstractPutTests,  # type: ignore[misc]
):
    """All that fsspec publishes."""


class TestLocal(Suite):
    """On folders that exist by themselves."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return Store(LocalBackend(tmp_path / "root"))


class TestMemory(Suite):
    """In memory, where a folder goes with its last file."""

    @pytest.fixture
    def store(self) -> Store:
        return Store(MemoryBackend())

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return False


WITHOUT_GHOSTS = (
    "test_copy_directory_to_existing_directory",
    "test_copy_directory_to_new_directory",
    "test_copy_glob_to_existing_directory",
    "test_put_directory_to_existing_directory",
    "test_put_directory_to_new_directory",
    "test_put_glob_to_existing_directory",
)
"""What looks at a folder out of which all was deleted: SeaweedFS lists that still, Amazon and moto do not."""


class OnS3(Suite):
    """In a bucket, where a folder goes with its last object."""

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return False


class TestSeaweedFS(OnS3):
    """On a server that checks signatures and conditions."""

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, seaweedfs: S3Server, buckets: Buckets) -> Iterator[Store]:
        bucket = buckets.new()
        with Store(S3Backend(bucket, **seaweedfs.options)) as store:
            yield store
        buckets.drop(bucket)


class TestMoto(OnS3):
    """The tests that SeaweedFS cannot pass, on a server that lists as Amazon does."""

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, moto: S3Server) -> Iterator[Store]:
        with Store(S3Backend(Buckets(moto).new(), **moto.options)) as store:
            yield store


class TestSFTP(Suite):
    """On OpenSSH's server."""

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, sshd: SFTPServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
        root = tmp_path_factory.mktemp("fsspec")
        with Store(SFTPBackend(base_path=str(root), **sshd.options)) as store:
            yield store


def leave_out(cls: type[Suite], wanted: Callable[[str], bool]) -> None:
    """Keep those tests of a class that are wanted."""
    for name in dir(Suite):
        if name.startswith("test_") and not wanted(name):
            setattr(cls, name, None)


leave_out(TestMoto, lambda name: name in WITHOUT_GHOSTS)
leave_out(TestSeaweedFS, lambda name: name not in WITHOUT_GHOSTS)
if not EVERYTHING:
    leave_out(TestSeaweedFS, lambda name: name not in (*WITHOUT_GHOSTS, *GLOBS[1:]))
    leave_out(TestSFTP, lambda name: name not in GLOBS)
