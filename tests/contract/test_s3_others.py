"""The contract on other servers of the S3 protocol; what each does not do is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from tests.contract.test_s3 import S3Contract
from tests.s3_buckets import Buckets
from tests.services import S3Server

from remote_store import Backend
from remote_store.backends import S3Backend

NO_LINE_BREAKS = "moto does not find objects with a line break in their name"


class OtherServer(S3Contract):
    """In one way only: SeaweedFS has shown the others, and these servers take their time."""

    server_name: ClassVar[str]
    lacking: ClassVar[Mapping[str, str]] = {}
    """What the server does wrong, by the test that shows it."""

    @pytest.fixture(params=["asyncio"])
    def way(self, request: pytest.FixtureRequest) -> str:
        if (why := self.lacking.get(request.function.__name__)) is not None:
            pytest.skip(why)
        return str(request.param)

    @pytest.fixture(scope="class")
    @classmethod
    def of_server(cls, request: pytest.FixtureRequest) -> Iterator[tuple[S3Server, Buckets]]:
        server = request.getfixturevalue(cls.server_name)
        buckets = Buckets(server)
        yield server, buckets
        buckets.close()

    @pytest.fixture
    def prepared(self, of_server: tuple[S3Server, Buckets]) -> Iterator[None]:
        self.server, buckets = of_server
        self.bucket = buckets.new()
        yield
        assert buckets.unfinished(self.bucket) == []


class TestRclone(OtherServer):
    """rclone takes conditional writes and ignores the condition; its objects are files of a folder."""

    server_name: ClassVar[str] = "rclone"
    lacking: ClassVar[Mapping[str, str]] = {
        "test_readers_see_whole_versions": "rclone's server writes into the file that others read",
        "test_one_version_also_when_seeking": "rclone's server writes into the file that others read",
        "test_many_writers_of_one_file": "rclone's server answers some concurrent writes with 500",
        "test_copies_keep_them": "rclone's server adds metadata of its own to copies",
        "test_folder_info_adds_up_all_below": "rclone's server cuts times to seconds in one of two answers",
    }

    def make_backend(self, tmp_path: Path) -> Backend:
        return S3Backend(self.bucket, **self.server.options, conditional_writes=False)


class TestMoto(OtherServer):
    """moto lists by byte order and takes all names; it ignores the condition of a copy."""

    server_name: ClassVar[str] = "moto"
    odd_names: ClassVar[tuple[str, ...]] = tuple(name for name in S3Contract.odd_names if "\n" not in name)
    lacking: ClassVar[Mapping[str, str]] = {
        "test_a_trailing_newline_is_part_of_the_name": NO_LINE_BREAKS,
    }

    def make_backend(self, tmp_path: Path) -> Backend:
        return S3Backend(self.bucket, **self.server.options)
